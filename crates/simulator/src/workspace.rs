//! Simulates a Log Analytics workspace: the Logs Ingestion API and the older HTTP Data Collector
//! API, on loopback without TLS.
//!
//! It refuses what the real APIs refuse. Values that they accept but truncate or drop silently are
//! accepted here too, and recorded as a [`Violation`].

mod api_response;
mod counters;
mod data_collector;
mod logs_ingestion;
mod post;
mod post_fault;
mod row_store;
mod rows;
mod settings;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use crate::http_server::{ConnectionAborter, HttpServer};
use crate::watch_cell::WatchCell;

pub use api_response::ApiResponse;
pub use counters::WorkspaceCounters;
pub use post_fault::{PostFault, ResponseGate};
pub use rows::{ValueFault, Violation};
pub use settings::{RowStorage, WorkspaceSettings};

use post::AcceptedPost;
use row_store::RowStore;

/// The longest body that is read.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The simulated workspace. Dropping it stops its server.
pub struct Workspace {
    server: HttpServer,
    shared: Arc<Shared>,
}

type RowTest = Box<dyn Fn(&Value) -> bool + Send + Sync>;

struct Shared {
    settings: WorkspaceSettings,
    row_store: RowStore,
    faults: Mutex<VecDeque<PostFault>>,
    refused: Mutex<Option<RowTest>>,
    /// Streams that the rule does not declare.
    missing_streams: Mutex<BTreeSet<String>>,
    counters: WatchCell<WorkspaceCounters>,
}

impl Workspace {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(settings: WorkspaceSettings) -> io::Result<Workspace> {
        let shared = Arc::new(Shared {
            row_store: RowStore::new(settings.row_storage.clone()),
            settings,
            faults: Mutex::default(),
            refused: Mutex::default(),
            missing_streams: Mutex::default(),
            counters: WatchCell::new(WorkspaceCounters::default()),
        });
        let router = Router::new()
            .route("/dataCollectionRules/{dcr}/streams/{stream}", post(receive_logs_ingestion))
            .route("/api/logs", post(receive_data_collector))
            .with_state(Arc::clone(&shared));
        Ok(Workspace { server: HttpServer::plain(router).await?, shared })
    }

    /// The endpoint of both APIs: `http://127.0.0.1:<port>`.
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// Its settings.
    pub fn settings(&self) -> &WorkspaceSettings {
        &self.shared.settings
    }

    /// Adds faults for the next valid posts. Each fault affects one post.
    pub fn inject(&self, faults: impl IntoIterator<Item = PostFault>) {
        lock(&self.shared.faults).extend(faults);
    }

    /// Takes back the faults that no post has met yet.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// From now on, answers 400 to a post that has a row for which `test` is true.
    pub fn refuse_rows(&self, test: impl Fn(&Value) -> bool + Send + Sync + 'static) {
        *lock(&self.shared.refused) = Some(Box::new(test));
    }

    /// From now on, the data collection rule does not declare `stream`, as that of an older deployment.
    pub fn remove_stream(&self, stream: &str) {
        lock(&self.shared.missing_streams).insert(stream.to_owned());
    }

    /// From now on, the rule declares all streams.
    pub fn restore_streams(&self) {
        lock(&self.shared.missing_streams).clear();
    }

    /// The rows of `table` (with `_CL`) that are stored in memory, as they were sent.
    pub fn rows(&self, table: &str) -> Vec<String> {
        self.rows_with_posts(table).into_iter().map(|(_, row)| row).collect()
    }

    /// As [`rows`](Self::rows), each with the number of its post. Posts whose rows were stored are
    /// numbered from 1, across all tables.
    pub fn rows_with_posts(&self, table: &str) -> Vec<(u64, String)> {
        self.shared.row_store.rows(table)
    }

