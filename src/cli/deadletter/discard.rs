//! `deadletter drop`.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write};

use clap::Args;
use futures_util::{StreamExt as _, stream};
use proofpoint_sentinel::state::{DeadLetterName, State};

use super::choice::Choice;
use super::progress::bar;
use super::read::open;
use crate::cli::failure::Failure;
use crate::cli::signals;

/// How many are deleted at once.
const MAX_DELETES: usize = 8;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Deletes the chosen dead letters, if the user says so. Says whether all of them are gone.
pub(super) async fn discard(arguments: Arguments) -> Result<bool, Failure> {
    let state = open().await?;
    let (names, all_readable) = arguments.choice.choose(&state).await?;
    if names.is_empty() {
        writeln!(io::stdout(), "There is no dead letter to drop.").map_err(Failure::output)?;
        return Ok(all_readable);
    }
    print_counts(&names);
    if !arguments.yes && !is_confirmed().await {
        writeln!(io::stdout(), "Nothing is dropped.").map_err(Failure::output)?;
        return Ok(false);
    }
    let (count, deleted) = (names.len(), delete(&state, names).await?);
    let left = count - deleted;
    writeln!(io::stdout(), "{deleted} dropped, {left} left.").map_err(Failure::output)?;
    Ok(left == 0 && all_readable)
}

fn print_counts(names: &[DeadLetterName]) {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for name in names {
        *counts.entry((name.reason(), name.feed())).or_default() += 1;
    }
    for ((reason, feed), count) in counts {
        eprintln!("{count:>7} {reason:<9} {feed}");
    }
}

/// Whether the user types `yes`. The end of the input is no.
async fn is_confirmed() -> bool {
    eprint!("Delete these for good? Type yes: ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    matches!(answer.await, Ok(Ok(line)) if line.trim() == "yes")
}

/// Deletes until it is told to stop. Says how many are gone.
async fn delete(state: &State, names: Vec<DeadLetterName>) -> Result<usize, Failure> {
    let (stop, bar) = (signals::stop_token(), bar(names.len()));
    let deletes = names.into_iter().take_while(|_| !stop.is_cancelled());
    let deletes = deletes.map(|name| async move { state.delete_dead_letter(&name).await });
    let mut deletes = stream::iter(deletes).buffer_unordered(MAX_DELETES);
    let (mut deleted, mut first_error) = (0, None);
    while let Some(result) = deletes.next().await {
        match result {
            Ok(()) => deleted += 1,
            Err(error) => {
                first_error.get_or_insert(error);
                break;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    match first_error {
        None => Ok(deleted),
        Some(error) => {
            eprintln!("{deleted} dropped before the storage failed");
            Err(error.into())
        }
    }
}
