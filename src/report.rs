//! What a run did, for the operator.

mod connector_rows;
mod counts;
mod feed_report;
mod history;
mod status;

pub use connector_rows::ConnectorRowBuilder;
pub use counts::FeedCounts;
pub use feed_report::{CallReport, FeedOutcome, FeedReport};
pub use history::{HISTORY_HOURS, History, PastFailure, RunsOfHour};
pub use status::FeedStatus;
pub(crate) use status::status_json;

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Each feed's part.
    pub feeds: Vec<FeedReport>,
}

impl RunReport {
    /// The first failure in one line, with how many more there are; `None` if nothing failed.
    pub fn failures(&self) -> Option<String> {
        let mut failed = self.feeds.iter().filter_map(|feed| Some((feed, feed.failure()?)));
        let (first, (code, reason)) = failed.next()?;
        let more = match failed.count() {
            0 => String::new(),
            1 => " (and 1 more feed)".to_owned(),
            count => format!(" (and {count} more feeds)"),
        };
        Some(format!("{code}{more} {}: {reason}", first.feed))
    }

    /// Whether nothing failed.
    pub fn is_success(&self) -> bool {
        !self.feeds.iter().any(|feed| matches!(feed.outcome, FeedOutcome::Failed { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error_code;

    #[test]
    fn failures_are_summed_up_in_one_line() {
        let report = |failed: &[&str]| {
            let feeds = ["a", "b", "c", "d"].map(|name| {
                let mut feed = FeedReport::new(name.to_owned(), "default".to_owned());
                if failed.contains(&name) {
                    let (code, reason) = (error_code::REFUSED_TOKEN, "no".to_owned());
                    feed.outcome = FeedOutcome::Failed { code, reason };
                }
                feed
            });
            RunReport { feeds: feeds.into() }.failures()
        };
        assert_eq!(report(&[]), None);
        assert_eq!(report(&["b"]).as_deref(), Some("PPS2002 b: no"));
        assert_eq!(report(&["b", "c"]).as_deref(), Some("PPS2002 (and 1 more feed) b: no"));
        let all = report(&["a", "b", "c", "d"]);
        assert_eq!(all.as_deref(), Some("PPS2002 (and 3 more feeds) a: no"));
    }
}
