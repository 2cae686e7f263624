//! What answers of the Logs Ingestion API mean.

use proofpoint_sentinel_core::tables::Table;

use crate::destination::answer::Answer;
use crate::destination::verdict::{HeldReason, RowRefusal, Verdict};

/// What to do after `answer` to a post of rows of `table`.
pub(in crate::destination) fn classify(table: &'static Table, answer: Answer) -> Verdict {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proofpoint_sentinel_core::tables::tables;

    use super::*;

    /// A verdict without what it carries.
    fn kind(status: u16, code: Option<&str>) -> &'static str {
        let answer = Answer { status, code: code.map(str::to_owned), ..Answer::default() };
        match classify(tables()[0], answer) {
            Verdict::Delivered => "delivered",
            Verdict::Split(RowRefusal::Invalid(_)) => "split: invalid",
            Verdict::Split(_) => "split: too long",
            Verdict::RefreshToken(_) => "refresh",
            Verdict::Hold(HeldReason::RoleMissing(_)) => "role",
            Verdict::Hold(HeldReason::RuleNotFound { .. }) => "rule",
            Verdict::Retry { .. } => "retry",
            Verdict::Hold(HeldReason::Unexpected(_)) => "unexpected",
            other => panic!("{other:?} does not follow from an answer of this service"),
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
            assert_eq!(kind(status, code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn the_services_retry_after_is_kept() {
        let retry_after = Some(Duration::from_secs(9));
        let answer = Answer { status: 429, retry_after, ..Answer::default() };
        assert_eq!(classify(tables()[0], answer), Verdict::Retry { retry_after });
    }
}
