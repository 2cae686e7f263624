//! What follows from an answer of the workspace. Each service has a table of its own for it, in its
//! `classify`.

use std::time::Duration;

use super::answer::Answer;
use super::error::TokenError;
use crate::error_code::{self, Coded, ErrorCode};

/// What to do after an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The rows are the workspace's.
    Delivered,
    /// The service takes or refuses a post as a whole: ask it about each half.
    Split(RowRefusal),
    /// The token is not accepted; a new one may be. If that isn't either, the rows are held.
    RefreshToken(HeldReason),
    /// The fault is passing: try again, after that time where the service named one.
    Retry { retry_after: Option<Duration> },
    /// No row is at fault and trying again at once is of no use: keep the rows.
    Hold(HeldReason),
}

/// Why a row was refused. Trying it again is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowRefusal {
    /// The service calls the row invalid.
    #[error("the workspace refuses the row: {0}")]
    Invalid(Answer),
    /// The service calls the row too long.
    #[error("the row is too long for the workspace: {0}")]
    TooLong(Answer),
    /// The row is longer than the service takes; it was not posted.
    #[error(
        "the row is too long for the workspace: {bytes} bytes compressed, where {limit} are taken"
    )]
    TooLongCompressed {
        /// Length of the body with this row alone, compressed.
        bytes: usize,
        /// The longest that is posted.
        limit: usize,
    },
}

/// Why rows were neither accepted nor refused. They are to be kept and sent again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HeldReason {
    /// There is no token to post with.
    #[error(transparent)]
    NoToken(#[from] TokenError),
    /// Logs Ingestion accepts neither the token nor a new one.
    #[error(
        "the workspace does not accept the identity's token, nor a new one ({0}): check that \
         AZURE_CLOUD and AZURE_TENANT_ID are those of the workspace"
    )]
    TokenNotAccepted(Answer),
    /// Logs Ingestion knows the identity, but it may not post.
    #[error(
        "the identity may not post to the data collection rule ({0}): give it the role Monitoring \
         Metrics Publisher on the rule that DcrImmutableId names. A new role takes up to 30 \
         minutes, with a managed identity at times some hours; then this heals by itself"
    )]
    RoleMissing(Answer),
    /// Logs Ingestion knows no such endpoint, rule or stream.
    #[error(
        "the workspace has no such data collection rule or stream ({answer}): check LogsIngestionEndpoint and \
         DcrImmutableId, and that the rule declares the stream {stream}"
    )]
    RuleNotFound {
        /// What the service said.
        answer: Answer,
        /// The stream that was posted to.
        stream: &'static str,
    },
    /// Data Collector does not accept the signature.
    #[error(
        "the workspace does not accept the signature ({0}): check that WorkspaceID and \
         WorkspaceKey belong together, that the key was not regenerated, and that this machine's \
         clock is right"
    )]
    SignatureNotAccepted(Answer),
    /// Data Collector knows no such workspace.
    #[error("there is no such workspace ({0}): check logAnalyticsUri and WorkspaceID")]
    WorkspaceNotFound(Answer),
    /// Data Collector refuses the post for what does not depend on its rows.
    #[error(
        "the workspace refuses every post ({answer}): check WorkspaceID, logAnalyticsUri and that \
         the workspace is active; the log type is {log_type}"
    )]
    PostNotAccepted {
        /// What the service said.
        answer: Answer,
        /// The log type that was posted to.
        log_type: &'static str,
    },
    /// The Data Collector API is no longer there.
    #[error(
        "the HTTP Data Collector API is retired ({0}): move to the Logs Ingestion API, as \
         docs/migrate.md describes. Rows wait until then"
    )]
    Retired(Answer),
    /// An answer that the service's documentation does not know.
    #[error(
        "the answer does not come from the workspace ({0}): check the address in \
         LogsIngestionEndpoint or logAnalyticsUri, and that no proxy answers instead"
    )]
    Unexpected(Answer),
    /// A passing fault outlasted all tries.
    #[error(
        "the workspace accepted no rows in {tries} tries; the last one ended with: {last}. The rows \
         are sent again automatically; if this stays, check that the Function App reaches the \
         workspace"
    )]
    Unavailable {
        /// How often it was tried.
        tries: u32,
        /// How the last try ended.
        last: String,
    },
    /// The deadline came first.
    #[error("the run's time was up before the workspace accepted the rows{}. They are sent again automatically", lastly(.last))]
    OutOfTime {
        /// How the last try ended, where there was one.
        last: Option<String>,
    },
    /// The lease was lost: the rows are no longer the caller's to post.
    #[error(
        "the feed's lease was lost before they were posted. The run that has it reads them \
         again"
    )]
    LeaseLost,
}

impl Coded for HeldReason {
    fn code(&self) -> ErrorCode {
        match self {
            HeldReason::NoToken(_) => error_code::NO_TOKEN,
            HeldReason::TokenNotAccepted(_) => error_code::TOKEN_NOT_ACCEPTED,
            HeldReason::RoleMissing(_) => error_code::ROLE_MISSING,
            HeldReason::RuleNotFound { .. } => error_code::RULE_NOT_FOUND,
            HeldReason::SignatureNotAccepted(_) => error_code::SIGNATURE_NOT_ACCEPTED,
            HeldReason::WorkspaceNotFound(_) => error_code::WORKSPACE_NOT_FOUND,
            HeldReason::PostNotAccepted { .. } => error_code::POST_NOT_ACCEPTED,
            HeldReason::Retired(_) => error_code::DATA_COLLECTOR_RETIRED,
            HeldReason::Unexpected(_) => error_code::UNEXPECTED_ANSWER,
            HeldReason::Unavailable { .. } => error_code::WORKSPACE_UNAVAILABLE,
            HeldReason::OutOfTime { .. } => error_code::POSTING_OUT_OF_TIME,
            HeldReason::LeaseLost => error_code::POSTING_REVOKED,
        }
    }
}

fn lastly(last: &Option<String>) -> String {
    last.as_ref().map(|last| format!(" (the last try ended with: {last})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_time_says_how_the_last_try_ended() {
        let reason = HeldReason::OutOfTime { last: Some("HTTP 503".to_owned()) };
        assert_eq!(
            reason.to_string(),
            "the run's time was up before the workspace accepted the rows (the last try ended with: HTTP 503). \
             They are sent again automatically"
        );
    }
}
