//! `explain`: what a code means, from the program itself.

use std::process::ExitCode;

use clap::Args;
use proofpoint_sentinel::error_code::{Entry, ErrorCode, entries, entry};
use serde::Serialize;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The code of a message, such as PPS4003. Without one, all codes are listed.
    code: Option<String>,
    /// Print JSON: an object for a code, an array of all entries without one.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let Some(text) = &arguments.code else {
        print_all(arguments.json);
        return ExitCode::SUCCESS;
    };
    match ErrorCode::parse(text).and_then(entry) {
        Some(entry) => {
            if arguments.json {
                print_json(&entry);
            } else {
                println!("{entry}");
            }
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

fn print_all(json: bool) {
    if json {
        print_json(&entries().collect::<Vec<Entry>>());
        return;
    }
    for entry in entries() {
        println!("{}  {}", entry.code, entry.title);
    }
}

fn print_json(value: &impl Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("texts are valid as JSON"));
}
