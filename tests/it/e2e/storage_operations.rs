//! How many operations on the storage account runs need, and that docs/cost.md says so.

use std::time::Duration;

use jiff::SignedDuration;
use proofpoint_sentinel::collect::Run;
use proofpoint_sentinel::report::FeedOutcome;
use proofpoint_sentinel::state::LeaseTimes;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tap_kind::TapKind;
use proofpoint_sentinel_simulator::TAP_PRINCIPAL;
use proofpoint_sentinel_simulator::tap::TapRecord;
use serde_json::json;

use crate::e2e::fixture::{Scene, SceneBuilder, messages};
use crate::support::azurite::{Azurite, KEY, connection_string};
use crate::support::markdown;
use crate::support::relay::Relay;
use crate::support::repository::root;

/// Minutes between two runs.
const EVERY: i64 = 5;

/// A feed whose state lies in Azurite, behind a relay that counts.
struct Counted {
    scene: Scene,
    relay: Relay,
    given: usize,
}

impl Counted {
    /// After a first run, in which things are made that later runs find.
    async fn start(builder: SceneBuilder, container: &str) -> Counted {
        let relay = Relay::before(Azurite::shared().authority(), " HTTP/1.1\r\n").await;
        let storage = connection_string(&relay.address.to_string(), KEY);
        let builder = builder.set("StateStorage", &storage).set("StateContainer", container);
        let counted = Counted { scene: builder.start().await, relay, given: 0 };
        counted.run(0).await;
        counted
    }

    /// The operations of a run that delivers so many rows, however long it takes: no lease is renewed.
    async fn run(&self, rows: u64) -> usize {
        let before = self.relay.count();
        let never = Duration::from_hours(1);
        let lease_times =
            LeaseTimes { renew_every: never, give_up_after: never, ..LeaseTimes::default() };
        let report = self.scene.run_as(Run { lease_times, ..self.scene.a_run() }).await;
        for feed in &report.feeds {
            assert_eq!(
                (&feed.outcome, feed.counts.delivered),
                (&FeedOutcome::UpToDate, rows),
                "{feed}"
            );
        }
        self.relay.count() - before
    }

    /// The operations of a run some minutes after the last one, with nothing new.
    async fn idle(&self, minutes: i64) -> usize {
        self.scene.advance(minutes);
        self.run(0).await
    }

    /// The operations of a run that has something to deliver, in one batch.
    async fn delivering(&mut self, give: fn(&Scene, usize)) -> usize {
        self.scene.advance(EVERY);
        give(&self.scene, self.given);
        self.given += 1;
        self.run(1).await
    }

    /// The operations of an hour of such runs. In one of them an hour is closed.
    async fn hour(&mut self, give: fn(&Scene, usize)) -> usize {
        let mut sum = 0;
        for _ in 0..60 / EVERY {
            sum += self.delivering(give).await;
        }
        sum
    }
}

/// A message of the minute before last.
fn give_message(scene: &Scene, number: usize) {
    let at = scene.now() - SignedDuration::from_mins(2);
    let ts = at.strftime("%Y-%m-%dT%H:%M:%S.000000+0000").to_string();
    let event = json!({ "guid": format!("message-{number}"), "ts": ts, "msgParts": [] });
    scene.give_events(&messages(), Hour::containing(at), vec![event.to_string().into()]);
}

/// A click of the minute before last.
fn give_click(scene: &Scene, number: usize) {
    let at = scene.now() - SignedDuration::from_mins(2);
    let click = json!({
        "id": format!("click-{number}"), "GUID": "g", "clickTime": at, "threatTime": at,
        "threatID": "t", "threatStatus": "active", "recipient": "a@example.com",
    });
    let click = TapRecord::dated(TapKind::ClicksPermitted, click.to_string());
    scene.records.add(TAP_PRINCIPAL, vec![click.expect("it has a time")]);
}

#[tokio::test]
async fn the_operations_of_a_run_are_as_documented() {
    let mut log = Counted::start(Scene::hybrid(), "operations-of-a-cluster").await;
    let builder = Scene::of().clusters(&[]).with_tap().set("TapInitialLookbackHours", "1");
    let mut tap = Counted::start(builder, "operations-of-tap").await;
    // The hour in which it begins to look back has closed by then.
    tap.idle(2 * EVERY).await;
    let counted = [
        ("a run that finds nothing new", log.idle(EVERY).await),
        ("a run that delivers one batch", log.delivering(give_message).await),
        ("an hour of such runs, and the closed hour", log.hour(give_message).await),
        ("TAP: a run that makes no call", tap.idle(0).await),
        ("TAP: a run that finds nothing new", tap.idle(EVERY).await),
        ("TAP: a run that delivers one batch", tap.delivering(give_click).await),
        ("TAP: an hour of such runs, and the closed hour", tap.hour(give_click).await),
    ];
    let document = std::fs::read_to_string(root().join("docs/cost.md")).expect("it can be read");
    let documented = markdown::rows(&document, "what one feed does");
    let counted = counted.map(|(what, operations)| vec![what.to_owned(), operations.to_string()]);
    assert_eq!(documented, counted);
}
