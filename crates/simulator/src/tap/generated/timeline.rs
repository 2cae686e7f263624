//! When what happens to a mail with a threat.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::draws::{Draws, Topic};
use crate::tap::record::ThreatStatus;

/// Nothing happens to a mail after this time.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(6 * 24);

/// How many clicks a mail has at most.
const MOST_CLICKS: u64 = 3;

/// A time in milliseconds since 1970: the precision of records. Times of many mails are compared,
/// which takes several times as long with timestamps.
pub(super) type Millis = i64;

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// A status of a threat, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub status: ThreatStatus,
    pub at: Millis,
}

/// The times in milliseconds that lie in `window`.
pub(super) fn millis(window: &Range<Timestamp>) -> Range<Millis> {
    let rounded_up = |at: Timestamp| {
        let whole = at.as_nanosecond().div_euclid(1_000_000);
        let rest = at.as_nanosecond().rem_euclid(1_000_000);
        Millis::try_from(whole).expect("a timestamp fits") + Millis::from(rest > 0)
    };
    rounded_up(window.start)..rounded_up(window.end)
}

/// When what happens to a mail with a threat.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    /// When the gateway processed the mail.
    pub mail_at: Millis,
    /// When the threat became known. It may have been known before the mail came.
    pub condemned: Verdict,
    /// When the verdict was withdrawn.
    pub withdrawn: Option<Verdict>,
    /// When recipients clicked on the threat.
    pub clicks: [Option<Millis>; MOST_CLICKS as usize],
}

impl Timeline {
    /// Of a mail that never reached its recipients. Its threat was mostly known.
    pub(super) fn of_blocked(mail_at: Millis, draws: Draws) -> Timeline {
        let condemned_at = match draws.below(Topic::Verdict, 5) {
            0 => mail_at + delay(draws, Topic::VerdictDelay, SECOND..5 * MINUTE),
            _ => mail_at - delay(draws, Topic::VerdictDelay, 5 * MINUTE..5 * DAY),
        };
        Timeline::new(mail_at, condemned_at, [None; MOST_CLICKS as usize], draws)
    }

    /// Of a mail that was delivered: minutes, hours or days before its threat became known.
    pub(super) fn of_delivered(mail_at: Millis, draws: Draws) -> Timeline {
        let range = match draws.below(Topic::Verdict, 20) {
            0..9 => MINUTE..2 * HOUR,
            9..16 => 2 * HOUR..DAY,
            _ => DAY..3 * DAY,
        };
        let condemned_at = mail_at + delay(draws, Topic::VerdictDelay, range);
        let count = draws.below(Topic::Clicks, MOST_CLICKS + 1);
        let clicks = std::array::from_fn(|number| {
            let longest = if number == 0 { 8 * HOUR } else { 2 * DAY };
            let range = 2 * MINUTE..longest;
            ((number as u64) < count)
                .then(|| mail_at + delay(draws.of_part(number), Topic::ClickDelay, range))
        });
        Timeline::new(mail_at, condemned_at, clicks, draws)
    }

    fn new(
        mail_at: Millis,
        condemned_at: Millis,
        clicks: [Option<Millis>; MOST_CLICKS as usize],
        draws: Draws,
    ) -> Timeline {
        let status = match draws.below(Topic::Retraction, 12) {
            0..2 => Some(ThreatStatus::Cleared),
            2 => Some(ThreatStatus::FalsePositive),
            _ => None,
        };
        let withdrawn = status.map(|status| {
            let delay = delay(draws, Topic::RetractionDelay, HOUR..3 * DAY);
            Verdict { status, at: mail_at.max(condemned_at) + delay }
        });
        let condemned = Verdict { status: ThreatStatus::Active, at: condemned_at };
        Timeline { mail_at, condemned, withdrawn, clicks }
    }

