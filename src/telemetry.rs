//! Traces and metrics by OTLP, for who has a collector of OpenTelemetry.
//!
//! A trace has the spans of the log, from the invocation, whose parent is the host's, down to hours and
//! sessions, with the lines of the log as their events. Metrics are sums of what runs did, by feed. What
//! can't be sent is dropped: telemetry never fails a run and never keeps one waiting.

mod metrics;
mod sender;

use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use crate::net::Net;
use crate::report::RunReport;
use crate::settings::TelemetrySettings;
use metrics::RunMetrics;
use sender::Sender;

/// What the program reports as, if no variable says otherwise.
const SERVICE: &str = "proofpoint-sentinel";

/// How long the last spans and metrics may take at the program's end.
const WIND_DOWN: Duration = Duration::from_secs(5);

/// What sends traces and metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    runs: RunMetrics,
}

impl Telemetry {
    /// Sends from now on, over connections of `net` and on the runtime that this is called on.
    ///
    /// # Errors
    /// If a variable of OpenTelemetry's can't be used.
    pub fn start(settings: &TelemetrySettings, net: &Net) -> Result<Telemetry, ExporterBuildError> {
        let sender = Sender::new(net.http.clone());
        let address =
            |path: &str| format!("{}/{path}", settings.endpoint.as_str().trim_end_matches('/'));
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(sender.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address("v1/traces"))
            .build()?;
        let sums = MetricExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address("v1/metrics"))
            .build()?;
        let resource = resource(settings);
        let mut traces = SdkTracerProvider::builder().with_resource(resource.clone());
        if !settings.has_sampler {
            // The host's parent is marked as sampled only if the host records traces itself.
            traces = traces.with_sampler(Sampler::AlwaysOn);
        }
        let metrics = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_periodic_exporter(sums)
            .build();
        Ok(Telemetry {
            traces: traces.with_batch_exporter(spans).build(),
            runs: RunMetrics::new(&metrics.meter(SERVICE)),
            metrics,
        })
    }

    /// What turns spans of the log into those of traces.
    pub fn tracer(&self) -> SdkTracer {
        self.traces.tracer(SERVICE)
    }

    /// Adds what a run did, and sends it. Does not wait for that.
    pub fn note_run(&self, report: &RunReport) {
        self.runs.note(report);
        let metrics = self.metrics.clone();
        tokio::task::spawn_blocking(move || metrics.force_flush());
    }

    /// Sends what is left, for five seconds at most.
    pub async fn shut_down(self) {
        let rest = tokio::task::spawn_blocking(move || {
            // What can't be sent is dropped.
            let _: Result<_, _> = self.traces.shutdown_with_timeout(WIND_DOWN);
            let _: Result<_, _> = self.metrics.shutdown_with_timeout(WIND_DOWN);
        });
        let _: Result<_, _> = tokio::time::timeout(WIND_DOWN, rest).await;
    }
}

fn resource(settings: &TelemetrySettings) -> Resource {
    let resource = Resource::builder()
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    match settings.is_named {
        true => resource.build(),
        false => resource.with_service_name(SERVICE).build(),
    }
}

/// The span that the sender of a request with these headers was in (W3C Trace Context).
pub fn parent_span(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract(&HeaderExtractor(headers))
}
