//! A stand-in for a Log Analytics workspace: the Logs Ingestion API and the older HTTP Data
//! Collector API, on loopback without TLS.
//!
//! It refuses what the real ones refuse. What they accept and then cut or drop in silence is
//! accepted here as well, and put on record as a [`Violation`].

mod answer;
mod collector;
mod counters;
mod ingestion;
mod rows;
mod script;
mod store;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use serde_json::value::RawValue;

use super::identity::Tokens;
use super::serve::{Scissors, Server};
use super::watched::Watched;

pub use answer::Answer;
pub use counters::WorkspaceCounters;
pub use rows::{ValueFault, Violation};
pub use script::{Gate, Script};

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::secret::Secret;
use store::Store;

/// No body longer than this is read.
const READ_AT_MOST: usize = 64 * 1024 * 1024;

/// Where accepted rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Into memory, for [`Workspace::rows`].
    Memory,
    /// Into `<directory>/<table>.ndjson`. The directory must exist.
    Directory(PathBuf),
    /// Nowhere. Rows are counted, but neither checked nor tested, which is much cheaper.
    Count,
}

/// What the simulated workspace is and knows.
#[derive(Clone, Debug)]
pub struct WorkspaceSettings {
    /// Decides how old a signature is, and the time of receipt.
    pub clock: Clock,
    /// Where rows go.
    pub keep: Keep,
    /// The tokens that open the Logs Ingestion API.
    pub tokens: Tokens,
    /// What they must have been issued for.
    pub audience: String,
    /// The one data collection rule.
    pub dcr_immutable_id: String,
    /// Workspace id of the Data Collector API.
    pub workspace_id: String,
    /// Its key, base64.
    pub workspace_key: Secret,
}

impl WorkspaceSettings {
    /// A workspace of the public cloud with made-up ids.
    pub fn new(clock: Clock, tokens: Tokens) -> WorkspaceSettings {
        WorkspaceSettings {
            clock,
            keep: Keep::Memory,
            tokens,
            audience: "https://monitor.azure.com".to_owned(),
            dcr_immutable_id: "dcr-0123456789abcdef0123456789abcdef".to_owned(),
            workspace_id: "55555555-0000-4000-8000-000000000005".to_owned(),
            workspace_key: Secret::new("c2ltdWxhdGVkIHdvcmtzcGFjZSBrZXkgb2YgMzIgYg=="),
        }
    }
}

/// The simulated workspace. Its server ends when this is dropped.
pub struct Workspace {
    server: Server,
    shared: Arc<Shared>,
}

type RowTest = Box<dyn Fn(&Value) -> bool + Send + Sync>;

struct Shared {
    settings: WorkspaceSettings,
    store: Store,
    script: Mutex<VecDeque<Script>>,
    refused: Mutex<Option<RowTest>>,
    counters: Watched<WorkspaceCounters>,
}

/// A post that is in order.
struct Accepted {
    table: String,
    count: usize,
    rows: Vec<String>,
    violations: Vec<Violation>,
    raw_bytes: usize,
}

impl Accepted {
    fn new(table: &str, raw_bytes: usize) -> Accepted {
        let table = table.to_owned();
        Accepted { table, count: 0, rows: Vec::new(), violations: Vec::new(), raw_bytes }
    }

    fn push(&mut self, row: String) {
        self.count += 1;
        self.rows.push(row);
    }
}

impl Workspace {
    /// Starts to listen on a free port of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(settings: WorkspaceSettings) -> io::Result<Workspace> {
        let shared = Arc::new(Shared {
            store: Store::new(settings.keep.clone()),
            settings,
            script: Mutex::default(),
            refused: Mutex::default(),
            counters: Watched::new(WorkspaceCounters::default()),
        });
        let router = Router::new()
            .route("/dataCollectionRules/{dcr}/streams/{stream}", post(ingest))
            .route("/api/logs", post(collect))
            .with_state(Arc::clone(&shared));
        Ok(Workspace { server: Server::plain(router).await?, shared })
    }

    /// `http://127.0.0.1:<port>`: the endpoint of either API.
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// What it is and knows.
    pub fn settings(&self) -> &WorkspaceSettings {
        &self.shared.settings
    }

    /// Appends to what happens to the next posts that are otherwise in order, one after the other.
    pub fn script(&self, script: impl IntoIterator<Item = Script>) {
        lock(&self.shared.script).extend(script);
    }

    /// From now on a post with a row for which `test` is true gets 400.
    pub fn refuse_rows(&self, test: impl Fn(&Value) -> bool + Send + Sync + 'static) {
        *lock(&self.shared.refused) = Some(Box::new(test));
    }

    /// The rows of `table` (with `_CL`) that are kept in memory, each as it was sent.
    pub fn rows(&self, table: &str) -> Vec<String> {
        self.rows_with_posts(table).into_iter().map(|(_, row)| row).collect()
    }

    /// As [`rows`](Self::rows), each with the number of the post that brought it. Posts whose rows
    /// were kept are numbered from 1, for all tables together.
    pub fn rows_with_posts(&self, table: &str) -> Vec<(u64, String)> {
        self.shared.store.rows(table)
    }

    /// What the real workspace would have cut or dropped; the first thousand.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.store.violations()
    }

    /// What has happened so far.
    pub fn counters(&self) -> WorkspaceCounters {
        self.shared.counters.get()
    }

    /// Waits until the counters are as `wanted`.
    pub async fn wait_for(
        &self,
        wanted: impl FnMut(&WorkspaceCounters) -> bool,
    ) -> WorkspaceCounters {
        self.shared.counters.wait_for(wanted).await
    }
}

