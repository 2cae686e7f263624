//! One batch posted, and tried again while its fault is passing.

use std::time::Duration;

use bytes::Bytes;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::Table;
use reqwest::Request;
use tokio::time::{sleep, timeout_at};

use super::answer::{Answer, shortened};
use super::batch::Limits;
use super::data_collector::{self, DataCollector};
use super::gate::Gate;
use super::logs_ingestion::{self, LogsIngestion};
use super::token::{Token, TokenError, chain};
use super::verdict::{Api, HeldReason, RowRefusal, Verdict, verdict};
use crate::lease_scope::LeaseScope;
use crate::retry::Backoff;

/// The service that takes the rows.
pub(super) enum Service {
    LogsIngestion(LogsIngestion),
    DataCollector(DataCollector),
}

impl Service {
    /// How long its batches may be.
    pub(super) fn limits(&self) -> Limits {
        match self {
            Service::LogsIngestion(_) => logs_ingestion::LIMITS,
            Service::DataCollector(_) => data_collector::LIMITS,
        }
    }

    fn api(&self) -> Api {
        match self {
            Service::LogsIngestion(_) => Api::LogsIngestion,
            Service::DataCollector(_) => Api::DataCollector,
        }
    }

    /// The bytes that are sent for a batch.
    fn encoded(&self, json: &Bytes) -> Result<Bytes, RowRefusal> {
        match self {
            Service::LogsIngestion(_) => logs_ingestion::compressed(json),
            Service::DataCollector(_) => Ok(json.clone()),
        }
    }
}

/// What posts came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PostCounts {
    pub posts: u64,
    pub retries: u64,
    pub sent_bytes: u64,
    pub body_bytes: u64,
}

/// How it ended for one batch.
pub(super) enum PostOutcome {
    /// The rows are the workspace's.
    Delivered,
    /// Ask about each half; where there is only one row it is refused.
    Split(RowRefusal),
    /// Keep the rows.
    Held(HeldReason),
}

/// How one try ended.
enum Step {
    Done(PostOutcome),
    Again,
    Later { fault: String, retry_after: Option<Duration> },
}

impl From<HeldReason> for Step {
    fn from(reason: HeldReason) -> Step {
        Step::Done(PostOutcome::Held(reason))
    }
}

/// Makes posts to a service, for all batches of a run.
pub(super) struct Poster {
    pub service: Service,
    pub http: reqwest::Client,
    pub clock: Clock,
    pub gate: Gate,
    pub backoff: Backoff,
}

/// A batch on its way.
struct PostAttempt<'a> {
    table: &'static Table,
    body: Bytes,
    json_bytes: usize,
    scope: &'a LeaseScope,
    was_posted: bool,
    renewed_token: bool,
    /// How the last try ended.
    last: Option<String>,
}

impl PostAttempt<'_> {
    fn count_in(&mut self, counts: &mut PostCounts) {
        counts.posts += 1;
        counts.retries += u64::from(std::mem::replace(&mut self.was_posted, true));
        counts.sent_bytes += self.body.len() as u64;
        counts.body_bytes += self.json_bytes as u64;
    }
}

