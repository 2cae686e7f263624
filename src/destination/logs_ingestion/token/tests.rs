//! Tokens from a token service on loopback, over TLS, asked for by the SDK's own credential.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::net::provider;

const GIVEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"the-token"}"#;
const EXPIRED: &str = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app are expired.","error_codes":[7000222],"timestamp":"2026-11-21 10:00:00Z","trace_id":"t","correlation_id":"c"}"#;

struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.tcp.accept().await.unwrap();
        (self.tls.accept(stream).await.unwrap(), address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Requests as a token service saw them.
type Seen = Arc<Mutex<Vec<String>>>;

/// Tokens of a service principal in the cloud for US authorities, whose token service gives one
/// answer to everything.
async fn tokens(answer: fn() -> Response) -> (Tokens, Seen) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut bundle = tempfile::NamedTempFile::new().unwrap();
    bundle.write_all(made.cert.pem().as_bytes()).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let router = Router::new().fallback(async move |uri: axum::http::Uri, body: String| {
        log.lock().unwrap().push(format!("{uri} {body}"));
        answer()
    });
    let listener = TlsListener { tcp, tls: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let identity = AzureIdentity {
        credential: Credential::ClientSecret {
            tenant_id: "the-tenant".to_owned(),
            client_id: "the-client".to_owned(),
            client_secret: Secret::new("hunter2"),
        },
        cloud: Cloud::UsGovernment,
        authority_host: Some(format!("https://localhost:{port}").parse().unwrap()),
    };
    let net = Net::new(Some(bundle.path())).unwrap();
    (Tokens::of(&identity, &net).unwrap(), seen)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn a_token_is_requested_once_until_it_is_renewed() {
    let (tokens, seen) = tokens(|| GIVEN.into_response()).await;
    let first = tokens.token(soon()).await.unwrap();
    let second = tokens.token(soon()).await.unwrap();
    assert_eq!(first.text.reveal(), "the-token");
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert!(seen.lock().unwrap()[0].starts_with("/the-tenant/oauth2/v2.0/token "));
    assert!(seen.lock().unwrap()[0].contains("scope=https%3A%2F%2Fmonitor.azure.us%2F.default"));

    tokens.renew(&first).unwrap();
    tokens.token(soon()).await.unwrap();
    tokens.renew(&second).unwrap();
    tokens.token(soon()).await.unwrap();
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_expired_secret_is_reported_with_its_setting() {
    let (tokens, _) = tokens(|| (StatusCode::UNAUTHORIZED, EXPIRED).into_response()).await;
    let error = tokens.token(soon()).await.err().unwrap();
    assert!(!error.passing);
    let text = error.to_string();
    assert!(text.contains("HTTP 401") && text.contains("AADSTS7000222"), "{text}");
    assert!(text.contains("AZURE_CLIENT_SECRET, which may have expired"), "{text}");
    assert!(!text.contains("hunter2"));
}

#[tokio::test]
async fn an_unreadable_token_answer_is_not_quoted() {
    let (tokens, _) = tokens(|| (StatusCode::FORBIDDEN, "\"secret text\"").into_response()).await;
    let error = tokens.token(soon()).await.err().unwrap();
    assert!(error.passing);
    assert!(error.to_string().contains("can't be read"), "{error}");
    assert!(!error.to_string().contains("secret text"));
}

#[test]
fn network_and_token_service_faults_are_passing() {
    let answered = |status: u16| ErrorKind::HttpResponse {
        status: status.into(),
        error_code: None,
        raw_response: None,
    };
    for (kind, passing) in [
        (ErrorKind::Connection, true),
        (ErrorKind::Io, true),
        (answered(408), true),
        (answered(429), true),
        (answered(500), true),
        (answered(503), true),
        (answered(400), false),
        (answered(401), false),
        (ErrorKind::Credential, false),
        (ErrorKind::Other, false),
    ] {
        let text = kind.to_string();
        let inner = azure_core::Error::with_message(kind, "the cause");
        let outer = azure_core::Error::with_error(ErrorKind::Credential, inner, "no token");
        let (problem, found) = problem(&outer);
        assert_eq!(found, passing, "{text}");
        assert!(problem.contains("the cause"), "{problem}");
    }
}

#[test]
fn every_identity_and_cloud_has_its_own_advice() {
    let (tenant_id, client_id) = ("t".to_owned(), "the-client".to_owned());
    let token_file = "token".into();
    let workload = Credential::WorkloadIdentity { tenant_id, client_id, token_file };
    assert!(advice(&workload).contains("AZURE_FEDERATED_TOKEN_FILE"));
    let system = Credential::ManagedIdentity { client_id: None };
    assert!(advice(&system).contains("system-assigned identity is switched on"));
    let user = Credential::ManagedIdentity { client_id: Some("the-client".to_owned()) };
    assert!(advice(&user).contains("the-client (AZURE_CLIENT_ID) is assigned"));
    assert_eq!(scope(Cloud::Public), "https://monitor.azure.com/.default");
    assert_eq!(scope(Cloud::China), "https://monitor.azure.cn/.default");
}
