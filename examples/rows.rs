//! Prints the row that each event on standard input becomes if it is received at its own time:
//! `cargo run --example rows -- message columns < events.ndjson`.

#![allow(clippy::disallowed_methods, reason = "an example may")]

use std::error::Error;
use std::io::{self, Write};

use jiff::Timestamp;
use proofpoint_sentinel::row::{CollectedBy, RowBuilder, RowShape};
use proofpoint_sentinel::settings::MessageText;
use proofpoint_sentinel_core::feed::EventType;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [event_type, shape] = arguments.as_slice() else {
        return Err("say message, maillog or audit, then columns or legacy".into());
    };
    let event_type: EventType = event_type.parse()?;
    let shape = match shape.as_str() {
        "columns" => RowShape::Columns,
        "legacy" => RowShape::Legacy,
        other => return Err(format!("{other} is neither columns nor legacy").into()),
    };
    let builder = RowBuilder::new(event_type, shape, MessageText::Fit, CollectedBy::Live);
    let mut row = Vec::new();
    let mut out = io::stdout().lock();
    for event in io::stdin().lines() {
        let (event, now) = (event?, Timestamp::now());
        let at = builder.build(&event, now, &mut row)?.event_time;
        builder.build(&event, at.unwrap_or(now), &mut row)?;
        row.push(b'\n');
        out.write_all(&row)?;
    }
    Ok(())
}
