//! Whole hours through the connector as it is packaged, and beside it the bare program
//! (`examples/bare.rs`), which reads the same streams, compresses the same bytes and posts them, with
//! no other logic. `scripts/bench` builds both alike and starts this.
//!
//! Proofpoint and the workspace are simulated in another process. What counts is the work per byte
//! of events: megabytes in a second of the measured process's own processor time.
#![allow(clippy::disallowed_methods, reason = "tests may")]

mod live;
mod many;
mod programs;
mod simulation;
mod start;
mod tap;
mod usage;

use std::error::Error;

use jiff::{SignedDuration, Timestamp};
use programs::{Programs, print_heads};
use proofpoint_sentinel_core::hour::Hour;
use simulation::Simulation;

type Failure = Box<dyn Error + Send + Sync>;

/// What is read: its name, and the setting that says it.
const MIXES: [(&str, &str); 3] =
    [("messages", "message"), ("mail logs", "maillog"), ("three feeds", "message,maillog,audit")];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [word, connector] = arguments.as_slice() {
        let connector = std::path::absolute(connector)?;
        match word.as_str() {
            "many" => return many::measure(&connector).await,
            "live" => return live::measure(&connector).await,
            "tap" => return tap::measure(&connector).await,
            _ => {}
        }
    }
    let [connector, bare, messages] = arguments.as_slice() else {
        return Err(
            "say a connector, a bare program and a number of messages: scripts/bench does".into()
        );
    };
    let directory = tempfile::tempdir()?;
    let messages: u64 = messages.parse()?;
    let simulation = Simulation::start(1, messages, directory.path())?;
    let programs = Programs {
        connector: std::path::absolute(connector)?,
        bare: std::path::absolute(bare)?,
        simulation: &simulation,
        // The hour that is due now stays the same for the whole benchmark, unless it runs over a
        // quarter to; then the connector reads another hour of the same size.
        hour: Hour::newest_due(Timestamp::now(), SignedDuration::from_mins(45)),
        directory: directory.path(),
    };
    println!("{messages} messages in one hour, over TLS, into a workspace in another process\n");
    print_heads();
    for (name, feeds) in MIXES {
        compare(&programs, name, feeds).await?;
    }
    let hybrid = programs.run_connector("message", "hybrid").await?;
    hybrid.print("messages, hybrid");
    let first = start::first_answer(&programs.connector, directory.path())?;
    println!("\nfirst answer to GET / {:.1} ms after the start", first.as_secs_f64() * 1e3);
    Ok(())
}

async fn compare(programs: &Programs<'_>, name: &str, feeds: &str) -> Result<(), Failure> {
    let bare = programs.run_bare(feeds)?;
    bare.print(&format!("{name}, bare"));
    let connector = programs.run_connector(feeds, "archive").await?;
    connector.print(&format!("{name}, connector"));
    println!(
        "{:22} {:.2} of the bare program's megabytes per CPU second",
        "",
        connector.per_cpu_second() / bare.per_cpu_second()
    );
    Ok(())
}
