//! What is known of refused rows of an account, by their table.

use std::collections::BTreeMap;
use std::sync::Arc;

use proofpoint_sentinel_core::tap_kind::TapKind;

use crate::collect::evidence::Evidence;
use crate::state::Refusals;

/// What is known of refused rows, by their table.
pub(super) struct KindEvidence(BTreeMap<TapKind, Arc<Evidence>>);

impl KindEvidence {
    /// Goes on from what is stored.
    pub(super) fn new(refusals: &BTreeMap<TapKind, Refusals>) -> KindEvidence {
        let of = |kind| {
            let refusals = refusals.get(&kind).cloned().unwrap_or_default();
            (kind, Arc::new(Evidence::new(refusals)))
        };
        KindEvidence(TapKind::ALL.into_iter().map(of).collect())
    }

    /// That of one table.
    pub(super) fn of(&self, kind: TapKind) -> Arc<Evidence> {
        self.0[&kind].clone()
    }

    /// What is to be stored: only tables of which something is known.
    pub(super) fn refusals(&self) -> BTreeMap<TapKind, Refusals> {
        let all = self.0.iter().map(|(kind, evidence)| (*kind, evidence.refusals()));
        all.filter(|(_, refusals)| *refusals != Refusals::default()).collect()
    }
}
