//! `deadletter`: the events that could not be delivered, listed, shown and sent again.

mod resend;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use futures_util::{StreamExt as _, stream};
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{NetSettings, StateSettings, environment};
use proofpoint_sentinel::state::{DeadLetterName, DeadLetterReason, State, StoredDeadLetter};
use proofpoint_sentinel_core::feed::EventType;

use super::failure::Failure;
use super::{exit_code, logging};

/// How many dead letters are read at once for a list. One may have 64 MiB.
const READ_AT_A_TIME: usize = 4;

/// How many characters of a detail are listed.
const LONGEST_DETAIL: usize = 100;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List dead letters, one a line: name, reason, feed, time, bytes, detail, with tabs between.
    List(ListArguments),
    /// Print the event of a dead letter as it came, and what is known of it to standard error.
    Show(ShowArguments),
    /// Send the events of dead letters to the workspace, as a run would, and delete those that it
    /// takes.
    ///
    /// Needs the settings of a run. Each feed is worked on under its lease, so not while a run of
    /// the Function App is at it. What can't be delivered still is kept. The ledger of delivered
    /// events is not asked, since it knows refused events too. A dead letter is deleted only after
    /// the workspace took its row; if this program is killed in between, the row arrives twice the
    /// next time.
    ///
    /// Events that are `oversize` are left alone, because the workspace has their shortened rows
    /// already. With `--reason oversize` those whose rows now fit whole are sent: for example
    /// after a change from the Data Collector API to the Logs Ingestion API. The shortened rows
    /// stay.
    Resend(resend::Arguments),
}

#[derive(Args)]
pub(crate) struct Filter {
    /// malformed, oversize or refused
    #[arg(long)]
    reason: Option<DeadLetterReason>,
    /// The cluster's id
    #[arg(long)]
    cluster: Option<String>,
    /// message, maillog or audit
    #[arg(long = "type")]
    event_type: Option<EventType>,
}

impl Filter {
    fn takes(&self, name: &DeadLetterName) -> bool {
        let feed = name.feed();
        self.reason.is_none_or(|reason| reason == name.reason())
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == feed.cluster_id)
            && self.event_type.is_none_or(|event_type| event_type == feed.event_type)
    }
}

#[derive(Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    filter: Filter,
    /// List no more than this
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

#[derive(Args)]
pub(crate) struct ShowArguments {
    /// As `list` prints it
    name: DeadLetterName,
}

pub(crate) async fn run(command: Command) -> ExitCode {
    logging::for_terminal();
    let result = match command {
        Command::List(arguments) => list(&arguments).await,
        Command::Show(arguments) => show(&arguments.name).await.map(|()| true),
        Command::Resend(arguments) => resend::resend(arguments).await,
    };
    match result {
        // Whoever read the output has enough of it.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        told => exit_code(told),
    }
}

async fn open() -> Result<State, Failure> {
    let vars = environment();
    let settings = StateSettings::read(&vars)?;
    let net = Net::of(&NetSettings::read(&vars)?)?;
    Ok(State::open(&settings, &net).await?)
}

/// Whether all of them could be read.
async fn list(arguments: &ListArguments) -> Result<bool, Failure> {
    let state = open().await?;
    let mut names = state.list_dead_letters().await?;
    names.retain(|name| arguments.filter.takes(name));
    let count = names.len();
    let reads = names.into_iter().take(arguments.limit).map(|name| async {
        let read = state.read_dead_letter(&name).await;
        (name, read)
    });
    let mut lines = stream::iter(reads).buffered(READ_AT_A_TIME);
    let mut sound = true;
    while let Some((name, read)) = lines.next().await {
        match read {
            Ok(Some(letter)) => {
                writeln!(io::stdout(), "{}", line(&name, &letter)).map_err(Failure::output)?;
            }
            // Somebody deleted it meanwhile.
            Ok(None) => {}
            Err(error) if error.is_damage() => {
                sound = false;
                eprintln!("error: {}", Failure::from(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if count > arguments.limit {
        eprintln!("{} of {count} dead letters are listed: raise --limit", arguments.limit);
    }
    Ok(sound)
}

fn line(name: &DeadLetterName, letter: &StoredDeadLetter) -> String {
    let StoredDeadLetter { reason, feed, at, .. } = letter;
    let detail = shortened(&letter.detail);
    format!("{name}\t{reason}\t{feed}\t{at}\t{}\t{detail}", letter.event.len())
}

/// What a peer said may hold anything, and a terminal obeys some of that.
fn shortened(detail: &str) -> String {
    let mut characters = detail.chars();
    let shown: String = characters.by_ref().take(LONGEST_DETAIL).collect();
    let more = if characters.next().is_some() { "..." } else { "" };
    printable(&shown) + more
}

fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

async fn show(name: &DeadLetterName) -> Result<(), Failure> {
    let Some(letter) = open().await?.read_dead_letter(name).await? else {
        let message = format!("there is no dead letter `{name}`");
        return Err(Failure::new(error_code::DEAD_LETTER_CHOICE, message));
    };
    let StoredDeadLetter { reason, feed, at, .. } = &letter;
    eprintln!("reason  {reason}\nfeed    {feed}\nat      {at}");
    eprintln!("bytes   {}\ndetail  {}", letter.event.len(), printable(&letter.detail));
    let mut stdout = io::stdout();
    stdout.write_all(&letter.event).and_then(|()| stdout.flush()).map_err(Failure::output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_one_line_without_orders_to_the_terminal() {
        assert_eq!(shortened("a\u{1b}[2J\tb\nü"), "a\\u{1b}[2J\\tb\\nü");
        assert_eq!(shortened(&"ü".repeat(LONGEST_DETAIL)), "ü".repeat(LONGEST_DETAIL));
        let long = shortened(&"ü".repeat(LONGEST_DETAIL + 1));
        assert_eq!(long, "ü".repeat(LONGEST_DETAIL) + "...");
    }
}
