//! Answers calls: the checks of the real API in their order, then the records.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use crate::http_server::ConnectionAborter;
use crate::watch_cell::WatchCell;

use super::body::{self, RecordArray};
use super::budget::CallBudget;
use super::call_fault::CallFault;
use super::counters::{TapCall, TapCounters};
use super::endpoint::Endpoint;
use super::fault_queues::FaultQueues;
use super::query::{Format, TapQuery};
use super::record::TapRecord;
use super::reorder::reordered;
use super::response::TapResponse;
use super::settings::{TapCredential, TapSettings};
use super::{syslog, transfer};

/// How many calls are remembered: the last ones.
const REMEMBERED_CALLS: usize = 20_000;

/// The state that all connections share.
pub(super) struct TapServer {
    pub settings: TapSettings,
    pub budget: CallBudget,
    pub fault_queues: FaultQueues,
    pub counters: Arc<WatchCell<TapCounters>>,
    calls: Mutex<Vec<TapCall>>,
    /// Seeds the order of arrays, so that it differs from call to call.
    order: AtomicU64,
}

/// What a request gets.
enum Answer {
    Response(Response),
    Reset,
    /// Nothing, as long as the client waits.
    Never,
}

/// Answers a request.
pub(super) async fn receive(
    State(server): State<Arc<TapServer>>,
    ConnectInfo(aborter): ConnectInfo<ConnectionAborter>,
    request: Request,
) -> Response {
    let answer = match server.admit(&request) {
        Ok((endpoint, credential)) => server.call(endpoint, credential, &request),
        Err(refusal) => Answer::Response(refusal.to_http()),
    };
    match answer {
        Answer::Response(response) => {
            let status = response.status().as_u16();
            server.counters.update(|all| *all.statuses.entry(status).or_default() += 1);
            response
        }
        Answer::Reset => {
            server.counters.update(|all| all.resets += 1);
            aborter.abort();
            TapResponse::new(500, "").to_http()
        }
        Answer::Never => std::future::pending().await,
    }
}

impl TapServer {
    pub(super) fn new(settings: TapSettings) -> TapServer {
        TapServer {
            settings,
            budget: CallBudget::default(),
            fault_queues: FaultQueues::default(),
            counters: Arc::new(WatchCell::new(TapCounters::default())),
            calls: Mutex::default(),
            order: AtomicU64::new(0),
        }
    }

    /// The calls so far, at least the last of them.
    pub(super) fn calls(&self) -> Vec<TapCall> {
        self.lock_calls().clone()
    }

    /// The end point and the credential of a request that may be answered.
    fn admit(&self, request: &Request) -> Result<(Endpoint, &TapCredential), TapResponse> {
        let endpoint =
            Endpoint::at(request.uri().path()).ok_or_else(|| TapResponse::new(404, ""))?;
        if request.method() != Method::GET {
            return Err(TapResponse::new(405, "").with_header("allow", "GET"));
        }
        let credential = self.credential(request).ok_or_else(TapResponse::unauthorized)?;
        Ok((endpoint, credential))
    }

    fn credential(&self, request: &Request) -> Option<&TapCredential> {
        let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, encoded) = header.split_once(' ')?;
        let decoded = STANDARD.decode(encoded.trim()).ok()?;
        let (principal, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        let mut known = self.settings.credentials.iter();
        known.find(|own| {
            scheme.eq_ignore_ascii_case("basic")
                && own.principal == principal
                && own.secret.reveal() == secret
        })
    }

