//! Sends dead letters to the workspace, each as a run would deliver its event.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::delivery_error::DeliveryError;
use super::event_sink::EventSink as _;
use super::evidence::Evidence;
use super::memory::Place;
use super::pipeline::EventDelivery;
use super::row_type::RowType;
use super::run::Run;
use super::services::{RunError, Services};
use super::session_reader::grace_period_over;
use super::under_lease::under_lease;
use crate::error_code::{self, Coded, ErrorCode};
use crate::lease_scope::LeaseScope;
use crate::report::FeedCounts;
use crate::state::{DeadLetterName, DeadLetterReason, StateError};

/// How many dead letters of a feed are in flight at most, and in memory.
const MAX_IN_FLIGHT: usize = 4;

/// What came of a dead letter.
#[derive(Debug)]
pub enum ResendOutcome {
    /// The workspace has its row, and the dead letter is deleted.
    Delivered,
    /// Its event still can't be delivered. It is kept under this reason, which may be another than
    /// before.
    Kept(DeadLetterReason),
    /// There is no such dead letter.
    Missing,
    /// It is damaged, and stays as it is.
    Damaged(StateError),
}

/// Not every dead letter of a feed was tried.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// The feed's lease can't be taken, or the dead letters can't be read or deleted.
    #[error("{0}")]
    State(#[from] StateError),
    /// The event was neither delivered nor refused.
    #[error("{0}")]
    Delivery(#[from] DeliveryError),
    /// The lease went away meanwhile.
    #[error("the feed's lease was lost: a run of the Function App may have it")]
    LeaseLost,
    /// The program was told to stop, or something else failed, and what was in flight took too
    /// long.
    #[error("stopped while dead letters were in flight; they are kept")]
    Abandoned,
}

impl Coded for ResendError {
    fn code(&self) -> ErrorCode {
        match self {
            ResendError::State(error) => error.code(),
            ResendError::Delivery(error) => error.code(),
            ResendError::LeaseLost => error_code::LEASE_LOST,
            ResendError::Abandoned => error_code::STOPPED,
        }
    }
}

/// Sends dead letters again, feed by feed and each under its feed's lease, and tells `done` what
/// came of each. Begins none after the program was told to stop. Tells which feeds' dead letters
/// were not all tried, and why.
///
/// A dead letter is deleted only after the workspace took its row, or after its event lies in
/// storage under another reason. If the process dies in between, the next `resend` sends it once
/// more.
///
/// # Errors
/// If nothing could be begun.
pub async fn resend(
    run: &Run,
    letters: impl IntoIterator<Item = DeadLetterName>,
    mut done: impl FnMut(&DeadLetterName, &ResendOutcome),
) -> Result<Vec<(Feed, ResendError)>, RunError> {
    let mut feeds: BTreeMap<Feed, Vec<DeadLetterName>> = BTreeMap::new();
    for letter in letters {
        feeds.entry(letter.feed().clone()).or_default().push(letter);
    }
    let services = Services::open(run).await?;
    let mut failed = Vec::new();
    for (feed, letters) in feeds {
        let scope = LeaseScope::new(&run.stop, run.posting_ends);
        let place = services.place();
        place.enter(None).await;
        let feed_resend = FeedResend { run, services: &services, feed: &feed, scope, place };
        if let Err(error) = feed_resend.send_all(letters, &mut done).await {
            failed.push((feed, error));
        }
    }
    Ok(failed)
}

/// The work on one feed.
struct FeedResend<'a> {
    run: &'a Run,
    services: &'a Services,
    feed: &'a Feed,
    /// No dead letter is begun after its halt.
    scope: LeaseScope,
    place: Arc<Place>,
}

