//! Events that are too large for a column: what of them arrives, and where the rest is.

use proofpoint_sentinel::report::FeedCounts;
use proofpoint_sentinel::state::DeadLetterReason;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_simulator::DestinationApi;
use serde_json::value::RawValue;

use crate::e2e::fixture::{Scene, SceneBuilder, last_hour, messages};
use crate::e2e::row_assertions::{ObjectMembers, assert_arrived};
use crate::e2e::test_events::with_parts;

/// The longest value of a column, of either destination.
const COLUMN: usize = 64_000;
const LEGACY_COLUMN: usize = 32_000;

/// A message part of about `bytes` bytes without mail content, as nobody else would write it.
fn part(number: usize, bytes: usize) -> String {
    let url = "u".repeat(bytes);
    format!(r#"{{"md5":"{number}","size":1.0, "urls":[{{"url":"https://é.example/{url}"}}]}}"#)
}

/// `count` of them, as they stand in an event.
fn parts(count: usize, bytes: usize) -> String {
    let parts: Vec<String> = (0..count).map(|number| part(number, bytes)).collect();
    format!("[{}]", parts.join(","))
}

/// The elements of an array, as their texts.
fn elements(array: &str) -> Vec<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).expect("it is an array");
    elements.into_iter().map(|element| element.get().to_owned()).collect()
}

/// What became of one message with `parts`, between two that are small.
struct Delivery {
    scene: Scene,
    counts: FeedCounts,
    row: ObjectMembers,
}

impl Delivery {
    async fn of(scene: SceneBuilder, parts: &str) -> Delivery {
        let scene = scene.start().await;
        let given =
            [with_parts("before", "[]"), with_parts("sizes", parts), with_parts("after", "[]")];
        scene.give_events(&messages(), last_hour(), given.into());
        let mut report = scene.run_well().await;
        assert_eq!(report.feeds[0].hours_done, [last_hour()]);
        let counts = report.feeds.remove(0).counts;
        assert_eq!((counts.events, counts.delivered), (3, 3));
        let rows = scene.rows(EventType::Message);
        let mut rows: Vec<ObjectMembers> = rows.iter().map(|row| ObjectMembers::of(row)).collect();
        let guids: Vec<_> = rows.iter().map(|row| row.text("guid").unwrap()).collect();
        assert_eq!(guids, ["before", "sizes", "after"]);
        Delivery { scene, counts, row: rows.swap_remove(1) }
    }

    /// What the row tells of the differences between it and its event.
    fn notes(&self) -> ObjectMembers {
        match self.scene.destination {
            DestinationApi::LogsIngestion => self.row.object("AdditionalFields"),
            DestinationApi::DataCollector => {
                let text = self.row.text("AdditionalFields");
                ObjectMembers::of(&text.unwrap_or_else(|| "{}".to_owned()))
            }
        }
        .object("connectorNotes")
    }

    /// The parts in all columns together.
    fn parts(&self) -> Vec<String> {
        let columns = ["msgParts", "msgParts2", "msgParts3", "msgParts4"];
        let arrays = columns.iter().map_while(|column| self.row.get(column));
        arrays
            .flat_map(|array| {
                assert!(array.len() <= COLUMN);
                elements(array)
            })
            .collect()
    }

    fn has_no_dead_letter(&self) {
        assert_eq!(self.counts.dead_letters(), 0);
        assert_eq!(self.scene.dead_letters(DeadLetterReason::Oversize, &messages()), []);
    }
}

