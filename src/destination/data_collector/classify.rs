//! What answers of the Data Collector API mean.

use proofpoint_sentinel_core::tables::Table;

use crate::destination::answer::{Answer, AnswerBody};
use crate::destination::verdict::{HeldReason, RowRefusal, Verdict};
use crate::retry::is_passing_status;

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

/// Whether the answer is an error that says that the service is no longer there.
fn says_retired(answer: &Answer) -> bool {
    let texts = [answer.code.as_deref(), answer.message.as_deref()].into_iter().flatten();
    let mut texts = texts.map(str::to_ascii_lowercase);
    answer.status >= 400
        && texts
            .any(|text| ["retired", "deprecated", "no longer"].iter().any(|it| text.contains(it)))
}

/// What to do after `answer` to a post of rows of `table`. Success is 200 without a body, as
/// documented; a body that the service would not write comes from something in between.
pub(in crate::destination) fn classify(table: &'static Table, answer: Answer) -> Verdict {
    let not_about_rows = answer.code.as_deref().is_some_and(|code| NOT_ABOUT_ROWS.contains(&code));
    match answer.status {
        200 if answer.body == AnswerBody::Empty => Verdict::Delivered,
        status if is_passing_status(status) => Verdict::Retry { retry_after: answer.retry_after },
        410 => Verdict::Hold(HeldReason::Retired(answer)),
        _ if says_retired(&answer) => Verdict::Hold(HeldReason::Retired(answer)),
        _ if answer.body == AnswerBody::Foreign => Verdict::Hold(HeldReason::Unexpected(answer)),
        400 if !answer.names_error() => {
            Verdict::Hold(HeldReason::PostNotAccepted { answer, log_type: table.log_type })
        }
        400 if not_about_rows => {
            Verdict::Hold(HeldReason::PostNotAccepted { answer, log_type: table.log_type })
        }
        400 => Verdict::Split(RowRefusal::Invalid(answer)),
        401 | 403 => Verdict::Hold(HeldReason::SignatureNotAccepted(answer)),
        // Also said of posts that are too large, which ours are not by `Limits`.
        404 => Verdict::Hold(HeldReason::WorkspaceNotFound(answer)),
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
            Verdict::Hold(HeldReason::SignatureNotAccepted(_)) => "signature",
            Verdict::Hold(HeldReason::WorkspaceNotFound(_)) => "workspace",
            Verdict::Hold(HeldReason::PostNotAccepted { .. }) => "post",
            Verdict::Hold(HeldReason::Retired(_)) => "retired",
            Verdict::Retry { .. } => "retry",
            Verdict::Hold(HeldReason::Unexpected(_)) => "unexpected",
            other => panic!("{other:?} does not follow from an answer of this service"),
        }
    }

    #[test]
    fn answers_of_data_collector() {
        for (status, code, expected) in [
            (200, None, "delivered"),
            (202, None, "unexpected"),
            (204, None, "unexpected"),
            (410, None, "retired"),
            (400, Some("InvalidDataFormat"), "split: invalid"),
            (400, None, "post"),
            (400, Some("SomethingNew"), "split: invalid"),
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
            assert_eq!(kind(status, code), expected, "{status} {code:?}");
        }
    }

    #[test]
    fn an_answer_that_says_retired_points_to_the_migration() {
        for status in [400, 403, 404] {
            let message = Some("The API has been retired.".to_owned());
            let body = AnswerBody::Error;
            let answer = Answer { status, message, body, ..Answer::default() };
            let Verdict::Hold(reason) = classify(tables()[0], answer) else { panic!("{status}") };
            assert!(reason.to_string().contains("docs/migrate.md"), "{reason}");
        }
    }

    #[test]
    fn a_page_of_something_else_is_no_answer_of_the_service() {
        for status in [200, 302, 400, 403, 404, 413] {
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
