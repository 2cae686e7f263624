//! `deadletter show`.

use std::io::{self, IsTerminal as _, Write};

use clap::Args;
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::state::{DeadLetterName, StoredDeadLetter};
use serde::de::IgnoredAny;

use super::read::open;
use super::text::{indented, printable};
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    /// As `list` prints it
    name: DeadLetterName,
    /// Indent the event, even if the output is no terminal
    #[arg(long, conflicts_with = "raw")]
    pretty: bool,
    /// Print the event as it came, even on a terminal
    #[arg(long)]
    raw: bool,
}

pub(super) async fn show(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.name;
    let Some(letter) = open().await?.read_dead_letter(name).await? else {
        let message = format!("there is no dead letter `{name}`");
        return Err(Failure::new(error_code::DEAD_LETTER_CHOICE, message));
    };
    let StoredDeadLetter { reason, feed, at, .. } = &letter;
    eprintln!("reason  {reason} ({})\nfeed    {feed}\nat      {at}", reason.code());
    eprintln!("bytes   {}\ndetail  {}", letter.event.len(), printable(&letter.detail));
    let mut stdout = io::stdout();
    let is_pretty = arguments.pretty || (!arguments.raw && stdout.is_terminal());
    let event = if is_pretty { readable(&letter.event).into_bytes() } else { letter.event };
    stdout.write_all(&event).and_then(|()| stdout.flush()).map_err(Failure::output)
}

/// The event for a person: indented if it is JSON, and without anything that a terminal would obey.
fn readable(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let is_json = serde_json::from_slice::<IgnoredAny>(event).is_ok();
    let text = if is_json { indented(&text) } else { text.into_owned() };
    let lines = text.split('\n').map(printable);
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_readable_whatever_it_is() {
        assert_eq!(readable(br#"{"a":1.50}"#), "{\n  \"a\": 1.50\n}\n");
        assert_eq!(readable(b"no {json"), "no {json\n");
        assert_eq!(readable(b"\x1b[2J\xff"), "\\u{1b}[2J\u{fffd}\n");
    }
}
