//! The status page and its JSON document, asked for as the Functions host does.

use hyper::http::Request;
use proofpoint_sentinel::host::STATUS_FUNCTION;
use proofpoint_sentinel_simulator::DestinationApi;
use proofpoint_sentinel_simulator::host::FunctionsHost;
use serde_json::Value;

use crate::app::{App, fire, succeed};
use crate::cli::services::{TestServices, feeds};
use crate::soon;
use crate::support::http;

/// What the real host sent when a browser asked for a page.
const INVOCATION: &str = include_str!("../../page/invocation.json");

/// The function key that is in the invocation, in place of the recorded one.
const KEY: &str = "function-key-of-a-browser";

/// What the host hands to the browser that asked for `path`.
async fn ask(host: &FunctionsHost, path: &str) -> Value {
    let recorded: Value = serde_json::from_str(INVOCATION).unwrap();
    let url = recorded["Data"]["req"]["Url"].as_str().unwrap();
    let body = INVOCATION
        .replace(url, &format!("https://app.example{path}?code={KEY}"))
        .replace("\"fk\"", &format!("{KEY:?}"));
    assert_eq!(body.matches(KEY).count(), 3);
    let address = format!("{}/{STATUS_FUNCTION}", host.base_url());
    let reply = soon(http::send_plain(Request::post(address), body)).await;
    assert_eq!(reply.status(), 200);
    let reply = String::from_utf8(reply.into_body().into()).unwrap();
    assert!(!reply.contains(KEY), "{reply}");
    let reply: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply["Outputs"]["res"]["statusCode"], 200);
    reply["Outputs"]["res"].clone()
}

async fn ask_json(host: &FunctionsHost) -> Value {
    let response = ask(host, "/api/status.json").await;
    assert_eq!(response["headers"]["Content-Type"], "application/json; charset=utf-8");
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_page_and_its_json_show_what_runs_did() {
    let services = TestServices::new(&[5, 7], None).await;
    let app = App::new();
    let collecting = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    succeed(&collecting).await;

    // Pages can be answered by another instance.
    let host = app.host(services.settings(DestinationApi::LogsIngestion)).await;
    let status = ask_json(&host).await;
    assert_eq!(
        (&status["version"], &status["program"]),
        (&1.into(), &env!("CARGO_PKG_VERSION").into())
    );
    let shown: Vec<&str> =
        status["feeds"].as_array().unwrap().iter().map(|it| it["feed"].as_str().unwrap()).collect();
    let mut expected = feeds().map(|feed| feed.to_string());
    expected.sort();
    assert_eq!(shown, expected);
    for feed in status["feeds"].as_array().unwrap() {
        assert_eq!(feed["health"], "healthy", "{feed:#}");
        assert_eq!(feed["last_7_days"]["delivered"], 12);
        assert_eq!(feed["last_run"]["outcome"], "up_to_date");
        let hours = feed["completeness"].as_array().unwrap();
        for hour in &services.hours {
            let it = hours.iter().find(|it| it["hour"] == hour.to_string()).unwrap();
            assert_eq!(it["completeness"], "proved");
        }
    }
    for path in ["/api/status", "/status/", "/api/Status"] {
        let page = ask(&host, path).await;
        let body = page["body"].as_str().unwrap();
        assert!(body.starts_with("<!DOCTYPE html>") && body.contains(&expected[0]), "{body}");
        let headers = &page["headers"];
        assert_eq!(headers["Content-Type"], "text/html; charset=utf-8");
        assert_eq!(headers["Cache-Control"], "no-store");
        assert_eq!(headers["Referrer-Policy"], "no-referrer");
        let policy = headers["Content-Security-Policy"].as_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    }
    assert!(host.lines().iter().all(|line| !line.text.contains(KEY)), "{:#?}", host.lines());
}

#[tokio::test]
async fn the_page_names_what_failed() {
    let services = TestServices::new(&[1], None).await;
    let mut settings = services.settings(DestinationApi::LogsIngestion);
    settings.retain(|(name, _)| name != "ProofpointToken");
    settings.push(("ProofpointToken".to_owned(), "refused".to_owned()));
    let app = App::new();
    let host = app.host(settings.clone()).await;
    fire(&host).await;
    let status = ask_json(&host).await;
    assert_eq!(status["health"], "failing");
    assert_eq!(status["reasons"][0]["code"], "PPS2002");
    assert_eq!(status["feeds"][1]["failures"][0]["runs"], 1);

    settings.retain(|(name, _)| name != "StateStorage");
    let host = app.host(settings).await;
    let status = ask_json(&host).await;
    assert_eq!((&status["health"], &status["feeds"]), (&"failing".into(), &Value::Array(vec![])));
    assert_eq!(status["reasons"][0]["code"], "PPS1000");
    let page = ask(&host, "/api/status").await;
    assert!(page["body"].as_str().unwrap().contains("StateStorage"));
}

#[tokio::test]
async fn a_bad_request_is_refused_without_its_key() {
    let app = App::new();
    let host = app.host([]).await;
    let address = format!("{}/{STATUS_FUNCTION}", host.base_url());
    let body = format!(r#"{{"Data":{{"req":"https://app.example/api/status?code={KEY}"}}}}"#);
    let reply = soon(http::send_plain(Request::post(address), body)).await;
    assert_eq!(reply.status(), 400);
    let reply = String::from_utf8(reply.into_body().into()).unwrap();
    assert!(reply.contains("PPS7003") && !reply.contains(KEY), "{reply}");
    soon(host.wait_for_line(|line| line.text.contains("PPS7003"))).await;
    assert!(host.lines().iter().all(|line| !line.text.contains(KEY)));
}
