//! `deadletter list`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use indicatif::HumanDuration;
use jiff::Timestamp;
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::Serialize;

use super::filter::Filter;
use super::read::{Summary, open, summaries};
use super::text::shortened;
use crate::cli::failure::Failure;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    filter: Filter,
    /// List no more than this
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    /// Count by the hour in which they were kept, too
    #[arg(long)]
    hours: bool,
    /// Print an object of JSON with `counts` and `dead_letters`, and nothing to standard error
    #[arg(long)]
    json: bool,
}

/// What dead letters of one kind have in common, and how many there are.
#[derive(Debug, PartialEq, Serialize)]
struct Count {
    reason: String,
    code: String,
    feed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hour: Option<Hour>,
    count: usize,
    oldest: Timestamp,
    newest: Timestamp,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: String,
    reason: String,
    code: String,
    feed: String,
    at: Timestamp,
    bytes: usize,
    detail: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    /// How many there are, without the limit.
    total: usize,
    counts: &'a [Count],
    dead_letters: Vec<Listed<'a>>,
}

/// Counts and lists dead letters. Says whether all of them could be read.
pub(super) async fn list(arguments: &Arguments) -> Result<bool, Failure> {
    let state = open().await?;
    let mut names = state.list_dead_letters().await?;
    names.retain(|name| arguments.filter.matches(name));
    let since = arguments.filter.since();
    let mut total = names.len();
    if since.is_none() {
        names.truncate(arguments.limit);
    }
    let (mut found, all_readable) = summaries(&state, names, since).await?;
    if since.is_some() {
        total = found.len();
    }
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    found.truncate(arguments.limit);
    let counts = counts(&found, arguments.hours);
    if arguments.json {
        print_json(total, &counts, &found)?;
        return Ok(all_readable);
    }
    print_counts(&counts, Clock::system().now());
    for summary in &found {
        writeln!(io::stdout(), "{}", line(summary)).map_err(Failure::output)?;
    }
    if total > arguments.limit {
        let limit = arguments.limit;
        eprintln!("{limit} of {total} dead letters are counted and listed: raise --limit");
    }
    Ok(all_readable)
}

/// By reason, feed and time.
fn order(summary: &Summary) -> impl Ord {
    (summary.name.reason(), summary.name.feed().clone(), summary.at)
}

/// What is counted together.
type Kind = (DeadLetterReason, Feed, Option<Hour>);

fn counts(found: &[Summary], by_hour: bool) -> Vec<Count> {
    let mut groups: BTreeMap<Kind, Vec<Timestamp>> = BTreeMap::new();
    for Summary { name, at, .. } in found {
        let hour = by_hour.then(|| Hour::containing(*at));
        groups.entry((name.reason(), name.feed().clone(), hour)).or_default().push(*at);
    }
    let count = |((reason, feed, hour), times): (Kind, Vec<Timestamp>)| {
        Some(Count {
            reason: reason.to_string(),
            code: reason.code().to_string(),
            feed: feed.to_string(),
            hour,
            count: times.len(),
            oldest: times.iter().min().copied()?,
            newest: times.iter().max().copied()?,
        })
    };
    groups.into_iter().filter_map(count).collect()
}

fn print_counts(counts: &[Count], now: Timestamp) {
    if counts.is_empty() {
        eprintln!("There are no dead letters.");
        return;
    }
    let age = |at: Timestamp| {
        let age = Duration::try_from(now.duration_since(at)).unwrap_or_default();
        HumanDuration(age).to_string()
    };
    for Count { reason, code, feed, hour, count, oldest, newest } in counts {
        let hour = hour.map(|hour| format!("  kept in {hour}")).unwrap_or_default();
        let (oldest, newest) = (age(*oldest), age(*newest));
        eprintln!(
            "{count:>7} {reason:<9} {code} {feed}{hour}  oldest {oldest} old, newest {newest} old"
        );
    }
    eprintln!();
}

fn line(summary: &Summary) -> String {
    let Summary { name, at, bytes, detail } = summary;
    let (reason, feed) = (name.reason(), name.feed());
    let (code, detail) = (reason.code(), shortened(detail));
    format!("{name}\t{reason}\t{code}\t{feed}\t{at}\t{bytes}\t{detail}")
}

fn print_json(total: usize, counts: &[Count], found: &[Summary]) -> Result<(), Failure> {
    let dead_letters = found
        .iter()
        .map(|summary| Listed {
            name: summary.name.to_string(),
            reason: summary.name.reason().to_string(),
            code: summary.name.reason().code().to_string(),
            feed: summary.name.feed().to_string(),
            at: summary.at,
            bytes: summary.bytes,
            detail: &summary.detail,
        })
        .collect();
    let document = Document { total, counts, dead_letters };
    let json = serde_json::to_string_pretty(&document).expect("texts are valid as JSON");
    writeln!(io::stdout(), "{json}").map_err(Failure::output)
}
