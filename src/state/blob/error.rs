//! What can go wrong with the blob service, said to the operator.

use std::error::Error as _;

use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;

use super::connection_string::ConnectionStringError;
use crate::error_code::{self, Coded, ErrorCode};
use crate::net::HttpError;
use crate::state::object::ObjectError;

/// The container can't be used.
///
/// No text holds a key, a token or the query of an address (a shared access signature lies there),
/// and there is no source behind the text that would.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The connection string does not say how to reach the storage account.
    #[error("StateStorage (or AzureWebJobsStorage, where it is not set): {0}")]
    ConnectionString(#[from] ConnectionStringError),

    /// The address of the storage account or the container's name makes no usable address.
    #[error("StateStorage, StateContainer: {reason}")]
    Settings {
        /// What does not fit.
        reason: String,
    },

    /// The identity got no token for the storage account.
    #[error(
        "no token for the storage account at {host}: {reason}. Check the identity of the Function \
         App (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_CLIENT_SECRET where they are set)"
    )]
    Credential {
        /// Host of the blob service.
        host: String,
        /// As the identity service said.
        reason: String,
    },

    /// The storage account refuses who is asking (401, 403).
    #[error("the storage account at {host} refused access ({code}): {advice}")]
    Denied {
        /// Host of the blob service.
        host: String,
        /// Error code of the blob service.
        code: String,
        /// What to look at.
        advice: &'static str,
    },

    /// The account or the container is not there (404).
    #[error(
        "the storage account at {host} has no container `{container}` ({code}). A run creates it \
         if it has the right to. Otherwise create it, or check StateStorage and StateContainer"
    )]
    NotFound {
        /// Host of the blob service.
        host: String,
        /// Name of the container.
        container: String,
        /// Error code of the blob service.
        code: String,
    },

    /// No answer from the storage account.
    #[error(
        "the storage account at {host} can't be reached: {reason}. The next run tries again. If \
         it stays so, check the account's name in StateStorage, DNS and private endpoints, and \
         the account's firewall; if a company proxy inspects traffic, name its certificate \
         authority in SSL_CERT_FILE"
    )]
    Unreachable {
        /// Host of the blob service.
        host: String,
        /// What the network said.
        reason: String,
    },

    /// Any other refusal by the storage account.
    #[error(
        "the storage account at {host} answered {status} ({code}) for `{name}`{outlook}",
        outlook = outlook(*.status)
    )]
    Service {
        /// Host of the blob service.
        host: String,
        /// Name of the object, or of the container.
        name: String,
        /// HTTP status.
        status: u16,
        /// Error code of the blob service.
        code: String,
    },

    /// The blob is owned or was written by someone else, or is too large.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl Coded for BlobError {
    fn code(&self) -> ErrorCode {
        match self {
            BlobError::ConnectionString(_) => error_code::CONNECTION_STRING,
            BlobError::Settings { .. } => error_code::STATE_CONTAINER,
            BlobError::Credential { .. } => error_code::STORAGE_NO_TOKEN,
            BlobError::Denied { .. } => error_code::STORAGE_DENIED,
            BlobError::NotFound { .. } => error_code::CONTAINER_NOT_FOUND,
            BlobError::Unreachable { .. } => error_code::STORAGE_UNREACHABLE,
            BlobError::Service { .. } => error_code::STORAGE_FAULT,
            BlobError::Object(error) => error.code(),
        }
    }
}

/// Where a request to the blob service went, for the text of its failure.
pub(super) struct Place<'a> {
    pub host: &'a str,
    pub container: &'a str,
    pub name: &'a str,
}

impl Place<'_> {
    /// Puts the SDK's error into our words.
    ///
    /// The SDK's own text is not repeated and the error is not kept: behind it may be one of the
    /// HTTP client, which prints the whole address with its query.
    pub(super) fn explain(&self, error: &azure_core::Error) -> BlobError {
        let host = self.host.to_owned();
        match error.kind() {
            ErrorKind::HttpResponse { status, .. } => {
                self.explain_status(*status, error_code(error))
            }
            ErrorKind::Credential => BlobError::Credential { host, reason: innermost(error) },
            ErrorKind::Connection | ErrorKind::Io => {
                BlobError::Unreachable { host, reason: transport_reason(error) }
            }
            _ => BlobError::Settings { reason: innermost(error) },
        }
    }

    fn explain_status(&self, status: StatusCode, code: &str) -> BlobError {
        let host = self.host.to_owned();
        let code = code.to_owned();
        match status {
            StatusCode::Unauthorized | StatusCode::Forbidden => {
                let advice = advice_on_denial(&code);
                BlobError::Denied { host, code, advice }
            }
            StatusCode::NotFound => {
                BlobError::NotFound { host, container: self.container.to_owned(), code }
            }
            status => {
                let name = self.name.to_owned();
                BlobError::Service { host, name, status: status.into(), code }
            }
        }
    }
}

