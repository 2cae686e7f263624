use proptest::prelude::*;

use super::*;
use crate::collect::timing::examples::hour;

fn failed(hour: Hour, code: ErrorCode) -> FailedHour {
    FailedHour { hour, code, reason: format!("{hour} failed") }
}

fn refused(hour: Hour) -> FailedHour {
    failed(hour, error_code::REFUSED_BAD_REQUEST)
}

fn first() -> Hour {
    hour("2026-11-01T00")
}

fn hours(count: i64) -> Vec<Hour> {
    first().through(first().plus(count - 1)).collect()
}

/// Runs a pass in which `answer` says what each hour gives, up to a fault of the feed. Gives what was
/// read, and what was found.
fn pass_over(
    due: Vec<Hour>,
    answer: impl FnMut(Hour) -> Option<ErrorCode>,
) -> (Vec<Hour>, Vec<Finding>) {
    drive(ArchivePass::new(due, |_| true, |_, _| true), answer)
}

fn drive(
    mut pass: ArchivePass,
    mut answer: impl FnMut(Hour) -> Option<ErrorCode>,
) -> (Vec<Hour>, Vec<Finding>) {
    let (mut read, mut findings) = (Vec::new(), Vec::new());
    while let Some(next) = pass.next() {
        let found = match answer(next) {
            None => {
                read.push(next);
                pass.note_read(next)
            }
            Some(code) => pass.note_failed(failed(next, code)),
        };
        findings.extend(found);
        if let Some(Finding::FeedFailed { .. }) = findings.last() {
            return (read, findings);
        }
    }
    let rest = pass.finish();
    if !rest.is_empty() {
        findings.push(Finding::HoursFailed(rest));
    }
    (read, findings)
}

#[test]
fn one_failed_hour_does_not_stop_the_others() {
    for code in [error_code::REFUSED_UNAVAILABLE, error_code::REFUSED_BAD_REQUEST] {
        for count in [1, 2, 7, 100] {
            for bad in [0, count / 2, count - 1] {
                let bad = first().plus(bad);
                let (read, found) = pass_over(hours(count), |hour| (hour == bad).then_some(code));
                assert_eq!(read.len() as i64, count - 1);
                assert_eq!(found, [Finding::HoursFailed(vec![failed(bad, code)])], "{count}");
            }
        }
    }
}

#[test]
fn three_alike_in_a_row_are_the_feeds_fault() {
    let code = error_code::REFUSED_UNAVAILABLE;
    let mut asked = 0;
    let (read, found) = pass_over(hours(100), |_| {
        asked += 1;
        Some(code)
    });
    assert_eq!((asked, read), (3, vec![]));
    let [Finding::FeedFailed { count: 3, .. }] = &found[..] else { panic!("{found:?}") };
}

#[test]
fn failures_of_different_kinds_are_the_hours_own() {
    let codes = [error_code::REFUSED_UNAVAILABLE, error_code::LOG_API_UNREACHABLE];
    let mut asked = 0;
    let (_, found) = pass_over(hours(8), |_| {
        asked += 1;
        Some(codes[asked / 2 % 2])
    });
    assert_eq!(asked, 8);
    let failed = found.iter().map(|finding| match finding {
        Finding::HoursFailed(hours) => hours.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(failed.sum::<usize>(), 8);
}

#[test]
fn a_feed_whose_every_hour_is_refused_has_lost_none() {
    for count in [2, 3, 50] {
        let mut asked = 0;
        let (_, found) = pass_over(hours(count), |_| {
            asked += 1;
            Some(error_code::REFUSED_BAD_REQUEST)
        });
        assert_eq!(asked, 2);
        let [Finding::FeedFailed { count: 2, .. }] = &found[..] else { panic!("{found:?}") };
    }
}

#[test]
fn a_refused_hour_newer_than_a_kept_one_failed_by_itself() {
    let bad = first().plus(2);
    let due = vec![first(), bad, first().plus(1), first().plus(3)];
    let (read, found) =
        pass_over(due, |hour| (hour == bad).then_some(error_code::REFUSED_BAD_REQUEST));
    assert_eq!(read.len(), 3);
    assert_eq!(found, [Finding::HoursFailed(vec![refused(bad)])]);
}

#[test]
fn hours_read_once_more_tell_nothing_of_retention() {
    let mut pass = ArchivePass::new(hours(3), |_| false, |_, _| true);
    let hour = pass.next().unwrap();
    assert_eq!(pass.note_failed(refused(hour)), []);
    assert_eq!(pass.finish(), [refused(hour)]);
}

#[test]
fn refused_hours_that_can_not_be_lost_have_failed() {
    for bad in [vec![0, 1], vec![0, 3], vec![0, 1, 2, 3], (0..20).collect()] {
        let pass = ArchivePass::new(hours(50), |_| true, |_, _| false);
        let is_bad = |hour: Hour| bad.contains(&hour.hours_since(first()));
        let (mut read, found) =
            drive(pass, |hour| is_bad(hour).then_some(error_code::REFUSED_BAD_REQUEST));
        read.sort();
        let good: Vec<Hour> = hours(50).into_iter().filter(|hour| !is_bad(*hour)).collect();
        assert_eq!(read, good, "every other hour is read");
        let failed: usize = found
            .iter()
            .map(|finding| match finding {
                Finding::HoursFailed(hours) => hours.len(),
                other => panic!("{other:?}"),
            })
            .sum();
        assert_eq!(failed, bad.len());
    }
}

proptest! {
    /// Every hour that is kept is read, every hour that is not is lost or failed, and the edge is
    /// found with few questions.
    #[test]
    fn the_edge_of_retention_is_found(
        count in 2i64..720,
        edge in any::<prop::sample::Index>(),
        oldest_first in any::<bool>(),
    ) {
        let edge = edge.index(count as usize) as i64;
        let mut due = Vec::new();
        let (mut old, mut new) = (0, count - 1);
        while old <= new {
            let from_old = oldest_first == due.len().is_multiple_of(2);
            due.push(first().plus(if from_old { old } else { new }));
            if from_old { old += 1 } else { new -= 1 }
        }
        let mut questions = 0;
        let (mut read, found) = pass_over(due, |hour| {
            let is_kept = hour >= first().plus(edge);
            questions += usize::from(!is_kept);
            (!is_kept).then_some(error_code::REFUSED_BAD_REQUEST)
        });
        read.sort();
        prop_assert_eq!(read, first().plus(edge).through(first().plus(count - 1)).collect::<Vec<_>>());
        prop_assert!(questions <= 12, "{}", questions);
        let gone: Vec<Hour> = first().through(first().plus(edge - 1)).collect();
        match &found[..] {
            [] => prop_assert!(gone.is_empty()),
            [Finding::HoursFailed(failed)] => {
                prop_assert_eq!(gone.len(), 1);
                prop_assert_eq!(failed[0].hour, gone[0]);
            }
            [Finding::Lost { hours, oldest_kept }] => {
                prop_assert_eq!((hours, *oldest_kept), (&gone, first().plus(edge)));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
