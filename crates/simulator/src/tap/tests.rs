//! Tests over real sockets and real TLS, with a client that shares no code with the connector.

mod budget;
mod faults;
mod records;
mod requests;

use jiff::SignedDuration;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tap_kind::TapKind;
use serde_json::Value;

use super::*;
use crate::test_util::TestClient;

const PRINCIPAL: &str = "a-principal";
const SECRET: &str = "a:secret";

/// The window of the hour before the clock's.
const HOUR: &str = "interval=2026-11-20T10:00:00Z/2026-11-20T11:00:00Z&format=json";

/// A SIEM API with one credential, and a client that trusts it. The clock stands at noon.
struct TapTest {
    tap: Tap,
    client: TestClient,
    clock: Clock,
    source: InMemoryRecords,
}

impl TapTest {
    async fn new() -> TapTest {
        TapTest::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(TapSettings) -> TapSettings) -> TapTest {
        let authority = CertificateAuthority::new().unwrap();
        let clock = Clock::held(at("12:00:00"));
        let source = InMemoryRecords::default();
        let credential = TapCredential::new(PRINCIPAL, SECRET);
        let settings = TapSettings::new(clock.clone(), vec![credential], Arc::new(source.clone()));
        let tap = Tap::start(&authority, change(settings)).await.unwrap();
        TapTest { tap, client: TestClient::trusting(authority.pem()), clock, source }
    }

    /// A record of `kind` with the name `id` that is created and indexed at `time`.
    fn add(&self, kind: TapKind, id: &str, time: &str) {
        self.add_record(record(kind, id, time));
    }

    fn add_record(&self, record: TapRecord) {
        self.source.add(PRINCIPAL, [record]);
    }

    fn request(&self, path: &str, query: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}?{query}", self.tap.uri().as_str().trim_end_matches('/'));
        self.client.http.get(url)
    }

    /// The answer to a call with the right credential.
    async fn call(&self, path: &str, query: &str) -> reqwest::Response {
        let request = self.request(path, query).basic_auth(PRINCIPAL, Some(SECRET));
        request.send().await.unwrap()
    }

    async fn json(&self, path: &str, query: &str) -> Value {
        let answer = self.call(path, query).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json;charset=utf-8");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Status and body.
    async fn answer(&self, path: &str, query: &str) -> (u16, String) {
        let answer = self.call(path, query).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A time on the day of the test.
fn at(time: &str) -> Timestamp {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

fn record(kind: TapKind, id: &str, time: &str) -> TapRecord {
    TapRecord::new(kind, at(time), format!("{{\"id\":\"{id}\"}}"))
}

/// The ids in an array of an answer, sorted.
fn ids(answer: &Value, kind: TapKind) -> Vec<String> {
    let records = answer[kind.as_str()].as_array().unwrap();
    let mut ids: Vec<String> =
        records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}