impl FeedResend<'_> {
    async fn send_all(
        &self,
        letters: Vec<DeadLetterName>,
        done: &mut impl FnMut(&DeadLetterName, &ResendOutcome),
    ) -> Result<(), ResendError> {
        if self.scope.is_halted() {
            return Ok(());
        }
        let work = self.send_leased(letters, done);
        let lost = ResendError::LeaseLost;
        under_lease(self.services.state(), self.feed, &self.scope, lost, work).await
    }

    /// After a failure no other is begun, and those in flight are finished: a row that was accepted
    /// would otherwise be sent once more.
    async fn send_leased(
        &self,
        letters: Vec<DeadLetterName>,
        done: &mut impl FnMut(&DeadLetterName, &ResendOutcome),
    ) -> Result<(), ResendError> {
        let work = letters.into_iter().map(|name| async {
            let result = self.send_unless_halted(&name).await;
            if result.is_err() {
                self.scope.halt();
            }
            (name, result)
        });
        let mut work = stream::iter(work).buffered(MAX_IN_FLIGHT);
        let mut first_error = None;
        while let Some((name, result)) = work.next().await {
            match result {
                Ok(Some(outcome)) => done(&name, &outcome),
                Ok(None) => {}
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn send_unless_halted(
        &self,
        name: &DeadLetterName,
    ) -> Result<Option<ResendOutcome>, ResendError> {
        if self.scope.is_halted() {
            return Ok(None);
        }
        tokio::select! {
            result = self.send(name) => result.map(Some),
            () = grace_period_over(self.scope.halt_token()) => Err(ResendError::Abandoned),
        }
    }

    async fn send(&self, name: &DeadLetterName) -> Result<ResendOutcome, ResendError> {
        let state = self.services.state();
        let letter = match state.read_dead_letter(name).await {
            Ok(Some(letter)) => letter,
            Ok(None) => return Ok(ResendOutcome::Missing),
            Err(error) if error.is_damage() => return Ok(ResendOutcome::Damaged(error)),
            Err(error) => return Err(error.into()),
        };
        let hour = Hour::containing(letter.at);
        let evidence = Arc::new(Evidence::certain());
        let Some((row_type, event)) = RowType::of_dead_letter(self.feed, letter.event.into())
        else {
            return Ok(ResendOutcome::Kept(name.reason()));
        };
        let rows = (self.feed, row_type);
        let ctx =
            self.services.delivery_context(self.run, rows, &self.scope, &evidence, &self.place);
        let mut delivery = EventDelivery::dead_letter(letter.reason, hour, ctx);
        delivery.push(event).await?;
        delivery.flush().await?;
        let outcome = outcome(delivery.counts(), name.reason());
        if !matches!(outcome, ResendOutcome::Kept(reason) if reason == name.reason()) {
            state.delete_dead_letter(name).await?;
        }
        Ok(outcome)
    }
}

/// What came of the event that was counted, of a dead letter of `reason`. Without an error it is one
/// of these.
fn outcome(counts: &FeedCounts, reason: DeadLetterReason) -> ResendOutcome {
    match counts {
        // An empty list, which an earlier release kept.
        FeedCounts { events: 0, .. } => ResendOutcome::Kept(reason),
        FeedCounts { delivered: 1.., .. } => ResendOutcome::Delivered,
        FeedCounts { malformed: 1.., .. } => ResendOutcome::Kept(DeadLetterReason::Malformed),
        // Before oversize: a shortened row that was refused is both.
        FeedCounts { refused: 1.., .. } => ResendOutcome::Kept(DeadLetterReason::Refused),
        _ => ResendOutcome::Kept(DeadLetterReason::Oversize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_stays_where_it_is_unless_more_became_of_it() {
        let one = FeedCounts { events: 1, ..FeedCounts::default() };
        for reason in [DeadLetterReason::Malformed, DeadLetterReason::Refused] {
            let of = |counts| outcome(&counts, reason);
            assert!(
                matches!(of(FeedCounts::default()), ResendOutcome::Kept(kept) if kept == reason)
            );
            let delivered = FeedCounts { delivered: 1, ..one.clone() };
            assert!(matches!(of(delivered), ResendOutcome::Delivered));
            let refused = FeedCounts { refused: 1, ..one.clone() };
            let kept = of(refused);
            assert!(matches!(kept, ResendOutcome::Kept(DeadLetterReason::Refused)), "{kept:?}");
            let malformed = FeedCounts { malformed: 1, ..one.clone() };
            let kept = of(malformed);
            assert!(matches!(kept, ResendOutcome::Kept(DeadLetterReason::Malformed)), "{kept:?}");
        }
    }
}