    /// Values that the real workspace would have truncated or dropped: the first thousand.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.row_store.violations()
    }

    /// The current counters.
    pub fn counters(&self) -> WorkspaceCounters {
        self.shared.counters.get()
    }

    /// Waits until `condition` is true for the counters.
    pub async fn wait_for(
        &self,
        condition: impl FnMut(&WorkspaceCounters) -> bool,
    ) -> WorkspaceCounters {
        self.shared.counters.wait_for(condition).await
    }
}

async fn receive_logs_ingestion(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(aborter): ConnectInfo<ConnectionAborter>,
    Path((dcr, stream)): Path<(String, String)>,
    request: Request,
) -> Response {
    let check = |request: &Parts, body: &[u8]| {
        let is_missing = lock(&shared.missing_streams).contains(&stream);
        let stream = if is_missing { "" } else { &stream };
        logs_ingestion::check(&shared.settings, &dcr, stream, request, body)
    };
    shared.receive(request, aborter, ApiResponse::status(204), check).await
}

async fn receive_data_collector(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(aborter): ConnectInfo<ConnectionAborter>,
    request: Request,
) -> Response {
    let check =
        |request: &Parts, body: &[u8]| data_collector::check(&shared.settings, request, body);
    shared.receive(request, aborter, ApiResponse::status(200), check).await
}

impl Shared {
    async fn receive(
        &self,
        request: Request,
        aborter: ConnectionAborter,
        success: ApiResponse,
        check: impl Fn(&Parts, &[u8]) -> Result<AcceptedPost, ApiResponse>,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return ApiResponse::status(413).into_response();
        };
        let _in_flight = InFlight::new(&self.counters, body.len());
        let answer = match check(&parts, &body) {
            Ok(accepted) => self.store(accepted, success).await,
            Err(answer) => Some(answer),
        };
        let Some(answer) = answer else {
            self.counters.update(|counters| counters.resets += 1);
            aborter.abort();
            return ApiResponse::status(500).into_response();
        };
        self.counters.update(|counters| *counters.statuses.entry(answer.status).or_default() += 1);
        answer.into_response()
    }

    /// Stores the rows of a post, unless a fault prevents that. `None` stands for a reset connection.
    async fn store(&self, accepted: AcceptedPost, success: ApiResponse) -> Option<ApiResponse> {
        if self.is_refused(&accepted) {
            return Some(ApiResponse::error(400, "InvalidPayload", "A row is refused"));
        }
        let fault = lock(&self.faults).pop_front();
        match fault {
            Some(PostFault::Reply(answer)) => return Some(answer),
            Some(PostFault::ResetConnection) => return None,
            Some(PostFault::Hold(ref gate)) => gate.wait_until_open().await,
            Some(PostFault::AcceptThenReset) | None => {}
        }
        if let Err(error) = self.row_store.add(&accepted.table, &accepted.rows) {
            return Some(ApiResponse::error(500, "InternalServerError", &error.to_string()));
        }
        self.count(&accepted);
        self.row_store.add_violations(accepted.violations);
        (!matches!(fault, Some(PostFault::AcceptThenReset))).then_some(success)
    }

    fn is_refused(&self, accepted: &AcceptedPost) -> bool {
        lock(&self.refused).as_ref().is_some_and(|test| {
            accepted.rows.iter().any(|row| serde_json::from_str(row).is_ok_and(|row| test(&row)))
        })
    }

    fn count(&self, accepted: &AcceptedPost) {
        let rows = accepted.count as u64;
        self.counters.update(|counters| {
            counters.rows += rows;
            *counters.tables.entry(accepted.table.clone()).or_default() += rows;
            counters.raw_bytes += accepted.raw_bytes as u64;
            counters.violations += accepted.violations.len() as u64;
        });
    }
}

/// Counts a post as in flight until its answer, even if the client stops waiting for it.
struct InFlight<'a>(&'a WatchCell<WorkspaceCounters>);

impl<'a> InFlight<'a> {
    fn new(counters: &'a WatchCell<WorkspaceCounters>, bytes: usize) -> InFlight<'a> {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of the lock panics")
}

#[cfg(test)]
mod tests;
