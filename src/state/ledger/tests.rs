use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use proofpoint_sentinel_core::feed::{EventType, FeedType};
use proptest::prelude::*;

use super::*;
use crate::net::Net;
use crate::settings::StateSettings;
use crate::state::Arrival;

const HOUR: &str = "2026-11-20T06";
const NOW: &str = "2026-11-20T10:59:59.9Z";

async fn open(directory: &Path) -> State {
    let settings = StateSettings::Directory(directory.to_owned());
    State::open(&settings, &Net::new(None).unwrap()).await.unwrap()
}

fn feed() -> Feed {
    Feed::log("a/b c%41+ü_hosted", EventType::Audit)
}

fn hour() -> Hour {
    HOUR.parse().unwrap()
}

/// After every hour of these tests.
fn ever() -> Hour {
    hour().plus(1_000)
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<EventId> {
    numbers.into_iter().map(|number| EventId::of(number.to_string())).collect()
}

/// The only segment of the hour in a directory.
fn segment(root: &Path) -> PathBuf {
    let folder = root.join(hour_folder(&feed(), hour()));
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let segment = entries.next().unwrap();
    assert_eq!(entries.next(), None);
    segment
}

async fn assert_holds(state: &State, expected: &[EventId]) {
    let stored = state.read_ledger(&feed(), hour()).await.unwrap().ids;
    assert_eq!(stored.len(), expected.len());
    assert!(expected.iter().all(|id| stored.contains(*id)));
}

#[tokio::test]
async fn appending_nothing_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    state.append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &[]).await.unwrap();
    assert!(!root.path().join("ledger").exists());
    assert_holds(&state, &[]).await;
}

#[tokio::test]
async fn a_segment_is_eight_bytes_and_sixteen_for_each_id() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    state
        .append_ledger(
            &feed(),
            Arrival::Uncounted.of(hour()),
            now(),
            "a/run\n1",
            &[EventId::of("abc")],
        )
        .await
        .unwrap();
    let segment = segment(root.path());
    assert!(segment.ends_with("2026-11-20T10-14d48527068409fe.ids"), "{segment:?}");
    let expected = b"PODLDG01\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23";
    assert_eq!(fs::read(segment).unwrap(), expected);
}

#[tokio::test]
async fn more_ids_than_go_in_one_piece_are_all_recorded() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    let many = ids(0..MOST_AT_ONCE as u32 + 1);
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &many)
        .await
        .unwrap();
    assert_holds(&state, &many).await;
}

#[tokio::test]
async fn appends_of_one_writer_side_by_side_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..12 {
        let state = state.clone();
        appends.spawn(async move {
            let ids = ids(number * 10..number * 10 + 10);
            state.append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids).await
        });
    }
    assert!(appends.join_all().await.iter().all(Result::is_ok));
    assert_holds(&state, &ids(0..120)).await;
}

#[tokio::test]
async fn the_end_of_a_killed_append_is_passed_over_and_in_nobodys_way() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(0..2))
        .await
        .unwrap();
    let segment = segment(root.path());
    let whole = fs::read(&segment).unwrap();
    for cut in 8..whole.len() {
        fs::write(&segment, &whole[..cut]).unwrap();
        let left = (cut as u32 - 8) / 16;
        assert_holds(&state, &ids(0..left)).await;

        state
            .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(5..6))
            .await
            .unwrap();
        assert_holds(&state, &ids((0..left).chain(5..6))).await;
    }
}

#[tokio::test]
async fn a_damaged_segment_stops_the_hour_and_says_the_remedy() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(0..2))
        .await
        .unwrap();
    let segment = segment(root.path());
    for content in [&b"P"[..], b"PODLDG0", b"PODLDG020123456789abcdef", &[0; 24]] {
        fs::write(&segment, content).unwrap();
        let error = state.read_ledger(&feed(), hour()).await.unwrap_err();
        assert!(matches!(error, StateError::Ledger { .. }), "{error}");
        assert!(error.to_string().contains("only duplicates of that hour"), "{error}");
    }
    fs::write(&segment, "").unwrap();
    assert_holds(&state, &[]).await;
}

