//! `completions` and `man`: what shells and manuals want to know of the commands.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::exit_code;
use super::failure::Failure;

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Manual {
    /// A command, such as collect; without it, the page of the program
    command: Option<String>,
}

/// Prints the completions of all commands of `program`.
pub(crate) fn completions(arguments: &Completions, mut program: Command) -> ExitCode {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut program, name, &mut script);
    exit_code(print(&script))
}

/// Prints a manual page in roff.
pub(crate) fn manual(arguments: &Manual, mut program: Command) -> ExitCode {
    program.build();
    let command = match &arguments.command {
        None => Some(&program),
        Some(name) => program.find_subcommand(name),
    };
    let Some(command) = command else {
        eprintln!("error: there is no such command; --help lists all of them");
        return ExitCode::FAILURE;
    };
    let mut page = Vec::new();
    let rendered = Man::new(command.clone()).render(&mut page).map_err(Failure::output);
    exit_code(rendered.and_then(|()| print(&page)))
}

fn print(bytes: &[u8]) -> Result<bool, Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Failure::output) {
        // The reader has seen enough.
        Err(failure) if !failure.is_broken_pipe() => Err(failure),
        _ => Ok(true),
    }
}
