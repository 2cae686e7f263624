//! `support`: a zip for who helps to find a fault.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use proofpoint_sentinel::check::{Subject, check};
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::settings::{app_root, environment};
use proofpoint_sentinel::status::StatusReader;
use proofpoint_sentinel::support::{Bundle, Contents};
use proofpoint_sentinel_core::clock::Clock;

use super::failure::Failure;
use super::{exit_code, logging};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The file to write
    #[arg(long, default_value = "proofpoint-sentinel-support.zip")]
    out: PathBuf,
    /// The folder of the app, with host.json in it
    #[arg(long)]
    app: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    logging::errors_for_terminal();
    exit_code(write(arguments).await.map(|()| true))
}

async fn write(arguments: Arguments) -> Result<(), Failure> {
    let vars = environment();
    let clock = Clock::system();
    let root = arguments.app.or_else(|| app_root(&vars));
    let root = root.filter(|root| root.join("host.json").exists());
    eprintln!("Checking the app ...");
    let mut findings = Vec::new();
    let subject = Subject { vars: &vars, app_root: root.as_deref(), clock: &clock };
    check(subject, |finding| findings.push(finding)).await;
    eprintln!("Reading the state ...");
    let overview = StatusReader::new(clock.clone()).overview(&vars).await;
    let contents =
        Contents { vars: &vars, overview: &overview, findings: &findings, now: clock.now() };
    let bundle = Bundle::gather(contents).await;
    let out = arguments.out;
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("{} can't be written: {error}", out.display());
        Failure::new(error_code::OUTPUT_FILE, message)
    };
    let zip = bundle.to_zip().map_err(|error| failed(&error))?;
    tokio::fs::write(&out, zip).await.map_err(|error| failed(&error))?;
    let mut text = format!("{} is written. It has:\n", out.display());
    for name in bundle.names() {
        text.push_str(&format!("  {name}\n"));
    }
    text.push_str(
        "Values of settings and mail addresses are replaced. Look through it before you send it.\n",
    );
    io::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}
