//! Why there is no destination, or no token for it.

use crate::error_code::{self, Coded, ErrorCode};

/// The destination's settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// A path can't be appended to the address in the setting of that name.
    #[error("{0} is not an https address")]
    Address(&'static str),
    /// `WorkspaceID` is not a workspace id.
    #[error("WorkspaceID is not a workspace id: it must be the GUID of the workspace")]
    WorkspaceId,
    /// `WorkspaceKey` is not base64.
    #[error(
        "WorkspaceKey is not a workspace key: it must be the primary or secondary key of the \
         workspace, whole, as base64 text"
    )]
    WorkspaceKey,
    /// The SDK can't make a credential from the identity's settings.
    #[error("the identity's settings (AZURE_CLIENT_ID and related ones) can't be used: {0}")]
    Identity(#[from] azure_core::Error),
}

impl Coded for DestinationError {
    fn code(&self) -> ErrorCode {
        match self {
            DestinationError::Address(_)
            | DestinationError::WorkspaceId
            | DestinationError::WorkspaceKey => error_code::DESTINATION_SETTING,
            DestinationError::Identity(_) => error_code::IDENTITY_SETTING,
        }
    }
}

/// There is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no token to post with: {problem}. Check {advice}{}", outlook(*.passing))]
pub struct TokenError {
    /// What went wrong.
    pub problem: String,
    /// What to check.
    pub advice: String,
    /// Whether it is likely to heal by itself.
    pub passing: bool,
}

fn outlook(passing: bool) -> &'static str {
    if passing { ", if this does not heal by itself" } else { "" }
}
