//! `deadletter`: the events that could not be delivered, listed, shown and sent again.

mod filter;
mod resend;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use futures_util::{StreamExt as _, stream};
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{NetSettings, StateSettings, environment};
use proofpoint_sentinel::state::{DeadLetterName, State, StoredDeadLetter};

use super::failure::Failure;
use super::{exit_code, logging};
use filter::Filter;

/// How many dead letters are read at once for a list. One may have 64 MiB.
const MAX_READS: usize = 4;

/// How many characters of a detail are listed.
const MAX_DETAIL: usize = 100;

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
        // The reader of the output has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        result => exit_code(result),
    }
}

async fn open() -> Result<State, Failure> {
    let vars = environment();
    let settings = StateSettings::read(&vars)?;
    let net = Net::of(&NetSettings::read(&vars)?)?;
    Ok(State::open(&settings, &net).await?)
}

/// Lists dead letters. Says whether all of them could be read.
async fn list(arguments: &ListArguments) -> Result<bool, Failure> {
    let state = open().await?;
    let mut names = state.list_dead_letters().await?;
    names.retain(|name| arguments.filter.matches(name));
    let count = names.len();
    let reads = names.into_iter().take(arguments.limit).map(|name| async {
        let read = state.read_dead_letter(&name).await;
        (name, read)
    });
    let mut lines = stream::iter(reads).buffered(MAX_READS);
    let mut all_readable = true;
    while let Some((name, read)) = lines.next().await {
        match read {
            Ok(Some(letter)) => {
                writeln!(io::stdout(), "{}", line(&name, &letter)).map_err(Failure::output)?;
            }
            // It was deleted meanwhile.
            Ok(None) => {}
            Err(error) if error.is_damage() => {
                all_readable = false;
                eprintln!("error: {}", Failure::from(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if count > arguments.limit {
        eprintln!("{} of {count} dead letters are listed: raise --limit", arguments.limit);
    }
    Ok(all_readable)
}

fn line(name: &DeadLetterName, letter: &StoredDeadLetter) -> String {
    let StoredDeadLetter { reason, feed, at, .. } = letter;
    let detail = shortened(&letter.detail);
    format!("{name}\t{reason}\t{feed}\t{at}\t{}\t{detail}", letter.event.len())
}

/// The detail as one line of bounded length. It may quote a peer, whose text can hold control
/// sequences that a terminal would obey.
fn shortened(detail: &str) -> String {
    let mut characters = detail.chars();
    let shown: String = characters.by_ref().take(MAX_DETAIL).collect();
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
    fn a_detail_is_one_line_without_control_characters() {
        assert_eq!(shortened("a\u{1b}[2J\tb\nü"), "a\\u{1b}[2J\\tb\\nü");
        assert_eq!(shortened(&"ü".repeat(MAX_DETAIL)), "ü".repeat(MAX_DETAIL));
        let long = shortened(&"ü".repeat(MAX_DETAIL + 1));
        assert_eq!(long, "ü".repeat(MAX_DETAIL) + "...");
    }
}
