//! Batches delivered, and the fate of every row in them.

use std::sync::Arc;
use std::time::Duration;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::Table;

use super::batch::{Batch, Limits};
use super::data_collector::DataCollector;
use super::gate::Gate;
use super::logs_ingestion::LogsIngestion;
use super::post::{PostCounts, PostOutcome, Poster, Service};
use super::signature::KeyError;
use super::token::Tokens;
use super::verdict::{HeldReason, RowRefusal};
use crate::lease_scope::LeaseScope;
use crate::net::Net;
use crate::retry::Backoff;
use crate::settings::DestinationSettings;

/// Posts under way at once, all feeds together.
const POSTS: usize = 8;

/// How passing faults are waited out: for about two minutes in all, if the run's deadline allows.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60), tries: 8 };

/// So many rows refused one by one, and none accepted, make it likely that the rows are not what
/// is wrong.
const SUSPICIOUS: usize = 16;

/// Where rows go. One for a run, shared by its feeds; a clone is the same destination.
#[derive(Clone)]
pub struct Destination(Arc<Poster>);

/// The destination's settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// The setting of that name is no address that a path can be put to.
    #[error("{0} is not an https address")]
    Address(&'static str),
    /// `WorkspaceID` is no workspace id.
    #[error("WorkspaceID is not a workspace id: it must be the GUID of the workspace")]
    WorkspaceId,
    /// `WorkspaceKey` is no key.
    #[error(transparent)]
    WorkspaceKey(#[from] KeyError),
    /// The SDK makes no credential of the identity's settings.
    #[error("the identity's settings (AZURE_CLIENT_ID and its neighbours) can't be used: {0}")]
    Identity(#[from] azure_core::Error),
}

/// The fate of a batch: every row is in exactly one of `delivered`, `refused` and `held`.
#[derive(Debug)]
pub struct Delivery<T> {
    /// Rows that the workspace accepted.
    pub delivered: Vec<T>,
    /// Rows that it will never accept, each with the reason.
    pub refused: Vec<Refused<T>>,
    /// Rows that it neither accepted nor refused, at least one where this is there.
    pub held: Option<Held<T>>,
    /// Requests sent, retries included.
    pub posts: u64,
    /// Of these, those that repeated an earlier one.
    pub retries: u64,
    /// Bytes in the bodies of all posts, as sent.
    pub sent_bytes: u64,
    /// The same before compression.
    pub body_bytes: u64,
}

/// A row that the workspace refuses.
#[derive(Debug)]
pub struct Refused<T> {
    /// Its tag.
    pub tag: T,
    /// Why.
    pub reason: RowRefusal,
}

/// Rows to keep and to send again.
#[derive(Debug)]
pub struct Held<T> {
    /// Their tags, in no certain order.
    pub tags: Vec<T>,
    /// Why.
    pub reason: HeldReason,
}

impl Destination {
    /// A destination by its settings. Nothing is sent yet; a token is asked for with the first
    /// post.
    ///
    /// # Errors
    /// Where the settings can't lead anywhere. The error names the setting.
    pub fn new(
        settings: &DestinationSettings,
        net: &Net,
        clock: Clock,
    ) -> Result<Destination, DestinationError> {
        Destination::with_backoff(settings, net, clock, BACKOFF)
    }

    /// As [`new`](Self::new), with another limit than two minutes.
    ///
    /// # Errors
    /// As there.
    pub fn with_backoff(
        settings: &DestinationSettings,
        net: &Net,
        clock: Clock,
        backoff: Backoff,
    ) -> Result<Destination, DestinationError> {
        let service = match settings {
            DestinationSettings::LogsIngestion { endpoint, dcr_immutable_id, identity } => {
                let tokens = Tokens::of(identity, net)?;
                Service::LogsIngestion(LogsIngestion::new(endpoint, dcr_immutable_id, tokens)?)
            }
            DestinationSettings::DataCollector { workspace_id, workspace_key, uri } => {
                Service::DataCollector(DataCollector::new(workspace_id, workspace_key, uri)?)
            }
        };
        Ok(Destination::of(service, net, clock, backoff))
    }

    fn of(service: Service, net: &Net, clock: Clock, backoff: Backoff) -> Destination {
        let (http, gate) = (net.http.clone(), Gate::new(POSTS));
        Destination(Arc::new(Poster { service, http, clock, gate, backoff }))
    }

    /// How long its batches may be.
    pub fn limits(&self) -> Limits {
        self.0.service.limits()
    }

    /// Delivers `batch` to `table` within `scope`, or says what became of each row.
    ///
    /// The services accept or refuse a post as a whole, so a refused batch is halved until the
    /// rows at fault stand alone. Rows whose answer was lost are held, or posted again: then the
    /// workspace may have them twice.
    pub async fn deliver<T>(
        &self,
        table: &'static Table,
        batch: Batch<T>,
        scope: &LeaseScope,
    ) -> Delivery<T> {
        let mut counts = PostCounts::default();
        let mut sorting = Sorting::new(batch);
        while let Some(piece) = sorting.pieces.pop() {
            match self.0.post(table, piece.body(), scope, &mut counts).await {
                PostOutcome::Delivered => sorting.delivered.extend(piece.into_tags()),
                PostOutcome::Split(refusal) => sorting.split(piece, refusal),
                PostOutcome::Held(reason) => sorting.hold(piece, reason),
            }
        }
        let Sorting { delivered, refused, held, .. } = sorting;
        let PostCounts { posts, retries, sent_bytes, body_bytes } = counts;
        Delivery { delivered, refused, held, posts, retries, sent_bytes, body_bytes }
    }
}

/// A batch being sorted into rows accepted, refused and held.
struct Sorting<T> {
    /// What is yet to be posted; the last one comes next.
    pieces: Vec<Batch<T>>,
    delivered: Vec<T>,
    refused: Vec<Refused<T>>,
    held: Option<Held<T>>,
}

impl<T> Sorting<T> {
    fn new(batch: Batch<T>) -> Sorting<T> {
        Sorting { pieces: vec![batch], delivered: Vec::new(), refused: Vec::new(), held: None }
    }

    fn split(&mut self, piece: Batch<T>, reason: RowRefusal) {
        match piece.split() {
            Ok((left, right)) => self.pieces.extend([right, left]),
            Err(tag) => {
                self.refused.push(Refused { tag, reason });
                self.doubt();
            }
        }
    }

    /// Where every row so far was refused, looks at the far end of the batch; where it is the
    /// same there, or there is no more, blames the table or rule and not the rows.
    fn doubt(&mut self) {
        let refused = self.refused.len();
        if !self.delivered.is_empty() || refused < SUSPICIOUS {
            return;
        }
        if refused == 2 * SUSPICIOUS || self.pieces.is_empty() {
            self.hold_all();
        } else if refused == SUSPICIOUS {
            self.pieces.reverse();
        }
    }

    fn hold_all(&mut self) {
        let refused = self.refused.len();
        if let Some(Refused { tag, reason: last }) = self.refused.pop() {
            let mut tags: Vec<T> = self.refused.drain(..).map(|refused| refused.tag).collect();
            tags.push(tag);
            self.hold_with(tags, HeldReason::EveryRowRefused { refused, last });
        }
    }

    fn hold(&mut self, piece: Batch<T>, reason: HeldReason) {
        self.hold_with(piece.into_tags(), reason);
    }

    fn hold_with(&mut self, mut tags: Vec<T>, reason: HeldReason) {
        tags.extend(self.pieces.drain(..).rev().flat_map(Batch::into_tags));
        self.held = Some(Held { tags, reason });
    }
}

#[cfg(test)]
mod tests;
