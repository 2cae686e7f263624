//! Rounds of work on each feed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{Feed, FeedType};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::metrics::Metrics;
use crate::collect::{MemoryPool, PlannedWork, Run, RunCounters, RunError, run_planned};
use crate::error_code::Coded as _;
use crate::host::{RunBudget, working_memory};
use crate::pod::{ProcessSessions, SessionTimeouts};
use crate::report::{FeedOutcome, RunReport};
use crate::settings::{LiveReading, Mode, Settings};
use crate::state::LeaseTimes;
use crate::telemetry::Telemetry;

/// The longest round. A checkpoint is written at its end at the latest, and the next one begins at once.
const ROUND: Duration = Duration::from_secs(30 * 60);

/// A feed that another process works on is looked at again after this.
const LOOK: Duration = Duration::from_secs(10);

/// The pause before a round that goes on with what the last one left, or with the live stream.
const PAUSE: Duration = Duration::from_secs(1);

/// Leases that run out soon, for who takes over from a process that died.
const LEASES: LeaseTimes = LeaseTimes {
    length: Duration::from_secs(45),
    renew_every: Duration::from_secs(15),
    retry_every: Duration::from_secs(3),
    give_up_after: Duration::from_secs(30),
};

const _: () = {
    let taken_over_after = LEASES.length.as_secs() + LOOK.as_secs();
    assert!(taken_over_after < 60, "another process takes over within a minute");
};

/// How it works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// From the beginning of a feed's round to that of the next, if the first was done by then.
    pub every: Duration,
}

/// Works on all feeds of the settings.
pub struct Rounds {
    settings: Settings,
    options: Options,
    memory: MemoryPool,
    sessions: ProcessSessions,
    telemetry: Option<Telemetry>,
    metrics: Metrics,
    /// When the last round of each feed ended, or the process began.
    ended: Mutex<BTreeMap<Feed, Instant>>,
}

impl Rounds {
    /// Rounds on the feeds of `settings`.
    pub fn new(settings: Settings, options: Options, telemetry: Option<Telemetry>) -> Rounds {
        let now = Instant::now();
        Rounds {
            memory: MemoryPool::new(working_memory(settings.memory_megabytes)),
            sessions: ProcessSessions::default(),
            metrics: Metrics::new(),
            ended: Mutex::new(settings.feeds().into_iter().map(|feed| (feed, now)).collect()),
            settings,
            options,
            telemetry,
        }
    }

