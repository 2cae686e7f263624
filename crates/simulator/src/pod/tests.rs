//! Tests over real sockets and real TLS, with a client that shares no code with the connector.

mod archive;
mod faults;
mod live;
mod requests;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;
use crate::test_util::TestClient;

const TOKEN: &str = "a-token";
const WINDOW: &str = "&sinceTime=2026-11-20T06:00:00-0000&toTime=2026-11-20T07:00:00-0000";

type Client = WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

/// A Log API with one cluster, and a client that trusts it.
struct PodTest {
    pod: Pod,
    client: TestClient,
    clock: Clock,
    source: InMemoryEvents,
}

impl PodTest {
    /// At noon, with three events in the hour from 06:00.
    async fn new() -> PodTest {
        PodTest::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(PodSettings) -> PodSettings) -> PodTest {
        let authority = CertificateAuthority::new().unwrap();
        let clock = Clock::held("2026-11-20T12:00:00Z".parse().unwrap());
        let source = InMemoryEvents::default();
        source.add_to_hour(&feed(), hour(), ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
        let cluster = PodCluster { id: "acme_hosted".to_owned(), token: Secret::new(TOKEN) };
        let settings = PodSettings::new(clock.clone(), vec![cluster], Arc::new(source.clone()));
        let pod = Pod::start(&authority, change(settings)).await.unwrap();
        PodTest { pod, client: TestClient::trusting(authority.pem()), clock, source }
    }

    async fn connect(&self, query: &str, token: Option<&str>) -> Result<Client, Error> {
        let mut request =
            format!("{}/v1/stream?{query}", self.pod.uri().as_str().trim_end_matches('/'))
                .into_client_request()?;
        if let Some(token) = token {
            let value = HeaderValue::from_str(token).unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let (client, _) = tokio_tungstenite::client_async(request, self.tls().await).await?;
        Ok(client)
    }

    async fn tls(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let tcp = TcpStream::connect(("127.0.0.1", self.pod.port)).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.client.tls));
        connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap()
    }

    async fn open(&self) -> Result<Client, Error> {
        self.connect(&format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer a-token")).await
    }

    async fn open_live(&self) -> Result<Client, Error> {
        self.connect("cid=acme_hosted&type=message", Some("Bearer a-token")).await
    }

    /// Adds an event that arrives at `time` on the day of the test.
    fn add_event(&self, name: &'static str, time: &str) {
        let arrives_at: Timestamp = format!("2026-11-20T{time}Z").parse().unwrap();
        let event = SourceEvent::new(name, Hour::containing(arrives_at));
        self.source.add(&feed(), [SourceEvent { arrives_at, ..event }]);
    }

    /// Drops `client` and waits until its session has ended on the server.
    async fn ended(&self, client: Client) -> FeedCounters {
        drop(client);
        soon(self.pod.wait_for(|all| all.open() == 0)).await.feed(&feed())
    }

    async fn refusal(&self, query: &str, token: Option<&str>) -> Response<Option<Vec<u8>>> {
        match self.connect(query, token).await {
            Err(Error::Http(response)) => *response,
            other => panic!("{query} is not refused: {other:?}"),
        }
    }
}

fn feed() -> Feed {
    Feed::log("acme_hosted", EventType::Message)
}

fn hour() -> Hour {
    Hour::containing("2026-11-20T06:00:00Z".parse::<Timestamp>().unwrap())
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the event happens in time")
}

/// Reads to the end. Returns the frames, and the error unless the end was clean.
async fn drain(client: &mut Client) -> (Vec<Message>, Option<Error>) {
    let mut frames = Vec::new();
    loop {
        match soon(client.next()).await {
            Some(Ok(message)) => frames.push(message),
            Some(Err(error)) => return (frames, Some(error)),
            None => return (frames, None),
        }
    }
}

/// Sends a close frame and reads to the end.
async fn close(client: &mut Client) -> Vec<Message> {
    let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    client.close(Some(frame)).await.unwrap();
    drain(client).await.0
}

/// The next `count` texts.
async fn take(client: &mut Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        let frame = soon(client.next()).await.expect("the session goes on").unwrap();
        texts.push(frame.into_text().unwrap().to_string());
    }
    texts
}

async fn drained_with(fault: SessionFault) -> (Vec<Message>, Option<Error>, FeedCounters) {
    let test = PodTest::new().await;
    test.pod.inject(&feed(), [fault]);
    let mut client = test.open().await.unwrap();
    let (frames, error) = drain(&mut client).await;
    let counters = test.ended(client).await;
    (frames, error, counters)
}

fn texts(frames: &[Message]) -> Vec<&str> {
    frames.iter().filter(|frame| frame.is_text()).map(|frame| frame.to_text().unwrap()).collect()
}

fn close_code(frames: &[Message]) -> Option<CloseCode> {
    match frames.last() {
        Some(Message::Close(Some(frame))) => Some(frame.code),
        _ => None,
    }
}

const EVENTS: [&str; 3] = ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"];
