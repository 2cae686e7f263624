//! The managed identity endpoint of the platform: it forwards to the simulated one, records the
//! requests, and issues tokens that the blob service can read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::http::Request;
use jiff::Timestamp;
use proofpoint_sentinel::net::Net;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::support::http;

/// A token request: the resource, and the client id of a user-assigned identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub(crate) struct TokenRequest {
    pub resource: String,
    pub client_id: Option<String>,
}

pub(crate) struct ManagedIdentity {
    port: u16,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    /// The simulated endpoint.
    endpoint: String,
    net: Net,
    asked: Mutex<BTreeSet<TokenRequest>>,
}

impl ManagedIdentity {
    /// Starts it in front of the simulated `endpoint`, which checks the requests.
    pub(crate) async fn before(endpoint: String) -> ManagedIdentity {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let net = Net::new(None).unwrap();
        let shared = Arc::new(Shared { endpoint, net, asked: Mutex::default() });
        let router = Router::new().route("/msi/token", get(token)).with_state(Arc::clone(&shared));
        let serve = async { axum::serve(listener, router).await.expect("it has no end") };
        ManagedIdentity { port, shared, _task: AbortOnDropHandle::new(tokio::spawn(serve)) }
    }

    /// `IDENTITY_ENDPOINT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/msi/token", self.port)
    }

    /// All requests that got a token.
    pub(crate) fn asked(&self) -> BTreeSet<TokenRequest> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(asked): Query<TokenRequest>,
    RawQuery(query): RawQuery,
) -> Response {
    let url = format!("{}?{}", shared.endpoint, query.unwrap_or_default());
    let mut request = Request::get(url);
    request.headers_mut().expect("the address is one").extend(headers);
    let answer = http::send(&shared.net, request, "").await;
    let (status, body) = (answer.status(), answer.into_body());
    if !status.is_success() {
        return (status, body).into_response();
    }
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    if asked.resource.trim_end_matches('/') == "https://storage.azure.com" {
        body["access_token"] = Value::from(storage_token(&asked.resource));
    }
    shared.asked.lock().unwrap().insert(asked);
    axum::Json(body).into_response()
}

/// A token for Azurite, which reads the claims but does not check the signature.
fn storage_token(audience: &str) -> String {
    let now = Timestamp::now().as_second();
    let head = json!({"typ": "JWT", "alg": "RS256"});
    let claims = json!({
        "aud": audience,
        "iss": "https://sts.windows.net/22222222-0000-4000-8000-000000000002/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
    });
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{}", part(head), part(claims), part(json!("no signature")))
}
