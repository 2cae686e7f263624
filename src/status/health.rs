//! How well a feed is, and why.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A feed whose runs fail is failing if none has succeeded for this long. Before that it may heal by
/// itself.
const PASSING: SignedDuration = SignedDuration::from_mins(30);

/// A feed of which nothing was heard for this long needs a look.
const SILENT: SignedDuration = SignedDuration::from_hours(1);

/// A feed of which nothing was heard for this long is not collected.
const GONE: SignedDuration = SignedDuration::from_hours(3);

/// How long after its end an hour may still wait. An hour without events is read three times, an hour
/// apart, before it is done.
const MAX_WAIT_FOR_HOUR: SignedDuration = SignedDuration::from_hours(6);

/// How well something is. The worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing needs attention.
    Healthy,
    /// It works, and something needs a look.
    Degraded,
    /// It does not work.
    Failing,
}

impl Health {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Degraded => "degraded",
            Health::Failing => "failing",
        }
    }
}

/// Why something is not healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How bad that is.
    pub health: Health,
    /// The feed; `None` if it concerns all.
    pub feed: Option<String>,
    /// The code of what failed, if it has one.
    pub code: Option<String>,
    /// What is the matter.
    pub text: String,
}

/// The worst of `reasons`.
pub(super) fn worst(reasons: &[Reason]) -> Health {
    reasons.iter().map(|reason| reason.health).max().unwrap_or(Health::Healthy)
}

/// What is known of a feed's runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs<'a> {
    pub now: Timestamp,
    /// When the feed was last heard of: by the end of a run, or by a checkpoint.
    pub last_sign: Option<Timestamp>,
    /// When the last run without a failure ended.
    pub last_success: Option<Timestamp>,
    /// Code and reason, if the last run failed.
    pub failure: Option<(&'a str, &'a str)>,
    /// When the oldest hour ended that is due and not done.
    pub oldest_waiting: Option<Timestamp>,
    /// How many hours wait.
    pub waiting: usize,
}

/// What is not well about a feed's runs: the health, the code and the text of each reason.
pub(super) fn reasons_of_runs(runs: Runs<'_>) -> Vec<(Health, Option<String>, String)> {
    let Runs { now, .. } = runs;
    let mut reasons = Vec::new();
    let since = |time: Timestamp| now.duration_since(time);
    match runs.last_sign.map(since) {
        None => reasons.push((Health::Degraded, None, "No run has ended yet.".to_owned())),
        Some(silence) if silence > SILENT => {
            let health = if silence > GONE { Health::Failing } else { Health::Degraded };
            let hours = silence.as_hours();
            let text = format!(
                "No run has ended for {hours} h. Does the app run, and is its timer not disabled?"
            );
            reasons.push((health, None, text));
        }
        Some(_) => {}
    }
    if let Some((code, reason)) = runs.failure {
        let is_new = runs.last_success.is_some_and(|success| since(success) <= PASSING);
        let health = if is_new { Health::Degraded } else { Health::Failing };
        reasons.push((health, Some(code.to_owned()), reason.to_owned()));
    }
    if let Some(oldest) = runs.oldest_waiting.filter(|ended| since(*ended) > MAX_WAIT_FOR_HOUR) {
        let (count, hours) = (runs.waiting, since(oldest).as_hours());
        let text = match count {
            1 => format!("An hour waits to be read. It ended {hours} h ago."),
            _ => format!("{count} hours wait to be read. The oldest one ended {hours} h ago."),
        };
        reasons.push((Health::Degraded, None, text));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worst of the reasons, with times given as minutes ago.
    fn health(
        sign: Option<i64>,
        success: Option<i64>,
        failed: bool,
        waiting: Option<i64>,
    ) -> Health {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let ago = |minutes: i64| now - SignedDuration::from_mins(minutes);
        let runs = Runs {
            now,
            last_sign: sign.map(ago),
            last_success: success.map(ago),
            failure: failed.then_some(("PPS2002", "no")),
            oldest_waiting: waiting.map(ago),
            waiting: usize::from(waiting.is_some()),
        };
        reasons_of_runs(runs).iter().map(|(health, ..)| *health).max().unwrap_or(Health::Healthy)
    }

    #[test]
    fn a_feed_is_failing_if_no_run_succeeds_for_long() {
        assert_eq!(health(Some(3), Some(3), false, None), Health::Healthy);
        assert_eq!(health(Some(3), Some(30), true, None), Health::Degraded);
        assert_eq!(health(Some(3), Some(31), true, None), Health::Failing);
        assert_eq!(health(Some(3), None, true, None), Health::Failing);
    }

    #[test]
    fn a_feed_without_a_sign_is_noticed() {
        assert_eq!(health(None, None, false, None), Health::Degraded);
        assert_eq!(health(Some(60), Some(60), false, None), Health::Healthy);
        assert_eq!(health(Some(61), Some(61), false, None), Health::Degraded);
        assert_eq!(health(Some(181), Some(181), false, None), Health::Failing);
    }

    #[test]
    fn hours_may_wait_as_long_as_an_empty_one_takes() {
        assert_eq!(health(Some(3), Some(3), false, Some(6 * 60)), Health::Healthy);
        assert_eq!(health(Some(3), Some(3), false, Some(6 * 60 + 1)), Health::Degraded);
    }

    #[test]
    fn a_clock_that_is_behind_makes_nothing_old() {
        assert_eq!(health(Some(-90), Some(-90), false, Some(-90)), Health::Healthy);
    }
}
