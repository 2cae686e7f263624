use std::future::Future;
use std::io::Write;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha2::Sha256;

use super::*;
use crate::test_util::TestClient;

const DCR: &str = "dcr-0123456789abcdef0123456789abcdef";
const STREAM: &str = "Custom-ProofpointPODMessage_CL";
const TABLE: &str = "ProofpointPODMessage_CL";
const ROW: &str = r#"{"TimeGenerated":"2026-11-20T06:00:00Z","guid":"a"}"#;
const DATE: &str = "Fri, 20 Nov 2026 12:00:00 GMT";

struct Scene {
    workspace: Workspace,
    tokens: Tokens,
    http: reqwest::Client,
}

impl Scene {
    async fn new() -> Scene {
        Scene::keeping(Keep::Memory).await
    }

    async fn keeping(keep: Keep) -> Scene {
        let tokens = Tokens::default();
        let clock = Clock::held("2026-11-20T12:05:00Z".parse().unwrap());
        let settings = WorkspaceSettings { keep, ..WorkspaceSettings::new(clock, tokens.clone()) };
        let workspace = Workspace::start(settings).await.unwrap();
        Scene { workspace, tokens, http: TestClient::plain().http }
    }

    /// A post to the Logs Ingestion API that lacks nothing but its body.
    fn ingestion(&self) -> reqwest::RequestBuilder {
        self.ingestion_at(&format!(
            "/dataCollectionRules/{DCR}/streams/{STREAM}?api-version=2023-01-01"
        ))
    }

    fn ingestion_at(&self, path: &str) -> reqwest::RequestBuilder {
        let (token, _) =
            self.tokens.issue("https://monitor.azure.com", SignedDuration::from_hours(1));
        self.http
            .post(format!("{}{path}", self.workspace.uri()))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
    }

