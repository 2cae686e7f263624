//! A handler whose host is gone.

use std::process::Stdio;

use hyper::http::Request;
use proofpoint_sentinel::host::FUNCTION;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::host::ReservedPort;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

use crate::app::{App, succeed};
use crate::cli::services::{TestServices, feeds};
use crate::support::azurite::Azurite;
use crate::support::http;
use crate::{PROGRAM, soon};

/// Starts the handler, as a host does, and waits for it.
const HOST: &str = r#""$0" serve 3>&2 2>&1 & wait"#;

const TICK: &str = r#"{"Data":{"timer":{"IsPastDue":false}},"Metadata":{}}"#;

/// The leases are on blobs: those of a process that is killed stay for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_ends_with_its_host_and_frees_its_leases() {
    let services = TestServices::new(&[400], Some(200)).await;
    let app = App::new();
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.retain(|(name, _)| name != "StateStorage");
    settings.push(("StateStorage".to_owned(), Azurite::shared().connection_string()));
    settings.push(("StateContainer".to_owned(), "orphan".to_owned()));

    let reserved = ReservedPort::new().unwrap();
    let port = reserved.number().unwrap();
    let mut host = Command::new("sh")
        .args(["-c", HOST, PROGRAM])
        .env_clear()
        .envs(settings.iter().cloned())
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .env("FUNCTIONS_APP_ROOT_PATH", app.host_json().with_file_name(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(host.stdout.take().unwrap()).lines();
    let ready = soon(output.next_line()).await.unwrap().expect("it says that it is ready");
    assert!(ready.contains("\"ready\""), "{ready}");
    let tick = Request::post(format!("http://127.0.0.1:{port}/{FUNCTION}"));
    let run = tokio::spawn(http::send_plain(tick, TICK));
    services.both_feeds(|counters| counters.events_sent >= 50).await;

    soon(host.kill()).await.unwrap();
    // With the host goes who reads what the handler writes.
    drop(output);
    // Nothing writes to the third stream; it ends with the last process that has it.
    let mut end = Vec::new();
    soon(host.stderr.take().unwrap().read_to_end(&mut end)).await.unwrap();
    assert!(end.is_empty(), "{}", String::from_utf8_lossy(&end));
    run.abort();

    let host = app.host(settings).await;
    let are_all_there = || {
        feeds().iter().all(|feed| services.delivered(feed) == services.ids(feed, &services.hours))
    };
    for _ in 0..10 {
        let logs = succeed(&host).await;
        assert!(!logs.iter().any(|line| line.ends_with("another run has this feed")), "{logs:#?}");
        if are_all_there() {
            return;
        }
    }
    panic!("events are missing; the handler wrote {:#?}", host.lines());
}
