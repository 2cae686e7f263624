//! Where events come from. That decides which are not delivered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proofpoint_sentinel_core::hour::Hour;

use super::event_key::EventKey;
use super::ledger::Ledger;
use crate::state::{DeadLetterReason, LedgerPart, StateError};

/// Where events come from.
pub(super) enum Origin<'a> {
    /// Sessions. What the ledger knows has been delivered.
    Session(&'a mut Ledger),
    /// A dead letter. The ledger may know its event, which was accounted for when it was kept.
    DeadLetter(DeadLetterReason),
}

impl Origin<'_> {
    /// Whether release 0.1.0 may have recorded events of the hour.
    pub(super) fn may_have_former_ids(&self, hour: Hour) -> bool {
        match self {
            Origin::Session(ledger) => ledger.may_have_former_ids(hour),
            Origin::DeadLetter(_) => false,
        }
    }

    /// Says whether the event is new. A dead letter's always is.
    pub(super) async fn claim(
        &mut self,
        hour: Hour,
        key: EventKey,
        at: Option<Timestamp>,
    ) -> Result<bool, StateError> {
        let Origin::Session(ledger) = self else { return Ok(true) };
        match at {
            Some(_) => ledger.claim(hour, key).await,
            None => ledger.claim_undated(hour, key).await,
        }
    }

    /// Says that events were `recorded`, and that those of so many hours are no longer in flight.
    pub(super) fn account_for(
        &mut self,
        recorded: BTreeMap<LedgerPart, u64>,
        claimed: BTreeMap<Hour, usize>,
    ) {
        let Origin::Session(ledger) = self else { return };
        for (part, count) in recorded {
            ledger.note_recorded(part, count);
        }
        for (hour, count) in claimed {
            ledger.release(hour, count);
        }
    }
}
