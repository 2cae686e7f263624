//! Prints the events of simulated mail from an hour on, the same for the same arguments:
//! `cargo run --example mail -- message 2026-11-20T00:00:00Z 24 2000`, the type, the first hour, the
//! number of hours, and the messages in the busiest of them.

#![allow(clippy::disallowed_methods, reason = "an example may")]

use std::error::Error;
use std::io::{self, Write};

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::mail::MailTraffic;
use proofpoint_sentinel_simulator::pod::{EventSource, GeneratedEvents, MailVolume};

const CLUSTER: &str = "acme_hosted";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [event_type, first, hours, rate] = arguments.as_slice() else {
        return Err("say the type of events, the first hour, the number of hours, the rate".into());
    };
    let feed = Feed::log(CLUSTER, event_type.parse::<EventType>()?);
    let first = Hour::containing(first.parse::<Timestamp>()?);
    let (hours, rate): (i64, u64) = (hours.parse()?, rate.parse()?);
    let volume =
        MailVolume { messages: rate, audits: (rate / 50).max(10), daily: true, bulk: false };
    let source = GeneratedEvents::new([(CLUSTER.to_owned(), MailTraffic::new(1, CLUSTER))], volume);

    let mut out = io::stdout().lock();
    for hour in first.through(first.plus(hours - 1)) {
        for event in source.events(&feed, hour) {
            out.write_all(&event)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
