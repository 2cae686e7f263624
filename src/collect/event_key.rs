//! What the ledger knows an event by, made of what was found out about it.

use std::io::Write as _;

use super::ledger::EventKey;
use crate::row::RowMetadata;
use crate::state::EventId;

/// What the ledger knows the event by: its id, the second of its time, and of a message also what
/// was decided about it.
///
/// One message can have two events in one second: a retry, and the acceptance after it. Fractions
/// of the second are left out, so that an archive that keeps fewer digits than the live stream does
/// not matter.
///
/// Whether the key has what release 0.1.0 recorded, the caller says `with_former`.
pub(super) fn event_key(built: &RowMetadata<'_>, with_former: bool) -> EventKey {
    let mut text = Vec::with_capacity(built.id.len() + 64);
    text.extend_from_slice(built.id.as_bytes());
    if let Some(at) = built.event_time {
        write!(text, "\n{}", at.as_second()).expect("writing to memory does not fail");
    }
    let Some(disposition) = &built.disposition else {
        return EventKey { id: EventId::of(text), former: None };
    };
    let former = with_former.then(|| EventId::of(&text));
    if built.event_time.is_none() {
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(disposition.as_bytes());
    EventKey { id: EventId::of(text), former }
}

/// What the ledger knows an event by whose id can't be read: all of it.
pub(super) fn malformed_id(event: &[u8]) -> EventId {
    EventId::of([b"malformed\n", event].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_second_or_disposition_is_another_event() {
        let key = |at: &str, disposition: Option<&'static str>| {
            let (id, disposition) = ("g".into(), disposition.map(Into::into));
            let event_time = Some(at.parse().unwrap());
            let built = RowMetadata {
                id,
                disposition,
                event_time,
                may_have_surrogates: false,
                oversize: false,
            };
            event_key(&built, true).id
        };
        let (first, second) = ("2026-11-20T06:00:01Z", "2026-11-20T06:00:02Z");
        for disposition in [None, Some(""), Some("retry")] {
            assert_eq!(key("2026-11-20T06:00:01.25Z", disposition), key(first, disposition));
            assert_ne!(key(first, disposition), key(second, disposition));
        }
        assert_ne!(key(first, Some("retry")), key(first, Some("continue")));
        assert_ne!(key(first, Some("")), key(first, None));
    }
}
