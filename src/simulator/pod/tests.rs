use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;
use crate::feed::EventType;
use crate::hour::Hour;
use crate::net::Net;

const TOKEN: &str = "a-token";
const WINDOW: &str = "&sinceTime=2026-11-20T06:00:00-0000&toTime=2026-11-20T07:00:00-0000";

type Client = WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

/// A Log API with one cluster, and somebody who trusts it.
struct Scene {
    pod: Pod,
    net: Net,
    clock: Clock,
}

impl Scene {
    /// With three events from six to seven o'clock, at noon.
    async fn new() -> Scene {
        Scene::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(PodSettings) -> PodSettings) -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        let pem = directory.path().join("ca.pem");
        authority.write_pem(&pem).unwrap();
        let clock = Clock::held("2026-11-20T12:00:00Z".parse().unwrap());
        let given = GivenEvents::default();
        given.add(&feed(), hour(), ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
        let cluster = PodCluster { id: "acme_hosted".to_owned(), token: Secret::new(TOKEN) };
        let settings = PodSettings::new(clock.clone(), vec![cluster], Arc::new(given));
        let pod = Pod::start(&authority, change(settings)).await.unwrap();
        Scene { pod, net: Net::new(Some(&pem)).unwrap(), clock }
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
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.net.tls));
        connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap()
    }

    async fn open(&self) -> Result<Client, Error> {
        self.connect(&format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer a-token")).await
    }

    async fn refusal(&self, query: &str, token: Option<&str>) -> Response<Option<Vec<u8>>> {
        match self.connect(query, token).await {
            Err(Error::Http(response)) => *response,
            other => panic!("{query} is not refused: {other:?}"),
        }
    }
}

fn feed() -> Feed {
    Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message }
}

fn hour() -> Hour {
    Hour::containing("2026-11-20T06:00:00Z".parse::<Timestamp>().unwrap())
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it happens in time")
}

/// Reads to the end: the frames, and the error where it was no clean end.
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

