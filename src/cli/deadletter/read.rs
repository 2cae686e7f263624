//! Dead letters from the state of the environment's settings.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{NetSettings, StateSettings, environment};
use proofpoint_sentinel::state::{DeadLetterName, State};

use super::progress::bar;
use crate::cli::failure::Failure;

/// How many dead letters are read at once. One may have 64 MiB.
const MAX_READS: usize = 4;

/// What a dead letter says of its event, without the event.
pub(super) struct Summary {
    pub name: DeadLetterName,
    pub at: Timestamp,
    pub bytes: usize,
    pub detail: String,
}

pub(super) async fn open() -> Result<State, Failure> {
    let vars = environment();
    let settings = StateSettings::read(&vars)?;
    let net = Net::of(&NetSettings::read(&vars)?)?;
    Ok(State::open(&settings, &net).await?)
}

/// Reads dead letters, and tells of those that are damaged. Says whether all of them could be read.
/// Those that were deleted meanwhile are left out, and those that were kept before `since`.
pub(super) async fn summaries(
    state: &State,
    names: Vec<DeadLetterName>,
    since: Option<Timestamp>,
) -> Result<(Vec<Summary>, bool), Failure> {
    let bar = bar(names.len());
    let reads = names.into_iter().map(|name| async {
        let read = state.read_dead_letter(&name).await;
        (name, read)
    });
    let mut reads = stream::iter(reads).buffered(MAX_READS);
    let (mut summaries, mut all_readable) = (Vec::new(), true);
    while let Some((name, read)) = reads.next().await {
        bar.inc(1);
        match read {
            Ok(Some(letter)) => summaries.push(Summary {
                name,
                at: letter.at,
                bytes: letter.event.len(),
                detail: letter.detail,
            }),
            Ok(None) => {}
            Err(error) if error.is_damage() => {
                all_readable = false;
                bar.suspend(|| eprintln!("error: {}", Failure::from(error)));
            }
            Err(error) => {
                bar.finish_and_clear();
                return Err(error.into());
            }
        }
    }
    bar.finish_and_clear();
    summaries.retain(|summary| since.is_none_or(|since| summary.at >= since));
    Ok((summaries, all_readable))
}