#[tokio::test]
async fn a_full_segment_goes_on_in_the_next_part() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(0..1))
        .await
        .unwrap();
    let first = segment(root.path());
    let file = File::options().write(true).open(&first).unwrap();
    file.set_len(crate::state::object::LARGEST).unwrap();
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(1..2))
        .await
        .unwrap();
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), "run-1", &ids(2..3))
        .await
        .unwrap();
    // What it was filled up with is in nobody's interest.
    file.set_len(24).unwrap();
    assert_holds(&state, &ids(0..3)).await;
    let second = first.to_str().unwrap().replace(".ids", "-2.ids");
    assert_eq!(fs::read(second).unwrap().len(), 8 + 2 * 16);
}

#[tokio::test]
async fn pruning_deletes_earlier_hours_of_that_feed_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    let other = Feed { feed_type: FeedType::Log(EventType::Message), ..feed() };
    for back in 0..4 {
        for (feed, writer) in [(feed(), "run-1"), (feed(), "run-2"), (other.clone(), "run-1")] {
            let hour = hour().plus(-back);
            state
                .append_ledger(&feed, Arrival::Uncounted.of(hour), now(), writer, &ids(0..1))
                .await
                .unwrap();
        }
    }
    let strange: Vec<_> = ["2020-01-01T00/x.txt", "2020-01-01T00/x.ids", "x.ids"]
        .map(|name| root.path().join(feed_folder(&feed())).join(name))
        .into();
    for path in &strange {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    let prune = async || state.prune_ledger(&feed(), hour().plus(-1), ever()).await.unwrap();
    assert_eq!(prune().await, 4);
    assert_eq!(prune().await, 0);
    for (feed, left) in [(feed(), [1, 1, 0, 0]), (other, [1, 1, 1, 1])] {
        for (back, left) in (0..).zip(left) {
            let stored = state.read_ledger(&feed, hour().plus(-back)).await.unwrap().ids;
            assert_eq!(stored.len(), left, "{feed} {back}");
        }
    }
    assert!(strange.iter().all(|path| path.exists()));
}

#[tokio::test]
async fn ids_of_late_events_are_kept_as_long_as_others() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    let day = SignedDuration::from_hours(24);
    for (at, numbers) in [(now() - 3 * day, 0..1), (now(), 1..3)] {
        state
            .append_ledger(&feed(), Arrival::Uncounted.of(hour()), at, "run-1", &ids(numbers))
            .await
            .unwrap();
    }
    let lately = Hour::containing(now());
    assert_eq!(state.prune_ledger(&feed(), ever(), lately).await.unwrap(), 1);
    assert_holds(&state, &ids(1..3)).await;
    assert_eq!(state.prune_ledger(&feed(), ever(), lately.plus(1)).await.unwrap(), 1);
    assert_holds(&state, &[]).await;
}

#[tokio::test]
async fn one_call_prunes_a_bounded_number_and_the_oldest_first() {
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    let folder = root.path().join(hour_folder(&feed(), hour()));
    fs::create_dir_all(&folder).unwrap();
    let first = Segment { of: Arrival::Live.of(hour()), written: hour(), writer: 0, part: 1 };
    for writer in 0..MOST_PRUNED as u64 {
        let name = Segment { writer, ..first }.name(&feed());
        fs::write(root.path().join(name), "").unwrap();
    }
    state
        .append_ledger(&feed(), Arrival::Uncounted.of(hour().plus(1)), now(), "run-1", &ids(0..1))
        .await
        .unwrap();
    assert_eq!(state.prune_ledger(&feed(), ever(), ever()).await.unwrap(), MOST_PRUNED);
    assert!(!folder.exists());
    assert_eq!(state.prune_ledger(&feed(), ever(), ever()).await.unwrap(), 1);
}

/// An append of ids by a writer to an hour, some hours after [`NOW`], of events that arrived in one way.
#[derive(Clone, Debug)]
struct Append {
    writer: u8,
    offset: i64,
    later: i64,
    arrival: Arrival,
    numbers: Vec<u32>,
}

fn appends() -> impl Strategy<Value = Vec<Append>> {
    let numbers = proptest::collection::vec(0..50u32, 0..20);
    let arrival = prop::sample::select(Arrival::ALL.to_vec());
    let append = (0..3u8, 0..3i64, 0..4i64, arrival, numbers).prop_map(
        |(writer, offset, later, arrival, numbers)| Append {
            writer,
            offset,
            later,
            arrival,
            numbers,
        },
    );
    proptest::collection::vec(append, 0..8)
}

