//! Prints the row that each event on standard input becomes if it is received at its own time:
//! `cargo run --example rows -- message columns < events.ndjson`. Records of TAP have the name of their
//! array for a type: `messagesDelivered`.

#![allow(clippy::disallowed_methods, reason = "an example may")]

use std::error::Error;
use std::io::{self, Write};

use jiff::Timestamp;
use proofpoint_sentinel::row::repair::Repairs;
use proofpoint_sentinel::row::tap::TapRowBuilder;
use proofpoint_sentinel::row::{CollectedBy, MalformedEvent, RowBuilder, RowShape};
use proofpoint_sentinel::settings::MessageText;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::tap_kind::TapKind;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [event_type, shape] = arguments.as_slice() else {
        return Err("say message, maillog, audit or a TAP array, then columns or legacy".into());
    };
    let shape = match shape.as_str() {
        "columns" => RowShape::Columns,
        "legacy" => RowShape::Legacy,
        other => return Err(format!("{other} is neither columns nor legacy").into()),
    };
    let kind = TapKind::ALL.into_iter().find(|kind| kind.as_str() == event_type);
    let append: Append = match kind {
        Some(kind) => {
            let builder = TapRowBuilder::new(kind, shape);
            Box::new(move |event, received, row| {
                Ok(builder.append(event, Repairs::default(), received, row)?.event_time)
            })
        }
        None => {
            let event_type: EventType = event_type.parse()?;
            let builder = RowBuilder::new(event_type, shape, MessageText::Fit, CollectedBy::Live);
            Box::new(move |event, received, row| {
                Ok(builder.append(event, Repairs::default(), received, row)?.event_time)
            })
        }
    };
    print_rows(append)
}

/// Appends the row of an event that was received then, and gives back the event's time.
type Append =
    Box<dyn Fn(&str, Timestamp, &mut Vec<u8>) -> Result<Option<Timestamp>, MalformedEvent>>;

fn print_rows(append: Append) -> Result<(), Box<dyn Error>> {
    let mut row = Vec::new();
    let mut out = io::stdout().lock();
    for event in io::stdin().lines() {
        let (event, now) = (event?, Timestamp::now());
        row.clear();
        let at = append(&event, now, &mut row)?;
        row.clear();
        append(&event, at.unwrap_or(now), &mut row)?;
        row.push(b'\n');
        out.write_all(&row)?;
    }
    Ok(())
}
