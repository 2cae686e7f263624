//! TAP's mail is the gateway's mail.

use std::sync::LazyLock;

use proofpoint_sentinel_core::feed::Feed;

use super::*;
use crate::pod::{EventSource, GeneratedEvents};

/// Some hours of the gateway's message events, and the records that their mail has then and for some
/// hours after.
struct GatewayHours {
    /// By guid.
    events: BTreeMap<String, Value>,
    records: Vec<TapRecord>,
}

static HALF_DAY: LazyLock<GatewayHours> = LazyLock::new(|| GatewayHours::of(200, 12, 36, false));

impl GatewayHours {
    fn of(messages: u64, hours: i64, hours_after: i64, bulk: bool) -> GatewayHours {
        let source = source(messages, bulk);
        let traffic = [("acme_hosted".to_owned(), MailTraffic::new(42, "acme_hosted"))];
        let gateway = GeneratedEvents::new(traffic, source.volume);
        let feed = Feed::log("acme_hosted", EventType::Message);
        let first = Hour::containing(at("18T00:00:00"));
        let events = first
            .through(first.plus(hours - 1))
            .flat_map(|hour| gateway.events(&feed, hour))
            .map(|event| serde_json::from_slice::<Value>(&event).unwrap())
            .map(|event| (event["guid"].as_str().unwrap().to_owned(), event))
            .collect::<BTreeMap<_, _>>();
        let end = at("18T00:00:00") + SignedDuration::from_hours(hours);
        let is_of_mail = |record: &TapRecord| {
            let record = parsed(record);
            let known = events.contains_key(record["GUID"].as_str().unwrap());
            // No mail of these hours may be unknown to the gateway.
            let at = record["messageTime"].as_str().map(|at| at.parse::<Timestamp>().unwrap());
            let is_within = at.is_some_and(|at| (self::at("18T00:00:00")..end).contains(&at));
            assert!(known || !is_within, "{record}");
            known
        };
        let window = at("18T00:00:00")..end + SignedDuration::from_hours(hours_after);
        let records = source.records(PRINCIPAL, &window, at("21T00:00:00"));
        let records = records.into_iter().filter(is_of_mail).collect();
        GatewayHours { events, records }
    }

    fn event(&self, record: &Value) -> &Value {
        &self.events[record["GUID"].as_str().unwrap()]
    }
}

#[test]
fn messages_are_those_of_the_gateway() {
    for day in [&HALF_DAY, &GatewayHours::of(600, 2, 0, true)] {
        let mut whole = 0;
        for record in of_kind(&day.records, MessagesDelivered)
            .into_iter()
            .chain(of_kind(&day.records, MessagesBlocked))
        {
            let event = day.event(&record);
            assert_eq!(record["senderIP"], event["connection"]["ip"]);
            let recipients = event["envelope"]["rcpts"].as_array().unwrap();
            let recipient = match &record["recipient"] {
                Value::Array(list) => &list[0],
                text => text,
            };
            assert!(recipients.contains(recipient), "{record}");
            if record["QID"].is_null() {
                continue;
            }
            whole += 1;
            assert_eq!(record["QID"], event["filter"]["qid"]);
            assert_eq!(record["sender"], event["envelope"]["from"]);
            assert_eq!(record["messageID"], event["msg"]["header"]["message-id"][0]);
            assert_eq!(record["subject"], event["msg"]["header"]["subject"][0]);
            let files = |parts: &Value| -> Vec<Value> {
                let parts = parts.as_array();
                parts.into_iter().flatten().map(|part| part["sha256"].clone()).collect()
            };
            assert_eq!(files(&record["messageParts"]), files(&event["msgParts"]));
        }
        assert!(whole > 50, "{whole}");
    }
}

