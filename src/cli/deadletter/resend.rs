//! `deadletter resend`.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use proofpoint_sentinel::collect::{ResendOutcome, RunCounters, resend as send};
use proofpoint_sentinel::error_code::{self, Coded as _};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{Settings, environment};
use proofpoint_sentinel::state::{DeadLetterName, DeadLetterReason, State};
use proofpoint_sentinel_core::clock::Clock;

use super::filter::Filter;
use crate::cli::failure::Failure;
use crate::cli::{signals, unlimited_run};

#[derive(Args)]
pub(crate) struct Arguments {
    /// As `list` prints them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    names: Vec<DeadLetterName>,
    /// All that there are, of the reason, cluster and type given
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
}

/// Sends the chosen dead letters. Says whether all of them are delivered.
pub(super) async fn resend(arguments: Arguments) -> Result<bool, Failure> {
    let settings = Settings::read(&environment())?;
    let stop = signals::stop_token();
    let letters = choose_letters(&arguments, &settings).await?;
    if letters.is_empty() {
        writeln!(io::stdout(), "There is no dead letter to send.").map_err(Failure::output)?;
        return Ok(true);
    }
    let id = format!("resend {}", Clock::system().now());
    let run = unlimited_run(id, settings, stop, Arc::new(RunCounters::default()));
    let mut counts = ResendCounts { chosen: letters.len(), ..ResendCounts::default() };
    let failed = send(&run, letters, |name, outcome| counts.report(name, outcome)).await?;
    for (feed, error) in failed {
        eprintln!("error: {feed}: {}", Failure::from(error));
    }
    Ok(counts.finish())
}

/// The dead letters to send, each once.
async fn choose_letters(
    arguments: &Arguments,
    settings: &Settings,
) -> Result<Vec<DeadLetterName>, Failure> {
    let mut names = if arguments.all {
        let net = Net::of(&settings.source.net)?;
        State::open(&settings.state, &net).await?.list_dead_letters().await?
    } else {
        arguments.names.clone()
    };
    if let (false, Some(other)) =
        (arguments.all, names.iter().find(|name| !arguments.filter.matches(name)))
    {
        let message = format!("`{other}` is not of the reason, cluster or type given");
        return Err(Failure::new(error_code::DEAD_LETTER_CHOICE, message));
    }
    names.retain(|name| arguments.filter.matches(name));
    if arguments.filter.reason != Some(DeadLetterReason::Oversize) {
        let count = names.len();
        names.retain(|name| name.reason() != DeadLetterReason::Oversize);
        let left = count - names.len();
        if left > 0 {
            eprintln!(
                "{left} oversize left alone: the workspace has their shortened rows. Add --reason oversize to send those whose rows now fit whole."
            );
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Counts what became of the dead letters, and tells the user.
#[derive(Default)]
struct ResendCounts {
    chosen: usize,
    delivered: usize,
    not_delivered: usize,
}

impl ResendCounts {
    fn report(&mut self, name: &DeadLetterName, outcome: &ResendOutcome) {
        let what = match outcome {
            ResendOutcome::Delivered => "delivered".to_owned(),
            ResendOutcome::Kept(reason) if *reason == name.reason() => {
                format!("{reason} again, kept")
            }
            ResendOutcome::Kept(reason) => format!("{reason}, kept under that reason"),
            ResendOutcome::Missing => "is not there".to_owned(),
            ResendOutcome::Damaged(error) => format!("{}: {error}", error.code()),
        };
        match outcome {
            ResendOutcome::Delivered => self.delivered += 1,
            _ => self.not_delivered += 1,
        }
        // The reader may be gone; the work goes on.
        let _ = writeln!(io::stdout(), "{name}  {what}");
    }

    /// Tells the sums. Says whether every chosen dead letter is delivered.
    fn finish(self) -> bool {
        let ResendCounts { chosen, delivered, not_delivered } = self;
        let untried = chosen.saturating_sub(delivered + not_delivered);
        let _ = writeln!(
            io::stdout(),
            "{delivered} delivered, {not_delivered} not, {untried} not tried."
        );
        delivered == chosen
    }
}
