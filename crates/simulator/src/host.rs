//! Simulates the Functions host of a custom handler: it starts the handler's process as the real
//! host does, waits until it is ready, invokes its functions and classifies the replies.

mod app_files;
mod error;
mod handler_process;
mod loopback_client;
mod outcome;
mod queue_trigger;
mod request_ids;
mod reserved_port;
mod storage_queue;
mod timer_trigger;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_TYPE;
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};

pub use error::FunctionsHostError;
pub use handler_process::{OutputLine, OutputStream};
pub use outcome::InvocationOutcome;
pub use queue_trigger::WorkedMessage;
pub use reserved_port::ReservedPort;
pub use storage_queue::{QueueMessage, QueueService, StorageQueue, StorageQueueError};
pub use timer_trigger::{ScheduleStatus, TimerTrigger};

use app_files::HostJson;
use handler_process::HandlerProcess;
use loopback_client::loopback_client;

/// The version in the host's requests.
const VERSION: &str = "4.1045.200.25556";

/// How often the host checks whether the handler is ready.
const POLL: Duration = Duration::from_millis(25);

/// A Functions host with its handler process. Dropping it kills the process.
pub struct FunctionsHost {
    root: PathBuf,
    environment: HashMap<String, String>,
    base_url: String,
    client: reqwest::Client,
    function_timeout: Option<Duration>,
    process: HandlerProcess,
    ready_after: Duration,
    queues: Option<QueueService>,
    _port: ReservedPort,
}