    /// Answers a call and remembers it.
    fn call(&self, endpoint: Endpoint, credential: &TapCredential, request: &Request) -> Answer {
        let now = self.settings.clock.now();
        let text = request.uri().query().unwrap_or_default();
        let lookback = self.settings.lookback;
        let query =
            self.count(endpoint, credential).and_then(|()| TapQuery::read(text, now, lookback));
        let window = query.as_ref().ok().map(|query| query.window.clone());
        let answer = match query {
            Ok(query) => self.answer(endpoint, &credential.principal, &query),
            Err(refusal) => Answer::Response(refusal.to_http()),
        };
        let status = match &answer {
            Answer::Response(response) => Some(response.status().as_u16()),
            Answer::Reset | Answer::Never => None,
        };
        self.remember(TapCall {
            at: now,
            principal: credential.principal.clone(),
            endpoint,
            query: text.to_owned(),
            window,
            status,
        });
        answer
    }

    /// Counts a call, unless the API is not enabled or the pool is used up.
    fn count(&self, endpoint: Endpoint, credential: &TapCredential) -> Result<(), TapResponse> {
        if !credential.enabled {
            return Err(TapResponse::forbidden());
        }
        let now = self.settings.clock.now();
        let limit = self.settings.calls_per_day;
        match self.budget.take(&credential.principal, endpoint.pool(), now, limit) {
            true => Ok(()),
            false => Err(TapResponse::throttled()),
        }
    }

    fn answer(&self, endpoint: Endpoint, principal: &str, query: &TapQuery) -> Answer {
        self.counters.update(|all| *all.calls.entry(endpoint).or_default() += 1);
        let fault = self.fault_queues.take(principal, &query.window);
        match fault {
            Some(CallFault::Reset) => return Answer::Reset,
            Some(CallFault::Hang) => return Answer::Never,
            Some(CallFault::Reply(response)) => return Answer::Response(response.to_http()),
            _ => {}
        }
        let arrays = self.arrays(endpoint, principal, query);
        Answer::Response(match query.format {
            Format::Json => self.json(query, arrays, fault),
            Format::Syslog => self.syslog(arrays),
        })
    }

    /// The records that a call selects, by kind.
    fn arrays(&self, endpoint: Endpoint, principal: &str, query: &TapQuery) -> Vec<RecordArray> {
        let now = self.settings.clock.now();
        let mut records = self.settings.source.records(principal, &query.window, now);
        records.retain(|record| query.selects(record));
        if self.settings.reorders {
            let mut rng = SmallRng::seed_from_u64(self.order.fetch_add(1, Relaxed));
            records.shuffle(&mut rng);
            for record in &mut records {
                record.body = reordered(&record.body, &mut rng);
            }
        }
        let of_kind = |kind| {
            let own = records.iter().filter(move |record| record.kind == kind);
            (kind, own.cloned().collect())
        };
        endpoint.kinds().map(of_kind).collect()
    }

    fn json(
        &self,
        query: &TapQuery,
        arrays: Vec<RecordArray>,
        fault: Option<CallFault>,
    ) -> Response {
        let parts = body::json_parts(&query.window, arrays, fault.as_ref());
        let chunks = transfer::chunks(parts, fault, Arc::clone(&self.counters));
        response("application/json;charset=utf-8", Body::from_stream(chunks))
    }

    fn syslog(&self, arrays: Vec<RecordArray>) -> Response {
        let records: Vec<TapRecord> = arrays.into_iter().flat_map(|(_, records)| records).collect();
        if records.is_empty() {
            return TapResponse::new(204, "").to_http();
        }
        let lines = records.into_iter().map(|record| io::Result::Ok(syslog::line(&record)));
        let lines = futures_util::stream::iter(lines);
        response("text/plain;charset=utf-8", Body::from_stream(lines))
    }

    fn remember(&self, call: TapCall) {
        let mut calls = self.lock_calls();
        if calls.len() == REMEMBERED_CALLS {
            calls.drain(..REMEMBERED_CALLS / 2);
        }
        calls.push(call);
    }

    fn lock_calls(&self) -> MutexGuard<'_, Vec<TapCall>> {
        self.calls.lock().expect("no holder of the calls panics")
    }
}

fn response(content_type: &'static str, body: Body) -> Response {
    Response::builder()
        .header("content-type", content_type)
        .body(body)
        .expect("a content type is a valid header")
}
