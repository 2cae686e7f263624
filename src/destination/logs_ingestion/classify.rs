//! What answers of the Logs Ingestion API mean.

use proofpoint_sentinel_core::tables::Table;

use crate::destination::answer::{Answer, AnswerBody};
use crate::destination::verdict::{HeldReason, RowRefusal, Verdict};
use crate::retry::is_passing_status;

/// Parts of the codes of a 400 that is about the post's address or headers. Only what is said of the
/// rows is asked of each half; of a code that is not known, [`Bisection`] finds out.
///
/// [`Bisection`]: crate::destination::bisect::Bisection
const NOT_ABOUT_ROWS: [&str; 6] =
    ["ApiVersion", "Stream", "DataCollectionRule", "Endpoint", "ContentType", "ContentEncoding"];

/// What to do after `answer` to a post of rows of `table`. Success is 204 alone, as documented; a
/// body that the service would not write comes from something in between.
pub(in crate::destination) fn classify(table: &'static Table, answer: Answer) -> Verdict {
    let not_about_rows = answer
        .code
        .as_deref()
        .is_some_and(|code| NOT_ABOUT_ROWS.iter().any(|part| code.contains(part)));
    match answer.status {
        204 if answer.body == AnswerBody::Empty => Verdict::Delivered,
        status if is_passing_status(status) => Verdict::Retry { retry_after: answer.retry_after },
        _ if answer.body == AnswerBody::Foreign => Verdict::Hold(HeldReason::Unexpected(answer)),
        400 if !answer.names_error() => Verdict::Hold(HeldReason::Unexpected(answer)),
        400 if not_about_rows => {
            Verdict::Hold(HeldReason::RuleNotFound { answer, stream: table.stream })
        }
        400 => Verdict::Split(RowRefusal::Invalid(answer)),
        401 => Verdict::RefreshToken(HeldReason::TokenNotAccepted(answer)),
        403 => Verdict::Hold(HeldReason::RoleMissing(answer)),
        404 => Verdict::Hold(HeldReason::RuleNotFound { answer, stream: table.stream }),
        413 => Verdict::Split(RowRefusal::TooLong(answer)),
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
            (200, None, "unexpected"),
            (202, None, "unexpected"),
            (400, None, "unexpected"),
            (400, Some("InvalidApiVersion"), "rule"),
            (400, Some("InvalidStream"), "rule"),
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
    fn a_page_of_something_else_is_no_answer_of_the_service() {
        for status in [200, 204, 302, 400, 401, 403, 404, 413] {
            let answer = Answer { status, body: AnswerBody::Foreign, ..Answer::default() };
            let verdict = classify(tables()[0], answer.clone());
            assert_eq!(verdict, Verdict::Hold(HeldReason::Unexpected(answer)), "{status}");
        }
    }

    #[test]
    fn the_services_retry_after_is_kept() {
        let retry_after = Some(Duration::from_secs(9));
        let answer = Answer { status: 429, retry_after, ..Answer::default() };
        assert_eq!(classify(tables()[0], answer), Verdict::Retry { retry_after });
    }
}
