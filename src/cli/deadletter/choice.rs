//! The dead letters that a command works on.

use clap::Args;
use proofpoint_sentinel::error_code;
use proofpoint_sentinel::state::{DeadLetterName, State};

use super::filter::Filter;
use super::read::summaries;
use crate::cli::failure::Failure;

/// The dead letters that a command works on.
#[derive(Args)]
pub(crate) struct Choice {
    /// As `list` prints them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    names: Vec<DeadLetterName>,
    /// All that there are, of the reason, cluster, type and time given
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pub(super) filter: Filter,
}

impl Choice {
    /// The names of the chosen ones, each once, and whether all could be read that had to be for the
    /// choice.
    pub(super) async fn choose(
        &self,
        state: &State,
    ) -> Result<(Vec<DeadLetterName>, bool), Failure> {
        let mut names =
            if self.all { state.list_dead_letters().await? } else { self.names.clone() };
        let other = names.iter().find(|name| !self.filter.matches(name));
        if let (false, Some(other)) = (self.all, other) {
            let message = format!("`{other}` is not of the reason, cluster or type given");
            return Err(Failure::new(error_code::DEAD_LETTER_CHOICE, message));
        }
        names.retain(|name| self.filter.matches(name));
        names.sort();
        names.dedup();
        let Some(since) = self.filter.since() else { return Ok((names, true)) };
        let (found, all_readable) = summaries(state, names, Some(since)).await?;
        Ok((found.into_iter().map(|summary| summary.name).collect(), all_readable))
    }
}
