//! Reads what the overview needs from the state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::{Feed, FeedType};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::feed_overview::{DeadLetterCounts, FeedCheckpoint, FeedOverview, FeedState};
use super::overview::Overview;
use crate::error_code::{self, Coded};
use crate::net::Net;
use crate::report::FeedStatus;
use crate::settings::{Settings, Vars};
use crate::state::{DeadLetterReason, State, StateError};

/// For how long an overview is shown again, so that many readers cost the storage no more than one.
const FRESH: Duration = Duration::from_secs(15);

/// How long the storage may take. A browser waits longer.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the dead letters may take to be counted.
const COUNT_LIMIT: Duration = Duration::from_secs(20);

/// How many feeds are read at once.
const MAX_READS: usize = 8;

/// Makes overviews from the state.
pub struct StatusReader {
    clock: Clock,
    last: Mutex<Option<(Instant, Arc<Overview>)>>,
}

impl StatusReader {
    /// A reader whose time comes from `clock`.
    pub fn new(clock: Clock) -> StatusReader {
        StatusReader { clock, last: Mutex::default() }
    }

    /// The overview of the app with the settings `vars`, as it is now or was a few seconds ago. What
    /// can't be read is in it.
    pub async fn overview(&self, vars: &Vars) -> Arc<Overview> {
        let mut last = self.last.lock().await;
        if let Some((read_at, overview)) = &*last
            && read_at.elapsed() < FRESH
        {
            return overview.clone();
        }
        let now = self.clock.now();
        let overview = Arc::new(read(vars, now).await);
        *last = Some((Instant::now(), overview.clone()));
        overview
    }
}

/// Code and text.
type Fault = (String, String);

fn fault(error: &impl Coded) -> Fault {
    (error.code().to_string(), error.to_string())
}

async fn read(vars: &Vars, now: Timestamp) -> Overview {
    let failed = |fault| Overview::of(Vec::new(), vec![fault], now);
    let settings = match Settings::read(vars) {
        Ok(settings) => settings,
        Err(error) => return failed(fault(&error)),
    };
    let net = match Net::of(&settings.source.net) {
        Ok(net) => net,
        Err(error) => return failed(fault(&error)),
    };
    let read = async {
        match State::open(&settings.state, &net).await {
            Ok(state) => read_feeds(&state, &settings, now).await,
            Err(error) => failed(fault(&error)),
        }
    };
    timeout(LIMIT, read).await.unwrap_or_else(|_| {
        let text = format!("The storage of the state did not answer within {} s.", LIMIT.as_secs());
        failed((error_code::STORAGE_OUT_OF_TIME.to_string(), text))
    })
}

async fn read_feeds(state: &State, settings: &Settings, now: Timestamp) -> Overview {
    let source = &settings.source;
    let (counts, mut faults) = count_dead_letters(state).await;
    let delay = SignedDuration::try_from(source.archive_delay).unwrap_or_default();
    let usable = source.clusters.iter().map(|it| (&it.name, Some(&it.id), None));
    let unusable = source.unusable_clusters.iter();
    let unusable = unusable
        .map(|it| (&it.name, it.id.as_ref(), Some((it.code().to_string(), it.to_string()))));
    let mut known = Vec::new();
    for (cluster, id, fault) in usable.chain(unusable) {
        let Some(id) = id else {
            faults.extend(fault);
            continue;
        };
        let feeds = source.event_types.iter().map(|event_type| Feed::log(id, *event_type));
        known.extend(feeds.map(|feed| (feed, cluster.clone(), fault.clone())));
    }
    let accounts = settings.tap.iter().flat_map(|tap| &tap.accounts).map(|it| (&it.name, None));
    let unusable = settings.tap.iter().flat_map(|tap| &tap.unusable_accounts);
    let unusable = unusable.map(|it| (&it.name, Some((it.code().to_string(), it.to_string()))));
    let accounts = accounts.chain(unusable);
    known.extend(accounts.map(|(name, fault)| (Feed::tap(name), name.clone(), fault)));
    let reads = known.into_iter().map(|(feed, cluster, fault)| {
        let dead_letters = counts.as_ref().map(|it| it.get(&feed).copied().unwrap_or_default());
        let known = FeedState {
            feed,
            cluster,
            checkpoint: None,
            status: None,
            dead_letters,
            faults: fault.into_iter().collect(),
        };
        async move { FeedOverview::of(read_feed(state, known).await, delay, now) }
    });
    let feeds = stream::iter(reads).buffer_unordered(MAX_READS).collect().await;
    Overview::of(feeds, faults, now)
}

async fn read_feed(state: &State, mut known: FeedState) -> FeedState {
    match read_checkpoint(state, &known.feed).await {
        Ok(checkpoint) => known.checkpoint = checkpoint,
        Err(error) => known.faults.push(fault(&error)),
    }
    match state.read_status(&known.feed).await {
        Ok(stored) => known.status = stored.and_then(|json| FeedStatus::from_json(&json)),
        Err(error) => known.faults.push(fault(&error)),
    }
    known
}

async fn read_checkpoint(state: &State, feed: &Feed) -> Result<Option<FeedCheckpoint>, StateError> {
    Ok(match feed.feed_type {
        FeedType::Log(_) => {
            let stored = state.read_checkpoint(feed).await?;
            stored.map(|(checkpoint, _)| FeedCheckpoint::Log(checkpoint.into()))
        }
        FeedType::Tap => {
            let stored = state.read_checkpoint_as(feed).await?;
            stored.map(|(checkpoint, _)| FeedCheckpoint::Tap(Box::new(checkpoint)))
        }
    })
}

/// Counts dead letters by feed and reason; `None` if that takes too long or fails.
async fn count_dead_letters(
    state: &State,
) -> (Option<BTreeMap<Feed, DeadLetterCounts>>, Vec<Fault>) {
    let names = match timeout(COUNT_LIMIT, state.list_dead_letters()).await {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => return (None, vec![fault(&error)]),
        // There are very many, which is no fault of a feed.
        Err(_) => return (None, Vec::new()),
    };
    let mut counts: BTreeMap<Feed, DeadLetterCounts> = BTreeMap::new();
    for name in names {
        let counts = counts.entry(name.feed().clone()).or_default();
        match name.reason() {
            DeadLetterReason::Malformed => counts.malformed += 1,
            DeadLetterReason::Oversize => counts.oversize += 1,
            DeadLetterReason::Refused => counts.refused += 1,
        }
    }
    (Some(counts), Vec::new())
}