/// A part with mail content of `bytes` bytes, and the same part without.
fn content(bytes: usize) -> (String, String) {
    let text = "dGV4dA==".repeat(bytes / 8);
    let with = format!(
        r#"{{"md5":"a","textExtracted":"{text}\n","size":1.00,"dataBase64":"{text}","urls":[]}}"#
    );
    (with, r#"{"md5":"a","size":1.00,"urls":[]}"#.to_owned())
}

#[tokio::test]
async fn mail_content_is_left_out_if_the_column_is_too_short() {
    let (with, without) = content(80_000);
    let delivery = Delivery::of(Scene::of(), &format!("[{with},{}]", part(1, 10))).await;
    assert_eq!(delivery.parts(), [without, part(1, 10)]);
    assert_eq!(delivery.notes().text("messageText").as_deref(), Some("dropped"));
    delivery.has_no_dead_letter();
}

#[tokio::test]
async fn mail_content_that_fits_is_kept() {
    let (with, _) = content(8_000);
    for destination in [DestinationApi::LogsIngestion, DestinationApi::DataCollector] {
        let scene = Scene::of().destination(destination).start().await;
        let event = with_parts("sizes", &format!("[{with}]"));
        let events = scene.give_events(&messages(), last_hour(), vec![event]);
        scene.run_well().await;
        assert_arrived(&scene, EventType::Message, &events);
    }
}

#[tokio::test]
async fn mail_content_stays_out_if_the_operator_wants_it() {
    let (with, without) = content(16);
    let scene = || Scene::of().set("ProofpointMessageText", "drop");
    let delivery = Delivery::of(scene(), &format!("[{with}]")).await;
    assert_eq!(delivery.parts(), std::slice::from_ref(&without));
    assert_eq!(delivery.notes().text("messageText").as_deref(), Some("dropped"));
    delivery.has_no_dead_letter();

    let legacy = scene().destination(DestinationApi::DataCollector);
    let delivery = Delivery::of(legacy, &format!("[{with}]")).await;
    assert_eq!(delivery.row.text("msgParts"), Some(format!("[{without}]")));
    assert_eq!(delivery.notes().text("messageText").as_deref(), Some("dropped"));
    delivery.has_no_dead_letter();
}

#[tokio::test]
async fn parts_that_outgrow_a_column_are_spread_over_four() {
    let parts = parts(10, 20_000);
    let delivery = Delivery::of(Scene::of(), &parts).await;
    assert_eq!(delivery.parts(), elements(&parts));
    assert!(delivery.row.get("msgParts4").is_some());
    assert!(delivery.notes().0.is_empty(), "{:?}", delivery.notes());
    delivery.has_no_dead_letter();
}

#[tokio::test]
async fn parts_over_four_columns_are_shortened_and_kept_whole() {
    let parts = parts(20, 20_000);
    let delivery = Delivery::of(Scene::of(), &parts).await;
    let kept = delivery.parts();
    assert_eq!(kept.len(), 20);
    for (number, (kept, part)) in kept.iter().zip(elements(&parts)).enumerate() {
        let identity = format!(r#"{{"md5":"{number}","size":1.0,"urls":[{{"url":"https://"#);
        assert!(kept.starts_with(&identity) && kept.len() < part.len(), "{kept:.80}");
    }
    let notes = delivery.notes();
    assert!(notes.get("leftOut").unwrap().contains("msgParts[].urls[]"), "{notes:?}");
    assert_eq!(delivery.counts.oversize, 1);
    let letters = delivery.scene.dead_letters(DeadLetterReason::Oversize, &messages());
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event, with_parts("sizes", &parts));
}

#[tokio::test]
async fn legacy_rows_have_the_parts_as_text_in_pieces() {
    let parts = parts(10, 20_000);
    let legacy = Scene::of().destination(DestinationApi::DataCollector);
    let delivery = Delivery::of(legacy, &parts).await;
    let pieces: Vec<String> =
        (1..).map_while(|number| delivery.row.text(&format!("msgParts{number}"))).collect();
    assert!(pieces.iter().all(|piece| piece.len() <= LEGACY_COLUMN));
    assert_eq!(pieces.concat(), parts);
    assert_eq!((delivery.row.get("msgParts"), pieces.len()), (None, 7));
    assert!(delivery.notes().0.is_empty(), "{:?}", delivery.notes());
    delivery.has_no_dead_letter();
}
