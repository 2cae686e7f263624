//! The handler's process, its output and its end.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, broadcast};
use tokio_util::task::AbortOnDropHandle;

use crate::watch_cell::WatchCell;

use super::app_files::StartCommand;

/// How many lines of output are kept, and how many wait for a slow subscriber.
const MAX_LINES: usize = 1 << 16;

/// The stream of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// The host logs its lines as information.
    Stdout,
    /// The host logs its lines as errors, or as warnings if they contain "warn".
    Stderr,
}

/// A line of the handler's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// The stream it was written to.
    pub stream: OutputStream,
    /// The line without its line feed.
    pub text: String,
}

/// A running process. Dropping it kills the process.
pub(super) struct HandlerProcess {
    id: Option<u32>,
    kill: Arc<Notify>,
    exit: Arc<WatchCell<Option<ExitStatus>>>,
    lines: Arc<OutputLines>,
    _task: AbortOnDropHandle<()>,
}

pub(super) struct OutputLines {
    pub recent: WatchCell<VecDeque<OutputLine>>,
    pub live: broadcast::Sender<OutputLine>,
}

impl HandlerProcess {
    /// Starts the program with exactly this `environment`.
    pub(super) fn start(
        command: &StartCommand,
        environment: &HashMap<String, String>,
    ) -> io::Result<HandlerProcess> {
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            .current_dir(&command.directory)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let lines = Arc::new(OutputLines {
            recent: WatchCell::new(VecDeque::new()),
            live: broadcast::Sender::new(MAX_LINES),
        });
        let kill = Arc::new(Notify::new());
        let exit = Arc::new(WatchCell::new(None));
        let id = child.id();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let (exited, kill_request, output) =
            (Arc::clone(&exit), Arc::clone(&kill), Arc::clone(&lines));
        let task = tokio::spawn(async move {
            let reading = async {
                tokio::join!(
                    output.read(OutputStream::Stdout, stdout),
                    output.read(OutputStream::Stderr, stderr)
                )
            };
            // The output can outlive the process if a child of it keeps the pipe open.
            tokio::join!(wait(child, &kill_request, &exited), reading);
        });
        Ok(HandlerProcess { id, kill, exit, lines, _task: AbortOnDropHandle::new(task) })
    }

    pub(super) fn lines(&self) -> &OutputLines {
        &self.lines
    }

    /// Its exit status, if it has ended.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.exit.get()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> ExitStatus {
        let status = self.exit.wait_for(Option::is_some).await;
        status.expect("the wait ends with a status")
    }

    /// Sends SIGKILL.
    pub(super) async fn kill(&self) -> ExitStatus {
        self.kill.notify_one();
        self.ended().await
    }

    /// The process id while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.id.filter(|_| self.status().is_none())
    }

    /// Sends SIGTERM.
    pub(super) async fn terminate(&self) -> io::Result<()> {
        let Some(id) = self.id() else { return Ok(()) };
        let status = Command::new("kill").arg("-TERM").arg(id.to_string()).status().await?;
        if status.success() { Ok(()) } else { Err(io::Error::other("kill -TERM failed")) }
    }
}

async fn wait(mut child: Child, kill: &Notify, exit: &WatchCell<Option<ExitStatus>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => match child.start_kill() {
            Ok(()) => child.wait().await,
            Err(error) => Err(error),
        },
    };
    // Waiting fails only if something else has reaped the process, which never happens.
    exit.update(|exit| *exit = Some(status.unwrap_or_default()));
}

impl OutputLines {
    async fn read(&self, stream: OutputStream, from: Option<impl AsyncRead + Unpin>) {
        let Some(from) = from else { return };
        let mut lines = BufReader::new(from).split(b'\n');
        while let Ok(Some(bytes)) = lines.next_segment().await {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned();
            let line = OutputLine { stream, text };
            // There may be no subscriber.
            let _ = self.live.send(line.clone());
            self.recent.update(|recent| {
                if recent.len() == MAX_LINES {
                    recent.pop_front();
                }
                recent.push_back(line);
            });
        }
    }
}
