//! `check`: everything that a run needs, tried one by one.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proofpoint_sentinel::check::{Finding, Mark, Subject, check};
use proofpoint_sentinel::settings::{app_root, environment};
use proofpoint_sentinel_core::clock::Clock;

use super::logging;
use super::terminal::is_coloured;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Print an array of JSON
    #[arg(long)]
    json: bool,
    /// The folder of the app, with host.json in it
    #[arg(long)]
    app: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::errors_for_terminal();
    let vars = environment();
    let root = arguments.app.or_else(|| app_root(&vars)).filter(|root| {
        // A folder that was not named and has no host.json is not the app's.
        root.join("host.json").exists()
    });
    let is_coloured = is_coloured(&io::stdout());
    let mut findings = Vec::new();
    let subject = Subject { vars: &vars, app_root: root.as_deref(), clock: &Clock::system() };
    let tell = |finding: Finding| {
        if !arguments.json {
            // The reader may be gone; the exit status still says how it ended.
            let _ = write!(io::stdout(), "{}", lines(&finding, is_coloured));
        }
        findings.push(finding);
    };
    check(subject, tell).await;
    if arguments.json {
        let json = serde_json::to_string_pretty(&findings).expect("texts are valid as JSON");
        let _ = writeln!(io::stdout(), "{json}");
    }
    let failed = findings.iter().filter(|finding| finding.mark == Mark::Failed).count();
    if !arguments.json {
        let _ = writeln!(io::stdout(), "\n{} checks, {failed} failed.", findings.len());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A finding for a person: a line, and one with the remedy.
fn lines(finding: &Finding, is_coloured: bool) -> String {
    let Finding { check, subject, mark, text, code, remedy } = finding;
    let (sign, colour) = match mark {
        Mark::Passed => ("ok  ", "32"),
        Mark::Attention => ("look", "33"),
        Mark::Failed => ("FAIL", "31"),
        Mark::Skipped => ("skip", "2"),
    };
    let sign = if is_coloured { format!("\u{1b}[{colour}m{sign}\u{1b}[0m") } else { sign.into() };
    let code = code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
    let mut lines = format!("{sign}  {check:<10}  {subject}: {code}{text}\n");
    if let Some(remedy) = remedy {
        lines.push_str(&format!("                  Remedy: {remedy}\n"));
    }
    lines
}
