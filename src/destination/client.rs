//! One batch posted, and retried while its fault is passing.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::Request;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::Table;
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::{Answer, MAX_ANSWER_BYTES};
use super::logs_ingestion::request::CLIENT_REQUEST_ID;
use super::logs_ingestion::token::Token;
use super::outcome::{PostCounts, PostOutcome};
use super::service::Service;
use super::text::shortened;
use super::throttle::Throttle;
use super::verdict::{HeldReason, Verdict};
use crate::lease_scope::LeaseScope;
use crate::net::HttpClient;
use crate::retry::Backoff;

/// Posts to a service, for all batches of a run.
pub(super) struct Client {
    pub service: Service,
    pub http: HttpClient,
    pub clock: Clock,
    pub throttle: Throttle,
}

/// How one try ended.
enum TryEnd {
    Done(PostOutcome),
    RetryNow,
    RetryLater { fault: String, retry_after: Option<Duration> },
}

impl From<HeldReason> for TryEnd {
    fn from(reason: HeldReason) -> TryEnd {
        TryEnd::Done(PostOutcome::Held(reason))
    }
}

/// The attempt to post one batch, over all its tries.
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

impl Client {
    /// Posts `json`, rows of `table`, and retries while the fault is passing and `scope` and `backoff` allow. A
    /// try that the deadline cuts off may still have reached the workspace.
    pub(super) async fn post(
        &self,
        table: &'static Table,
        json: &Bytes,
        (scope, backoff): (&LeaseScope, Backoff),
        counts: &mut PostCounts,
    ) -> PostOutcome {
        let body = match self.service.encode(json) {
            Ok(body) => body,
            Err(refusal) => return PostOutcome::Split(refusal),
        };
        let json_bytes = json.len();
        let (was_posted, renewed_token, last) = (false, false, None);
        let mut attempt =
            PostAttempt { table, body, json_bytes, scope, was_posted, renewed_token, last };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(&mut attempt, counts).await {
                TryEnd::Done(outcome) => return outcome,
                TryEnd::RetryNow => {}
                TryEnd::RetryLater { fault, retry_after } => {
                    let deadline = scope.posting_ends();
                    let wait = backoff.wait_until(tries, retry_after, deadline);
                    let Some(wait) = wait else {
                        return PostOutcome::Held(given_up(tries < backoff.tries, tries, fault));
                    };
                    // Where the lease is lost, the next try says so.
                    scope.unless_lost(sleep(wait)).await;
                    attempt.last = Some(fault);
                }
            }
        }
    }

    /// Makes sure that the next post has a token, if the service has tokens. Passing faults are
    /// retried until `deadline`.
    pub(super) async fn prepare(
        &self,
        backoff: Backoff,
        deadline: Instant,
    ) -> Result<(), HeldReason> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.service.prepare(deadline).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let wait = backoff.wait_until(tries, None, deadline).filter(|_| error.passing);
            let Some(wait) = wait else { return Err(error.into()) };
            sleep(wait).await;
        }
    }

    async fn try_once(&self, attempt: &mut PostAttempt<'_>, counts: &mut PostCounts) -> TryEnd {
        let deadline = attempt.scope.posting_ends();
        let _permit = match attempt.scope.unless_lost(self.throttle.acquire(deadline)).await {
            Some(Some(permit)) => permit,
            Some(None) => return HeldReason::OutOfTime { last: attempt.last.take() }.into(),
            None => return HeldReason::LeaseLost.into(),
        };
        let (table, body) = (attempt.table, attempt.body.clone());
        let request = self.service.request(table, body, self.clock.now(), deadline);
        let (request, token) = match request.await {
            Ok(request) => request,
            Err(error) if error.passing => {
                return TryEnd::RetryLater { fault: error.to_string(), retry_after: None };
            }
            Err(error) => return HeldReason::from(error).into(),
        };
        // The token may have taken long to come.
        if attempt.scope.is_lost() {
            return HeldReason::LeaseLost.into();
        }
        attempt.count_in(counts);
        let (sent, request_id) = (Instant::now(), request_id(&request));
        let body_bytes = attempt.body.len();
        match timeout_at(deadline, self.send(request)).await {
            Ok(Ok(answer)) => {
                self.throttle.note_answer(sent.elapsed());
                tracing::info!(request_id, table = table.name, body_bytes, %answer, "post answered");
                self.after_answer(attempt, answer, token.as_ref())
            }
            Ok(Err(fault)) => TryEnd::RetryLater { fault, retry_after: None },
            Err(_) => {
                HeldReason::OutOfTime { last: Some("no answer came in time".to_owned()) }.into()
            }
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        match self.http.send(request, MAX_ANSWER_BYTES).await {
            Ok(response) => Ok(Answer::of(&response, self.clock.now())),
            Err(error) => Err(shortened(&error.to_string())),
        }
    }

    fn after_answer(
        &self,
        attempt: &mut PostAttempt<'_>,
        answer: Answer,
        token: Option<&Token>,
    ) -> TryEnd {
        let fault = answer.to_string();
        match self.service.classify(attempt.table, answer) {
            Verdict::Delivered => TryEnd::Done(PostOutcome::Delivered),
            Verdict::Split(refusal) => TryEnd::Done(PostOutcome::Split(refusal)),
            Verdict::Hold(reason) => reason.into(),
            Verdict::RefreshToken(reason) if attempt.renewed_token => reason.into(),
            Verdict::RefreshToken(reason) => {
                attempt.renewed_token = true;
                match self.service.renew_token(token) {
                    Ok(true) => TryEnd::RetryNow,
                    Ok(false) => reason.into(),
                    Err(error) => HeldReason::from(error).into(),
                }
            }
            Verdict::Retry { retry_after } => {
                self.throttle.note_overload();
                if let Some(wait) = retry_after {
                    self.throttle.pause_for(wait);
                }
                TryEnd::RetryLater { fault, retry_after }
            }
        }
    }
}

/// Why no more is tried: the time is up, if there are `more_tries`.
fn given_up(more_tries: bool, tries: u32, last: String) -> HeldReason {
    if more_tries {
        HeldReason::OutOfTime { last: Some(last) }
    } else {
        HeldReason::Unavailable { tries, last }
    }
}

/// The id by which the table `DCRLogErrors` knows the post.
fn request_id(request: &Request<Bytes>) -> Option<String> {
    let id = request.headers().get(CLIENT_REQUEST_ID)?;
    Some(id.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests;