    /// The verdicts on the mail, in their order.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        std::iter::once(self.condemned).chain(self.withdrawn)
    }

    /// The verdicts on a click at `at`: the one that was there by then or came first, and those
    /// after it.
    pub(super) fn verdicts_on_click(&self, at: Millis) -> impl Iterator<Item = Verdict> {
        self.verdicts().skip(usize::from(self.is_withdrawn(at)))
    }

    /// Whether a click at `at` leads to a known threat.
    pub(super) fn is_threat_at(&self, at: Millis) -> bool {
        self.condemned.at <= at && !self.is_withdrawn(at)
    }

    fn is_withdrawn(&self, at: Millis) -> bool {
        self.withdrawn.is_some_and(|verdict| verdict.at <= at)
    }

    /// Whether a record of this mail is created in `window`.
    pub(super) fn touches(&self, window: &Range<Millis>) -> bool {
        let of_mail = self.verdicts().map(|verdict| verdict.at.max(self.mail_at));
        let of_clicks = self.clicks.iter().flatten().flat_map(|click| {
            self.verdicts_on_click(*click).map(move |verdict| verdict.at.max(*click))
        });
        of_mail.chain(of_clicks).any(|at| window.contains(&at))
    }
}

fn delay(draws: Draws, topic: Topic, range: Range<Millis>) -> Millis {
    let length = (range.end - range.start).cast_unsigned();
    range.start + draws.below(topic, length).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL_AT: Millis = 1_800_000_000_000;

    fn timelines(of: fn(Millis, Draws) -> Timeline) -> impl Iterator<Item = Timeline> {
        (0..2000).map(move |bits| of(MAIL_AT, Draws::new(bits)))
    }

    #[test]
    fn a_story_ends_within_six_days() {
        let end = MAIL_AT + LONGEST.as_millis() as Millis;
        for timeline in timelines(Timeline::of_delivered).chain(timelines(Timeline::of_blocked)) {
            let clicks = timeline.clicks.iter().flatten().copied();
            let times = timeline.verdicts().map(|verdict| verdict.at).chain(clicks);
            assert!(times.max() < Some(end), "{timeline:?}");
        }
    }

    #[test]
    fn delivered_mail_is_condemned_minutes_to_days_later() {
        let delays: Vec<Millis> = timelines(Timeline::of_delivered)
            .map(|timeline| timeline.condemned.at - MAIL_AT)
            .collect();
        assert!(delays.iter().all(|delay| *delay >= MINUTE));
        let count = |from: Millis, to: Millis| {
            delays.iter().filter(|delay| (from * HOUR..to * HOUR).contains(delay)).count()
        };
        for (from, to) in [(0, 2), (2, 24), (24, 72)] {
            assert!(count(from, to) > 300, "{from} to {to}");
        }
    }

    #[test]
    fn threats_of_blocked_mail_are_mostly_known_and_never_clicked() {
        let known = timelines(Timeline::of_blocked)
            .filter(|timeline| timeline.condemned.at < MAIL_AT)
            .count();
        assert!((1400..1800).contains(&known), "{known}");
        assert!(timelines(Timeline::of_blocked).all(|timeline| timeline.clicks == [None; 3]));
    }

    #[test]
    fn some_verdicts_are_withdrawn_later() {
        let withdrawn: Vec<Verdict> = timelines(Timeline::of_delivered)
            .filter(|timeline| {
                timeline.withdrawn.is_some_and(|verdict| verdict.at > timeline.condemned.at)
            })
            .filter_map(|timeline| timeline.withdrawn)
            .collect();
        let count = |status| withdrawn.iter().filter(|verdict| verdict.status == status).count();
        assert!(count(ThreatStatus::Cleared) > 200, "{}", count(ThreatStatus::Cleared));
        assert!(count(ThreatStatus::FalsePositive) > 100);
    }

    #[test]
    fn a_window_is_touched_by_what_is_created_in_it() {
        let verdict = |hours, status| Verdict { status, at: MAIL_AT + hours * HOUR };
        let timeline = Timeline {
            mail_at: MAIL_AT,
            condemned: verdict(4, ThreatStatus::Active),
            withdrawn: Some(verdict(8, ThreatStatus::Cleared)),
            clicks: [Some(MAIL_AT + HOUR), Some(MAIL_AT + 6 * HOUR), Some(MAIL_AT + 9 * HOUR)],
        };
        let touched: Vec<Millis> = (-2..12)
            .filter(|hours| {
                let start = MAIL_AT + hours * HOUR;
                timeline.touches(&(start..start + HOUR))
            })
            .collect();
        assert_eq!(touched, [4, 6, 8, 9]);
    }

    #[test]
    fn a_window_has_the_milliseconds_in_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = at("2026-11-20T06:00:00.0001Z")..at("2026-11-20T06:00:01Z");
        let start = at("2026-11-20T06:00:00Z").as_millisecond();
        assert_eq!(millis(&window), start + 1..start + 1000);
    }
}
