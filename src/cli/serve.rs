//! `serve`: the custom handler.

use std::process::ExitCode;
use std::sync::Arc;

use proofpoint_sentinel::collect::{self, Run, RunCounters};
use proofpoint_sentinel::error_code::{self, Coded as _};
use proofpoint_sentinel::host::{
    self, Function, Invocation, Reply, RunBudget, WebRequest, WebResponse,
};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::SessionTimeouts;
use proofpoint_sentinel::report::RunReport;
use proofpoint_sentinel::settings::{
    HostSettings, NetSettings, Settings, TelemetrySettings, Vars, environment,
};
use proofpoint_sentinel::state::LeaseTimes;
use proofpoint_sentinel::status::{StatusReader, content_security_policy, html};
use proofpoint_sentinel::telemetry::Telemetry;
use proofpoint_sentinel_core::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::{logging, signals};

/// The status that the Functions host takes for a wish to be started again. It leaves a handler
/// that ends with 0 dead, and counts any other status as a crash.
const RESTART: u8 = 200;

/// The document beside the page.
const STATUS_JSON: &str = "status.json";

pub(crate) async fn run() -> ExitCode {
    let vars = environment();
    let telemetry = telemetry(&vars);
    logging::for_host(telemetry.as_ref().ok().and_then(Option::as_ref));
    let telemetry = telemetry.unwrap_or_else(|reason| {
        tracing::warn!(code = %error_code::TELEMETRY_NOT_SENT, reason, "traces and metrics are not sent");
        None
    });
    let settings = match HostSettings::read(&vars) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(code = %error.code(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    let stop = signals::stop_token();
    let port = settings.port;
    let status = StatusReader::new(Clock::system());
    let collector = Arc::new(Collector { settings, status, telemetry: telemetry.clone() });
    let served = host::serve(port, collector, stop).await;
    if let Some(telemetry) = telemetry {
        telemetry.shut_down().await;
    }
    match served {
        Ok(()) => ExitCode::from(RESTART),
        Err(error) => {
            tracing::error!(code = %error_code::SERVER_FAILED, "the server on port {port} failed: {error}");
            ExitCode::FAILURE
        }
    }
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

/// Runs a collection for each tick, and shows what is known of the feeds.
struct Collector {
    settings: HostSettings,
    status: StatusReader,
    telemetry: Option<Telemetry>,
}

impl Function for Collector {
    async fn run(self: Arc<Self>, invocation: Invocation, stop: CancellationToken) -> Reply {
        match self.collect(invocation, stop).await {
            Ok(report) => reply(&report),
            Err(failure) => {
                tracing::error!(code = %failure.code(), "{}", failure.message());
                let reason = failure.to_string();
                Reply::failure(&reason, reason.lines().map(str::to_owned).collect())
            }
        }
    }

    async fn answer(self: Arc<Self>, request: WebRequest) -> Reply {
        let overview = self.status.overview(&environment()).await;
        let (content_type, body) = match request.document.as_str() {
            STATUS_JSON => ("application/json; charset=utf-8", overview.to_json()),
            _ => ("text/html; charset=utf-8", html(&overview)),
        };
        let content_security_policy = content_security_policy().to_owned();
        Reply::web(WebResponse { content_type, content_security_policy, body })
    }
}

impl Collector {
    async fn collect(
        &self,
        invocation: Invocation,
        stop: CancellationToken,
    ) -> Result<RunReport, Failure> {
        let time = RunBudget::from_host_json(&self.settings.app_root)?;
        let settings = Settings::read(&environment())?;
        tracing::info!(past_due = invocation.past_due, "run begins");
        logging::warn_of_settings(&settings);
        let run = Run {
            id: invocation.id,
            memory: host::working_memory(settings.memory_megabytes),
            settings,
            clock: Clock::system(),
            timeouts: SessionTimeouts::default(),
            lease_times: LeaseTimes::default(),
            reading_ends: time.reading_ends(),
            posting_ends: time.posting_ends(),
            all_ends: time.all_ends(),
            stop,
            counters: Arc::new(RunCounters::default()),
        };
        let report = collect::run(run).await?;
        if let Some(telemetry) = &self.telemetry {
            telemetry.note_run(&report);
        }
        Ok(report)
    }
}

fn reply(report: &RunReport) -> Reply {
    let logs = report.feeds.iter().map(ToString::to_string).collect();
    match report.failures() {
        None => Reply::success(logs),
        Some(reason) => Reply::failure(&reason, logs),
    }
}
