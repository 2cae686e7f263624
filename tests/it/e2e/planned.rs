//! Work that is planned for a queue: whatever becomes of the messages, each event arrives once.

use bytes::Bytes;
use futures_util::future::join_all;
use proofpoint_sentinel::collect::{PlannedWork, Run, run_planned};
use proofpoint_sentinel::feed_message::FeedMessage;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::e2e::fixture::{Scene, feed, last_hour, messages, soon, this_hour};
use crate::e2e::row_assertions::assert_arrived;

/// What happens to the messages in the queue, or around it.
#[derive(Clone, Debug)]
enum Action {
    /// The timer plans.
    Tick,
    /// A message is worked on: the one at this place, modulo their number.
    Work(usize),
    /// A message is given out twice, to two instances at once.
    WorkTwice(usize),
    /// A message is given out, and stays in the queue.
    WorkAndKeep(usize),
    /// The instance is told to stop while it begins.
    WorkAndStop(usize),
    /// A message is lost, or becomes poison.
    Lose(usize),
    /// So many minutes pass.
    Pass(i64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        2 => Just(Action::Tick),
        4 => (0..8_usize).prop_map(Action::Work),
        2 => (0..8_usize).prop_map(Action::WorkTwice),
        1 => (0..8_usize).prop_map(Action::WorkAndKeep),
        1 => (0..8_usize).prop_map(Action::WorkAndStop),
        1 => (0..8_usize).prop_map(Action::Lose),
        2 => (1..20_i64).prop_map(Action::Pass),
    ]
}

/// The queue, as texts.
#[derive(Default)]
struct Queue(Vec<String>);

impl Queue {
    fn plan(&mut self, scene: &Scene) {
        for feed in scene.settings().feeds() {
            let message = FeedMessage { feed, planned: Some(scene.now()) };
            self.0.push(message.to_json().to_string());
        }
    }

    fn take(&mut self, place: usize) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(place % self.0.len()))
    }
}

async fn work(scene: &Scene, text: &str, stop: CancellationToken) -> PlannedWork {
    let FeedMessage { feed, planned } = FeedMessage::from_json(text).unwrap();
    let run = Run { stop, ..scene.a_run() };
    soon(run_planned(run, &feed, planned)).await.expect("the run begins")
}

async fn work_well(scene: &Scene, text: &str) {
    if let PlannedWork::Done(report) = work(scene, text, CancellationToken::new()).await {
        assert!(report.is_success(), "{:?}", report.feeds);
    }
}

async fn act(scene: &Scene, queue: &mut Queue, action: &Action) {
    match action {
        Action::Tick => queue.plan(scene),
        Action::Pass(minutes) => scene.advance(*minutes),
        Action::Lose(place) => drop(queue.take(*place)),
        Action::Work(place) => {
            if let Some(text) = queue.take(*place) {
                work_well(scene, &text).await;
            }
        }
        Action::WorkTwice(place) => {
            if let Some(text) = queue.take(*place) {
                join_all([work_well(scene, &text), work_well(scene, &text)]).await;
            }
        }
        Action::WorkAndKeep(place) => {
            if let Some(text) = queue.take(*place) {
                work_well(scene, &text).await;
                queue.0.push(text);
            }
        }
        Action::WorkAndStop(place) => {
            if let Some(text) = queue.take(*place) {
                let stop = CancellationToken::new();
                stop.cancel();
                work(scene, &text, stop).await;
            }
        }
    }
}

async fn check(actions: &[Action]) {
    // The first run may be hours late.
    let scene = Scene::of().types("message,maillog").lookback(8).start().await;
    let maillog = feed(EventType::Maillog);
    let give = |feed: &Feed| -> Vec<Bytes> {
        let hours = last_hour().through(this_hour());
        hours.flat_map(|hour| scene.give(feed, hour, 5)).collect()
    };
    let (given, lines) = (give(&messages()), give(&maillog));
    let mut queue = Queue::default();
    for action in actions {
        act(&scene, &mut queue, action).await;
    }
    // Whatever happened, the next tick is enough; what was left in the queue may come after it.
    scene.advance(120);
    let left = std::mem::take(&mut queue.0);
    queue.plan(&scene);
    for text in queue.0.iter().chain(&left) {
        work_well(&scene, text).await;
    }
    assert_arrived(&scene, EventType::Message, &given);
    assert_arrived(&scene, EventType::Maillog, &lines);
    for feed in [messages(), maillog] {
        let sessions = scene.sessions(&feed);
        assert!((sessions.most_open, sessions.refused) == (1, 0), "{feed}: {sessions:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_of_delivery_each_event_arrives_once(
        actions in prop::collection::vec(action(), 0..10)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&actions));
    }
}

#[tokio::test]
async fn work_that_was_done_since_it_was_planned_is_not_done_again() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 5);
    let planned = Some(scene.now());
    // Runs take some time, which the held clock does not show.
    scene.advance(1);
    let feed = messages();
    let first = soon(run_planned(scene.a_run(), &feed, planned)).await.unwrap();
    let PlannedWork::Done(report) = first else { panic!("{first:?}") };
    assert_eq!(report.feeds[0].outcome, FeedOutcome::UpToDate);
    let second = soon(run_planned(scene.a_run(), &feed, planned)).await.unwrap();
    assert!(matches!(second, PlannedWork::DoneBefore { failed: false }), "{second:?}");
    scene.advance(1);
    let later = soon(run_planned(scene.a_run(), &feed, Some(scene.now()))).await.unwrap();
    assert!(matches!(later, PlannedWork::Done(_)), "{later:?}");
    let gone = soon(run_planned(scene.a_run(), &Feed::tap("gone"), planned)).await.unwrap();
    assert!(matches!(gone, PlannedWork::FeedGone), "{gone:?}");
    assert_arrived(&scene, EventType::Message, &events);
}

#[tokio::test]
async fn a_run_that_failed_since_is_told_apart() {
    let scene = Scene::new().await;
    let events = scene.give(&messages(), last_hour(), 5);
    let planned = Some(scene.now());
    scene.advance(1);
    let refused = SessionFault::Refuse(RefusedHandshake::new(401, "Unauthorized"));
    scene.simulation.pod.inject(&messages(), [refused]);
    let failed = soon(run_planned(scene.a_run(), &messages(), planned)).await.unwrap();
    let PlannedWork::Done(report) = failed else { panic!("{failed:?}") };
    assert!(matches!(report.feeds[0].outcome, FeedOutcome::Failed { .. }), "{report:?}");
    let second = soon(run_planned(scene.a_run(), &messages(), planned)).await.unwrap();
    assert!(matches!(second, PlannedWork::DoneBefore { failed: true }), "{second:?}");
    let again = soon(run_planned(scene.a_run(), &messages(), None)).await.unwrap();
    assert!(matches!(again, PlannedWork::Done(_)), "{again:?}");
    assert_arrived(&scene, EventType::Message, &events);
}
