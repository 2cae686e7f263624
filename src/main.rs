//! The command line.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may"))]

mod cli;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use mimalloc::MiMalloc;

/// musl's own allocator, which the package would have, is several times slower and has one lock.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Brings Proofpoint on Demand logs into Microsoft Sentinel.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the Azure Functions host. Started by host.json.
    Serve,
    /// Work without a Functions host, on all feeds, until it is stopped by SIGTERM or Ctrl-C.
    Run(cli::run::Arguments),
    /// Read chosen hours now, into the workspace or a file, with the settings of the environment.
    Collect(cli::collect::Arguments),
    /// Try everything that a run needs: settings, connections, storage, workspace and tokens.
    ///
    /// Works in the Function App's console, and on another machine with the app's settings in its
    /// environment. The running app is not disturbed. The exit status is 0 if nothing failed.
    Check(cli::check::Arguments),
    /// List, show, send again and drop the events that could not be delivered.
    #[command(name = "deadletter", subcommand)]
    DeadLetter(cli::deadletter::Command),
    /// Write a zip for who helps to find a fault: settings, state, status, and what `check` finds.
    ///
    /// Values of settings and mail addresses are replaced, and mail is not in it.
    Support(cli::support::Arguments),
    /// Explain the code of a message, such as PPS4003.
    Explain(cli::explain::Arguments),
    /// Print the completions of a shell, for its startup file.
    Completions(cli::generate::Completions),
    /// Print the manual page of the program, or of a command.
    Man(cli::generate::Manual),
    /// Run the whole connector against a simulated Proofpoint and a local workspace.
    #[cfg(feature = "demo")]
    Demo(cli::demo::Arguments),
    /// Serve a simulated Proofpoint, workspace and identity, for trying out and benchmarks.
    #[cfg(feature = "demo")]
    Simulate(cli::simulate::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve => cli::serve::run().await,
        Command::Run(arguments) => cli::run::run(arguments).await,
        Command::Collect(arguments) => cli::collect::run(arguments).await,
        Command::Check(arguments) => cli::check::run(arguments).await,
        Command::DeadLetter(command) => cli::deadletter::run(command).await,
        Command::Support(arguments) => cli::support::run(arguments).await,
        Command::Explain(arguments) => cli::explain::run(&arguments),
        Command::Completions(arguments) => {
            cli::generate::completions(&arguments, Arguments::command())
        }
        Command::Man(arguments) => cli::generate::manual(&arguments, Arguments::command()),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => cli::demo::run(arguments).await,
        #[cfg(feature = "demo")]
        Command::Simulate(arguments) => cli::simulate::run(arguments).await,
    }
}
