//! What runs did, as metrics.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};

use crate::report::{FeedOutcome, FeedReport, RunReport};

/// The instruments. Each has the attribute `feed`.
#[derive(Clone, Debug)]
pub(super) struct RunMetrics {
    runs: Counter<u64>,
    events: Counter<u64>,
    rows: Counter<u64>,
    duplicates: Counter<u64>,
    dead_letters: Counter<u64>,
    hours: Gauge<u64>,
    lag: Gauge<f64>,
    duration: Histogram<f64>,
}

impl RunMetrics {
    pub(super) fn new(meter: &Meter) -> RunMetrics {
        let count = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_counter(name).with_unit(unit).with_description(what).build()
        };
        RunMetrics {
            runs: count("proofpoint.feed.runs", "{run}", "Runs, by outcome"),
            events: count("proofpoint.feed.events", "{event}", "Events that were read"),
            rows: count("proofpoint.feed.rows", "{row}", "Rows that the workspace accepted"),
            duplicates: count(
                "proofpoint.feed.duplicates",
                "{event}",
                "Events that were read again and not delivered again",
            ),
            dead_letters: count(
                "proofpoint.feed.dead_letters",
                "{event}",
                "Dead letters, by reason",
            ),
            hours: meter
                .u64_gauge("proofpoint.feed.hours_waiting")
                .with_unit("{hour}")
                .with_description("Hours that are still to be read, or to be read again")
                .build(),
            lag: meter
                .f64_gauge("proofpoint.feed.lag")
                .with_unit("s")
                .with_description("Age of the newest event that was delivered")
                .build(),
            duration: meter
                .f64_histogram("proofpoint.feed.run.duration")
                .with_unit("s")
                .with_description("How long the work on the feed took")
                .build(),
        }
    }

    pub(super) fn note(&self, report: &RunReport) {
        report.feeds.iter().for_each(|feed| self.note_feed(feed));
    }

    fn note_feed(&self, report: &FeedReport) {
        let of_feed = [KeyValue::new("feed", report.feed.clone())];
        let with = |more: Vec<KeyValue>| [of_feed.to_vec(), more].concat();
        let mut outcome = vec![KeyValue::new("outcome", report.outcome.as_str())];
        if let FeedOutcome::Failed { code, .. } = report.outcome {
            outcome.push(KeyValue::new("error.type", code.to_string()));
        }
        self.runs.add(1, &with(outcome));
        if report.outcome == FeedOutcome::OwnedElsewhere {
            // Whoever has the feed says how it stands.
            return;
        }
        let counts = &report.counts;
        self.events.add(counts.events, &of_feed);
        self.rows.add(counts.delivered, &of_feed);
        self.duplicates.add(counts.duplicates, &of_feed);
        let dead_letters = [
            ("malformed", counts.malformed),
            ("oversize", counts.oversize),
            ("refused", counts.refused),
        ];
        for (reason, count) in dead_letters {
            self.dead_letters.add(count, &with(vec![KeyValue::new("reason", reason)]));
        }
        self.hours.record(report.hours_waiting as u64, &of_feed);
        self.duration.record(report.took.as_secs_f64(), &of_feed);
        if let Some(lag) = report.lag {
            self.lag.record(lag.as_secs_f64(), &of_feed);
        }
    }
}
