//! Traces and metrics, as a collector of OpenTelemetry receives them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use hyper::http::{Method, Request};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use proofpoint_sentinel_simulator::DestinationApi;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::app::{App, succeed};
use crate::cli::services::{TestServices, feeds};
use crate::soon;
use crate::support::http;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// What a collector received.
#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    /// Of each sum, the newest value by its attributes.
    sums: BTreeMap<String, BTreeMap<BTreeSet<(String, String)>, i64>>,
    services: BTreeSet<String>,
    keys: BTreeSet<String>,
    refused: usize,
}

/// A collector of OpenTelemetry, which takes OTLP over HTTP.
struct Collector {
    received: Mutex<Received>,
    changed: Notify,
    refuses: bool,
}

impl Collector {
    async fn start(refuses: bool) -> (Arc<Collector>, SocketAddr) {
        let collector =
            Arc::new(Collector { received: Mutex::default(), changed: Notify::new(), refuses });
        let routes = Router::new()
            .route("/otlp/v1/traces", post(take_traces))
            .route("/otlp/v1/metrics", post(take_metrics))
            .with_state(collector.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (collector, address)
    }

    fn take(&self, headers: &HeaderMap, note: impl FnOnce(&mut Received)) -> StatusCode {
        let mut received = self.received.lock().unwrap();
        let key = headers.get("x-key").map(|key| key.to_str().unwrap().to_owned());
        received.keys.extend(key);
        if self.refuses {
            received.refused += 1;
        } else {
            note(&mut received);
        }
        self.changed.notify_one();
        if self.refuses { StatusCode::FORBIDDEN } else { StatusCode::OK }
    }

    async fn wait_for<T>(&self, event: impl Fn(&Received) -> Option<T>) -> T {
        let seen = async {
            loop {
                if let Some(seen) = event(&self.received.lock().unwrap()) {
                    return seen;
                }
                self.changed.notified().await;
            }
        };
        soon(seen).await
    }
}

async fn take_traces(
    State(to): State<Arc<Collector>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).expect("it is protobuf");
    to.take(&headers, |received| {
        for of_service in request.resource_spans {
            let attributes = of_service.resource.expect("it says who sends").attributes;
            received.services.extend(texts(&attributes).remove("service.name"));
            let scopes = of_service.scope_spans.into_iter();
            received.spans.extend(scopes.flat_map(|scope| scope.spans));
        }
    })
}

async fn take_metrics(
    State(to): State<Arc<Collector>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let request = ExportMetricsServiceRequest::decode(body).expect("it is protobuf");
    let scopes =
        request.resource_metrics.into_iter().flat_map(|of_service| of_service.scope_metrics);
    to.take(&headers, |received| {
        for metric in scopes.flat_map(|scope| scope.metrics) {
            let Some(metric::Data::Sum(sum)) = metric.data else { continue };
            for point in sum.data_points {
                let Some(number_data_point::Value::AsInt(value)) = point.value else { continue };
                let attributes = texts(&point.attributes).into_iter().collect();
                received.sums.entry(metric.name.clone()).or_default().insert(attributes, value);
            }
        }
    })
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some((attribute.key.clone(), text.clone())),
        _ => None,
    };
    attributes.iter().filter_map(text).collect()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with_collector(services: &TestServices, address: SocketAddr) -> Vec<(String, String)> {
    let more = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}/otlp/")),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k%3D1".to_owned()),
    ];
    let more = more.map(|(name, value)| (name.to_owned(), value));
    services.settings(DestinationApi::LogsIngestion).into_iter().chain(more).collect()
}

#[tokio::test]
async fn a_run_is_a_trace_below_the_hosts_and_counts() {
    let services = TestServices::new(&[5, 7], None).await;
    let (collector, address) = Collector::start(false).await;
    let app = App::new();
    let host = app.host(with_collector(&services, address)).await;
    let tick = r#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"ProofpointPOD"}}}"#;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/ProofpointPOD", host.base_url()))
        // As the host sends it if it records nothing itself.
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    assert_eq!(soon(http::send_plain(request, tick)).await.status(), StatusCode::OK);

    let invocation = collector
        .wait_for(|received| received.spans.iter().find(|span| span.name == "invocation").cloned())
        .await;
    assert_eq!(
        (hex(&invocation.trace_id), hex(&invocation.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    for feed in feeds().map(|feed| feed.to_string()) {
        let of_feed = collector
            .wait_for(|received| {
                let is_it = |span: &&Span| texts(&span.attributes).get("feed") == Some(&feed);
                received.spans.iter().find(is_it).cloned()
            })
            .await;
        assert_eq!((of_feed.name.as_str(), hex(&of_feed.trace_id)), ("feed", TRACE.into()));
        let rows = collector
            .wait_for(|received| {
                let sums = received.sums.get("proofpoint.feed.rows")?;
                sums.get(&[("feed".to_owned(), feed.clone())].into()).copied()
            })
            .await;
        assert_eq!(rows, 12, "{feed}");
    }
    let received = collector.received.lock().unwrap();
    assert!(received.spans.iter().any(|span| span.name == "hour"));
    assert_eq!(received.services, BTreeSet::from(["proofpoint-sentinel".to_owned()]));
    assert_eq!(received.keys, BTreeSet::from(["k=1".to_owned()]));
}

#[tokio::test]
async fn a_collector_that_refuses_costs_one_warning() {
    let services = TestServices::new(&[5, 7], None).await;
    let (collector, address) = Collector::start(true).await;
    let app = App::new();
    let host = app.host(with_collector(&services, address)).await;
    for _ in 0..2 {
        succeed(&host).await;
    }
    services.assert_delivered_once(&services.hours);
    collector.wait_for(|received| (received.refused >= 2).then_some(())).await;
    let warnings = || host.lines().iter().filter(|line| line.text.contains("PPS7006")).count();
    assert_eq!(warnings(), 1, "{:#?}", host.lines());
}

#[tokio::test]
async fn a_bad_endpoint_costs_telemetry_alone() {
    let services = TestServices::new(&[5, 7], None).await;
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "grpc://nowhere".to_owned());
    let settings = services.settings(DestinationApi::LogsIngestion).into_iter().chain([endpoint]);
    let app = App::new();
    let host = app.host(settings).await;
    succeed(&host).await;
    services.assert_delivered_once(&services.hours);
    let lines = host.lines();
    let warning = lines.iter().find(|line| line.text.contains("PPS7006")).expect("it is told");
    assert!(
        warning.text.contains("OTEL_EXPORTER_OTLP_ENDPOINT: found `grpc://nowhere`"),
        "{warning:?}"
    );
}