/// The blob service's own name for what is wrong, such as `BlobNotFound`; empty where it gave none.
pub(super) fn error_code(error: &azure_core::Error) -> &str {
    match error.kind() {
        ErrorKind::HttpResponse { error_code: Some(code), .. } => code,
        _ => "",
    }
}

fn outlook(status: u16) -> &'static str {
    match status {
        408 | 429 | 500.. => {
            ". It is overloaded or has a fault of its own: the next run tries again"
        }
        _ => "",
    }
}

fn advice_on_denial(code: &str) -> &'static str {
    match code {
        "KeyBasedAuthenticationNotPermitted" => {
            "shared keys are disabled on this account. Use the Function App's identity: set \
             AzureWebJobsStorage__accountName in place of the connection string, and give the \
             identity the role Storage Blob Data Contributor or Owner"
        }
        "AuthorizationPermissionMismatch" | "AuthorizationResourceTypeMismatch" => {
            "the identity needs the role Storage Blob Data Contributor or Owner on the account or \
             the container (a shared access signature: read, add, write, create, delete and list, \
             on containers and objects). A new role takes a few minutes to take effect, and the \
             next run tries again"
        }
        "AuthenticationFailed" | "InvalidAuthenticationInfo" => {
            "the account key or shared access signature in the connection string is wrong, rotated \
             or expired, or this machine's clock is more than 15 minutes off"
        }
        "AccountIsDisabled" => "the storage account is disabled",
        _ => {
            "the account's firewall does not let this Function App in, or who asks lacks the role \
             Storage Blob Data Contributor or Owner on the account or the container"
        }
    }
}

/// What the network said, without the layers around it.
fn transport_reason(error: &azure_core::Error) -> String {
    let reason = sources(error).find(|error| error.is::<HttpError>());
    reason.map_or_else(|| "the connection failed".to_owned(), ToString::to_string)
}

/// The innermost text of an error.
pub(super) fn innermost(error: &azure_core::Error) -> String {
    sources(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn sources(error: &azure_core::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use azure_core::http::HttpClient as _;

    use super::*;

    const PLACE: Place<'_> =
        Place { host: "acme.blob.core.windows.net", container: "state", name: "leases/a" };

    fn answered(status: StatusCode, code: &str) -> BlobError {
        let error_code = Some(code.to_owned());
        let kind = ErrorKind::HttpResponse { status, error_code, raw_response: None };
        PLACE.explain(&azure_core::Error::with_message(kind, "as the SDK says"))
    }

    #[test]
    fn a_missing_role_names_the_role() {
        let text = answered(StatusCode::Forbidden, "AuthorizationPermissionMismatch").to_string();
        assert!(text.contains("Storage Blob Data Contributor"), "{text}");
    }

    #[test]
    fn disabled_shared_keys_lead_to_the_identity() {
        let text =
            answered(StatusCode::Forbidden, "KeyBasedAuthenticationNotPermitted").to_string();
        assert!(text.contains("AzureWebJobsStorage__accountName"), "{text}");
    }

    #[test]
    fn a_missing_container_is_named() {
        let text = answered(StatusCode::NotFound, "ContainerNotFound").to_string();
        assert!(text.contains("no container `state`"), "{text}");
    }

    #[test]
    fn only_a_fault_that_passes_is_said_to_pass() {
        for (status, code, passes) in [
            (StatusCode::TooManyRequests, "", true),
            (StatusCode::InternalServerError, "InternalError", true),
            (StatusCode::ServiceUnavailable, "ServerBusy", true),
            (StatusCode::BadRequest, "InvalidBlobType", false),
        ] {
            let text = answered(status, code).to_string();
            assert_eq!(text.contains("the next run tries again"), passes, "{text}");
        }
    }

    #[tokio::test]
    async fn a_failed_connection_tells_neither_address_nor_signature() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let http = crate::net::Net::new(None).unwrap().http;
        let url = format!("http://{closed}/state?sig=hunter2").parse().unwrap();
        let request = azure_core::http::Request::new(url, azure_core::http::Method::Get);
        let error = http.execute_request(&request).await.unwrap_err();
        let told = PLACE.explain(&error);
        assert!(told.to_string().contains("refused"), "{told}");
        assert!(!format!("{told} {told:?}").contains("hunter2"), "{told:?}");
    }
}