#[test]
fn blocked_messages_were_quarantined_and_others_delivered() {
    for (kind, disposition) in [(MessagesBlocked, "discard"), (MessagesDelivered, "continue")] {
        let records = of_kind(&HALF_DAY.records, kind);
        assert!(records.len() > 30, "{kind}: {}", records.len());
        for record in records {
            let event = HALF_DAY.event(&record);
            assert_eq!(event["filter"]["disposition"], disposition, "{record}");
            let is_delivered = event["filter"].get("delivered").is_some();
            assert_eq!(is_delivered, kind == MessagesDelivered);
        }
    }
}

#[test]
fn each_recipient_has_a_record_of_its_own() {
    let records = &HALF_DAY.records;
    let ids: BTreeSet<(String, Timestamp)> = records
        .iter()
        .map(|record| (parsed(record)["id"].as_str().unwrap().to_owned(), record.created_at))
        .collect();
    assert_eq!(ids.len(), records.len());

    let mut recipients: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for record in of_kind(records, MessagesBlocked) {
        let status = record["threatsInfoMap"][0]["threatStatus"].as_str().unwrap().to_owned();
        let key = (record["GUID"].as_str().unwrap().to_owned(), status);
        recipients.entry(key).or_default().insert(record["recipient"].to_string());
    }
    for ((guid, _), recipients) in &recipients {
        let all = HALF_DAY.events[guid]["envelope"]["rcpts"].as_array().unwrap();
        assert_eq!(recipients.len(), all.len(), "{guid}");
    }
    assert!(recipients.values().any(|recipients| recipients.len() > 2));
}

#[test]
fn clicks_are_on_delivered_mail_by_its_recipients() {
    let mut early = 0;
    for kind in [ClicksPermitted, ClicksBlocked] {
        let clicks = of_kind(&HALF_DAY.records, kind);
        assert!(clicks.len() > 5, "{kind}: {}", clicks.len());
        for click in clicks {
            let event = HALF_DAY.event(&click);
            assert_eq!(event["filter"]["disposition"], "continue");
            assert!(event["envelope"]["rcpts"].as_array().unwrap().contains(&click["recipient"]));
            assert_eq!(click["sender"], event["envelope"]["from"]);
            let header = event["msg"]["header"]["message-id"][0].as_str().unwrap();
            assert_eq!(format!("<{}>", click["messageID"].as_str().unwrap()), header);
            let (clicked, verdict) =
                (click["clickTime"].as_str().unwrap(), click["threatTime"].as_str().unwrap());
            if clicked < verdict && click["threatStatus"] == "active" {
                early += 1;
                assert_eq!(kind, ClicksPermitted, "{click}");
            }
        }
    }
    assert!(early > 5, "{early}");
}

#[test]
fn a_delivered_mail_is_condemned_clicked_and_cleared() {
    let mut stories: BTreeMap<String, BTreeSet<(TapKind, String)>> = BTreeMap::new();
    for record in EIGHT_DAYS.iter() {
        let body = parsed(record);
        let status = match record.kind.is_message() {
            true => &body["threatsInfoMap"][0]["threatStatus"],
            false => &body["threatStatus"],
        };
        let step = (record.kind, status.as_str().unwrap().to_owned());
        stories.entry(body["GUID"].as_str().unwrap().to_owned()).or_default().insert(step);
    }
    let has = |kind, status: &str| (kind, status.to_owned());
    let whole = stories.values().filter(|story| {
        story.contains(&has(MessagesDelivered, "active"))
            && story.contains(&has(ClicksPermitted, "active"))
            && story.contains(&has(MessagesDelivered, "cleared"))
    });
    assert!(whole.count() > 3);
}

#[test]
fn a_click_on_a_cleared_threat_is_permitted() {
    let mut cleared = 0;
    for kind in [ClicksPermitted, ClicksBlocked] {
        for click in of_kind(&EIGHT_DAYS, kind) {
            let time = |key: &str| click[key].as_str().unwrap().parse::<Timestamp>().unwrap();
            if click["threatStatus"] != "active" && time("threatTime") < time("clickTime") {
                cleared += 1;
                assert_eq!(kind, ClicksPermitted, "{click}");
            }
        }
    }
    assert!(cleared > 0);
}
