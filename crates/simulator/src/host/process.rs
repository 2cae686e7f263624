//! The handler's process: its output, its end.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, broadcast};
use tokio_util::task::AbortOnDropHandle;

use crate::watched::Watched;

use super::app::Start;

/// So many lines of output are remembered, and as many wait for a slow subscriber.
const LINES: usize = 4096;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The host logs it as information.
    Stdout,
    /// The host logs it as an error, or as a warning where it says "warn".
    Stderr,
}

/// A line that the handler wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where.
    pub output: Output,
    /// The line without its end.
    pub text: String,
}

/// A running process, killed when this is dropped.
pub(super) struct Process {
    id: Option<u32>,
    kill: Arc<Notify>,
    exit: Arc<Watched<Option<ExitStatus>>>,
    lines: Arc<Lines>,
    _task: AbortOnDropHandle<()>,
}

pub(super) struct Lines {
    pub recent: Watched<VecDeque<Line>>,
    pub live: broadcast::Sender<Line>,
}

impl Process {
    /// Starts the program with `environment` and nothing else.
    pub(super) fn start(
        start: &Start,
        environment: &HashMap<String, String>,
    ) -> io::Result<Process> {
        let mut child = Command::new(&start.program)
            .args(&start.arguments)
            .current_dir(&start.directory)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let lines = Arc::new(Lines {
            recent: Watched::new(VecDeque::new()),
            live: broadcast::Sender::new(LINES),
        });
        let kill = Arc::new(Notify::new());
        let exit = Arc::new(Watched::new(None));
        let id = child.id();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let (watched, heard, kept) = (Arc::clone(&exit), Arc::clone(&kill), Arc::clone(&lines));
        let task = tokio::spawn(async move {
            let reading = async {
                tokio::join!(kept.read(Output::Stdout, stdout), kept.read(Output::Stderr, stderr))
            };
            // The output may outlive the process where a child of it holds the other end.
            tokio::join!(wait(child, &heard, &watched), reading);
        });
        Ok(Process { id, kill, exit, lines, _task: AbortOnDropHandle::new(task) })
    }

    pub(super) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Its exit status, where it has ended.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.exit.get()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> ExitStatus {
        let status = self.exit.wait_for(Option::is_some).await;
        status.expect("the wait was for just that")
    }

    /// SIGKILL.
    pub(super) async fn kill(&self) -> ExitStatus {
        self.kill.notify_one();
        self.ended().await
    }

    /// The process id, while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.id.filter(|_| self.status().is_none())
    }

    /// SIGTERM.
    pub(super) async fn terminate(&self) -> io::Result<()> {
        let Some(id) = self.id() else { return Ok(()) };
        let status = Command::new("kill").arg("-TERM").arg(id.to_string()).status().await?;
        if status.success() { Ok(()) } else { Err(io::Error::other("kill -TERM failed")) }
    }
}

async fn wait(mut child: Child, kill: &Notify, exit: &Watched<Option<ExitStatus>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    // It can't be waited for only where it was reaped already, which nobody else does.
    exit.update(|exit| *exit = Some(status.unwrap_or_default()));
}

impl Lines {
    async fn read(&self, output: Output, from: Option<impl AsyncRead + Unpin>) {
        let Some(from) = from else { return };
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(bytes)) = lines.next_segment().await {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
            let line = Line { output, text };
            // Nobody may be listening.
            let _ = self.live.send(line.clone());
            self.recent.update(|recent| {
                if recent.len() == LINES {
                    recent.pop_front();
                }
                recent.push_back(line);
            });
        }
    }
}
