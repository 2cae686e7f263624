use std::future::Future;
use std::io::Write;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha2::Sha256;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::tables;

use super::*;
use crate::identity::IssuedTokens;
use crate::test_util::TestClient;

const DCR: &str = "dcr-0123456789abcdef0123456789abcdef";
const STREAM: &str = "Custom-ProofpointPODMessage_CL";
const TABLE: &str = "ProofpointPODMessage_CL";
const ROW: &str = r#"{"TimeGenerated":"2026-11-20T06:00:00Z","guid":"a"}"#;
const DATE: &str = "Fri, 20 Nov 2026 12:00:00 GMT";

struct WorkspaceTest {
    workspace: Workspace,
    tokens: IssuedTokens,
    http: reqwest::Client,
}

impl WorkspaceTest {
    async fn new() -> WorkspaceTest {
        WorkspaceTest::keeping(RowStorage::Memory).await
    }

    async fn keeping(row_storage: RowStorage) -> WorkspaceTest {
        let tokens = IssuedTokens::default();
        let clock = Clock::held("2026-11-20T12:05:00Z".parse().unwrap());
        let settings =
            WorkspaceSettings { row_storage, ..WorkspaceSettings::new(clock, tokens.clone()) };
        let workspace = Workspace::start(settings).await.unwrap();
        WorkspaceTest { workspace, tokens, http: TestClient::plain().http }
    }

    /// A valid post to the Logs Ingestion API, without its body.
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

    /// A post to the Data Collector API. `headers` replace those of a valid post; an empty value
    /// removes the header.
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
async fn valid_posts_are_stored_as_they_were_sent() {
    let test = WorkspaceTest::new().await;
    let other = r#"{"TimeGenerated":"2026-11-20T06:00:01Z", "guid":"b","msg":{"n":1.50}}"#;
    assert_eq!(status(test.ingestion().body(format!("[{ROW}]"))).await, 204);
    let body = gzip(format!("[{ROW},{other}]").as_bytes());
    let wire = body.len();
    let post = test.ingestion().header("content-encoding", "gzip").body(body);
    assert_eq!(status(post).await, 204);
    assert_eq!(test.workspace.rows(TABLE), [ROW, ROW, other]);
    let posts: Vec<u64> =
        test.workspace.rows_with_posts(TABLE).into_iter().map(|(post, _)| post).collect();
    assert_eq!(posts, [1, 2, 2]);
    assert_eq!(test.workspace.violations(), []);
    let counters = test.workspace.counters();
    assert_eq!((counters.posts, counters.rows, counters.in_flight), (2, 3, 0));
    assert_eq!(counters.wire_bytes as usize, ROW.len() + 2 + wire);
    assert_eq!(counters.tables[TABLE], 3);
}

#[tokio::test]
async fn every_table_has_its_stream() {
    let test = WorkspaceTest::new().await;
    for table in tables() {
        let path =
            format!("/dataCollectionRules/{DCR}/streams/{}?api-version=2023-01-01", table.stream);
        let row = r#"{"TimeGenerated":"2026-11-20T06:00:00Z"}"#;
        let posted = test.ingestion_at(&path).body(format!("[{row}]"));
        assert_eq!(status(posted).await, 204, "{}", table.stream);
        assert_eq!(test.workspace.rows(table.name), [row], "{}", table.name);
    }
    assert_eq!(test.workspace.violations(), []);
}

#[tokio::test]
async fn logs_ingestion_refuses_wrong_urls_and_tokens() {
    let test = WorkspaceTest::new().await;
    let rules = "/dataCollectionRules";
    for (path, expected) in [
        (format!("{rules}/{DCR}/streams/{STREAM}"), 400),
        (format!("{rules}/{DCR}/streams/{STREAM}?api-version=2021-11-01-preview"), 400),
        (format!("{rules}/dcr-0/streams/{STREAM}?api-version=2023-01-01"), 404),
        (format!("{rules}/{DCR}/streams/Custom-Other_CL?api-version=2023-01-01"), 404),
        (format!("/dataCollectionRule/{DCR}/streams/{STREAM}?api-version=2023-01-01"), 404),
    ] {
        let post = test.ingestion_at(&path).body(format!("[{ROW}]"));
        assert_eq!(status(post).await, expected, "{path}");
    }
    let (storage, _) =
        test.tokens.issue("https://storage.azure.com", SignedDuration::from_hours(1));
    for token in ["", "Bearer guess", &format!("Bearer {storage}")] {
        let url = format!(
            "{}{rules}/{DCR}/streams/{STREAM}?api-version=2023-01-01",
            test.workspace.uri()
        );
        let post = test.http.post(url).header("authorization", token);
        let post = post.header("content-type", "application/json").body(format!("[{ROW}]"));
        assert_eq!(status(post).await, 401, "{token}");
    }
    assert_eq!(test.workspace.counters().rows, 0);
}

#[tokio::test]
async fn logs_ingestion_refuses_wrong_bodies() {
    let test = WorkspaceTest::new().await;
    for (body, expected) in [("", 500), ("[", 400), ("{}", 400), ("[1]", 400), ("[{}] x", 400)] {
        assert_eq!(status(test.ingestion().body(body)).await, expected, "{body}");
    }
    let zipped = |body: Vec<u8>| test.ingestion().header("content-encoding", "gzip").body(body);
    let mut cut = gzip(format!("[{ROW}]").as_bytes());
    cut.pop();
    assert_eq!(status(zipped(cut)).await, 400, "cut short");
    let mut more = gzip(format!("[{ROW}]").as_bytes());
    more.push(0);
    assert_eq!(status(zipped(more)).await, 400, "something after the end");
    assert_eq!(status(zipped(format!("[{ROW}]").into())).await, 400, "not compressed at all");
    let mut text = test.ingestion().body("[]").build().unwrap();
    text.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(soon(test.http.execute(text)).await.unwrap().status(), 415);
    let twice = test.ingestion().header("content-type", "application/json").body("[]");
    assert_eq!(status(twice).await, 415);
    let brotli = test.ingestion().header("content-encoding", "br").body("[]");
    assert_eq!(status(brotli).await, 400);
}

#[tokio::test]
async fn logs_ingestion_accepts_at_most_a_mebibyte() {
    let test = WorkspaceTest::new().await;
    let body = |length: usize| format!("[{ROW}{}]", " ".repeat(length - ROW.len() - 2));
    assert_eq!(status(test.ingestion().body(body(1_048_576))).await, 204);
    let answer = soon(test.ingestion().body(body(1_048_577)).send()).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.headers()["x-ms-error-code"], "ContentLengthLimitExceeded");
    assert!(soon(answer.text()).await.unwrap().contains("Provided content length: 1048577 bytes."));
}

