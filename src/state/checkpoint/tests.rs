use proofpoint_sentinel_core::feed::EventType;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn feed() -> Feed {
    Feed::log("acme_hosted", EventType::Message)
}

fn stored() -> Value {
    json!({
        "version": 2,
        "feed": "acme_hosted-message",
        "writer": "run-7",
        "sequence": 7,
        "updated": "2026-11-20T10:46:00Z",
        "next_hour": "2026-11-20T10",
        "retry": [
            {"hour": "2026-11-20T06", "attempts": 2, "empty_reads": 0, "last_events": 12,
             "not_before": "2026-11-20T11:00:00Z", "last_end": "cut"},
            {"hour": "2026-11-20T08", "attempts": 1, "empty_reads": 1, "last_events": 0,
             "not_before": "2026-11-20T11:30:00Z", "last_end": {"closed": 1000}},
        ],
        "backlog": [{"first": "2026-11-02T00", "last": "2026-11-02T02"}],
        "oldest_next": true,
        "believed": [
            {"hour": "2026-11-18T04", "attempts": 2, "empty_reads": 0, "last_events": 3,
             "not_before": "2026-11-20T11:00:00Z", "last_end": "cut"},
        ],
        "lost": ["2026-11-01T00"],
        "kept_hours": 335,
        "retention_hours": 336,
        "second": ["2026-11-19T23", "2026-11-20T07"],
        "live": {"ended": "2026-11-20T10:45:12.5Z", "end": {"closed": 1000}},
        "newest": "2026-11-20T10:45:11.25Z",
        "held": {"since": "2026-11-20T10:40:00Z", "probe_misled": false, "not_before": null},
        "refusals": {"clock": 9, "accepted": 7,
                     "suspects": [{"id": "00112233445566778899aabbccddeeff", "refused": 9}]},
        "told_from": "2026-11-01T00",
        "hour_rows": [
            {"hour": "2026-11-18T04", "at": "2026-11-18T05:46:00Z", "run": "run-1",
             "completeness": "believed", "attempts": 2, "repeated": 1,
             "counts": {"live": 1, "archive": 2, "late": 0, "dead_letters": 0}},
            {"hour": "2026-11-20T06", "at": "2026-11-20T10:46:00Z", "run": "run-7",
             "completeness": "lost", "attempts": null, "repeated": 0,
             "counts": {"live": 0, "archive": 0, "late": 0, "dead_letters": 0}},
        ],
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
    value["held"] = Value::Null;
    value["retention_hours"] = Value::Null;
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
    let cases: [(&str, Damage); 33] = [
        ("version 3", |it| it["version"] = json!(3)),
        ("missing field `version`", |it| drop(it.as_object_mut().unwrap().remove("version"))),
        ("missing field `retry`", |it| drop(it.as_object_mut().unwrap().remove("retry"))),
        ("missing field `second`", |it| drop(it.as_object_mut().unwrap().remove("second"))),
        ("missing field `live`", |it| drop(it.as_object_mut().unwrap().remove("live"))),
        ("missing field `newest`", |it| drop(it.as_object_mut().unwrap().remove("newest"))),
        ("missing field `end`", |it| it["live"] = json!({"ended": "2026-11-20T10:45:12Z"})),
        ("unknown variant `gone`", |it| it["retry"][0]["last_end"] = json!("gone")),
        ("unknown variant `out of time`", |it| it["live"]["end"] = json!("out of time")),
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
        ("missing field `backlog`", |it| drop(it.as_object_mut().unwrap().remove("backlog"))),
        ("missing field `held`", |it| {
            drop(it.as_object_mut().unwrap().remove("held"));
        }),
        ("both in backlog and in retry", |it| it["retry"][0]["hour"] = json!("2026-11-02T01")),
        ("both in retry and in believed", |it| it["believed"][0]["hour"] = json!("2026-11-20T06")),
        ("2026-11-02T03 to 2026-11-02T02", |it| {
            it["backlog"][0]["first"] = json!("2026-11-02T03");
        }),
        ("1900-01-01T00 to", |it| it["backlog"][0]["first"] = json!("1900-01-01T00")),
        ("to 2026-11-20T10 in backlog", |it| it["backlog"][0]["last"] = json!("2026-11-20T10")),
        ("in backlog are not in order", |it| {
            let range = it["backlog"][0].clone();
            it["backlog"].as_array_mut().unwrap().push(range);
        }),
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
    fn hours_are_taken_where_each_is_in_one_list_and_in_order(
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
