//! `serve`: the custom handler.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use proofpoint_sentinel::collect::{self, MemoryPool, PlannedWork, Run, RunCounters};
use proofpoint_sentinel::error_code::{self, Coded as _};
use proofpoint_sentinel::feed_message::FeedMessage;
use proofpoint_sentinel::host::{
    self, FEED_FUNCTION, Function, Invocation, QueueMessage, Reply, RunBudget, WebRequest,
    WebResponse,
};
use proofpoint_sentinel::pod::{ProcessSessions, SessionTimeouts};
use proofpoint_sentinel::report::RunReport;
use proofpoint_sentinel::settings::{HostSettings, Scale, Settings, environment};
use proofpoint_sentinel::state::LeaseTimes;
use proofpoint_sentinel::status::{StatusReader, content_security_policy, html};
use proofpoint_sentinel::telemetry::Telemetry;
use proofpoint_sentinel_core::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::{logging, orphan, signals};

/// The status that the Functions host takes for a wish to be started again. It leaves a handler
/// that ends with 0 dead, and counts any other status as a crash.
const RESTART: u8 = 200;

/// The document beside the page.
const STATUS_JSON: &str = "status.json";

pub(crate) async fn run() -> ExitCode {
    let vars = environment();
    let telemetry = logging::for_host_with_telemetry(&vars);
    let settings = match HostSettings::read(&vars) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(code = %error.code(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    let stop = signals::stop_token();
    orphan::stop_with_parent(stop.clone());
    let port = settings.port;
    let status = StatusReader::new(Clock::system());
    let memory = OnceLock::new();
    let collector = Arc::new(Collector { settings, status, telemetry: telemetry.clone(), memory });
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

/// Runs a collection for each tick or message, and shows what is known of the feeds.
struct Collector {
    settings: HostSettings,
    status: StatusReader,
    /// What the runs of this process share. Messages of several feeds are worked on side by side.
    memory: OnceLock<MemoryPool>,
    telemetry: Option<Telemetry>,
}

impl Function for Collector {
    async fn run(self: Arc<Self>, invocation: Invocation, stop: CancellationToken) -> Reply {
        match self.tick(invocation, stop).await {
            Ok(reply) => reply,
            Err(failure) => failed(&failure),
        }
    }

    async fn work(self: Arc<Self>, message: QueueMessage, stop: CancellationToken) -> Reply {
        match self.do_planned(message, stop).await {
            Ok(reply) => reply,
            Err(failure) => failed(&failure),
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
    /// Collects from all feeds, or plans that.
    async fn tick(
        &self,
        invocation: Invocation,
        stop: CancellationToken,
    ) -> Result<Reply, Failure> {
        let settings = Settings::read(&environment())?;
        logging::warn_of_settings(&settings);
        match settings.scale {
            Scale::Inline => {
                let run = self.new_run(invocation.id, settings, stop)?;
                tracing::info!(past_due = invocation.past_due, "run begins");
                Ok(self.reply(&collect::run(run).await?))
            }
            Scale::Queue => self.plan(&settings),
        }
    }

    /// Sends a message for each feed. Nothing is asked of any service, so that planning takes no time
    /// and fails with no service. A message for a feed that is at work costs one look at its lease.
    fn plan(&self, settings: &Settings) -> Result<Reply, Failure> {
        if !host::has_feed_function(&self.settings.app_root) {
            let reason = format!(
                "ProofpointScale is queue, but the package has no function {FEED_FUNCTION}: deploy \
                 the package whose name has queue in it, or set ProofpointScale to inline"
            );
            return Err(Failure::new(error_code::QUEUE_MISSING, reason));
        }
        let nameless = settings.source.unusable_clusters.iter().filter(|it| it.id.is_none());
        let mut logs = Vec::new();
        for cluster in nameless {
            tracing::error!(code = %cluster.code(), "{cluster}");
            logs.push(format!("{}: {cluster}", cluster.code()));
        }
        let planned = Some(Clock::system().now());
        let feeds = settings.feeds();
        if feeds.is_empty() {
            let reason = logs.first().cloned().unwrap_or_default();
            return Ok(Reply::failure(&reason, logs));
        }
        tracing::info!(feeds = feeds.len(), "work planned");
        logs.push(format!("{} feeds planned", feeds.len()));
        let messages = feeds.into_iter().map(|feed| FeedMessage { feed, planned }.to_json());
        Ok(Reply::sending(messages.collect(), logs))
    }

    /// Works on the feed that a message names. A failure is shown once: when the message comes again,
    /// it finds that the feed was worked on, unless even that could not be recorded.
    async fn do_planned(
        &self,
        message: QueueMessage,
        stop: CancellationToken,
    ) -> Result<Reply, Failure> {
        let FeedMessage { feed, planned } = FeedMessage::from_json(&message.text)?;
        let run = self.new_run(message.invocation, Settings::read(&environment())?, stop)?;
        tracing::info!(%feed, dequeue_count = message.dequeue_count, "planned run begins");
        let done = match collect::run_planned(run, &feed, planned).await? {
            PlannedWork::Done(report) => return Ok(self.reply(&report)),
            PlannedWork::DoneBefore { .. } => {
                format!("{feed}: a run has done this since it was planned")
            }
            PlannedWork::FeedGone => format!("{feed}: no setting names this feed any more"),
        };
        tracing::info!("{done}");
        Ok(Reply::success(vec![done]))
    }

    /// A run that begins now and keeps to the host's time.
    fn new_run(
        &self,
        id: String,
        settings: Settings,
        stop: CancellationToken,
    ) -> Result<Run, Failure> {
        let time = RunBudget::from_host_json(&self.settings.app_root)?;
        let memory = || MemoryPool::new(host::working_memory(settings.memory_megabytes));
        Ok(Run {
            id,
            memory: self.memory.get_or_init(memory).clone(),
            settings,
            clock: Clock::system(),
            timeouts: SessionTimeouts::default(),
            lease_times: LeaseTimes::default(),
            sessions: ProcessSessions::default(),
            reading_ends: time.reading_ends(),
            posting_ends: time.posting_ends(),
            all_ends: time.all_ends(),
            stop,
            counters: Arc::new(RunCounters::default()),
        })
    }

    fn reply(&self, report: &RunReport) -> Reply {
        if let Some(telemetry) = &self.telemetry {
            telemetry.note_run(report);
        }
        let logs = report.feeds.iter().map(ToString::to_string).collect();
        match report.failures() {
            None => Reply::success(logs),
            Some(reason) => Reply::failure(&reason, logs),
        }
    }
}

fn failed(failure: &Failure) -> Reply {
    tracing::error!(code = %failure.code(), "{}", failure.message());
    let reason = failure.to_string();
    Reply::failure(&reason, reason.lines().map(str::to_owned).collect())
}
