//! The checkpoint: what is done for a feed, in whole hours.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use serde::{Deserialize, Serialize};

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// Years before the Log API existed. A checkpoint from there would have every hour since read.
const EARLIEST: Timestamp = Timestamp::constant(1_420_070_400, 0);

/// What is done for one feed. Stored as JSON that a human can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Version of the format, 1.
    pub version: u32,
    /// The feed, as its `Display` writes it.
    pub feed: String,
    /// Who wrote it: the id of the run. With `sequence`, makes the bytes of no two writes equal.
    pub writer: String,
    /// How many checkpoints of this feed were written before.
    pub sequence: u64,
    /// When it was written.
    pub updated: Timestamp,
    /// Every hour before this one is done, is in `retry`, or is in `lost`.
    pub next_hour: Hour,
    /// Hours before `next_hour` that are not done, oldest first, each once.
    pub retry: Vec<HourAttempt>,
    /// Hours before `next_hour` that Proofpoint no longer held when they could be read.
    pub lost: Vec<Hour>,
    /// Hours before `next_hour` that are done and are to be read once more, for events that came
    /// late; oldest first, each once.
    pub second: Vec<Hour>,
    /// The last reading of the live stream; `None` before the first one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub live: Option<LiveMark>,
    /// The newest time of an event that was delivered; `None` before the first one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub newest: Option<Timestamp>,
}

/// How far the live stream was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveMark {
    /// When the reading ended.
    pub ended: Timestamp,
    /// How it ended.
    pub end: String,
}

/// An hour that was read and is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourAttempt {
    /// The hour.
    pub hour: Hour,
    /// How often it was read.
    pub attempts: u32,
    /// How often of these it ended well and without an event.
    pub empty_reads: u32,
    /// It is not read again before this.
    pub not_before: Timestamp,
    /// How many events the last read gave.
    pub last_events: u64,
    /// How the last read ended.
    pub last_end: String,
}

/// Only what every version of the format has.
#[derive(Deserialize)]
struct AnyVersion {
    version: u32,
}

impl Checkpoint {
    /// A checkpoint of this format's version, from which nothing is left to be read again.
    pub fn starting_at(next_hour: Hour, feed: &Feed, writer: &str, now: Timestamp) -> Checkpoint {
        Checkpoint {
            version: VERSION,
            feed: feed.to_string(),
            writer: writer.to_owned(),
            sequence: 0,
            updated: now,
            next_hour,
            retry: Vec::new(),
            lost: Vec::new(),
            second: Vec::new(),
            live: None,
            newest: None,
        }
    }

    /// Reads what was stored for `feed`. The error says what is wrong with it.
    pub(crate) fn from_json(bytes: &[u8], feed: &Feed) -> Result<Checkpoint, String> {
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        // The version comes first: another one would only be called damaged below.
        let AnyVersion { version } = serde_json::from_slice(bytes).map_err(not_a_checkpoint)?;
        if version != VERSION {
            return Err(format!(
                "it has version {version} and this program knows version {VERSION}; a newer \
                 release of the program wrote it, so go back to that release"
            ));
        }
        let checkpoint: Checkpoint = serde_json::from_slice(bytes).map_err(not_a_checkpoint)?;
        checkpoint.check(feed)?;
        Ok(checkpoint)
    }

    /// The bytes to store.
    pub(crate) fn to_json(&self, feed: &Feed) -> Result<Vec<u8>, String> {
        if self.version != VERSION {
            return Err(format!("its version is {} and not {VERSION}", self.version));
        }
        self.check(feed)?;
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        json.push(b'\n');
        Ok(json)
    }

    /// What the types don't say already.
    fn check(&self, feed: &Feed) -> Result<(), String> {
        if self.feed != feed.to_string() {
            return Err(format!("it belongs to the feed `{}`", self.feed));
        }
        let next = self.next_hour;
        if next.start() < EARLIEST || next.start() > self.updated {
            return Err(format!(
                "next_hour {next} makes no sense for a checkpoint written at {}",
                self.updated
            ));
        }
        self.check_hours()
    }

