//! A TAP account with an hour of very many records, which come in one body.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::host::FunctionsHost;
use proofpoint_sentinel_simulator::pod::InMemoryEvents;
use proofpoint_sentinel_simulator::tap::{CallFault, InMemoryRecords};
use proofpoint_sentinel_simulator::workspace::RowStorage;
use proofpoint_sentinel_simulator::{
    DestinationApi, Simulation, SimulationSettings, TAP_PRINCIPAL,
};

use super::Failure;
use super::programs::{Measured, feed_reports, measured_run, print_heads, unpack};

/// How many records a body has.
const BODIES: [u64; 3] = [100, 100_000, 400_000];

/// `ProofpointMemoryMB`: the least that can be set.
const MEGABYTES: &str = "64";

/// Runs the binary of the package over a body of each length, and prints a line for each. Proofpoint
/// and the workspace are simulated in this process.
pub(crate) async fn measure(connector: &Path) -> Result<(), Failure> {
    print_heads();
    for records in BODIES {
        run(connector, records).await?.print(&format!("{records} records"));
    }
    Ok(())
}

async fn run(connector: &Path, records: u64) -> Result<Measured, Failure> {
    let directory = tempfile::tempdir()?;
    let events = Arc::new(InMemoryEvents::default());
    let settings = SimulationSettings::new(directory.path(), Clock::system(), &[], events)
        .with_tap(Arc::new(InMemoryRecords::default()));
    let settings = SimulationSettings { row_storage: RowStorage::CountOnly, ..settings };
    let simulation = Simulation::start(settings).await?;
    // The one closed hour that is due.
    let hour = Hour::containing(Timestamp::now() - SignedDuration::from_hours(2));
    let tap = simulation.tap.as_ref().ok_or("the simulation has no TAP")?;
    tap.set_hour_fault(TAP_PRINCIPAL, hour, Some(CallFault::Huge(records)));
    let app = directory.path().join("app");
    unpack(connector, &app, "00:10:00")?;
    let own = [
        ("TapInitialLookbackHours", "2".to_owned()),
        ("TapThreatStatus", "active,cleared".to_owned()),
        ("ProofpointMemoryMB", MEGABYTES.to_owned()),
        ("ProofpointSchedule", "0 */5 * * * *".to_owned()),
        ("StateStorage", format!("file://{}", directory.path().join("state").display())),
    ];
    let settings = simulation.app_settings(DestinationApi::LogsIngestion).into_iter();
    let settings = settings.chain(own.map(|(name, value)| (name.to_owned(), value)));
    let host = FunctionsHost::start(&app, settings).await?;
    let (took, usage) = measured_run(&host).await?;
    let reports = feed_reports(&host);
    let report = reports.last().ok_or("the run has no report")?;
    let number = |field: &str| report[field].as_u64().unwrap_or(0);
    if number("delivered") != records {
        return Err(format!("{} of {records} records arrived", number("delivered")).into());
    }
    Ok(Measured { read: number("event_bytes"), sent: number("sent_bytes"), took, usage })
}
