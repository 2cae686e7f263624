//! What rounds did, as Prometheus reads it (OpenMetrics text).

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use proofpoint_sentinel_core::feed::Feed;

use crate::report::{FeedOutcome, FeedReport, RunReport};

/// Names and values.
type Labels = Vec<(&'static str, String)>;

/// The metrics of this process.
pub(super) struct Metrics {
    registry: Registry,
    rounds: Family<Labels, Counter>,
    events: Family<Labels, Counter>,
    rows: Family<Labels, Counter>,
    duplicates: Family<Labels, Counter>,
    dead_letters: Family<Labels, Counter>,
    hours_waiting: Family<Labels, Gauge>,
    newest_event: Family<Labels, Gauge<f64, AtomicU64>>,
    last_round: Family<Labels, Gauge<f64, AtomicU64>>,
}

impl Metrics {
    pub(super) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("proofpoint"),
            rounds: Family::default(),
            events: Family::default(),
            rows: Family::default(),
            duplicates: Family::default(),
            dead_letters: Family::default(),
            hours_waiting: Family::default(),
            newest_event: Family::default(),
            last_round: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        registry.register("feed_rounds", "Rounds of work, by outcome", self.rounds.clone());
        registry.register("feed_events", "Events that were read", self.events.clone());
        registry.register("feed_rows", "Rows that the workspace accepted", self.rows.clone());
        let help = "Events that were read again and not delivered again";
        registry.register("feed_duplicates", help, self.duplicates.clone());
        registry.register(
            "feed_dead_letters",
            "Dead letters, by reason",
            self.dead_letters.clone(),
        );
        let help = "Hours that are still to be read, or to be read again";
        registry.register("feed_hours_waiting", help, self.hours_waiting.clone());
        let help = "Time of the newest event that was delivered, in Unix time";
        registry.register("feed_newest_event_seconds", help, self.newest_event.clone());
        let help = "End of the last round that worked on the feed, in Unix time";
        registry.register("feed_last_round_seconds", help, self.last_round.clone());
    }

    pub(super) fn note(&self, report: &RunReport) {
        report.feeds.iter().for_each(|feed| self.note_feed(feed));
    }

    /// Notes a round that could not begin.
    pub(super) fn note_failure(&self, feed: &Feed) {
        self.count_round(&feed.to_string(), "failed");
    }

    fn count_round(&self, feed: &str, outcome: &str) {
        let labels = vec![("feed", feed.to_owned()), ("outcome", outcome.to_owned())];
        self.rounds.get_or_create(&labels).inc();
    }

    fn note_feed(&self, report: &FeedReport) {
        self.count_round(&report.feed, report.outcome.as_str());
        if report.outcome == FeedOutcome::OwnedElsewhere {
            // Whoever has the feed says how it stands.
            return;
        }
        let of_feed = vec![("feed", report.feed.clone())];
        let counts = &report.counts;
        self.events.get_or_create(&of_feed).inc_by(counts.events);
        self.rows.get_or_create(&of_feed).inc_by(counts.delivered);
        self.duplicates.get_or_create(&of_feed).inc_by(counts.duplicates);
        let dead_letters = [
            ("malformed", counts.malformed),
            ("oversize", counts.oversize),
            ("refused", counts.refused),
        ];
        for (reason, count) in dead_letters {
            let labels = [of_feed.clone(), vec![("reason", reason.to_owned())]].concat();
            self.dead_letters.get_or_create(&labels).inc_by(count);
        }
        let waiting = i64::try_from(report.hours_waiting).unwrap_or(i64::MAX);
        self.hours_waiting.get_or_create(&of_feed).set(waiting);
        let seconds = |at: jiff::Timestamp| at.as_duration().as_secs_f64();
        if let Some(newest) = report.newest {
            self.newest_event.get_or_create(&of_feed).set(seconds(newest));
        }
        if let Some(ended) = report.ended {
            self.last_round.get_or_create(&of_feed).set(seconds(ended));
        }
    }

    /// All metrics as text.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes any text");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_code;

    #[test]
    fn rounds_are_summed_by_feed() {
        let metrics = Metrics::new();
        let mut report = FeedReport::new("acme-message".to_owned(), "default".to_owned());
        report.counts.events = 5;
        report.counts.delivered = 4;
        report.counts.oversize = 1;
        report.hours_waiting = 2;
        report.newest = Some("2026-11-20T10:00:00.5Z".parse().unwrap());
        metrics.note(&RunReport { feeds: vec![report.clone()] });
        report.outcome =
            FeedOutcome::Failed { code: error_code::REFUSED_TOKEN, reason: "no".to_owned() };
        metrics.note(&RunReport { feeds: vec![report.clone()] });
        report.outcome = FeedOutcome::OwnedElsewhere;
        metrics.note(&RunReport { feeds: vec![report] });
        let text = metrics.to_text();
        for line in [
            r#"proofpoint_feed_rounds_total{feed="acme-message",outcome="up_to_date"} 1"#,
            r#"proofpoint_feed_rounds_total{feed="acme-message",outcome="failed"} 1"#,
            r#"proofpoint_feed_rounds_total{feed="acme-message",outcome="owned_elsewhere"} 1"#,
            r#"proofpoint_feed_events_total{feed="acme-message"} 10"#,
            r#"proofpoint_feed_rows_total{feed="acme-message"} 8"#,
            r#"proofpoint_feed_dead_letters_total{feed="acme-message",reason="oversize"} 2"#,
            r#"proofpoint_feed_dead_letters_total{feed="acme-message",reason="refused"} 0"#,
            r#"proofpoint_feed_hours_waiting{feed="acme-message"} 2"#,
            r#"proofpoint_feed_newest_event_seconds{feed="acme-message"} 1795168800.5"#,
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
