//! What tells events apart.

use crate::row::RowMetadata;
use crate::state::EventId;

/// What the ledger knows an event by.
#[derive(Clone, Copy)]
pub(super) struct EventKey {
    /// What is recorded.
    pub(super) id: EventId,
    /// What release 0.1.0 recorded for it, which did not tell dispositions apart.
    pub(super) former: Option<EventId>,
}

/// What the ledger knows the event by: its id, the second of its time, and of a message also what
/// was decided about it.
///
/// One message can have two events in one second: a retry, and the acceptance after it. Fractions
/// of the second are left out, so that an archive that keeps fewer digits than the live stream does
/// not matter.
pub(super) fn event_key(built: &RowMetadata<'_>) -> EventKey {
    let second = built.event_time.map(|at| at.as_second().to_string());
    let former = match &second {
        Some(second) => EventId::of(format!("{}\n{second}", built.id)),
        None => EventId::of(built.id.as_bytes()),
    };
    match &built.disposition {
        None => EventKey { id: former, former: None },
        Some(disposition) => {
            let second = second.unwrap_or_default();
            let id = EventId::of(format!("{}\n{second}\n{disposition}", built.id));
            EventKey { id, former: Some(former) }
        }
    }
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
            event_key(&RowMetadata { id, disposition, event_time, oversize: false }).id
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
