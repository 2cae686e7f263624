//! Runs that are interrupted, killed, or run at the same time: no event is lost.

use std::os::unix::process::ExitStatusExt;

use proofpoint_sentinel::state::RecordedEnd;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome};
use proofpoint_sentinel_simulator::workspace::{PostFault, ResponseGate};

use crate::app::{App, fire, succeed};
use crate::cli::services::{TestServices, feeds};
use crate::soon;

/// More ticks than needed, even under load.
const TICKS: usize = 10;

impl TestServices {
    /// Whether `hour` is done for both feeds.
    async fn has_done(&self, hour: Hour) -> bool {
        for feed in feeds() {
            let checkpoint = self.checkpoint(&feed).await;
            let again = checkpoint.retry.iter().any(|attempt| attempt.hour == hour);
            let was_passed_over =
                checkpoint.backlog.iter().any(|range| range.hours().any(|it| it == hour));
            if again || was_passed_over || checkpoint.next_hour <= hour {
                return false;
            }
        }
        true
    }

    /// Fires the timer until all hours are done.
    async fn finish(&self, host: &FunctionsHost) {
        for _ in 0..TICKS {
            succeed(host).await;
            let mut are_done = true;
            for hour in &self.hours {
                are_done &= self.has_done(*hour).await;
            }
            if are_done {
                return;
            }
        }
        panic!("{TICKS} ticks were not enough; the handler wrote {:#?}", host.lines());
    }
}

#[tokio::test]
async fn a_run_ends_by_itself_in_time_and_the_next_goes_on() {
    // The run reads for twelve of sixteen seconds, and the hour takes at least seventeen. Short runs
    // leave little time for posts.
    let services = TestServices::new(&[850], Some(50)).await;
    let app = App::with_timeout("00:00:16");
    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    let logs = succeed(&host).await;
    assert!(logs.iter().all(|line| line.contains("to be continued")), "{logs:#?}");
    for feed in feeds() {
        let checkpoint = services.checkpoint(&feed).await;
        let [cut] = &checkpoint.retry[..] else { panic!("one hour was cut: {checkpoint:?}") };
        let expected = (services.hours[0], &RecordedEnd::OutOfTime);
        assert_eq!((cut.hour, &cut.last_end), expected, "{checkpoint:?}");
        let delivered = services.delivered(&feed).len() as u64;
        assert_eq!(delivered, cut.last_events, "what was read was delivered");
        assert!(cut.last_events > 0);
    }
    let patient = App::with_timeout("00:05:00");
    let host = patient.host(services.settings(DestinationApi::LogsIngestion)).await;
    services.finish(&host).await;
    services.assert_nothing_is_missing();
}

#[tokio::test]
async fn two_runs_at_once_deliver_each_event_once() {
    let services = TestServices::new(&[20], None).await;
    let app = App::new();
    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    let gate = ResponseGate::default();
    let workspace = &services.simulation.workspace;
    workspace.inject([PostFault::Hold(gate.clone()), PostFault::Hold(gate.clone())]);
    let meanwhile = async {
        soon(workspace.wait_for(|counters| counters.in_flight == 2)).await;
        let logs = succeed(&host).await;
        gate.open();
        logs
    };
    let (first, second) = tokio::join!(succeed(&host), meanwhile);
    assert!(first.iter().all(|line| line.contains("20 rows delivered")), "{first:#?}");
    assert!(second.iter().all(|line| line.ends_with("another run has this feed")), "{second:#?}");
    assert_eq!(second.len(), 2);
    services.assert_delivered_once(&services.hours);
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_says_goodbye_and_answers() {
    let services = TestServices::new(&[600, 50], Some(200)).await;
    let app = App::new();
    let settings = services.settings(DestinationApi::LogsIngestion);
    let host = app.host(settings.clone()).await;
    let terminate = async {
        services.both_feeds(|counters| counters.events_sent >= 100).await;
        soon(host.terminate()).await.unwrap()
    };
    let (logs, status) = tokio::join!(succeed(&host), terminate);
    assert!(logs.iter().all(|line| line.contains("to be continued")), "{logs:#?}");
    assert_eq!(status.code(), Some(200), "the host starts it again");
    services.both_feeds(|counters| counters.open == 0).await;
    for feed in feeds() {
        let counters = services.simulation.pod.counters().feed(&feed);
        assert_eq!((counters.closed, counters.dropped), (counters.opened, 0), "{counters:?}");
        let cut = services.checkpoint(&feed).await.retry.pop().unwrap();
        assert_eq!((cut.hour, cut.last_end), (services.hours[0], RecordedEnd::Stopped));
        let delivered = services.delivered(&feed).len() as u64;
        assert_eq!(delivered, 50 + cut.last_events, "what was read was delivered");
    }

    let host = app.host(settings).await;
    services.finish(&host).await;
    services.assert_nothing_is_missing();
    services.assert_delivered_once(&services.hours[1..]);
}

#[tokio::test]
async fn a_run_that_is_killed_loses_nothing() {
    let services = TestServices::new(&[50, 400], Some(200)).await;
    let app = App::new();
    let settings = services.settings(DestinationApi::DataCollector);
    let host = app.host(settings.clone()).await;
    let kill = async {
        services.both_feeds(|counters| counters.events_sent >= 100).await;
        soon(host.kill()).await
    };
    let (outcome, status) = tokio::join!(fire(&host), kill);
    assert!(matches!(outcome, InvocationOutcome::Unreachable(_)), "{outcome:?}");
    assert_eq!(status.signal(), Some(9));
    services.both_feeds(|counters| counters.open == 0).await;

    let host = app.host(settings).await;
    services.finish(&host).await;
    services.assert_nothing_is_missing();
    services.assert_delivered_once(&services.hours[1..]);
}
