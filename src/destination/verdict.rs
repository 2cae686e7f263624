//! What follows from an answer of the workspace: one table per service, and nowhere else.

use std::time::Duration;

use proofpoint_sentinel_core::tables::Table;

use super::answer::Answer;
use super::token::TokenError;

/// The services that take rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    LogsIngestion,
    DataCollector,
}

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
        "the workspace knows no such place for rows ({answer}): check LogsIngestionEndpoint and \
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
    /// Every row of a batch is refused, so the rows are not what is wrong.
    #[error(
        "the workspace refuses every row of a batch, one by one {refused} of them, lastly because: \
         {last}. Check that table, stream and data collection rule are those that this version \
         deploys"
    )]
    EveryRowRefused {
        /// How many rows were refused before the rest was held back.
        refused: usize,
        /// What was said of the last one.
        last: RowRefusal,
    },
    /// An answer that the service's documentation does not know.
    #[error(
        "an answer that is not the workspace's own ({0}): check that the address in \
         LogsIngestionEndpoint or logAnalyticsUri is right and that no proxy stands before it"
    )]
    Unexpected(Answer),
    /// A passing fault outlasted all tries.
    #[error(
        "the workspace took no rows in {tries} tries, lastly: {last}. The rows are sent again by \
         themselves; if this stays, check that the Function App reaches the workspace"
    )]
    Unavailable {
        /// How often it was tried.
        tries: u32,
        /// How the last try ended.
        last: String,
    },
    /// The deadline came first.
    #[error("the run's time was up before the workspace took the rows{}. They are sent again by themselves", lastly(.last))]
    OutOfTime {
        /// How the last try ended, where there was one.
        last: Option<String>,
    },
    /// The lease was lost: the rows are no longer the caller's to post.
    #[error(
        "the feed's lease was lost before they were posted. They are read again by whoever has it"
    )]
    LeaseLost,
}

fn lastly(last: &Option<String>) -> String {
    last.as_ref().map(|last| format!(" (lastly: {last})")).unwrap_or_default()
}

/// What to do after `answer` to a post of rows of `table`.
pub(super) fn verdict(api: Api, table: &'static Table, answer: Answer) -> Verdict {
    match api {
        Api::LogsIngestion => logs_ingestion(table, answer),
        Api::DataCollector => data_collector(table, answer),
    }
}

fn logs_ingestion(table: &'static Table, answer: Answer) -> Verdict {
    match answer.status {
        200..=299 => Verdict::Delivered,
        400 => Verdict::Split(RowRefusal::Invalid(answer)),
        401 => Verdict::RefreshToken(HeldReason::TokenNotAccepted(answer)),
        403 => Verdict::Hold(HeldReason::RoleMissing(answer)),
        404 => Verdict::Hold(HeldReason::RuleNotFound { answer, stream: table.stream }),
        413 => Verdict::Split(RowRefusal::TooLong(answer)),
        408 | 429 | 500..=599 => Verdict::Retry { retry_after: answer.retry_after },
        _ => Verdict::Hold(HeldReason::Unexpected(answer)),
    }
}

/// Codes of a 400 of Data Collector that are about the post's address, headers or workspace.
/// The one that is about its rows is `InvalidDataFormat`.
const NOT_ABOUT_ROWS: [&str; 8] = [
    "InactiveCustomer",
    "InvalidApiVersion",
    "InvalidCustomerId",
    "InvalidLogType",
    "MissingApiVersion",
    "MissingContentType",
    "MissingLogType",
    "UnsupportedContentType",
];

