//! Bearer tokens for the Logs Ingestion API.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use proofpoint_sentinel_core::secret::Secret;
use tokio::time::{Instant, timeout_at};

use crate::destination::error::TokenError;
use crate::destination::text::shortened;
use crate::net::{Net, error_chain};
use crate::retry::is_passing_status;
use crate::settings::{AzureIdentity, Cloud, Credential};

/// A token, and which credential gave it.
pub(in crate::destination) struct Token {
    /// The token itself.
    pub text: Secret,
    generation: u64,
}

type NewCredential = dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync;

/// Gives tokens. The credential in use caches its token until shortly before that expires. If the
/// workspace refuses a token earlier, it is dropped together with its credential.
pub(in crate::destination) struct Tokens {
    scope: &'static str,
    advice: String,
    new_credential: Box<NewCredential>,
    current: Mutex<Current>,
}

struct Current {
    credential: Arc<dyn TokenCredential>,
    generation: u64,
}

impl Tokens {
    /// Tokens of `identity`, requested over `net`.
    pub(in crate::destination) fn of(
        identity: &AzureIdentity,
        net: &Net,
    ) -> azure_core::Result<Tokens> {
        let (owned, net) = (identity.clone(), net.clone());
        Tokens::new(identity, Box::new(move || owned.credential(&net)))
    }

    /// Tokens for `identity`'s cloud, from credentials that `new_credential` makes: one now, and
    /// another with every renewal.
    pub(in crate::destination) fn new(
        identity: &AzureIdentity,
        new_credential: Box<NewCredential>,
    ) -> azure_core::Result<Tokens> {
        let current = Current { credential: new_credential()?, generation: 0 };
        Ok(Tokens {
            scope: scope(identity.cloud),
            advice: advice(&identity.credential),
            new_credential,
            current: Mutex::new(current),
        })
    }

    /// A token, from the credential's cache where it has one. The SDK retries for about a minute by
    /// itself, and `deadline` cuts that short.
    pub(in crate::destination) async fn token(
        &self,
        deadline: Instant,
    ) -> Result<Token, TokenError> {
        let (credential, generation) = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&current.credential), current.generation)
        };
        match timeout_at(deadline, credential.get_token(&[self.scope], None)).await {
            Ok(Ok(token)) => Ok(Token { text: Secret::new(token.token.secret()), generation }),
            Ok(Err(error)) => Err(self.explained(&error)),
            Err(_) => Err(self.fault("the token service did not answer in time".to_owned(), true)),
        }
    }

    /// Drops `refused`. Many posts may be refused with one token: the first of them has it replaced,
    /// and the others find it replaced.
    pub(in crate::destination) fn renew(&self, refused: &Token) -> Result<(), TokenError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.generation == refused.generation {
            current.credential = (self.new_credential)().map_err(|e| self.explained(&e))?;
            current.generation += 1;
        }
        Ok(())
    }

    /// The error for a token that can't be sent in a header.
    pub(in crate::destination) fn unusable(&self) -> TokenError {
        self.fault("what the token service gave can't be a token".to_owned(), false)
    }

    fn explained(&self, error: &azure_core::Error) -> TokenError {
        let (problem, passing) = problem(error);
        self.fault(problem, passing)
    }

    fn fault(&self, problem: String, passing: bool) -> TokenError {
        TokenError { problem, advice: self.advice.clone(), passing }
    }
}

/// The scope of the workspace's tokens, by cloud. A token for another cloud is refused.
fn scope(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Public => "https://monitor.azure.com/.default",
        Cloud::UsGovernment => "https://monitor.azure.us/.default",
        Cloud::China => "https://monitor.azure.cn/.default",
    }
}

fn advice(credential: &Credential) -> String {
    match credential {
        Credential::ManagedIdentity { client_id: None } => {
            "that the Function App's system-assigned identity is switched on; for a user-assigned \
             one set AZURE_CLIENT_ID"
                .to_owned()
        }
        Credential::ManagedIdentity { client_id: Some(client_id) } => format!(
            "that the user-assigned identity with the client id {client_id} (AZURE_CLIENT_ID) is \
             assigned to the Function App"
        ),
        Credential::WorkloadIdentity { client_id, .. } => format!(
            "AZURE_TENANT_ID, AZURE_CLIENT_ID ({client_id}), AZURE_FEDERATED_TOKEN_FILE and the \
             federated credential of that application"
        ),
        Credential::ClientSecret { client_id, .. } => format!(
            "AZURE_TENANT_ID, AZURE_CLIENT_ID ({client_id}) and AZURE_CLIENT_SECRET, which may \
             have expired"
        ),
    }
}

/// What went wrong, and whether it is passing. The SDK wraps the fault in one or more errors of its
/// own, so the chain is searched for the one that tells.
fn problem(error: &azure_core::Error) -> (String, bool) {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut innermost = error.to_string();
    while let Some(current) = next {
        match current.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind) {
            Some(ErrorKind::HttpResponse { status, .. }) => {
                let status = u16::from(*status);
                let passing = is_passing_status(status);
                return (shortened(&format!("HTTP {status}: {current}")), passing);
            }
            Some(ErrorKind::Io | ErrorKind::Connection) => {
                return (shortened(&error_chain(current)), true);
            }
            // The text of such an error may quote what was read, a token perhaps.
            Some(ErrorKind::DataConversion) => {
                return ("the answer of the token service can't be read".to_owned(), true);
            }
            _ => innermost = current.to_string(),
        }
        next = current.source();
    }
    (shortened(&innermost), false)
}

#[cfg(test)]
mod tests;