async fn ingest(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((dcr, stream)): Path<(String, String)>,
    request: Request,
) -> Response {
    let check =
        |request: &Parts, body: &[u8]| ingestion::check(&shared, &dcr, &stream, request, body);
    shared.receive(request, scissors, Answer::status(204), check).await
}

async fn collect(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    let check = |request: &Parts, body: &[u8]| collector::check(&shared, request, body);
    shared.receive(request, scissors, Answer::status(200), check).await
}

impl Shared {
    async fn receive(
        &self,
        request: Request,
        scissors: Scissors,
        success: Answer,
        check: impl Fn(&Parts, &[u8]) -> Result<Accepted, Answer>,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, READ_AT_MOST).await else {
            return Answer::status(413).into_response();
        };
        let _in_flight = InFlight::new(&self.counters, body.len());
        let answer = match check(&parts, &body) {
            Ok(accepted) => self.perform(accepted, success).await,
            Err(answer) => Some(answer),
        };
        let Some(answer) = answer else {
            self.counters.update(|counters| counters.resets += 1);
            scissors.cut();
            return Answer::status(500).into_response();
        };
        self.counters.update(|counters| *counters.statuses.entry(answer.status).or_default() += 1);
        answer.into_response()
    }

    /// Lets the script have its way with the post; `None` stands for a reset connection.
    async fn perform(&self, accepted: Accepted, success: Answer) -> Option<Answer> {
        if self.is_refused(&accepted) {
            return Some(Answer::error(400, "InvalidPayload", "A row is refused"));
        }
        let script = lock(&self.script).pop_front();
        match script {
            Some(Script::Reply(answer)) => return Some(answer),
            Some(Script::ResetConnection) => return None,
            Some(Script::Hold(ref gate)) => gate.opened().await,
            Some(Script::AcceptThenReset) | None => {}
        }
        if let Err(error) = self.store.add(&accepted.table, &accepted.rows) {
            return Some(Answer::error(500, "InternalServerError", &error.to_string()));
        }
        self.count(&accepted);
        self.store.add_violations(accepted.violations);
        (!matches!(script, Some(Script::AcceptThenReset))).then_some(success)
    }

    fn is_refused(&self, accepted: &Accepted) -> bool {
        lock(&self.refused).as_ref().is_some_and(|test| {
            accepted.rows.iter().any(|row| serde_json::from_str(row).is_ok_and(|row| test(&row)))
        })
    }

    fn count(&self, accepted: &Accepted) {
        let rows = accepted.count as u64;
        self.counters.update(|counters| {
            counters.rows += rows;
            *counters.tables.entry(accepted.table.clone()).or_default() += rows;
            counters.raw_bytes += accepted.raw_bytes as u64;
            counters.violations += accepted.violations.len() as u64;
        });
    }
}

/// Counts a post while it waits for its answer, also where the client does not wait with it.
struct InFlight<'a>(&'a Watched<WorkspaceCounters>);

impl<'a> InFlight<'a> {
    fn new(counters: &'a Watched<WorkspaceCounters>, bytes: usize) -> InFlight<'a> {
        counters.update(|counters| {
            counters.posts += 1;
            counters.wire_bytes += bytes as u64;
            counters.in_flight += 1;
            counters.most_in_flight = counters.most_in_flight.max(counters.in_flight);
        });
        InFlight(counters)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.update(|counters| counters.in_flight -= 1);
    }
}

/// A header's value; empty where it is absent, repeated or no text.
fn header<'a>(request: &'a Parts, name: &str) -> &'a str {
    let mut values = request.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

/// The row without line breaks between its tokens, as it was sent where it has none.
fn one_line(row: &RawValue) -> String {
    if row.get().contains(['\n', '\r']) {
        let value: Value = serde_json::from_str(row.get()).unwrap_or_default();
        return value.to_string();
    }
    row.get().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of the script panics")
}

#[cfg(test)]
mod tests;
