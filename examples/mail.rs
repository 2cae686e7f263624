//! Prints the events of simulated mail from an hour on, the same for the same arguments:
//! `cargo run --example mail -- message 2026-11-20T00:00:00Z 24 2000`, the type, the first hour, the
//! number of hours, and the messages in the busiest of them. Records of TAP have the name of their array
//! for a type: `messagesDelivered`.

#![allow(clippy::disallowed_methods, reason = "an example may")]

use std::error::Error;
use std::io::{self, Write};

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::mail::MailTraffic;
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume};
use proofpoint_sentinel_simulator::tap::{GeneratedRecords, RecordSource};

const CLUSTER: &str = "acme_hosted";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [event_type, first, hours, rate] = arguments.as_slice() else {
        return Err("say the type of events, the first hour, the number of hours, the rate".into());
    };
    let first = Hour::containing(first.parse::<Timestamp>()?);
    let (hours, rate): (i64, u64) = (hours.parse()?, rate.parse()?);
    let volume =
        MailVolume { messages: rate, audits: (rate / 50).max(10), daily: true, bulk: false };
    let last = first.plus(hours - 1);

    let mut out = io::stdout().lock();
    for line in lines(event_type, first, last, volume)? {
        out.write_all(&line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The events of these hours, or the records of which calls knew at their end.
fn lines(
    event_type: &str,
    first: Hour,
    last: Hour,
    volume: MailVolume,
) -> Result<Box<dyn Iterator<Item = Bytes>>, Box<dyn Error>> {
    let traffic = MailTraffic::new(1, CLUSTER);
    if let Some(kind) = TapKind::ALL.into_iter().find(|kind| kind.as_str() == event_type) {
        let source = GeneratedRecords::new([(CLUSTER.to_owned(), vec![traffic])], volume);
        let records = source.records(CLUSTER, &(first.start()..last.end()), last.end());
        let of_kind = records.into_iter().filter(move |record| record.kind == kind);
        return Ok(Box::new(of_kind.map(|record| record.body)));
    }
    let feed = Feed::log(CLUSTER, event_type.parse::<EventType>()?);
    let source = GeneratedEvents::new([(CLUSTER.to_owned(), traffic)], volume);
    Ok(Box::new(first.through(last).flat_map(move |hour| source.events(&feed, hour))))
}
