use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::{EventType, Feed, FeedType};

use crate::collect::plan::plan;
use crate::collect::record::{drop_expired_rereads, rewind_fast_clock};
use crate::collect::timing::Timing;
use crate::state::{Checkpoint, CheckpointFormat as _};

/// From 2016 to the end of 2199: years that a clock may show.
const USUAL: Range<Timestamp> =
    Timestamp::constant(1_451_606_400, 0)..Timestamp::constant(7_258_118_400, 0);

/// What is read as a feed's checkpoint is that feed's alone, is written and read back the same,
/// does not come back from a part of what is written, and can be planned with.
pub fn checkpoint(stored: &[u8]) {
    let feed = Feed::log("acme_hosted", EventType::Message);
    let read = |bytes: &[u8]| Checkpoint::from_json(bytes, &feed);
    let checkpoint = match read(stored) {
        Ok(checkpoint) => checkpoint,
        Err(reason) => return assert!(!reason.is_empty(), "refused without a reason"),
    };
    let other = Feed { feed_type: FeedType::Log(EventType::Audit), ..feed.clone() };
    assert!(Checkpoint::from_json(stored, &other).is_err(), "taken for another feed's");

    let written = checkpoint.to_json(&feed).expect("what was read can be written");
    let back = read(&written);
    assert_eq!(back.as_ref(), Ok(&checkpoint));
    assert_eq!(checkpoint.to_json(&feed).as_ref(), Ok(&written));
    // The last two bytes are the brace and the line's end.
    let cut = stored.len() % (written.len() - 1);
    assert!(read(&written[..cut]).is_err(), "{cut} bytes of it are taken for a checkpoint");

    let second_read = Some(Duration::ZERO);
    let timing = Timing { delay: Duration::ZERO, empty_retry: Duration::ZERO, second_read };
    let plan = plan(&checkpoint, checkpoint.next_hour.start(), timing);
    let planned = plan.due.len() + plan.later + plan.lost.len();
    let passed_over: usize = checkpoint.backlog.iter().map(|range| range.hours().count()).sum();
    let rereads = checkpoint.second.len() + looks(&checkpoint);
    assert_eq!(planned, checkpoint.retry.len() + passed_over + rereads);
    if USUAL.contains(&checkpoint.next_hour.start()) {
        outlives_other_clocks(&checkpoint, &feed, timing);
    }
}

/// How many hours that are believed to be done are due for another look.
fn looks(checkpoint: &Checkpoint) -> usize {
    let now = checkpoint.next_hour.start();
    checkpoint.believed.iter().filter(|attempt| attempt.not_before <= now).count()
}

/// What a clock that is behind makes of a checkpoint, and what one that is ahead makes of it, can be
/// written.
fn outlives_other_clocks(checkpoint: &Checkpoint, feed: &Feed, timing: Timing) {
    let at = |hours| checkpoint.next_hour.plus(hours).start();
    let (behind, ahead) = (at(-30), at(1_000));
    let mut back = Checkpoint { updated: behind, ..checkpoint.clone() };
    assert!(rewind_fast_clock(&mut back, behind).is_some_and(|first| first == back.next_hour));
    assert!(back.to_json(feed).is_ok(), "{back:?}");
    let mut on = Checkpoint { updated: ahead, ..checkpoint.clone() };
    assert_eq!(rewind_fast_clock(&mut on, ahead), None);
    drop_expired_rereads(&mut on, ahead, timing);
    assert!(on.to_json(feed).is_ok(), "{on:?}");
}
