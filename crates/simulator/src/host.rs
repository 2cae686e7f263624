//! A stand-in for the Functions host and its dealings with a custom handler: it starts the
//! handler's process as the host does, waits for it, invokes its functions and judges the replies.

mod app;
mod outcome;
mod process;
mod tick;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_TYPE;
use futures_util::stream;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};

pub use outcome::InvocationOutcome;
pub use process::{Line, Output};
pub use tick::{ScheduleStatus, Tick};

use app::HostJson;
use process::Process;

/// How the host names itself.
const VERSION: &str = "4.1045.200.25556";

/// How often the host asks whether the handler is there.
const POLL: Duration = Duration::from_millis(25);

/// The app or its handler does not work.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file of the app can't be used.
    #[error("{path}: {reason}")]
    App {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The handler can't be started.
    #[error("the handler {program} can't be started: {source}")]
    Start {
        /// Its program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The handler ended before it answered.
    #[error("the handler ended before it was ready, with {status}; it wrote: {output}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The last lines of what it wrote.
        output: String,
    },
    /// The handler did not answer `GET /`. The real host would wait longer where the connection is
    /// accepted, and then give up as well.
    #[error("the handler did not answer within {0:?}")]
    NotReady(Duration),
    /// The machine has no port, or signals can't be sent.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The HTTP client can't be made.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// A Functions host with its one handler process, which is killed when this is dropped.
pub struct Host {
    root: PathBuf,
    environment: HashMap<String, String>,
    base: String,
    client: reqwest::Client,
    function_timeout: Option<Duration>,
    process: Process,
    ready_after: Duration,
}

impl Host {
    /// Starts the handler of the app in `root`, which holds host.json and a directory for each
    /// function, and waits until it answers. Its environment is `app_settings`, the variables that
    /// the host adds, and `PATH`.
    ///
    /// # Errors
    /// Where the app is not in order, or the handler does not come up.
    pub async fn start(
        root: &Path,
        app_settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Host, HostError> {
        let host_json = HostJson::read(root)?;
        let port = free_port()?;
        let environment = environment(root, port, app_settings);
        let start = host_json.start(root, &environment);
        let started = Instant::now();
        let process = Process::start(&start, &environment)
            .map_err(|source| HostError::Start { program: start.program, source })?;
        let mut host = Host {
            root: root.to_owned(),
            environment,
            base: format!("http://127.0.0.1:{port}"),
            client: client()?,
            function_timeout: host_json.function_timeout(),
            process,
            ready_after: Duration::ZERO,
        };
        let limit = host_json.initialization_timeout();
        timeout(limit, host.ready()).await.map_err(|_| HostError::NotReady(limit))??;
        host.ready_after = started.elapsed();
        Ok(host)
    }

    /// Any answer will do, whatever its status.
    async fn ready(&self) -> Result<(), HostError> {
        while self.client.get(format!("{}/", self.base)).send().await.is_err() {
            if let Some(status) = self.process.status() {
                let lines = self.lines();
                let last = lines.iter().rev().take(10).rev().map(|line| line.text.as_str());
                let output = last.collect::<Vec<_>>().join("\n");
                return Err(HostError::Ended { status, output });
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

    /// Where the handler listens: `http://127.0.0.1:<port>`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Fires the timer of `function`, a directory of the app.
    ///
    /// # Errors
    /// Where the app has no such function or its timer is not in order. What the handler does
    /// wrong is an [`InvocationOutcome`].
    pub async fn fire(&self, function: &str, tick: &Tick) -> Result<InvocationOutcome, HostError> {
        let binding = app::timer_binding(&self.root, function, &self.environment)?;
        let body = tick.body(function, &binding).to_string();
        let invocation = self.invoke(function, body);
        let outcome = match self.function_timeout {
            None => Some(invocation.await),
            Some(limit) => timeout(limit, invocation).await.ok(),
        };
        if outcome.is_none() {
            self.process.kill().await;
        }
        Ok(outcome.unwrap_or(InvocationOutcome::TimedOut))
    }

    /// Posts `body` to `/<function>`, in chunks and without a length.
    async fn invoke(&self, function: &str, body: String) -> InvocationOutcome {
        let body = stream::iter([Ok::<_, io::Error>(body)]);
        let sent = self
            .client
            .post(format!("{}/{function}", self.base))
            .header("x-azure-functions-hostversion", VERSION)
            .header("x-azure-functions-invocationid", tick::guid())
            .header("traceparent", tick::trace_parent())
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
                InvocationOutcome::of(status, content_type, &body)
            }
            Err(error) => InvocationOutcome::Unreachable(error.to_string()),
        }
    }

    /// The last lines that the handler wrote.
    pub fn lines(&self) -> VecDeque<Line> {
        self.process.lines().recent.get()
    }

    /// Waits until the handler has written a line that is as `wanted`.
    pub async fn wait_for_line(&self, mut wanted: impl FnMut(&Line) -> bool) {
        let recent = &self.process.lines().recent;
        recent.wait_for(|lines| lines.iter().any(&mut wanted)).await;
    }

    /// Lines as they are written from now on.
    pub fn follow(&self) -> broadcast::Receiver<Line> {
        self.process.lines().live.subscribe()
    }

    /// Ends the handler as the host does when it goes away: SIGKILL, without a warning.
    pub async fn kill(&self) -> ExitStatus {
        self.process.kill().await
    }

    /// Sends SIGTERM, as a container's end or `func start` does, and waits for the end.
    ///
    /// # Errors
    /// Where the signal can't be sent.
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
    let own = |name: &str, value: String| (name.to_owned(), value);
    let worker = tick::guid();
    let mut environment: HashMap<_, _> =
        std::env::var("PATH").map(|path| own("PATH", path)).into_iter().collect();
    environment.extend(app_settings);
    environment.extend([
        own("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        own("FUNCTIONS_HTTPWORKER_PORT", port.to_string()),
        own("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", worker.clone()),
        own("FUNCTIONS_HTTPWORKER_ID", worker),
        own("FUNCTIONS_APP_ROOT_PATH", root.display().to_string()),
    ]);
    environment
}

/// A port that is free now, and likely still is when the handler binds it.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Plain HTTP to loopback: no proxy, no redirects, no User-Agent, and nobody trusted for TLS.
fn client() -> Result<reqwest::Client, HostError> {
    let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(Arc::new(RootCertStore::empty()))
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?)
}

#[cfg(test)]
mod tests;
