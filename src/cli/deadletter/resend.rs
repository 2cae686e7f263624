//! `deadletter resend`.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use indicatif::ProgressBar;
use proofpoint_sentinel::collect::{ResendOutcome, RunCounters, resend as send};
use proofpoint_sentinel::error_code::Coded as _;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{Settings, environment};
use proofpoint_sentinel::state::{DeadLetterName, DeadLetterReason, State};
use proofpoint_sentinel_core::clock::Clock;
use serde::Serialize;

use super::choice::Choice;
use super::progress::bar;
use crate::cli::failure::Failure;
use crate::cli::{signals, unlimited_run};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// Print an object of JSON for each dead letter, one a line
    #[arg(long)]
    json: bool,
}

/// What came of a dead letter, for scripts.
#[derive(Serialize)]
struct ResendLine<'a> {
    name: String,
    /// `delivered`, `kept`, `missing` or `damaged`.
    outcome: &'a str,
    /// Why it was not delivered.
    reason: Option<String>,
}

/// Sends the chosen dead letters. Says whether all of them are delivered.
pub(super) async fn resend(arguments: Arguments) -> Result<bool, Failure> {
    let settings = Settings::read(&environment())?;
    let stop = signals::stop_token();
    let net = Net::of(&settings.source.net)?;
    let state = State::open(&settings.state, &net).await?;
    let (mut letters, all_readable) = arguments.choice.choose(&state).await?;
    if arguments.choice.filter.reason != Some(DeadLetterReason::Oversize) {
        leave_oversize(&mut letters);
    }
    if letters.is_empty() {
        say(arguments.json, "There is no dead letter to send.").map_err(Failure::output)?;
        return Ok(all_readable);
    }
    let id = format!("resend {}", Clock::system().now());
    let run = unlimited_run(id, settings, stop, Arc::new(RunCounters::default()));
    let bar = bar(letters.len());
    let mut counts = ResendCounts {
        chosen: letters.len(),
        delivered: 0,
        not_delivered: 0,
        json: arguments.json,
        bar: bar.clone(),
    };
    let sent = send(&run, letters, |name, outcome| counts.report(name, outcome)).await;
    bar.finish_and_clear();
    for (feed, error) in sent? {
        eprintln!("error: {feed}: {}", Failure::from(error));
    }
    Ok(counts.finish() && all_readable)
}

/// Tells a person, and not the script that reads JSON.
fn say(json: bool, text: &str) -> io::Result<()> {
    if json { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") }
}

/// Leaves out those of which the workspace has a shortened row.
fn leave_oversize(letters: &mut Vec<DeadLetterName>) {
    let count = letters.len();
    letters.retain(|name| name.reason() != DeadLetterReason::Oversize);
    let left = count - letters.len();
    if left > 0 {
        eprintln!(
            "{left} oversize left alone: the workspace has their shortened rows. Add --reason oversize to send those whose rows now fit whole."
        );
    }
}

/// Counts what became of the dead letters, and tells the user.
struct ResendCounts {
    chosen: usize,
    delivered: usize,
    not_delivered: usize,
    json: bool,
    bar: ProgressBar,
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
        let line = if self.json {
            let (name, outcome) = (name.to_string(), as_word(outcome));
            let reason = Some(what).filter(|_| outcome != "delivered");
            let line = ResendLine { name, outcome, reason };
            serde_json::to_string(&line).expect("texts are valid as JSON")
        } else {
            format!("{name}  {what}")
        };
        self.bar.suspend(|| {
            let _ = writeln!(io::stdout(), "{line}");
        });
        self.bar.inc(1);
    }

    /// Tells the sums. Says whether every chosen dead letter is delivered.
    fn finish(self) -> bool {
        let ResendCounts { chosen, delivered, not_delivered, json, .. } = self;
        let untried = chosen.saturating_sub(delivered + not_delivered);
        let sums = format!("{delivered} delivered, {not_delivered} not, {untried} not tried.");
        let _ = say(json, &sums);
        delivered == chosen
    }
}

fn as_word(outcome: &ResendOutcome) -> &'static str {
    match outcome {
        ResendOutcome::Delivered => "delivered",
        ResendOutcome::Kept(_) => "kept",
        ResendOutcome::Missing => "missing",
        ResendOutcome::Damaged(_) => "damaged",
    }
}