    /// Works until `stop`; then saves what rounds have done, and returns.
    ///
    /// # Panics
    /// If work on a feed does, outside of what its report tells of: the process is to end then.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut feeds = JoinSet::new();
        for feed in self.settings.feeds() {
            let span = tracing::info_span!("rounds", %feed);
            feeds.spawn(self.clone().keep_collecting(feed, stop.clone()).instrument(span));
        }
        feeds.join_all().await;
    }

    /// The metrics, as Prometheus reads them.
    pub(super) fn metrics(&self) -> String {
        self.metrics.to_text()
    }

    /// The feeds whose round should have ended long ago.
    pub(super) fn stuck(&self) -> Vec<Feed> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = 2 * (ROUND + self.options.every);
        let is_stuck = |(_, ended): &(&Feed, &Instant)| ended.elapsed() > longest;
        ended.iter().filter(is_stuck).map(|(feed, _)| feed.clone()).collect()
    }

    async fn keep_collecting(self: Arc<Self>, feed: Feed, stop: CancellationToken) {
        let mut was_elsewhere = false;
        // When this process last looked. What another one began since then needs no doing again.
        let mut looked = None;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let mut round = run_planned(self.round(stop.clone()), &feed, looked).await;
            if let Ok(PlannedWork::DoneBefore { failed: true }) = round {
                // This process may reach what the other one could not.
                round = run_planned(self.round(stop.clone()), &feed, None).await;
            }
            looked = Some(Clock::system().now());
            let is_elsewhere = is_owned_elsewhere(&round);
            if is_elsewhere && !was_elsewhere {
                tracing::info!("another process works on this feed");
            }
            was_elsewhere = is_elsewhere;
            self.note(&feed, &round);
            let next = self.next_round(&feed, began, &round);
            tokio::select! {
                () = sleep_until(next) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn round(&self, stop: CancellationToken) -> Run {
        let time = RunBudget::within(ROUND);
        Run {
            id: format!("round {:016x}", rand::random::<u64>()),
            settings: self.settings.clone(),
            clock: Clock::system(),
            timeouts: SessionTimeouts::default(),
            lease_times: LEASES,
            sessions: self.sessions.clone(),
            memory: self.memory.clone(),
            reading_ends: time.reading_ends(),
            posting_ends: time.posting_ends(),
            all_ends: time.all_ends(),
            stop,
            counters: Arc::new(RunCounters::default()),
        }
    }

    fn note(&self, feed: &Feed, round: &Result<PlannedWork, RunError>) {
        match round {
            Ok(PlannedWork::Done(report)) => {
                self.metrics.note(report);
                if let Some(telemetry) = &self.telemetry {
                    telemetry.note_run(report);
                }
            }
            Ok(PlannedWork::DoneBefore { .. } | PlannedWork::FeedGone) => {}
            Err(error) => {
                tracing::error!(code = %error.code(), "{error}");
                self.metrics.note_failure(feed);
            }
        }
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert(feed.clone(), Instant::now());
    }

    fn next_round(
        &self,
        feed: &Feed,
        began: Instant,
        round: &Result<PlannedWork, RunError>,
    ) -> Instant {
        let soon = Instant::now() + PAUSE;
        let in_time = (began + self.options.every).max(soon);
        match outcome(round) {
            Some(FeedOutcome::OwnedElsewhere) => Instant::now() + LOOK,
            Some(FeedOutcome::Unfinished) => soon,
            Some(FeedOutcome::UpToDate) if self.stays_open(feed) => soon,
            _ => in_time,
        }
    }

    /// Whether the feed's live stream stays open.
    fn stays_open(&self, feed: &Feed) -> bool {
        let source = &self.settings.source;
        matches!(feed.feed_type, FeedType::Log(_))
            && source.mode == Mode::Hybrid
            && source.live == LiveReading::Continuous
    }
}

/// How the work on the feed ended, where it could begin.
fn outcome(round: &Result<PlannedWork, RunError>) -> Option<&FeedOutcome> {
    let Ok(PlannedWork::Done(RunReport { feeds })) = round else { return None };
    feeds.first().map(|report| &report.outcome)
}

fn is_owned_elsewhere(round: &Result<PlannedWork, RunError>) -> bool {
    outcome(round) == Some(&FeedOutcome::OwnedElsewhere)
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;

    use super::*;
    use crate::error_code;
    use crate::report::FeedReport;
    use crate::settings::Vars;

    fn rounds(more: &[(&str, &str)]) -> Rounds {
        let complete = [
            ("ProofpointClusterID", "acme_hosted"),
            ("ProofpointToken", "t0ken"),
            ("TapServicePrincipal", "principal"),
            ("TapSecret", "s3cret"),
            ("LogsIngestionEndpoint", "https://rule.westeurope-1.ingest.monitor.azure.com"),
            ("DcrImmutableId", "dcr-0123456789abcdef0123456789abcdef"),
            ("StateStorage", "file:///state"),
        ];
        let vars: Vars = complete
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let options = Options { every: Duration::from_secs(300) };
        Rounds::new(Settings::read(&vars).unwrap(), options, None)
    }

    fn ended(feed: &Feed, outcome: FeedOutcome) -> Result<PlannedWork, RunError> {
        let mut report = FeedReport::new(feed.to_string(), "default".to_owned());
        report.outcome = outcome;
        Ok(PlannedWork::Done(RunReport { feeds: vec![report] }))
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_round_depends_on_how_the_last_one_ended() {
        let message = Feed::log("acme_hosted", EventType::Message);
        let tap = Feed::tap("default");
        let failed =
            FeedOutcome::Failed { code: error_code::REFUSED_TOKEN, reason: "no".to_owned() };
        let catch_up = rounds(&[]);
        let continuous = rounds(&[("ProofpointLive", "continuous")]);
        let archive = rounds(&[("ProofpointLive", "continuous"), ("ProofpointMode", "archive")]);
        let after = async |rounds: &Rounds, feed: &Feed, outcome: &FeedOutcome, took: u64| {
            let began = Instant::now();
            tokio::time::advance(Duration::from_secs(took)).await;
            let next = rounds.next_round(feed, began, &ended(feed, outcome.clone()));
            (next - began).as_secs()
        };
        for (rounds, feed, outcome, took, next) in [
            (&catch_up, &message, &FeedOutcome::UpToDate, 20, 300),
            (&catch_up, &message, &FeedOutcome::UpToDate, 400, 401),
            (&catch_up, &message, &FeedOutcome::Unfinished, 20, 21),
            (&catch_up, &message, &FeedOutcome::OwnedElsewhere, 0, 10),
            (&catch_up, &message, &failed, 20, 300),
            (&continuous, &message, &FeedOutcome::UpToDate, 20, 21),
            (&continuous, &message, &failed, 20, 300),
            (&continuous, &tap, &FeedOutcome::UpToDate, 20, 300),
            (&archive, &message, &FeedOutcome::UpToDate, 20, 300),
        ] {
            assert_eq!(after(rounds, feed, outcome, took).await, next, "{feed} {outcome:?} {took}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_feed_whose_round_does_not_end_is_stuck() {
        let rounds = rounds(&[]);
        let message = Feed::log("acme_hosted", EventType::Message);
        tokio::time::advance(ROUND).await;
        assert_eq!(rounds.stuck(), []);
        rounds.note(&message, &ended(&message, FeedOutcome::UpToDate));
        tokio::time::advance(ROUND + 2 * rounds.options.every + PAUSE).await;
        let stuck = rounds.stuck();
        assert_eq!(stuck.len(), rounds.settings.feeds().len() - 1, "{stuck:?}");
        assert!(!stuck.contains(&message));
    }
}