fn data_collector(table: &'static Table, answer: Answer) -> Verdict {
    let not_about_rows = answer.code.as_deref().is_some_and(|code| NOT_ABOUT_ROWS.contains(&code));
    match answer.status {
        200..=299 => Verdict::Delivered,
        400 if not_about_rows => {
            Verdict::Hold(HeldReason::PostNotAccepted { answer, log_type: table.log_type })
        }
        400 => Verdict::Split(RowRefusal::Invalid(answer)),
        401 | 403 => Verdict::Hold(HeldReason::SignatureNotAccepted(answer)),
        // Also said of posts that are too large, which ours are not by `Limits`.
        404 => Verdict::Hold(HeldReason::WorkspaceNotFound(answer)),
        413 => Verdict::Split(RowRefusal::TooLong(answer)),
        408 | 429 | 500..=599 => Verdict::Retry { retry_after: answer.retry_after },
        _ => Verdict::Hold(HeldReason::Unexpected(answer)),
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::tables::tables;

    use super::*;

    /// A verdict without what it carries.
    fn kind(api: Api, status: u16, code: Option<&str>) -> &'static str {
        let answer = Answer { status, code: code.map(str::to_owned), ..Answer::default() };
        match verdict(api, tables()[0], answer) {
            Verdict::Delivered => "delivered",
            Verdict::Split(RowRefusal::Invalid(_)) => "split: invalid",
            Verdict::Split(_) => "split: too long",
            Verdict::RefreshToken(_) => "refresh",
            Verdict::Retry { .. } => "retry",
            Verdict::Hold(HeldReason::RoleMissing(_)) => "role",
            Verdict::Hold(HeldReason::RuleNotFound { .. }) => "rule",
            Verdict::Hold(HeldReason::SignatureNotAccepted(_)) => "signature",
            Verdict::Hold(HeldReason::WorkspaceNotFound(_)) => "workspace",
            Verdict::Hold(HeldReason::PostNotAccepted { .. }) => "post",
            Verdict::Hold(HeldReason::Unexpected(_)) => "unexpected",
            Verdict::Hold(other) => panic!("{other:?} is nothing that an answer tells"),
        }
    }

    #[test]
    fn answers_of_logs_ingestion() {
        for (status, code, expected) in [
            (204, None, "delivered"),
            (200, None, "delivered"),
            (400, Some("InvalidPayload"), "split: invalid"),
            (400, Some("RecordsTimeRangeIsMoreThan30Minutes"), "split: invalid"),
            (401, None, "refresh"),
            (403, Some("OperationFailed"), "role"),
            (404, None, "rule"),
            (408, None, "retry"),
            (413, Some("ContentLengthLimitExceeded"), "split: too long"),
            (429, None, "retry"),
            (500, None, "retry"),
            (502, None, "retry"),
            (503, None, "retry"),
            (504, None, "retry"),
            (302, None, "unexpected"),
            (405, None, "unexpected"),
            (407, None, "unexpected"),
        ] {
            assert_eq!(kind(Api::LogsIngestion, status, code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn answers_of_data_collector() {
        for (status, code, expected) in [
            (200, None, "delivered"),
            (202, None, "delivered"),
            (400, Some("InvalidDataFormat"), "split: invalid"),
            (400, None, "split: invalid"),
            (400, Some("InactiveCustomer"), "post"),
            (400, Some("InvalidApiVersion"), "post"),
            (400, Some("InvalidCustomerId"), "post"),
            (400, Some("InvalidLogType"), "post"),
            (400, Some("MissingApiVersion"), "post"),
            (400, Some("MissingContentType"), "post"),
            (400, Some("MissingLogType"), "post"),
            (400, Some("UnsupportedContentType"), "post"),
            (401, None, "signature"),
            (403, Some("InvalidAuthorization"), "signature"),
            (404, None, "workspace"),
            (408, None, "retry"),
            (413, None, "split: too long"),
            (429, None, "retry"),
            (500, Some("UnspecifiedError"), "retry"),
            (503, Some("ServiceUnavailable"), "retry"),
            (301, None, "unexpected"),
            (405, None, "unexpected"),
        ] {
            assert_eq!(kind(Api::DataCollector, status, code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn the_services_wish_to_be_left_alone_is_kept() {
        let retry_after = Some(Duration::from_secs(9));
        for api in [Api::LogsIngestion, Api::DataCollector] {
            let answer = Answer { status: 429, retry_after, ..Answer::default() };
            assert_eq!(verdict(api, tables()[0], answer), Verdict::Retry { retry_after });
        }
    }

    #[test]
    fn time_that_was_up_is_told_with_what_used_it_up() {
        let reason = HeldReason::OutOfTime { last: Some("HTTP 503".to_owned()) };
        assert_eq!(
            reason.to_string(),
            "the run's time was up before the workspace took the rows (lastly: HTTP 503). They \
             are sent again by themselves"
        );
    }
}
