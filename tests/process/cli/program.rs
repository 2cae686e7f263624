//! The program in a terminal.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{PROGRAM, soon};

/// A running program. Dropping it kills the program.
pub(crate) struct Running(Child);

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Starts the program with exactly this `environment`.
pub(crate) fn start(arguments: &[&str], environment: &[(String, String)]) -> Running {
    start_with(arguments, environment, Stdio::null())
}

fn start_with(arguments: &[&str], environment: &[(String, String)], stdin: Stdio) -> Running {
    let child = Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    Running(child.expect("the program can be started"))
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str], environment: &[(String, String)]) -> Ended {
    start(arguments, environment).end().await
}

/// Runs the program to its end, with this standard input.
pub(crate) async fn run_with(
    arguments: &[&str],
    environment: &[(String, String)],
    input: &str,
) -> Ended {
    let mut running = start_with(arguments, environment, Stdio::piped());
    let mut stdin = running.0.stdin.take().expect("it is piped");
    soon(stdin.write_all(input.as_bytes())).await.expect("it reads its input");
    drop(stdin);
    running.end().await
}

impl Running {
    /// Sends a signal, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.0.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(soon(sent).await.expect("kill can be run").success());
    }

    /// Takes its standard output. The result of `end` then lacks it.
    pub(crate) fn lines(&mut self) -> Lines<BufReader<ChildStdout>> {
        BufReader::new(self.0.stdout.take().expect("it was not taken yet")).lines()
    }

    /// Waits for its end.
    pub(crate) async fn end(self) -> Ended {
        let output = soon(self.0.wait_with_output()).await.expect("it can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