async fn drained_with(fault: Fault) -> (Vec<Message>, Option<Error>, FeedCounters) {
    let scene = Scene::new().await;
    scene.pod.script(&feed(), [fault]);
    let mut client = scene.open().await.unwrap();
    let (frames, error) = drain(&mut client).await;
    drop(client);
    let counters = soon(scene.pod.wait_for(|all| all.open() == 0)).await;
    (frames, error, counters.feed(&feed()))
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

#[tokio::test]
async fn an_archive_session_ends_normally_after_its_events() {
    let scene = Scene::new().await;
    let mut client = scene.open().await.unwrap();
    let (frames, error) = drain(&mut client).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(texts(&frames), EVENTS);
    assert_eq!(close_code(&frames), Some(CloseCode::Normal));
    let counters = soon(scene.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    let expected =
        FeedCounters { opened: 1, most_open: 1, events_sent: 3, closed: 1, ..Default::default() };
    assert_eq!(counters, expected);
}

#[tokio::test]
async fn an_hour_is_empty_until_it_has_settled() {
    let recent = "cid=acme_hosted&type=message&sinceTime=2026-11-20T11:00:00Z\
                  &toTime=2026-11-20T12:00:00Z";
    let given = GivenEvents::default();
    given.add(&feed(), "2026-11-20T11".parse().unwrap(), ["{}"]);
    let scene = Scene::with(|settings| PodSettings { source: Arc::new(given), ..settings }).await;
    let mut client = scene.connect(recent, Some("Bearer a-token")).await.unwrap();
    assert_eq!(drain(&mut client).await.0.len(), 1, "only the close frame");
    drop(client);
    scene.clock.advance(SignedDuration::from_mins(30));
    soon(scene.pod.wait_for(|all| all.open() == 0)).await;
    let mut client = scene.connect(recent, Some("Bearer a-token")).await.unwrap();
    assert_eq!(texts(&drain(&mut client).await.0), ["{}"]);
}

#[tokio::test]
async fn wrong_requests_get_their_status() {
    let scene = Scene::new().await;
    let good = Some("Bearer a-token");
    let cases = [
        (format!("cid=acme_hosted&type=message{WINDOW}"), None, 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer "), 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Bearer other"), 401),
        (format!("cid=acme_hosted&type=message{WINDOW}"), Some("Basic a-token"), 401),
        (format!("cid=other_hosted&type=message{WINDOW}"), good, 401),
        (format!("type=message{WINDOW}"), good, 400),
        (format!("cid=&type=message{WINDOW}"), good, 400),
        (format!("cid=acme_hosted{WINDOW}"), good, 400),
        (format!("cid=acme_hosted&type={WINDOW}"), good, 400),
        (format!("cid=acme_hosted&type=click{WINDOW}"), good, 400),
        (format!("cid=acme_hosted&cid=acme_hosted&type=message{WINDOW}"), good, 400),
        ("cid=acme_hosted&type=message&sinceTime=x&toTime=2026-11-20T07:00Z".into(), good, 400),
        ("cid=acme_hosted&type=message&toTime=2026-11-20T07:00:00Z".into(), good, 400),
        ("cid=acme_hosted&type=message".into(), good, 501),
    ];
    for (query, token, status) in cases {
        let response = scene.refusal(&query, token).await;
        assert_eq!(response.status(), status, "{query} {token:?}");
        assert_eq!(response.headers()["content-type"], "text/plain;charset=iso-8859-1");
    }
    let counters = scene.pod.counters();
    assert_eq!(counters.refused.values().sum::<u64>(), 14);
    assert!(counters.feeds.is_empty());
}

#[tokio::test]
async fn wrong_paths_and_methods_get_their_status() {
    let scene = Scene::new().await;
    for (head, status) in [
        ("GET /v2/stream HTTP/1.1\r\nUpgrade: websocket\r\n", "404"),
        ("GET /v1/stream?cid=acme_hosted HTTP/1.1\r\n", "404"),
        ("POST /v1/stream HTTP/1.1\r\nUpgrade: websocket\r\n", "405"),
        ("nonsense\r\n", "400"),
    ] {
        let mut tls = scene.tls().await;
        tls.write_all(format!("{head}Host: localhost\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(tls.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

#[tokio::test]
async fn a_second_session_is_refused_while_the_first_is_open() {
    let scene = Scene::new().await;
    scene.pod.script(&feed(), [Fault::StallAfter(1)]);
    let mut first = scene.open().await.unwrap();
    soon(scene.pod.wait_for(|all| all.feed(&feed()).events_sent == 1)).await;
    match scene.open().await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 409);
            assert_eq!(response.headers()["content-length"], "47");
        }
        other => panic!("not refused: {other:?}"),
    }
    let audit = format!("cid=acme_hosted&type=audit{WINDOW}");
    scene.connect(&audit, Some("Bearer a-token")).await.expect("another type has its own slot");

    first.close(None).await.unwrap();
    drain(&mut first).await;
    let counters = soon(scene.pod.wait_for(|all| all.feed(&feed()).open == 0)).await;
    assert_eq!(counters.feed(&feed()).closed, 1, "a clean end leaves no ghost");
    scene.open().await.expect("the slot is free");
}

#[tokio::test]
async fn a_dropped_session_leaves_its_ghost() {
    let scene =
        Scene::with(|settings| PodSettings { ghost: Duration::from_secs(3600), ..settings }).await;
    scene.pod.script(&feed(), [Fault::StallAfter(0)]);
    let client = scene.open().await.unwrap();
    drop(client);
    let counters = soon(scene.pod.wait_for(|all| all.feed(&feed()).dropped == 1)).await;
    assert_eq!(counters.open(), 0);
    assert!(matches!(scene.open().await, Err(Error::Http(response)) if response.status() == 409));
}

#[tokio::test]
async fn scripted_refusals_come_in_order_and_then_all_is_well() {
    let scene = Scene::new().await;
    let busy = Refusal::new(503, "Busy").with_header("retry-after", "7");
    scene.pod.script(&feed(), [Fault::Refuse(busy), Fault::Refuse(Refusal::new(500, "Oops"))]);
    let Err(Error::Http(first)) = scene.open().await else { panic!("not refused") };
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (503, &HeaderValue::from_static("7"))
    );
    let Err(Error::Http(second)) = scene.open().await else { panic!("not refused") };
    assert_eq!(second.status(), 500);
    scene.open().await.expect("the script is over");
    assert_eq!(scene.pod.counters().feed(&feed()).refused, 2);
}

#[tokio::test]
async fn cuts_and_early_ends() {
    let (frames, error, counters) = drained_with(Fault::CutAfter(2)).await;
    assert_eq!(texts(&frames), EVENTS[..2]);
    assert!(matches!(error, Some(Error::Io(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, counters) = drained_with(Fault::EndByEof).await;
    assert_eq!(texts(&frames), EVENTS);
    assert!(matches!(error, Some(Error::Protocol(_))), "{error:?}");
    assert_eq!(counters.dropped, 1);

    let (frames, error, _) = drained_with(Fault::CloseAfter(1, Some(1011))).await;
    assert_eq!((texts(&frames), error.is_none()), (vec![EVENTS[0]], true));
    assert_eq!(close_code(&frames), Some(CloseCode::Error));

    let (frames, ..) = drained_with(Fault::CloseAfter(1, None)).await;
    assert!(matches!(frames.last(), Some(Message::Close(None))));

    let (frames, ..) = drained_with(Fault::FalseEmpty).await;
    assert_eq!((frames.len(), close_code(&frames)), (1, Some(CloseCode::Normal)));
}

#[tokio::test]
async fn odd_frames() {
    let (frames, ..) = drained_with(Fault::EmptyFrames).await;
    assert_eq!(texts(&frames), ["", EVENTS[0], "", EVENTS[1], "", EVENTS[2]]);

    let (frames, ..) = drained_with(Fault::BinaryFrames).await;
    assert_eq!(frames[..3], EVENTS.map(|event| Message::Binary(event.into())));

    let (frames, ..) = drained_with(Fault::TrailingNewline).await;
    assert_eq!(texts(&frames)[0], "{\"n\":1}\n");

    let (frames, ..) = drained_with(Fault::Garbage(0, Bytes::from_static(b"{oops"))).await;
    assert_eq!(texts(&frames)[..2], ["{oops", EVENTS[0]]);

    let (frames, ..) = drained_with(Fault::Garbage(3, Bytes::from_static(b"\xff"))).await;
    assert_eq!(frames[3], Message::Binary(Bytes::from_static(b"\xff")));
}

#[tokio::test]
async fn pings_go_both_ways() {
    let scene = Scene::new().await;
    scene.pod.script(&feed(), [Fault::PingEvery(1)]);
    let mut client = scene.open().await.unwrap();
    client.send(Message::Ping(Bytes::from_static(b"mine"))).await.unwrap();
    let (frames, _) = drain(&mut client).await;
    assert!(frames.contains(&Message::Pong(Bytes::from_static(b"mine"))));
    let counters = soon(scene.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    assert_eq!((counters.pings, counters.pongs, counters.closed), (1, 3, 1));
}

#[tokio::test]
async fn a_paced_session_can_be_left_midway() {
    let scene = Scene::with(|settings| PodSettings { pace: Some(1), ..settings }).await;
    let mut client = scene.open().await.unwrap();
    soon(client.next()).await.unwrap().unwrap();
    client.close(None).await.unwrap();
    drain(&mut client).await;
    let counters = soon(scene.pod.wait_for(|all| all.open() == 0)).await.feed(&feed());
    assert_eq!((counters.events_sent, counters.closed), (1, 1));
}
