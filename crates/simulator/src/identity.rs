//! Simulates the token services of Azure: the managed identity endpoint of App Service, and
//! Microsoft Entra for client secrets and federated assertions.

mod entra;
mod issued_tokens;
mod issuer;
mod managed_identity;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use url::Url;

use crate::certificates::CertificateAuthority;
use crate::http_server::HttpServer;

pub use issued_tokens::IssuedTokens;
pub use issuer::{IdentityCounters, IdentitySettings};

use issuer::TokenIssuer;

/// The simulated token services. Dropping this stops their servers.
pub struct IdentityProvider {
    issuer: Arc<TokenIssuer>,
    plain: HttpServer,
    tls: HttpServer,
}

impl IdentityProvider {
    /// Starts both servers on free ports of the loopback interface.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(
        authority: &CertificateAuthority,
        settings: IdentitySettings,
    ) -> io::Result<IdentityProvider> {
        let issuer = Arc::new(TokenIssuer::new(settings));
        let managed = Router::new().route("/msi/token", get(managed_identity::token));
        let entra = Router::new().route("/{tenant}/oauth2/v2.0/token", post(entra::token));
        let plain = HttpServer::plain(with_issuer(managed, &issuer)).await?;
        let tls = HttpServer::tls(with_issuer(entra, &issuer), authority.server_config()).await?;
        Ok(IdentityProvider { issuer, plain, tls })
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

    /// The identities that it knows.
    pub fn settings(&self) -> &IdentitySettings {
        &self.issuer.settings
    }

    /// The tokens it has issued, for services that check them.
    pub fn tokens(&self) -> &IssuedTokens {
        &self.issuer.tokens
    }

    /// Answers the next `times` requests with `status` and an empty body.
    pub fn fail_next(&self, times: usize, status: StatusCode) {
        self.issuer.fail_next(times, status);
    }

    /// The current counters.
    pub fn counters(&self) -> IdentityCounters {
        self.issuer.counters.get()
    }

    /// Waits until `condition` is true for the counters.
    pub async fn wait_for(
        &self,
        condition: impl FnMut(&IdentityCounters) -> bool,
    ) -> IdentityCounters {
        self.issuer.counters.wait_for(condition).await
    }
}

fn with_issuer(router: Router<Arc<TokenIssuer>>, issuer: &Arc<TokenIssuer>) -> Router {
    router
        .layer(middleware::from_fn_with_state(Arc::clone(issuer), count_or_fail))
        .with_state(Arc::clone(issuer))
}

async fn count_or_fail(
    State(issuer): State<Arc<TokenIssuer>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    issuer.counters.update(|counters| counters.requests += 1);
    match issuer.next_failure() {
        Some(status) => status.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests;
