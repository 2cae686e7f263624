//! Dead letters into the workspace, each as a run would deliver its event.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;

use super::pipeline::{DeliveryError, EventDelivery};
use super::read::{EventSink as _, long_after};
use super::under_lease::under_lease;
use super::{Run, RunError, Services};
use crate::lease_scope::LeaseScope;
use crate::report::FeedCounts;
use crate::state::{DeadLetterName, DeadLetterReason, StateError};

/// How many dead letters of a feed are under way at once, and in memory.
const AT_A_TIME: usize = 4;

/// What came of a dead letter.
#[derive(Debug)]
pub enum Resent {
    /// The workspace has its row, and the dead letter is deleted.
    Delivered,
    /// Its event can't be delivered still. It lies under this reason, which may be another one
    /// than before.
    Kept(DeadLetterReason),
    /// There is no such dead letter.
    Missing,
    /// It is damaged, and stays as it is.
    Damaged(StateError),
}

/// Not every dead letter of a feed was tried.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// The feed's lease can't be had, or the dead letters can't be read or deleted.
    #[error("{0}")]
    State(#[from] StateError),
    /// The event was neither delivered nor refused.
    #[error("{0}")]
    Delivery(#[from] DeliveryError),
    /// The lease went away meanwhile.
    #[error("the feed's lease was lost: a run of the Function App may have it")]
    LeaseLost,
    /// The program was told to stop, or something else failed, and what was under way took too
    /// long.
    #[error("told to stop while dead letters were under way; they are kept")]
    Abandoned,
}

/// Sends dead letters again, feed by feed and each under its feed's lease, and tells `done` what
/// came of each. Begins none after the program was told to stop. Tells which feeds' dead letters
/// were not all tried, and why.
///
/// A dead letter is deleted only after the workspace took its row, or after its event lies in
/// storage under another reason. Where the process dies in between, it is sent once more by
/// whoever sends it again.
///
/// # Errors
/// Where nothing could be begun.
pub async fn resend(
    run: &Run,
    letters: impl IntoIterator<Item = DeadLetterName>,
    mut done: impl FnMut(&DeadLetterName, &Resent),
) -> Result<Vec<(Feed, ResendError)>, RunError> {
    let mut feeds: BTreeMap<Feed, Vec<DeadLetterName>> = BTreeMap::new();
    for letter in letters {
        feeds.entry(letter.feed().clone()).or_default().push(letter);
    }
    let services = Services::open(run).await?;
    let mut failed = Vec::new();
    for (feed, letters) in feeds {
        let scope = LeaseScope::new(&run.stop, run.posting_ends);
        let resending = Resending { run, services: &services, feed: &feed, scope };
        if let Err(error) = resending.leased(letters, &mut done).await {
            failed.push((feed, error));
        }
    }
    Ok(failed)
}

/// The work on one feed.
struct Resending<'a> {
    run: &'a Run,
    services: &'a Services,
    feed: &'a Feed,
    /// No dead letter is begun after its halt.
    scope: LeaseScope,
}

impl Resending<'_> {
    async fn leased(
        &self,
        letters: Vec<DeadLetterName>,
        done: &mut impl FnMut(&DeadLetterName, &Resent),
    ) -> Result<(), ResendError> {
        if self.scope.is_halted() {
            return Ok(());
        }
        let work = self.letters(letters, done);
        let lost = ResendError::LeaseLost;
        under_lease(&self.services.state, self.feed, &self.scope, lost, work).await
    }

    /// After a failure no other is begun, and those under way are finished: a row that was
    /// accepted would otherwise be sent once more.
    async fn letters(
        &self,
        letters: Vec<DeadLetterName>,
        done: &mut impl FnMut(&DeadLetterName, &Resent),
    ) -> Result<(), ResendError> {
        let work = letters.into_iter().map(|name| async {
            let result = self.unless_halted(&name).await;
            if result.is_err() {
                self.scope.halt();
            }
            (name, result)
        });
        let mut work = stream::iter(work).buffered(AT_A_TIME);
        let mut first_error = None;
        while let Some((name, result)) = work.next().await {
            match result {
                Ok(Some(resent)) => done(&name, &resent),
                Ok(None) => {}
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn unless_halted(&self, name: &DeadLetterName) -> Result<Option<Resent>, ResendError> {
        if self.scope.is_halted() {
            return Ok(None);
        }
        tokio::select! {
            result = self.letter(name) => result.map(Some),
            () = long_after(self.scope.halt_token()) => Err(ResendError::Abandoned),
        }
    }

    async fn letter(&self, name: &DeadLetterName) -> Result<Resent, ResendError> {
        let state = &self.services.state;
        let letter = match state.read_dead_letter(name).await {
            Ok(Some(letter)) => letter,
            Ok(None) => return Ok(Resent::Missing),
            Err(error) if error.is_damage() => return Ok(Resent::Damaged(error)),
            Err(error) => return Err(error.into()),
        };
        let hour = Hour::containing(letter.at);
        let ctx = self.services.ctx(self.run, &self.scope);
        let mut delivery = EventDelivery::of_letter(letter.reason, self.feed, hour, ctx);
        delivery.take(letter.event.into()).await?;
        delivery.finish().await?;
        let resent = outcome(delivery.counts());
        if !matches!(resent, Resent::Kept(reason) if reason == name.reason()) {
            state.delete_dead_letter(name).await?;
        }
        Ok(resent)
    }
}

/// What came of the one event of a counts. Without an error it is one of these.
fn outcome(counts: &FeedCounts) -> Resent {
    match counts {
        FeedCounts { delivered: 1.., .. } => Resent::Delivered,
        FeedCounts { malformed: 1.., .. } => Resent::Kept(DeadLetterReason::Malformed),
        // Before oversize: a shortened row that was refused is both.
        FeedCounts { refused: 1.., .. } => Resent::Kept(DeadLetterReason::Refused),
        _ => Resent::Kept(DeadLetterReason::Oversize),
    }
}