#[tokio::test]
async fn silently_dropped_values_are_recorded() {
    let test = WorkspaceTest::new().await;
    let row = r#"{"TimeGenerated":"2026-11-20T06:00:00Z","surprise":1}"#;
    assert_eq!(status(test.ingestion().body(format!("[{row}]"))).await, 204);
    let violation = Violation {
        table: TABLE.to_owned(),
        column: "surprise".to_owned(),
        fault: ValueFault::UnknownColumn,
    };
    assert_eq!(test.workspace.violations(), [violation]);
    assert_eq!(test.workspace.counters().violations, 1);
}

#[tokio::test]
async fn data_collector_accepts_arrays_and_single_objects() {
    let test = WorkspaceTest::new().await;
    assert_eq!(test.collect(r#"[{"ts":"2026-11-20T06:00:00Z"},{}]"#, &[]).await, 200);
    let at = ("time-generated-field", "ts");
    assert_eq!(test.collect(r#"{"ts":"2026-11-20T06:00:00Z","ü":1}"#, &[at]).await, 400);
    assert_eq!(test.collect(r#"{"ts":"2026-11-20T06:00:00Z","s":"ü"}"#, &[at]).await, 200);
    assert_eq!(test.collect(r#"{"ts":"2026-11-18T06:00:00Z"}"#, &[at]).await, 200);
    assert_eq!(
        test.workspace.rows("ProofpointPOD_message_CL"),
        [
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z","ts":"2026-11-20T06:00:00Z"}"#,
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z"}"#,
            r#"{"TimeGenerated":"2026-11-20T06:00:00Z","ts":"2026-11-20T06:00:00Z","s":"ü"}"#,
            r#"{"TimeGenerated":"2026-11-20T12:05:00Z","ts":"2026-11-18T06:00:00Z"}"#,
        ]
    );
}

#[tokio::test]
async fn data_collector_refuses_wrong_headers() {
    let test = WorkspaceTest::new().await;
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
        assert_eq!(test.collect("[{}]", &[headers]).await, expected, "{headers:?}");
    }
    assert_eq!(test.collect_at("", "[{}]", &[]).await, 400);
    assert_eq!(test.collect_at("?api-version=2023-01-01", "[{}]", &[]).await, 400);
}

#[tokio::test]
async fn data_collector_refuses_wrong_bodies() {
    let test = WorkspaceTest::new().await;
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
        assert_eq!(test.collect(body, &[]).await, 400, "{body}");
    }
    let body = |length: usize| format!("[{{}}{}]", " ".repeat(length - 4));
    assert_eq!(test.collect(&body(30_000_000), &[]).await, 200);
    assert_eq!(test.collect(&body(30_000_001), &[]).await, 404);
    let row = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length));
    assert_eq!(test.collect(&row(32_768), &[]).await, 200);
    assert_eq!(test.workspace.violations(), []);
    assert_eq!(test.collect(&row(32_769), &[]).await, 200);
    assert_eq!(test.workspace.violations()[0].fault, ValueFault::TooLong(32_769));
}

#[tokio::test]
async fn injected_faults_come_in_order() {
    let test = WorkspaceTest::new().await;
    test.workspace.inject([
        PostFault::Reply(ApiResponse::throttled(3)),
        PostFault::ResetConnection,
        PostFault::AcceptThenReset,
    ]);
    let post = || test.ingestion().body(format!("[{ROW}]")).send();
    let throttled = soon(post()).await.unwrap();
    assert_eq!(
        (throttled.status().as_u16(), &throttled.headers()["retry-after"]),
        (429, &"3".parse().unwrap())
    );
    assert!(soon(post()).await.is_err());
    assert_eq!(test.workspace.counters().rows, 0);
    assert!(soon(post()).await.is_err());
    assert_eq!(test.workspace.counters().rows, 1);
    assert_eq!(soon(post()).await.unwrap().status(), 204);
    let counters = test.workspace.counters();
    assert_eq!((counters.posts, counters.resets, counters.rows), (4, 2, 2));
}

#[tokio::test]
async fn a_post_can_be_held() {
    let test = WorkspaceTest::new().await;
    let gate = ResponseGate::default();
    test.workspace.inject([PostFault::Hold(gate.clone())]);
    let held = tokio::spawn(test.ingestion().body(format!("[{ROW}]")).send());
    soon(test.workspace.wait_for(|counters| counters.in_flight == 1)).await;
    assert_eq!(status(test.ingestion().body(format!("[{ROW}]"))).await, 204);
    assert_eq!(test.workspace.counters().rows, 1);
    gate.open();
    assert_eq!(soon(held).await.unwrap().unwrap().status(), 204);
    assert_eq!(test.workspace.counters().most_in_flight, 2);
}

#[tokio::test]
async fn one_refused_row_fails_its_post() {
    let test = WorkspaceTest::new().await;
    test.workspace.refuse_rows(|row| row["guid"] == "bad");
    let bad = ROW.replace(r#""a""#, r#""bad""#);
    assert_eq!(status(test.ingestion().body(format!("[{ROW},{bad}]"))).await, 400);
    assert_eq!(status(test.ingestion().body(format!("[{ROW}]"))).await, 204);
    assert_eq!(test.workspace.counters().rows, 1);
}

#[tokio::test]
async fn rows_can_be_stored_in_files_or_only_counted() {
    let directory = tempfile::tempdir().unwrap();
    let test = WorkspaceTest::keeping(RowStorage::Directory(directory.path().to_owned())).await;
    let pretty = ROW.replace(',', ",\n  ");
    for body in [format!("[{ROW},{ROW}]"), format!("[{pretty}]")] {
        assert_eq!(status(test.ingestion().body(body)).await, 204);
    }
    let text = std::fs::read_to_string(directory.path().join(format!("{TABLE}.ndjson"))).unwrap();
    assert_eq!(text, format!("{ROW}\n{ROW}\n{ROW}\n"));

    let test = WorkspaceTest::keeping(RowStorage::CountOnly).await;
    assert_eq!(status(test.ingestion().body(format!("[{ROW},{ROW}]"))).await, 204);
    assert_eq!(test.workspace.counters().rows, 2);
    assert!(test.workspace.rows(TABLE).is_empty());
}
