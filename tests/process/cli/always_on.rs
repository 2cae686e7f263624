//! `run`: the program without a Functions host.

use hyper::http::Request;
use proofpoint_sentinel::state::RecordedEnd;
use proofpoint_sentinel_simulator::DestinationApi;
use serde_json::Value;
use tokio::io::{BufReader, Lines};
use tokio::process::ChildStdout;

use crate::cli::program::{self, Running};
use crate::cli::services::{TestServices, feeds};
use crate::soon;
use crate::support::http::{self, Answer};

/// A process that works on all feeds.
struct AlwaysOn {
    process: Running,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl AlwaysOn {
    async fn start(settings: &[(String, String)]) -> AlwaysOn {
        let mut process =
            program::start(&["run", "--listen", "127.0.0.1:0", "--every", "10"], settings);
        let mut lines = process.lines();
        let ready: Value = loop {
            let line = soon(lines.next_line()).await.unwrap().expect("it gets ready");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == "ready" {
                break line;
            }
        };
        let address = format!("http://{}", ready["address"].as_str().unwrap());
        AlwaysOn { process, lines, address }
    }

    async fn get(&self, path: &str) -> Answer {
        soon(http::send_plain(Request::get(format!("{}{path}", self.address)), "")).await
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        String::from_utf8(answer.into_body().into()).unwrap()
    }

    /// Waits until each feed has a line of the log with this in it.
    async fn each_feed_says(&mut self, what: &str) {
        let mut silent: Vec<String> = feeds().iter().map(ToString::to_string).collect();
        while !silent.is_empty() {
            let line = soon(self.lines.next_line()).await.unwrap().expect("it goes on");
            if line.contains(what) {
                silent.retain(|feed| !line.contains(feed.as_str()));
            }
        }
    }

    async fn stop(self) {
        self.process.signal("TERM").await;
        drop(self.lines);
        let ended = self.process.end().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

#[tokio::test]
async fn it_delivers_and_shows_itself_until_it_is_stopped() {
    let services = TestServices::new(&[5, 7], None).await;
    let mut running = AlwaysOn::start(&services.settings(DestinationApi::LogsIngestion)).await;
    running.each_feed_says("12 rows delivered").await;
    services.assert_delivered_once(&services.hours);
    // The next round is its own doing.
    running.each_feed_says("0 rows delivered").await;

    assert_eq!(running.text("/health").await, "ok\n");
    assert_eq!(running.text("/ready").await, "ok\n");
    let metrics = running.text("/metrics").await;
    for feed in feeds() {
        let line = format!("proofpoint_feed_rows_total{{feed=\"{feed}\"}} 12");
        assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
    }
    let status: Value = serde_json::from_str(&running.text("/status.json").await).unwrap();
    assert_eq!((&status["health"], &status["version"]), (&"healthy".into(), &1.into()));
    let page = running.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(String::from_utf8_lossy(page.body()).starts_with("<!DOCTYPE html>"));
    assert_eq!(running.get("/other").await.status(), 404);
    running.stop().await;
    services.assert_delivered_once(&services.hours);
}

#[tokio::test]
async fn told_to_stop_it_saves_its_progress() {
    let services = TestServices::new(&[600, 50], Some(200)).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let running = AlwaysOn::start(&settings).await;
    services.both_feeds(|counters| counters.events_sent >= 100).await;
    running.stop().await;
    for feed in feeds() {
        let cut = services.checkpoint(&feed).await.retry.pop().unwrap();
        assert_eq!((cut.hour, cut.last_end), (services.hours[0], RecordedEnd::Stopped));
        let delivered = services.delivered(&feed).len() as u64;
        assert_eq!(delivered, 50 + cut.last_events, "what was read was delivered");
    }
}

#[tokio::test]
async fn another_process_takes_over_from_one_that_died() {
    let services = TestServices::new(&[50, 400], Some(200)).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let first = AlwaysOn::start(&settings).await;
    services.both_feeds(|counters| counters.events_sent >= 100).await;
    let mut second = AlwaysOn::start(&settings).await;
    second.each_feed_says("another process works on this feed").await;
    first.process.signal("KILL").await;
    second.each_feed_says("rows delivered").await;
    services.assert_nothing_is_missing();
    second.stop().await;
}

#[tokio::test]
async fn without_storage_it_is_not_ready_and_says_why() {
    let services = TestServices::new(&[1], None).await;
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.retain(|(name, _)| name != "StateStorage");
    // Nothing listens there.
    let nowhere = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a";
    settings.push(("StateStorage".to_owned(), nowhere.to_owned()));
    let running = AlwaysOn::start(&settings).await;
    let answer = running.get("/ready").await;
    assert_eq!(answer.status(), 503);
    assert!(!answer.body().is_empty());
    assert_eq!(running.text("/health").await, "ok\n");
}

#[tokio::test]
async fn what_it_can_not_use_is_told_at_the_start() {
    let ended = program::run(&["run"], &[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("PPS1001"), "{ended:?}");

    let services = TestServices::new(&[1], None).await;
    let settings = services.settings(DestinationApi::LogsIngestion);
    let running = AlwaysOn::start(&settings).await;
    let taken = running.address.trim_start_matches("http://").to_owned();
    let ended = program::run(&["run", "--listen", &taken], &settings).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("PPS7004"), "{ended:?}");
    running.stop().await;
}
