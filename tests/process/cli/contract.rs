//! The contract of a custom handler, request by request.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::http::{Method, Request, StatusCode};
use proofpoint_sentinel::host::{
    FEED_FUNCTION, FUNCTION, Function, Invocation, QueueMessage, Reply, STATUS_FUNCTION,
    WebRequest, serve,
};
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::host::{FunctionsHost, InvocationOutcome, ReservedPort};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::app::{App, fire, succeed};
use crate::cli::services::{TestServices, feeds};
use crate::soon;
use crate::support::http::{self, Answer};

const TICK: &str = r#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"ProofpointPOD"}}}"#;

async fn ask(base: &str, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
    let request = Request::builder().method(method).uri(format!("{base}{path}"));
    soon(http::send_plain(request, body)).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body().to_vec()).expect("the body is text")
}

/// The lines in `Logs` of a reply, which must be what the host takes for one.
#[track_caller]
fn logs(body: &str) -> Vec<String> {
    let reply: Value = serde_json::from_str(body).expect("the reply is JSON");
    assert!(reply["Outputs"].is_object(), "{reply}");
    assert!(reply["ReturnValue"].is_null(), "{reply}");
    serde_json::from_value(reply["Logs"].clone()).expect("Logs is a list of texts")
}

#[track_caller]
fn failure(outcome: InvocationOutcome) -> Vec<String> {
    match outcome {
        InvocationOutcome::Failed { status: 500, body } => logs(&body),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tick_becomes_a_run_with_a_line_for_each_feed() {
    let services = TestServices::new(&[5, 7], None).await;
    let app = App::new();
    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    println!("the handler answered after {} ms", host.ready_after().as_millis());
    assert!(host.ready_after() < Duration::from_secs(2), "{:?}", host.ready_after());

    let logs = succeed(&host).await;
    let feeds = feeds().map(|feed| feed.to_string());
    assert_eq!(logs.len(), feeds.len(), "{logs:#?}");
    for feed in feeds {
        let line = logs.iter().find(|line| line.starts_with(&feed)).expect("the feed has a line");
        assert!(
            line.contains("12 events read, 12 rows delivered (0 repaired), 0 duplicates"),
            "{line}"
        );
    }
    services.assert_delivered_once(&services.hours);
    succeed(&host).await;
    services.assert_delivered_once(&services.hours);
}

#[tokio::test]
async fn all_missing_settings_are_named_and_the_program_lives_on() {
    let app = App::new();
    let host = app.host([]).await;
    for _ in 0..2 {
        let logs = failure(fire(&host).await);
        assert!(logs[0].starts_with("PPS1000: "), "{logs:#?}");
        for setting in [
            "ProofpointClusterID",
            "ProofpointToken",
            "LogsIngestionEndpoint",
            "DcrImmutableId",
            "WorkspaceID",
            "WorkspaceKey",
            "StateStorage",
            "AzureWebJobsStorage",
        ] {
            assert!(logs[1..].iter().any(|line| line.contains(setting)), "{setting} in {logs:#?}");
        }
    }
    assert_eq!(ask(host.base_url(), Method::GET, "/", "").await.status(), StatusCode::OK);

    let services = TestServices::new(&[1], None).await;
    let host = app.host(services.settings(DestinationApi::DataCollector)).await;
    succeed(&host).await;
    services.assert_delivered_once(&services.hours);
}

/// The first line of the answer to a tick, as it comes over the wire.
fn first_line(base: &str) -> String {
    let address = base.strip_prefix("http://").expect("the handler listens without TLS");
    let mut connection = TcpStream::connect(address).unwrap();
    let length = TICK.len();
    write!(
        connection,
        "POST /{FUNCTION} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{TICK}"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_phrase_says_what_failed() {
    let app = App::new();
    let host = app.host([]).await;
    let line = first_line(host.base_url());
    assert!(line.starts_with("HTTP/1.1 500 PPS1000: 3 Function App settings"), "{line}");

    let services = TestServices::new(&[1], None).await;
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.retain(|(name, _)| name != "ProofpointToken");
    settings.push(("ProofpointToken".to_owned(), "refused".to_owned()));
    let host = app.host(settings).await;
    let line = first_line(host.base_url());
    let expected = "HTTP/1.1 500 PPS2002 (and 1 more feed) acme_hosted-";
    assert!(line.starts_with(expected) && line.contains("the Log API answered 401"), "{line}");

    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    assert_eq!(first_line(host.base_url()), "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_broken_host_json_is_named() {
    let services = TestServices::new(&[1], None).await;
    let app = App::new();
    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    let sound = std::fs::read(app.host_json()).unwrap();
    for broken in ["{", r#"{"functionTimeout":"soon"}"#, "[]"] {
        std::fs::write(app.host_json(), broken).unwrap();
        let logs = failure(fire(&host).await);
        assert!(logs.len() == 1 && logs[0].contains("host.json: "), "{logs:?}");
    }
    std::fs::remove_file(app.host_json()).unwrap();
    let logs = failure(fire(&host).await);
    assert!(logs[0].contains("host.json: No such file"), "{logs:?}");
    std::fs::write(app.host_json(), sound).unwrap();
    succeed(&host).await;
}

#[tokio::test]
async fn whatever_is_asked_the_answer_is_a_json_object() {
    let app = App::new();
    let host = app.host([]).await;
    let function = format!("/{FUNCTION}");
    let huge = format!(r#"{{"Data":{{"timer":{{}}}},"Metadata":"{}"}}"#, "x".repeat(1 << 20));
    let cases = [
        (Method::POST, "/Other", TICK, 404, "no function `Other`"),
        (
            Method::POST,
            "/proofpointpod",
            TICK,
            404,
            "the functions are ProofpointPOD, ProofpointFeed and ProofpointStatus",
        ),
        (Method::POST, "/%FF", TICK, 404, "no function"),
        (Method::POST, &function, "{", 400, "not the JSON envelope"),
        (Method::POST, &function, r#"{"Data":{}}"#, 400, "timer"),
        (Method::POST, &function, "", 400, "not the JSON envelope"),
        (Method::POST, &function, &huge, 400, "body"),
        (Method::POST, "/ProofpointFeed", TICK, 400, "not the JSON envelope"),
        (Method::GET, &function, "", 405, "POST"),
        (Method::PUT, "/", "", 405, "POST"),
        (Method::GET, "/api/status", "", 404, "no such path"),
        (Method::POST, "/api/ProofpointPOD", TICK, 404, "no such path"),
    ];
    for (method, path, body, status, told) in cases {
        let what = format!("{method} {path}");
        let answer = ask(host.base_url(), method, path, body.to_owned()).await;
        assert_eq!(answer.status(), status, "{what}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{what}");
        let logs = logs(&text(&answer));
        assert!(logs.len() == 1 && logs[0].contains(told), "{what}: {logs:?}");
    }
    let ready = ask(host.base_url(), Method::GET, "/", "").await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(logs(&text(&ready)).is_empty());
}

#[tokio::test]
async fn nobody_outside_of_the_machine_can_reach_it() {
    let app = App::new();
    let host = app.host([]).await;
    let port = port(&host);
    TcpStream::connect(("127.0.0.1", port)).expect("it listens on loopback");
    let Some(outside) = address_outside() else {
        return println!("this machine has no address but loopback");
    };
    let refused = TcpStream::connect_timeout(&(outside, port).into(), Duration::from_secs(5));
    assert!(refused.is_err(), "{outside}:{port} can be reached");
}

fn port(host: &FunctionsHost) -> u16 {
    let address: SocketAddr = host.base_url().trim_start_matches("http://").parse().unwrap();
    address.port()
}

/// The address from which this machine would speak to the services. Nothing is sent for that.
fn address_outside() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback())
}

/// Nothing that reaches the program makes it panic, so that this is no process.
#[tokio::test]
async fn a_panic_is_an_answer() {
    struct Panics;

    impl Function for Panics {
        async fn run(self: Arc<Self>, _: Invocation, _: CancellationToken) -> Reply {
            panic!("this is a test")
        }

        async fn work(self: Arc<Self>, _: QueueMessage, _: CancellationToken) -> Reply {
            panic!("this is a test")
        }

        async fn answer(self: Arc<Self>, _: WebRequest) -> Reply {
            panic!("this is a test")
        }
    }

    let reserved = ReservedPort::new().unwrap();
    let port = reserved.number().unwrap();
    let base = format!("http://127.0.0.1:{port}");
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(port, Arc::new(Panics), stop.clone()));
    let listens = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(listens).await;
    let request = r#"{"Data":{"req":{"Url":"https://app.example/api/status"}}}"#;
    let message = r#"{"Data":{"job":"\"x\""},"Metadata":{}}"#;
    let invocations =
        [(FUNCTION, TICK), (STATUS_FUNCTION, request), (FEED_FUNCTION, message), (FUNCTION, TICK)];
    for (function, body) in invocations {
        let answer = ask(&base, Method::POST, &format!("/{function}"), body).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let logs = logs(&text(&answer));
        assert!(logs[0].contains("a fault in the program"), "{logs:?}");
    }
    assert_eq!(ask(&base, Method::GET, "/", "").await.status(), StatusCode::OK);
    stop.cancel();
    soon(server).await.unwrap().expect("it ends in good order");
}
