//! Where the program's own log goes.

mod host_output;

use proofpoint_sentinel::error_code;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{NetSettings, Settings, TelemetrySettings, Vars};
use proofpoint_sentinel::telemetry::Telemetry;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

use super::terminal::is_coloured;
use host_output::HostOutput;

/// As [`for_host`], and starts what sends traces and metrics if settings ask for it.
pub(super) fn for_host_with_telemetry(vars: &Vars) -> Option<Telemetry> {
    let telemetry = telemetry(vars);
    for_host(telemetry.as_ref().ok().and_then(Option::as_ref));
    telemetry.unwrap_or_else(|reason| {
        tracing::warn!(code = %error_code::TELEMETRY_NOT_SENT, reason, "traces and metrics are not sent");
        None
    })
}

/// What sends traces and metrics, if settings ask for it; or why it can't.
fn telemetry(vars: &Vars) -> Result<Option<Telemetry>, String> {
    let Some(settings) = TelemetrySettings::read(vars).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let net = NetSettings::read(vars).map_err(|error| error.to_string())?;
    let net = Net::of(&net).map_err(|error| error.to_string())?;
    Telemetry::start(&settings, &net).map(Some).map_err(|error| error.to_string())
}

/// For who keeps logs, such as the Functions host: JSON lines, errors and warnings to standard error and the rest to standard
/// output. Spans go to `telemetry` too, and what is logged within them.
fn for_host(telemetry: Option<&Telemetry>) {
    let traces = telemetry.map(|telemetry| {
        tracing_opentelemetry::layer().with_location(false).with_tracer(telemetry.tracer())
    });
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_env_filter(filter("info"))
        .with_writer(HostOutput)
        .finish()
        .with(traces)
        .with(filter_fn(is_harmless))
        .init();
}

/// In a terminal: what needs attention, on standard error.
pub(super) fn for_terminal() {
    to_terminal("warn");
}

/// In a terminal, for a command that says itself what needs attention.
pub(super) fn errors_for_terminal() {
    to_terminal("error");
}

fn to_terminal(default: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .with_target(false)
        .with_ansi(is_coloured(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .finish()
        .with(filter_fn(is_harmless))
        .init();
}

/// A warning for each setting that has not the effect that its name or its value says.
pub(super) fn warn_of_settings(settings: &Settings) {
    for notice in &settings.replaced {
        tracing::warn!(code = %error_code::SETTING_REPLACED, "{notice}");
    }
    for name in &settings.unknown {
        tracing::warn!(code = %error_code::SETTING_UNKNOWN, "the setting {name} is not known, and has no effect");
    }
}

/// `RUST_LOG`, or `default` for this program and warnings of its libraries.
fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,proofpoint_sentinel={default}")))
}

/// Whatever `RUST_LOG` says: below `info`, libraries write what they send and receive, tokens and
/// mail among it.
fn is_harmless(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || metadata.target().starts_with("proofpoint_sentinel")
}
