//! What a check found.

use serde::Serialize;

use crate::error_code::{Coded, ErrorCode, entry};
use crate::text::one_line;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It is as it should be.
    Passed,
    /// It works, and something needs a look.
    Attention,
    /// It does not work.
    Failed,
    /// It could not be checked from here.
    Skipped,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of check, such as `storage`.
    pub check: &'static str,
    /// What was checked, such as the name of a setting or a host.
    pub subject: String,
    /// How it ended.
    pub mark: Mark,
    /// What was found, in one line.
    pub text: String,
    /// The code of what is wrong.
    pub code: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub(super) fn passed(
        check: &'static str,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Finding {
        Finding::new(check, subject, Mark::Passed, text)
    }

    /// It could not be checked from here.
    pub(super) fn skipped(
        check: &'static str,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Finding {
        Finding::new(check, subject, Mark::Skipped, text)
    }

    /// It does not work, by an error that has a code.
    pub(super) fn failed(
        check: &'static str,
        subject: impl Into<String>,
        error: &impl Coded,
    ) -> Finding {
        Finding::new(check, subject, Mark::Failed, error.to_string()).with_code(error.code())
    }

    pub(super) fn new(
        check: &'static str,
        subject: impl Into<String>,
        mark: Mark,
        text: impl Into<String>,
    ) -> Finding {
        let text = one_line(&text.into(), usize::MAX);
        Finding { check, subject: subject.into(), mark, text, code: None, remedy: None }
    }

    /// The same with a code, and the remedy of the code's entry.
    pub(super) fn with_code(self, code: ErrorCode) -> Finding {
        let remedy = entry(code).map(|entry| one_line(entry.remedy, usize::MAX));
        Finding { code: Some(code.to_string()), remedy, ..self }
    }

    /// The same with what to do.
    pub(super) fn with_remedy(self, remedy: impl Into<String>) -> Finding {
        Finding { remedy: Some(remedy.into()), ..self }
    }
}