    /// That each hour before `next_hour` is in one list at most, and its list in order.
    fn check_hours(&self) -> Result<(), String> {
        let retry: Vec<Hour> = self.retry.iter().map(|attempt| attempt.hour).collect();
        in_order("retry", &retry)?;
        in_order("second", &self.second)?;
        let lists = [("retry", &retry), ("lost", &self.lost), ("second", &self.second)];
        let mut seen = BTreeMap::new();
        for (list, hours) in lists {
            for &hour in hours {
                let next = self.next_hour;
                if hour >= next {
                    return Err(format!(
                        "the hour {hour} in {list} is not before next_hour {next}"
                    ));
                }
                match seen.insert(hour, list) {
                    Some(other) if other != list => {
                        return Err(format!("the hour {hour} is both in {other} and in {list}"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn in_order(list: &str, hours: &[Hour]) -> Result<(), String> {
    match hours.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => {
            Err(format!("the hours in {list} are not in order, or {} is there twice", pair[1]))
        }
        None => Ok(()),
    }
}

fn not_a_checkpoint(error: serde_json::Error) -> String {
    format!("it is damaged ({error})")
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::EventType;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn feed() -> Feed {
        Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message }
    }

    fn stored() -> Value {
        json!({
            "version": 1,
            "feed": "acme_hosted-message",
            "writer": "run-7",
            "sequence": 7,
            "updated": "2026-11-20T10:46:00Z",
            "next_hour": "2026-11-20T10",
            "retry": [
                {"hour": "2026-11-20T06", "attempts": 2, "empty_reads": 0, "last_events": 12,
                 "not_before": "2026-11-20T11:00:00Z", "last_end": "cut"},
                {"hour": "2026-11-20T08", "attempts": 1, "empty_reads": 1, "last_events": 0,
                 "not_before": "2026-11-20T11:30:00Z", "last_end": "closed with 1000"},
            ],
            "lost": ["2026-11-01T00"],
            "second": ["2026-11-19T23", "2026-11-20T07"],
            "live": {"ended": "2026-11-20T10:45:12.5Z", "end": "closed with 1000"},
            "newest": "2026-11-20T10:45:11.25Z",
        })
    }

    fn read(value: &Value) -> Result<Checkpoint, String> {
        Checkpoint::from_json(value.to_string().as_bytes(), &feed())
    }

    #[test]
    fn is_written_as_it_was_read() {
        let checkpoint = read(&stored()).unwrap();
        assert_eq!(checkpoint.retry[1].hour.to_string(), "2026-11-20T08");
        let json = checkpoint.to_json(&feed()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), stored());
    }

    #[test]
    fn what_is_not_known_yet_is_null() {
        let mut value = stored();
        value["live"] = Value::Null;
        value["newest"] = Value::Null;
        let checkpoint = read(&value).unwrap();
        assert_eq!((&checkpoint.live, &checkpoint.newest), (&None, &None));
        let json = checkpoint.to_json(&feed()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), value);
    }

    #[test]
    fn a_first_checkpoint_is_a_good_one() {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        let first = Checkpoint::starting_at(Hour::containing(now), &feed(), "run-1", now);
        assert_eq!(Checkpoint::from_json(&first.to_json(&feed()).unwrap(), &feed()), Ok(first));
    }

    #[test]
    fn damage_is_told() {
        type Damage = fn(&mut Value);
        let cases: [(&str, Damage); 23] = [
            ("version 2", |it| it["version"] = json!(2)),
            ("missing field `version`", |it| drop(it.as_object_mut().unwrap().remove("version"))),
            ("missing field `retry`", |it| drop(it.as_object_mut().unwrap().remove("retry"))),
            ("missing field `second`", |it| drop(it.as_object_mut().unwrap().remove("second"))),
            ("missing field `live`", |it| drop(it.as_object_mut().unwrap().remove("live"))),
            ("missing field `newest`", |it| drop(it.as_object_mut().unwrap().remove("newest"))),
            ("missing field `end`", |it| it["live"] = json!({"ended": "2026-11-20T10:45:12Z"})),
            ("unknown field `events`", |it| it["live"]["events"] = json!(1)),
            ("unknown field `more`", |it| it["more"] = json!(1)),
            ("belongs to the feed `other-audit`", |it| it["feed"] = json!("other-audit")),
            ("not an hour", |it| it["next_hour"] = json!("2026-11-20T10:30")),
            ("next_hour 1970-01-01T00", |it| it["next_hour"] = json!("1970-01-01T00")),
            ("next_hour 2026-11-20T11", |it| it["next_hour"] = json!("2026-11-20T11")),
            ("in retry are not in order", |it| it["retry"][0]["hour"] = json!("2026-11-20T09")),
            ("08 is there twice", |it| it["retry"][0]["hour"] = json!("2026-11-20T08")),
            ("in second are not in order", |it| it["second"][0] = json!("2026-11-20T09")),
            ("07 is there twice", |it| it["second"][0] = json!("2026-11-20T07")),
            ("in retry is not before", |it| it["retry"][1]["hour"] = json!("2026-11-20T10")),
            ("in lost is not before", |it| it["lost"] = json!(["2026-11-20T10"])),
            ("in second is not before", |it| it["second"][1] = json!("2026-11-20T10")),
            ("both in retry and in lost", |it| it["lost"] = json!(["2026-11-20T06"])),
            ("both in retry and in second", |it| it["second"] = json!(["2026-11-20T06"])),
            ("both in lost and in second", |it| it["second"] = json!(["2026-11-01T00"])),
        ];
        for (told, damage) in cases {
            let mut value = stored();
            damage(&mut value);
            let error = read(&value).unwrap_err();
            assert!(error.contains(told), "`{error}` does not tell `{told}`");
        }
    }

    #[test]
    fn a_bad_checkpoint_is_not_even_written() {
        let mut checkpoint = read(&stored()).unwrap();
        checkpoint.retry.reverse();
        assert!(checkpoint.to_json(&feed()).is_err());
    }

    /// Up to four of the ten hours before `next_hour`, in any order.
    fn some_hours() -> impl Strategy<Value = Vec<Hour>> {
        let next: Hour = "2026-11-20T10".parse().unwrap();
        proptest::collection::vec((1..=10i64).prop_map(move |back| next.plus(-back)), 0..4)
    }

    proptest! {
        #[test]
        fn hours_are_taken_as_they_are_where_each_is_in_one_list_and_in_order(
            retry in some_hours(),
            lost in some_hours(),
            second in some_hours(),
        ) {
            let mut checkpoint = read(&stored()).unwrap();
            let attempt = |hour: &Hour| HourAttempt { hour: *hour, ..checkpoint.retry[0].clone() };
            let attempts = retry.iter().map(attempt).collect();
            checkpoint.retry = attempts;
            checkpoint.lost = lost.clone();
            checkpoint.second = second.clone();

            let rises = |hours: &[Hour]| hours.is_sorted_by(|one, next| one < next);
            let apart = |some: &[Hour], others: &[Hour]| some.iter().all(|it| !others.contains(it));
            let is_good = rises(&retry) && rises(&second)
                && apart(&retry, &lost) && apart(&retry, &second) && apart(&lost, &second);
            match checkpoint.to_json(&feed()) {
                Ok(json) => {
                    prop_assert!(is_good);
                    prop_assert_eq!(Checkpoint::from_json(&json, &feed()), Ok(checkpoint));
                }
                Err(reason) => prop_assert!(!is_good, "{}", reason),
            }
        }

        #[test]
        fn no_bytes_but_its_own_are_taken_for_a_checkpoint(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert!(Checkpoint::from_json(&bytes, &feed()).is_err());
        }

        /// As a write that was cut off would leave it, if writes could be.
        #[test]
        fn a_cut_checkpoint_is_damaged(cut in any::<prop::sample::Index>()) {
            let whole = read(&stored()).unwrap().to_json(&feed()).unwrap();
            // The last two bytes are the brace and the line's end.
            let cut = cut.index(whole.len() - 1);
            prop_assert!(Checkpoint::from_json(&whole[..cut], &feed()).is_err());
        }
    }
}
