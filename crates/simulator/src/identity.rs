//! A stand-in for those who issue tokens: the managed identity endpoint of App Service, and
//! Microsoft Entra for client secrets and federated assertions.

mod entra;
mod managed;
mod tokens;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::SignedDuration;
use proofpoint_sentinel_core::secret::Secret;
use url::Url;

use super::certificates::Authority;
use super::serve::Server;
use super::watched::Watched;

pub use tokens::Tokens;

/// Whom the stand-in knows.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// What `X-IDENTITY-HEADER` must say.
    pub identity_header: Secret,
    /// Client id of the one user-assigned identity that there is beside the system's.
    pub user_assigned_id: String,
    /// The directory.
    pub tenant_id: String,
    /// Client id of the one application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The assertion of a federated provider that it accepts as well.
    pub assertion: Secret,
    /// How long tokens are valid.
    pub lifetime: SignedDuration,
}

impl Default for IdentitySettings {
    fn default() -> IdentitySettings {
        IdentitySettings {
            identity_header: Secret::new("simulated-identity-header"),
            user_assigned_id: "11111111-0000-4000-8000-000000000001".to_owned(),
            tenant_id: "22222222-0000-4000-8000-000000000002".to_owned(),
            client_id: "33333333-0000-4000-8000-000000000003".to_owned(),
            client_secret: Secret::new("simulated-client-secret"),
            assertion: Secret::new("simulated-assertion"),
            lifetime: SignedDuration::from_hours(24),
        }
    }
}

/// How often tokens were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdentityCounters {
    /// Requests, of every kind and outcome.
    pub requests: u64,
    /// Tokens issued.
    pub issued: u64,
}

/// The simulated issuers. Their servers end when this is dropped.
pub struct Identity {
    shared: Arc<Shared>,
    plain: Server,
    tls: Server,
}

struct Shared {
    settings: IdentitySettings,
    tokens: Tokens,
    failures: Mutex<VecDeque<StatusCode>>,
    counters: Watched<IdentityCounters>,
}

impl Identity {
    /// Starts both servers on free ports of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(authority: &Authority, settings: IdentitySettings) -> io::Result<Identity> {
        let shared = Arc::new(Shared {
            settings,
            tokens: Tokens::default(),
            failures: Mutex::default(),
            counters: Watched::new(IdentityCounters::default()),
        });
        let managed = Router::new().route("/msi/token", get(managed::token));
        let entra = Router::new().route("/{tenant}/oauth2/v2.0/token", post(entra::token));
        let plain = Server::plain(shared.serve(managed)).await?;
        let tls = Server::tls(shared.serve(entra), authority.server_config()).await?;
        Ok(Identity { shared, plain, tls })
    }

    /// `IDENTITY_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/msi/token", self.plain.port())
    }

    /// `AZURE_AUTHORITY_HOST`.
    pub fn authority_host(&self) -> Url {
        let text = format!("https://localhost:{}", self.tls.port());
        text.parse().expect("a host and a port make a URL")
    }

    /// Whom it knows.
    pub fn settings(&self) -> &IdentitySettings {
        &self.shared.settings
    }

    /// The tokens issued here, for those who have to check them.
    pub fn tokens(&self) -> &Tokens {
        &self.shared.tokens
    }

    /// Answers the next `times` requests with `status` and nothing else.
    pub fn fail_next(&self, times: usize, status: StatusCode) {
        self.shared.failures().extend(std::iter::repeat_n(status, times));
    }

    /// What has happened so far.
    pub fn counters(&self) -> IdentityCounters {
        self.shared.counters.get()
    }

    /// Waits until the counters are as `wanted`.
    pub async fn wait_for(
        &self,
        wanted: impl FnMut(&IdentityCounters) -> bool,
    ) -> IdentityCounters {
        self.shared.counters.wait_for(wanted).await
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, router: Router<Arc<Shared>>) -> Router {
        router
            .layer(middleware::from_fn_with_state(Arc::clone(self), Shared::count_or_fail))
            .with_state(Arc::clone(self))
    }

    async fn count_or_fail(
        State(shared): State<Arc<Shared>>,
        request: axum::extract::Request,
        next: Next,
    ) -> Response {
        shared.counters.update(|counters| counters.requests += 1);
        let failure = shared.failures().pop_front();
        match failure {
            Some(status) => status.into_response(),
            None => next.run(request).await,
        }
    }

    fn issue(&self, audience: &str) -> (String, jiff::Timestamp) {
        self.counters.update(|counters| counters.issued += 1);
        self.tokens.issue(audience, self.settings.lifetime)
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, VecDeque<StatusCode>> {
        self.failures.lock().expect("no holder of the failures panics")
    }
}

#[cfg(test)]
mod tests;
