//! `deadletter`: the events that could not be delivered, listed, shown, sent again and dropped.

mod choice;
mod discard;
mod filter;
mod list;
mod progress;
mod read;
mod resend;
mod show;
mod since;
mod text;

use std::process::ExitCode;

use clap::Subcommand;

use super::{exit_code, logging};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Count dead letters, and list them, one a line: name, reason, code, feed, time, bytes, detail,
    /// with tabs between.
    ///
    /// The counts go to standard error, so that the list alone can be piped.
    List(list::Arguments),
    /// Print the event of a dead letter, and what is known of it to standard error.
    ///
    /// On a terminal the event is indented. Otherwise it is printed as it came, byte for byte.
    Show(show::Arguments),
    /// Send the events of dead letters to the workspace, as a run would, and delete those that it
    /// takes.
    ///
    /// Needs the settings of a run. Each feed is worked on under its lease, so not while a run of
    /// the Function App is at it. What can't be delivered still is kept. The ledger of delivered
    /// events is not asked, since it knows refused events too. A dead letter is deleted only after
    /// the workspace took its row; if this program is killed in between, the row arrives twice the
    /// next time.
    ///
    /// Events that are `oversize` are left alone, because the workspace has their shortened rows
    /// already. With `--reason oversize` those whose rows now fit whole are sent: for example
    /// after a change from the Data Collector API to the Logs Ingestion API. The shortened rows
    /// stay.
    Resend(resend::Arguments),
    /// Delete dead letters without sending them. Their events are then nowhere but in Proofpoint's
    /// archive, for as long as that keeps them.
    Drop(discard::Arguments),
}

pub(crate) async fn run(command: Command) -> ExitCode {
    logging::for_terminal();
    let result = match command {
        Command::List(arguments) => list::list(&arguments).await,
        Command::Show(arguments) => show::show(&arguments).await.map(|()| true),
        Command::Resend(arguments) => resend::resend(arguments).await,
        Command::Drop(arguments) => discard::discard(arguments).await,
    };
    match result {
        // The reader of the output has seen enough.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        result => exit_code(result),
    }
}