impl Poster {
    /// Posts `json`, rows of `table`, and tries again while the fault is passing and `scope`
    /// allows. A try that the deadline cuts off may still have reached the workspace.
    pub(super) async fn post(
        &self,
        table: &'static Table,
        json: &Bytes,
        scope: &LeaseScope,
        counts: &mut PostCounts,
    ) -> PostOutcome {
        let body = match self.service.encoded(json) {
            Ok(body) => body,
            Err(refusal) => return PostOutcome::Split(refusal),
        };
        let json_bytes = json.len();
        let (was_posted, renewed_token, last) = (false, false, None);
        let mut parcel =
            PostAttempt { table, body, json_bytes, scope, was_posted, renewed_token, last };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(&mut parcel, counts).await {
                Step::Done(outcome) => return outcome,
                Step::Again => {}
                Step::Later { fault, retry_after } => {
                    let wait =
                        self.backoff.wait_until(tries, retry_after, scope.posting_deadline());
                    let Some(wait) = wait else {
                        return PostOutcome::Held(self.given_up(tries, fault));
                    };
                    // Where the lease is lost, the next try says so.
                    scope.unless_lost(sleep(wait)).await;
                    parcel.last = Some(fault);
                }
            }
        }
    }

    async fn try_once(&self, parcel: &mut PostAttempt<'_>, counts: &mut PostCounts) -> Step {
        let deadline = parcel.scope.posting_deadline();
        let _permit = match parcel.scope.unless_lost(self.gate.pass(deadline)).await {
            Some(Some(permit)) => permit,
            Some(None) => return HeldReason::OutOfTime { last: parcel.last.take() }.into(),
            None => return HeldReason::LeaseLost.into(),
        };
        let (request, token) = match self.request(parcel).await {
            Ok(request) => request,
            Err(error) if error.passing => {
                return Step::Later { fault: error.to_string(), retry_after: None };
            }
            Err(error) => return HeldReason::from(error).into(),
        };
        // The token may have been long in coming.
        if parcel.scope.is_lost() {
            return HeldReason::LeaseLost.into();
        }
        parcel.count_in(counts);
        match timeout_at(deadline, self.send(request)).await {
            Ok(Ok(answer)) => self.judge(parcel, answer, token),
            Ok(Err(fault)) => Step::Later { fault, retry_after: None },
            Err(_) => {
                HeldReason::OutOfTime { last: Some("no answer came in time".to_owned()) }.into()
            }
        }
    }

    /// A request for one try, and the token in it where there is one.
    async fn request(
        &self,
        parcel: &PostAttempt<'_>,
    ) -> Result<(Request, Option<Token>), TokenError> {
        let (table, body) = (parcel.table, parcel.body.clone());
        match &self.service {
            Service::LogsIngestion(service) => {
                let token = service.tokens.token(parcel.scope.posting_deadline()).await?;
                let request = service
                    .request(table, body, &token.text)
                    .map_err(|_| service.tokens.unusable())?;
                Ok((request, Some(token)))
            }
            Service::DataCollector(service) => {
                Ok((service.request(table, body, self.clock.now()), None))
            }
        }
    }

    async fn send(&self, request: Request) -> Result<Answer, String> {
        match self.http.execute(request).await {
            Ok(response) => Ok(Answer::read(response, self.clock.now()).await),
            Err(error) => Err(shortened(&chain(&error))),
        }
    }

    fn judge(&self, parcel: &mut PostAttempt<'_>, answer: Answer, token: Option<Token>) -> Step {
        let fault = answer.to_string();
        match verdict(self.service.api(), parcel.table, answer) {
            Verdict::Delivered => Step::Done(PostOutcome::Delivered),
            Verdict::Split(refusal) => Step::Done(PostOutcome::Split(refusal)),
            Verdict::Hold(reason) => reason.into(),
            Verdict::RefreshToken(reason) => match (&self.service, token) {
                (Service::LogsIngestion(service), Some(token)) if !parcel.renewed_token => {
                    parcel.renewed_token = true;
                    match service.tokens.renew(&token) {
                        Ok(()) => Step::Again,
                        Err(error) => HeldReason::from(error).into(),
                    }
                }
                _ => reason.into(),
            },
            Verdict::Retry { retry_after } => {
                if let Some(wait) = retry_after {
                    self.gate.close_for(wait);
                }
                Step::Later { fault, retry_after }
            }
        }
    }

    fn given_up(&self, tries: u32, last: String) -> HeldReason {
        if tries < self.backoff.tries {
            HeldReason::OutOfTime { last: Some(last) }
        } else {
            HeldReason::Unavailable { tries, last }
        }
    }
}