impl FunctionsHost {
    /// Starts the handler of the app in `root`, a directory with host.json and a directory for each
    /// function, and waits until it answers. Its environment is `app_settings`, the variables that
    /// the host adds, and `PATH`.
    ///
    /// # Errors
    /// If the app is invalid or the handler does not become ready.
    pub async fn start(
        root: &Path,
        app_settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<FunctionsHost, FunctionsHostError> {
        let host_json = HostJson::read(root)?;
        let reserved = ReservedPort::new()?;
        let port = reserved.number()?;
        let environment = environment(root, port, app_settings);
        let command = host_json.start_command(root, &environment);
        let started = Instant::now();
        let process = HandlerProcess::start(&command, &environment).map_err(|source| {
            FunctionsHostError::HandlerStart { program: command.program, source }
        })?;
        let mut host = FunctionsHost {
            root: root.to_owned(),
            environment,
            base_url: format!("http://127.0.0.1:{port}"),
            client: loopback_client()?,
            function_timeout: host_json.function_timeout(),
            process,
            ready_after: Duration::ZERO,
            queues: None,
            _port: reserved,
        };
        let limit = host_json.initialization_timeout();
        timeout(limit, host.wait_until_ready())
            .await
            .map_err(|_| FunctionsHostError::NotReady(limit))??;
        host.ready_after = started.elapsed();
        Ok(host)
    }

    /// The same host with a queue service, for functions with bindings to queues.
    #[must_use]
    pub fn with_queues(self, queues: QueueService) -> FunctionsHost {
        FunctionsHost { queues: Some(queues), ..self }
    }

    /// Waits for any answer, whatever its status.
    async fn wait_until_ready(&self) -> Result<(), FunctionsHostError> {
        while self.client.get(format!("{}/", self.base_url)).send().await.is_err() {
            if let Some(status) = self.process.status() {
                let lines = self.lines();
                let last = lines.iter().rev().take(10).rev().map(|line| line.text.as_str());
                let output = last.collect::<Vec<_>>().join("\n");
                return Err(FunctionsHostError::HandlerEnded { status, output });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// How long the handler took from its start to its first answer.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The handler's process id, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// The handler's base URL: `http://127.0.0.1:<port>`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Fires the timer of `function`, a directory of the app, and sends what its reply puts into queues.
    ///
    /// # Errors
    /// If the app has no such function or its timer is invalid. Errors of the handler are an
    /// [`InvocationOutcome`].
    pub async fn fire(
        &self,
        function: &str,
        trigger: &TimerTrigger,
    ) -> Result<InvocationOutcome, FunctionsHostError> {
        let binding = app_files::timer_binding(&self.root, function, &self.environment)?;
        let body = trigger.body(function, &binding).to_string();
        let outcome = self.invoke_in_time(function, body).await;
        self.send_outputs(function, &outcome).await?;
        Ok(outcome)
    }

    /// Invokes the function within the limit of the app, and kills the handler if it is exceeded.
    async fn invoke_in_time(&self, function: &str, body: String) -> InvocationOutcome {
        let invocation = self.invoke(function, body);
        let outcome = match self.function_timeout {
            None => Some(invocation.await),
            Some(limit) => timeout(limit, invocation).await.ok(),
        };
        if outcome.is_none() {
            self.process.kill().await;
        }
        outcome.unwrap_or(InvocationOutcome::TimedOut)
    }

    /// Posts `body` to `/<function>`, chunked and without a content length.
    async fn invoke(&self, function: &str, body: String) -> InvocationOutcome {
        let body = stream::iter([Ok::<_, io::Error>(body)]);
        let sent = self
            .client
            .post(format!("{}/{function}", self.base_url))
            .header("x-azure-functions-hostversion", VERSION)
            .header("x-azure-functions-invocationid", request_ids::guid())
            .header("traceparent", request_ids::trace_parent())
            .header("user-agent", format!("Azure-Functions-Host/{VERSION}"))
            .header("content-type", "application/json; charset=utf-8")
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await;
        let (status, content_type, reply) = match sent {
            Ok(response) => {
                let content_type = response.headers().get(CONTENT_TYPE).cloned();
                (response.status(), content_type, response.bytes().await)
            }
            Err(error) => return InvocationOutcome::Unreachable(error.to_string()),
        };
        match reply {
            Ok(body) => {
                let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
                InvocationOutcome::classify(status, content_type, &body)
            }
            Err(error) => InvocationOutcome::Unreachable(error.to_string()),
        }
    }

    /// The last lines of the handler's output.
    pub fn lines(&self) -> VecDeque<OutputLine> {
        self.process.lines().recent.get()
    }

    /// Waits until the handler has written a line for which `condition` is true.
    pub async fn wait_for_line(&self, mut condition: impl FnMut(&OutputLine) -> bool) {
        let recent = &self.process.lines().recent;
        recent.wait_for(|lines| lines.iter().any(&mut condition)).await;
    }

    /// The lines that the handler writes from now on.
    pub fn follow(&self) -> broadcast::Receiver<OutputLine> {
        self.process.lines().live.subscribe()
    }

    /// Kills the handler with SIGKILL, as the host does when it stops.
    pub async fn kill(&self) -> ExitStatus {
        self.process.kill().await
    }

    /// Sends SIGTERM, as a container runtime or `func start` does, and waits for the handler's end.
    ///
    /// # Errors
    /// If the signal can't be sent.
    pub async fn terminate(&self) -> io::Result<ExitStatus> {
        self.process.terminate().await?;
        Ok(self.process.ended().await)
    }

    /// Waits for the handler's end.
    pub async fn ended(&self) -> ExitStatus {
        self.process.ended().await
    }
}

fn environment(
    root: &Path,
    port: u16,
    app_settings: impl IntoIterator<Item = (String, String)>,
) -> HashMap<String, String> {
    let variable = |name: &str, value: String| (name.to_owned(), value);
    let worker = request_ids::guid();
    let mut environment: HashMap<_, _> =
        std::env::var("PATH").map(|path| variable("PATH", path)).into_iter().collect();
    environment.extend(app_settings);
    environment.extend([
        variable("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        variable("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
        variable("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker.clone()),
        variable("FUNCTIONS_HTTPWORKER_ID", worker),
        variable("FUNCTIONS_APP_ROOT_PATH", root.display().to_string()),
    ]);
    environment
}

#[cfg(test)]
mod tests;
