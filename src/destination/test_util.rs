//! A workspace on loopback and a token service in memory, for the tests of this module.

pub(super) mod deliveries;

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::{Duration, OffsetDateTime};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::Url;

use super::logs_ingestion::token::Tokens;
use crate::settings::{AzureIdentity, Cloud, Credential};

/// A post as it reached the workspace.
#[derive(Clone, Debug)]
pub(super) struct ReceivedPost {
    pub at: Instant,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl ReceivedPost {
    /// The body before compression.
    pub(super) fn json(&self) -> Vec<u8> {
        match self.headers.get("content-encoding") {
            None => self.body.to_vec(),
            Some(encoding) => {
                assert_eq!(encoding, "gzip");
                let mut json = Vec::new();
                GzDecoder::new(&self.body[..]).read_to_end(&mut json).unwrap();
                json
            }
        }
    }

    pub(super) fn rows(&self) -> Vec<Value> {
        serde_json::from_slice(&self.json()).unwrap()
    }

    pub(super) fn has_row(&self, wanted: impl Fn(u64) -> bool) -> bool {
        self.rows().iter().any(|row| wanted(row["id"].as_u64().unwrap()))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A server on loopback that answers posts as it is told to, and remembers them.
pub(super) struct FakeWorkspace {
    pub url: Url,
    posts: Arc<Mutex<Vec<ReceivedPost>>>,
}

impl FakeWorkspace {
    /// Answers the n-th post, from 0, with what `answer` says.
    pub(super) async fn start<A, R>(answer: A) -> FakeWorkspace
    where
        A: Fn(usize, ReceivedPost) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response> + Send,
    {
        FakeWorkspace::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
    }

    /// As [`start`](Self::start), on a socket of the caller's.
    pub(super) fn start_on<A, R>(listener: TcpListener, answer: A) -> FakeWorkspace
    where
        A: Fn(usize, ReceivedPost) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response> + Send,
    {
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let posts = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&posts);
        let handler = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let (path, at) = (parts.uri.to_string(), Instant::now());
            let post = ReceivedPost { at, path, headers: parts.headers, body };
            let nth = {
                let mut seen = seen.lock().unwrap();
                seen.push(post.clone());
                seen.len() - 1
            };
            answer(nth, post).await
        };
        let router = Router::new().fallback(handler).layer(DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeWorkspace { url, posts }
    }

    pub(super) fn posts(&self) -> Vec<ReceivedPost> {
        self.posts.lock().unwrap().clone()
    }
}

/// `204 No Content`: accepted.
pub(super) fn accepted() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// As [`accepted`], by the Data Collector API.
pub(super) fn collected() -> Response {
    StatusCode::OK.into_response()
}

/// An error as the Logs Ingestion API puts it.
pub(super) fn error(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
}

/// A token service that gives `token-1`, `token-2` and so on.
#[derive(Clone, Debug, Default)]
pub(super) struct FakeTokens(Arc<Mutex<TokenServiceState>>);

#[derive(Debug, Default)]
struct TokenServiceState {
    times: usize,
    silent: bool,
    faults: VecDeque<azure_core::Error>,
}

impl FakeTokens {
    /// A token service that first fails with each of `faults`.
    pub(super) fn failing(faults: impl IntoIterator<Item = azure_core::Error>) -> FakeTokens {
        let faults = faults.into_iter().collect();
        FakeTokens(Arc::new(Mutex::new(TokenServiceState {
            faults,
            ..TokenServiceState::default()
        })))
    }

    /// A token service that never answers.
    pub(super) fn silent() -> FakeTokens {
        FakeTokens(Arc::new(Mutex::new(TokenServiceState {
            silent: true,
            ..TokenServiceState::default()
        })))
    }

    /// How often it was asked for a token.
    pub(super) fn asked(&self) -> usize {
        self.0.lock().unwrap().times
    }

    /// Tokens of a user-assigned identity, from this service.
    pub(super) fn tokens(&self) -> Tokens {
        let client_id = Some("11112222-3333-4444-5555-666677778888".to_owned());
        let identity = AzureIdentity {
            credential: Credential::ManagedIdentity { client_id },
            cloud: Cloud::Public,
            authority_host: None,
        };
        let service = self.clone();
        Tokens::new(
            &identity,
            Box::new(move || {
                let service = service.clone();
                Ok(Arc::new(FakeCredential { service, cache: OnceCell::new() }))
            }),
        )
        .unwrap()
    }

    async fn answer(&self) -> azure_core::Result<AccessToken> {
        let silent = self.0.lock().unwrap().silent;
        if silent { std::future::pending().await } else { self.give() }
    }

    fn give(&self) -> azure_core::Result<AccessToken> {
        let mut state = self.0.lock().unwrap();
        state.times += 1;
        match state.faults.pop_front() {
            Some(fault) => Err(fault),
            None => Ok(AccessToken::new(
                format!("token-{}", state.times),
                OffsetDateTime::now_utc() + Duration::hours(1),
            )),
        }
    }
}

/// Keeps its token, as the SDK's credentials do.
#[derive(Debug)]
struct FakeCredential {
    service: FakeTokens,
    cache: OnceCell<AccessToken>,
}

#[async_trait::async_trait]
impl TokenCredential for FakeCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://monitor.azure.com/.default"]);
        self.cache.get_or_try_init(async || self.service.answer().await).await.cloned()
    }
}
