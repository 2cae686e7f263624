//! `explain`: what a code means, from the program itself.

use std::process::ExitCode;

use clap::Args;
use proofpoint_sentinel::error_code::{ErrorCode, entries, entry};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The code of a message, such as PPS4003. Without one, all codes are listed.
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Some(text) = &arguments.code else {
        for entry in entries() {
            println!("{}  {}", entry.code, entry.title);
        }
        return ExitCode::SUCCESS;
    };
    match ErrorCode::parse(text).and_then(entry) {
        Some(entry) => {
            println!("{entry}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!(
                "error: there is no code `{text}`. `explain` without a code lists all of them."
            );
            ExitCode::FAILURE
        }
    }
}
