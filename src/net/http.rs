//! The HTTP client.

use std::time::Duration;

use rustls::ClientConfig;

/// How this program names itself to its peers.
pub const USER_AGENT: &str = concat!("proofpoint-sentinel/", env!("CARGO_PKG_VERSION"));

/// A client that follows no redirects: none of our peers has a reason to send one.
pub(super) fn client(
    tls: ClientConfig,
    proxy: Option<reqwest::Proxy>,
) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(15))
        .timeout(Duration::from_secs(60))
        // The client would read the environment otherwise.
        .no_proxy();
    match proxy {
        Some(proxy) => builder.proxy(proxy).build(),
        None => builder.build(),
    }
}
