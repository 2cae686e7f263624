use std::time::Duration;

use crate::collect::plan::{Timing, plan};
use crate::feed::{EventType, Feed};
use crate::state::Checkpoint;

/// What is read as a feed's checkpoint is that feed's alone, is written and read back the same,
/// does not come back from a part of what is written, and can be planned with.
pub fn checkpoint(stored: &[u8]) {
    let feed = Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message };
    let read = |bytes: &[u8]| Checkpoint::from_json(bytes, &feed);
    let checkpoint = match read(stored) {
        Ok(checkpoint) => checkpoint,
        Err(reason) => return assert!(!reason.is_empty(), "refused without a reason"),
    };
    let other = Feed { event_type: EventType::Audit, ..feed.clone() };
    assert!(Checkpoint::from_json(stored, &other).is_err(), "taken for another feed's");

    let written = checkpoint.to_json(&feed).expect("what was read can be written");
    let back = read(&written);
    assert_eq!(back.as_ref(), Ok(&checkpoint));
    assert_eq!(checkpoint.to_json(&feed).as_ref(), Ok(&written));
    // The last two bytes are the brace and the line's end.
    let cut = stored.len() % (written.len() - 1);
    assert!(read(&written[..cut]).is_err(), "{cut} bytes of it are taken for a checkpoint");

    let timing = Timing { delay: Duration::ZERO, empty_retry: Duration::ZERO, second_read: None };
    let plan = plan(&checkpoint, checkpoint.next_hour.start(), timing);
    assert_eq!(plan.due.len() + plan.later + plan.lost.len(), checkpoint.retry.len());
}