async fn append_all(state: &State, appends: &[Append]) {
    for Append { writer, offset, later, arrival, numbers } in appends {
        let (part, ids) = (arrival.of(hour().plus(*offset)), ids(numbers.iter().copied()));
        let at = now() + SignedDuration::from_hours(*later);
        state.append_ledger(&feed(), part, at, &writer.to_string(), &ids).await.unwrap();
    }
}

/// Whether each of three hours holds what was appended to it, as far as `kept` says that it must, and
/// counts each event once, for the first way in which it arrived.
async fn assert_hours_hold(state: &State, appends: &[Append], kept: impl Fn(i64, i64) -> bool) {
    for offset in 0..3 {
        let is_of_hour = |it: &&Append| it.offset == offset && kept(offset, it.later);
        let mut arrivals: BTreeMap<u32, Arrival> = BTreeMap::new();
        for Append { arrival, numbers, .. } in appends.iter().filter(is_of_hour) {
            for number in numbers {
                let first = arrivals.entry(*number).or_insert(*arrival);
                *first = (*first).min(*arrival);
            }
        }
        let mut counts = HourCounts::default();
        arrivals.values().for_each(|arrival| counts.add(*arrival, 1));
        let stored = state.read_ledger(&feed(), hour().plus(offset)).await.unwrap();
        assert_eq!((stored.ids.len(), stored.counts), (arrivals.len(), counts));
        assert!(ids(arrivals.into_keys()).into_iter().all(|id| stored.ids.contains(id)));
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_appended_by_whomever_is_what_is_read(appends in appends()) {
        let root = tempfile::tempdir().unwrap();
        block_on(async {
            let state = open(root.path()).await;
            append_all(&state, &appends).await;
            assert_hours_hold(&state, &appends, |_, _| true).await;
        });
    }

    #[test]
    fn only_old_segments_of_finished_hours_are_pruned(
        appends in appends(),
        unfinished in 0..4i64,
        lately in 0..5i64,
    ) {
        let root = tempfile::tempdir().unwrap();
        block_on(async {
            let state = open(root.path()).await;
            append_all(&state, &appends).await;
            let written_before = Hour::containing(now()).plus(lately);
            state.prune_ledger(&feed(), hour().plus(unfinished), written_before).await.unwrap();
            assert_hours_hold(&state, &appends, |hour, later| hour >= unfinished || later >= lately)
                .await;
        });
    }
}

/// Prints what an hour of two million ids costs: in `--release`, what it costs in production.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "a measurement; it needs a process of its own"]
async fn two_million_ids_take_less_than_200_megabytes() {
    const COUNT: u32 = 2_000_000;
    const WRITERS: u32 = 16;
    let root = tempfile::tempdir().unwrap();
    let state = open(root.path()).await;
    for writer in 0..WRITERS {
        let ids = ids(COUNT / WRITERS * writer..COUNT / WRITERS * (writer + 1));
        state
            .append_ledger(&feed(), Arrival::Uncounted.of(hour()), now(), &writer.to_string(), &ids)
            .await
            .unwrap();
    }
    let before = status("VmRSS:");
    let started = std::time::Instant::now();
    let mut stored = state.read_ledger(&feed(), hour()).await.unwrap().ids;
    let loading = started.elapsed();
    assert_eq!(stored.len() as u32, COUNT);
    let (after, peak) = (status("VmRSS:") - before, status("VmHWM:") - before);

    let (known, unknown) = (ids(0..100_000), ids(COUNT..COUNT + 100_000));
    let started = std::time::Instant::now();
    let found = known.iter().chain(&unknown).filter(|id| stored.contains(**id)).count();
    let lookup = started.elapsed() / 200_000;
    assert_eq!(found, 100_000);
    let started = std::time::Instant::now();
    let inserted = known.iter().chain(&unknown).filter(|id| stored.insert(**id)).count();
    let insert = started.elapsed() / 200_000;
    assert_eq!(inserted, 100_000);
    println!("loaded in {loading:?}, {after} kB held, {peak} kB at most");
    println!("{lookup:?} per look-up, {insert:?} per insert");
    assert!(peak < 200_000, "{peak} kB");
}

/// A number of kB in what the system says about this process.
#[cfg(target_os = "linux")]
fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}