    /// A post to the Data Collector API, in order unless `headers` say otherwise. An empty value
    /// takes a header away.
    async fn collect(&self, body: &str, headers: &[(&'static str, &str)]) -> u16 {
        self.collect_at("?api-version=2016-04-01", body, headers).await
    }

    async fn collect_at(&self, query: &str, body: &str, headers: &[(&'static str, &str)]) -> u16 {
        let settings = self.workspace.settings();
        let date = headers.iter().find(|(name, _)| *name == "x-ms-date").map_or(DATE, |h| h.1);
        let text = format!("POST\n{}\napplication/json\nx-ms-date:{date}\n/api/logs", body.len());
        let key = STANDARD.decode(settings.workspace_key.reveal()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let authorization = format!("SharedKey {}:{signature}", settings.workspace_id);
        let mut all = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("log-type", "ProofpointPOD_message"),
            ("x-ms-date", date),
        ];
        all.retain(|(name, _)| headers.iter().all(|(other, _)| name != other));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = self.http.post(format!("{}/api/logs{query}", self.workspace.uri()));
        for (name, value) in all {
            request = request.header(name, value);
        }
        soon(request.body(body.to_owned()).send()).await.unwrap().status().as_u16()
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it happens in time")
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    soon(request.send()).await.unwrap().status().as_u16()
}

fn gzip(raw: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(raw).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn sound_posts_are_kept_as_they_were_sent() {
    let scene = Scene::new().await;
    let other = r#"{"TimeGenerated":"2026-11-20T06:00:01Z", "guid":"b","msg":{"n":1.50}}"#;
    assert_eq!(status(scene.ingestion().body(format!("[{ROW}]"))).await, 204);
    let body = gzip(format!("[{ROW},{other}]").as_bytes());
    let wire = body.len();
    let post = scene.ingestion().header("content-encoding", "gzip").body(body);
    assert_eq!(status(post).await, 204);
    assert_eq!(scene.workspace.rows(TABLE), [ROW, ROW, other]);
    let posts: Vec<u64> =
        scene.workspace.rows_with_posts(TABLE).into_iter().map(|(post, _)| post).collect();
    assert_eq!(posts, [1, 2, 2]);
    assert_eq!(scene.workspace.violations(), []);
    let counters = scene.workspace.counters();
    assert_eq!((counters.posts, counters.rows, counters.in_flight), (2, 3, 0));
    assert_eq!(counters.wire_bytes as usize, ROW.len() + 2 + wire);
    assert_eq!(counters.tables[TABLE], 3);
}

#[tokio::test]
async fn ingestion_refuses_wrong_addresses_and_tokens() {
    let scene = Scene::new().await;
    let rules = "/dataCollectionRules";
    for (path, expected) in [
        (format!("{rules}/{DCR}/streams/{STREAM}"), 400),
        (format!("{rules}/{DCR}/streams/{STREAM}?api-version=2021-11-01-preview"), 400),
        (format!("{rules}/dcr-0/streams/{STREAM}?api-version=2023-01-01"), 404),
        (format!("{rules}/{DCR}/streams/Custom-Other_CL?api-version=2023-01-01"), 404),
        (format!("/dataCollectionRule/{DCR}/streams/{STREAM}?api-version=2023-01-01"), 404),
    ] {
        let post = scene.ingestion_at(&path).body(format!("[{ROW}]"));
        assert_eq!(status(post).await, expected, "{path}");
    }
    let (storage, _) =
        scene.tokens.issue("https://storage.azure.com", SignedDuration::from_hours(1));
    for token in ["", "Bearer guess", &format!("Bearer {storage}")] {
        let url = format!(
            "{}{rules}/{DCR}/streams/{STREAM}?api-version=2023-01-01",
            scene.workspace.uri()
        );
        let post = scene.http.post(url).header("authorization", token);
        let post = post.header("content-type", "application/json").body(format!("[{ROW}]"));
        assert_eq!(status(post).await, 401, "{token}");
    }
    assert_eq!(scene.workspace.counters().rows, 0);
}

#[tokio::test]
async fn ingestion_refuses_wrong_bodies() {
    let scene = Scene::new().await;
    for (body, expected) in [("", 500), ("[", 400), ("{}", 400), ("[1]", 400), ("[{}] x", 400)] {
        assert_eq!(status(scene.ingestion().body(body)).await, expected, "{body}");
    }
    let zipped = |body: Vec<u8>| scene.ingestion().header("content-encoding", "gzip").body(body);
    let mut cut = gzip(format!("[{ROW}]").as_bytes());
    cut.pop();
    assert_eq!(status(zipped(cut)).await, 400, "cut short");
    let mut more = gzip(format!("[{ROW}]").as_bytes());
    more.push(0);
    assert_eq!(status(zipped(more)).await, 400, "something after the end");
    assert_eq!(status(zipped(format!("[{ROW}]").into())).await, 400, "not compressed at all");
    let mut text = scene.ingestion().body("[]").build().unwrap();
    text.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(soon(scene.http.execute(text)).await.unwrap().status(), 415);
    let twice = scene.ingestion().header("content-type", "application/json").body("[]");
    assert_eq!(status(twice).await, 415);
    let brotli = scene.ingestion().header("content-encoding", "br").body("[]");
    assert_eq!(status(brotli).await, 400);
}

#[tokio::test]
async fn ingestion_takes_a_megabyte_and_no_byte_more() {
    let scene = Scene::new().await;
    let body = |length: usize| format!("[{ROW}{}]", " ".repeat(length - ROW.len() - 2));
    assert_eq!(status(scene.ingestion().body(body(1_048_576))).await, 204);
    let answer = soon(scene.ingestion().body(body(1_048_577)).send()).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.headers()["x-ms-error-code"], "ContentLengthLimitExceeded");
    assert!(soon(answer.text()).await.unwrap().contains("Provided content length: 1048577 bytes."));
}

#[tokio::test]
async fn what_would_vanish_is_on_record() {
    let scene = Scene::new().await;
    let row = r#"{"TimeGenerated":"2026-11-20T06:00:00Z","surprise":1}"#;
    assert_eq!(status(scene.ingestion().body(format!("[{row}]"))).await, 204);
    let violation = Violation {
        table: TABLE.to_owned(),
        column: "surprise".to_owned(),
        fault: ValueFault::UnknownColumn,
    };
    assert_eq!(scene.workspace.violations(), [violation]);
    assert_eq!(scene.workspace.counters().violations, 1);
}

#[tokio::test]
async fn collector_takes_arrays_and_single_objects() {
    let scene = Scene::new().await;
    assert_eq!(scene.collect(r#"[{"ts":"2026-11-20T06:00:00Z"},{}]"#, &[]).await, 200);
    let at = ("time-generated-field", "ts");
    assert_eq!(scene.collect(r#"{"ts":"2026-11-20T06:00:00Z","ü":1}"#, &[at]).await, 400);
    assert_eq!(scene.collect(r#"{"ts":"2026-11-20T06:00:00Z","s":"ü"}"#, &[at]).await, 200);
    assert_eq!(scene.collect(r#"{"ts":"2026-11-18T06:00:00Z"}"#, &[at]).await, 200);
    assert_eq!(
        scene.workspace.rows("ProofpointPOD_message_CL"),
        [
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z","ts":"2026-11-20T06:00:00Z"}"#,
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z"}"#,
            r#"{"TimeGenerated":"2026-11-20T06:00:00Z","ts":"2026-11-20T06:00:00Z","s":"ü"}"#,
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z","ts":"2026-11-18T06:00:00Z"}"#,
        ]
    );
}

#[tokio::test]
async fn collector_refuses_wrong_headers() {
    let scene = Scene::new().await;
    let long = "x".repeat(101);
    for (headers, expected) in [
        (("authorization", ""), 403),
        (("authorization", "SharedKey a:b"), 403),
        (("x-ms-date", ""), 403),
        (("x-ms-date", "2026-11-20T12:00:00Z"), 403),
        (("x-ms-date", "Fri, 20 Nov 2026 11:49:59 GMT"), 403),
        (("x-ms-date", "Fri, 20 Nov 2026 12:20:01 GMT"), 403),
        (("x-ms-date", "Fri, 20 Nov 2026 12:20:00 GMT"), 200),
        (("content-encoding", "gzip"), 403),
        (("content-type", "application/json; charset=utf-8"), 400),
        (("content-type", ""), 400),
        (("log-type", ""), 400),
        (("log-type", "Proofpoint-POD"), 400),
        (("log-type", &long), 400),
        (("log-type", &long[..100]), 200),
    ] {
        assert_eq!(scene.collect("[{}]", &[headers]).await, expected, "{headers:?}");
    }
    assert_eq!(scene.collect_at("", "[{}]", &[]).await, 400);
    assert_eq!(scene.collect_at("?api-version=2023-01-01", "[{}]", &[]).await, 400);
}

#[tokio::test]
async fn collector_refuses_wrong_bodies() {
    let scene = Scene::new().await;
    for body in [
        "",
        "[",
        "1",
        "[1]",
        r#"{"a b":1}"#,
        r#"{"TimeGenerated":1}"#,
        r#"{"tenant":"x"}"#,
        r#"[{"RawData":1}]"#,
    ] {
        assert_eq!(scene.collect(body, &[]).await, 400, "{body}");
    }
    let body = |length: usize| format!("[{{}}{}]", " ".repeat(length - 4));
    assert_eq!(scene.collect(&body(30_000_000), &[]).await, 200);
    assert_eq!(scene.collect(&body(30_000_001), &[]).await, 404);
    let row = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
    assert_eq!(scene.collect(&row(32_768), &[]).await, 200);
    assert_eq!(scene.workspace.violations(), []);
    assert_eq!(scene.collect(&row(32_769), &[]).await, 200);
    assert_eq!(scene.workspace.violations()[0].fault, ValueFault::TooLong(32_769));
}

#[tokio::test]
async fn scripted_answers_come_in_order() {
    let scene = Scene::new().await;
    scene.workspace.script([
        Script::Reply(Answer::throttled(3)),
        Script::ResetConnection,
        Script::AcceptThenReset,
    ]);
    let post = || scene.ingestion().body(format!("[{ROW}]")).send();
    let throttled = soon(post()).await.unwrap();
    assert_eq!(
        (throttled.status().as_u16(), &throttled.headers()["retry-after"]),
        (429, &"3".parse().unwrap())
    );
    assert!(soon(post()).await.is_err());
    assert_eq!(scene.workspace.counters().rows, 0);
    assert!(soon(post()).await.is_err());
    assert_eq!(scene.workspace.counters().rows, 1);
    assert_eq!(soon(post()).await.unwrap().status(), 204);
    let counters = scene.workspace.counters();
    assert_eq!((counters.posts, counters.resets, counters.rows), (4, 2, 2));
}

#[tokio::test]
async fn a_post_can_be_held() {
    let scene = Scene::new().await;
    let gate = Gate::default();
    scene.workspace.script([Script::Hold(gate.clone())]);
    let held = tokio::spawn(scene.ingestion().body(format!("[{ROW}]")).send());
    soon(scene.workspace.wait_for(|counters| counters.in_flight == 1)).await;
    assert_eq!(status(scene.ingestion().body(format!("[{ROW}]"))).await, 204);
    assert_eq!(scene.workspace.counters().rows, 1);
    gate.open();
    assert_eq!(soon(held).await.unwrap().unwrap().status(), 204);
    assert_eq!(scene.workspace.counters().most_in_flight, 2);
}

#[tokio::test]
async fn one_bad_row_sinks_its_post() {
    let scene = Scene::new().await;
    scene.workspace.refuse_rows(|row| row["guid"] == "bad");
    let bad = ROW.replace(r#""a""#, r#""bad""#);
    assert_eq!(status(scene.ingestion().body(format!("[{ROW},{bad}]"))).await, 400);
    assert_eq!(status(scene.ingestion().body(format!("[{ROW}]"))).await, 204);
    assert_eq!(scene.workspace.counters().rows, 1);
}

#[tokio::test]
async fn rows_can_go_to_files_or_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene::keeping(Keep::Directory(directory.path().to_owned())).await;
    let pretty = ROW.replace(',', ",\n  ");
    for body in [format!("[{ROW},{ROW}]"), format!("[{pretty}]")] {
        assert_eq!(status(scene.ingestion().body(body)).await, 204);
    }
    let text = std::fs::read_to_string(directory.path().join(format!("{TABLE}.ndjson"))).unwrap();
    assert_eq!(text, format!("{ROW}\n{ROW}\n{ROW}\n"));

    let scene = Scene::keeping(Keep::Count).await;
    assert_eq!(status(scene.ingestion().body(format!("[{ROW},{ROW}]"))).await, 204);
    assert_eq!(scene.workspace.counters().rows, 2);
    assert!(scene.workspace.rows(TABLE).is_empty());
}
