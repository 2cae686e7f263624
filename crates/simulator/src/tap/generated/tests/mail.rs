//! TAP's mail is the gateway's mail.

use proofpoint_sentinel_core::feed::Feed;

use super::*;
use crate::pod::{EventSource, GeneratedEvents};

/// The gateway's message events from some days before the records of two days, by guid.
fn gateway_events(messages: u64, bulk: bool) -> BTreeMap<String, Value> {
    let traffic = [("acme_hosted".to_owned(), MailTraffic::new(42, "acme_hosted"))];
    let events = GeneratedEvents::new(traffic, source(messages, bulk).volume);
    let feed = Feed { cluster_id: "acme_hosted".to_owned(), event_type: EventType::Message };
    let first = Hour::containing(at("11T00:00:00"));
    let hours = first.through(Hour::containing(at("20T00:00:00")));
    hours
        .flat_map(|hour| events.events(&feed, hour))
        .map(|event| serde_json::from_slice::<Value>(&event).unwrap())
        .map(|event| (event["guid"].as_str().unwrap().to_owned(), event))
        .collect()
}

#[test]
fn messages_are_those_of_the_gateway() {
    for bulk in [false, true] {
        let gateway = gateway_events(50, bulk);
        let records = two_days(&source(50, bulk));
        let mut whole = 0;
        for record in of_kind(&records, MessagesDelivered)
            .into_iter()
            .chain(of_kind(&records, MessagesBlocked))
        {
            let event = &gateway[record["GUID"].as_str().unwrap()];
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
        assert!(whole > 100, "{whole}");
    }
}

#[test]
fn blocked_messages_were_quarantined_and_others_delivered() {
    let gateway = gateway_events(200, false);
    let records = two_days(&source(200, false));
    for (kind, disposition) in [(MessagesBlocked, "discard"), (MessagesDelivered, "continue")] {
        let records = of_kind(&records, kind);
        assert!(records.len() > 50, "{kind}");
        for record in records {
            let event = &gateway[record["GUID"].as_str().unwrap()];
            assert_eq!(event["filter"]["disposition"], disposition, "{record}");
            let is_delivered = event["filter"].get("delivered").is_some();
            assert_eq!(is_delivered, kind == MessagesDelivered);
        }
    }
}

#[test]
fn each_recipient_has_a_record_of_its_own() {
    let source = source(200, false).with_lag(SignedDuration::ZERO);
    let records = two_days(&source);
    let ids: BTreeSet<(String, Timestamp)> = records
        .iter()
        .map(|record| (parsed(record)["id"].as_str().unwrap().to_owned(), record.created_at))
        .collect();
    assert_eq!(ids.len(), records.len());

    let gateway = gateway_events(200, false);
    let mut recipients: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for record in of_kind(&records, MessagesBlocked) {
        let status = record["threatsInfoMap"][0]["threatStatus"].as_str().unwrap().to_owned();
        let key = (record["GUID"].as_str().unwrap().to_owned(), status);
        recipients.entry(key).or_default().insert(record["recipient"].to_string());
    }
    for ((guid, _), recipients) in &recipients {
        let all = gateway[guid]["envelope"]["rcpts"].as_array().unwrap();
        assert_eq!(recipients.len(), all.len(), "{guid}");
    }
    assert!(recipients.values().any(|recipients| recipients.len() > 2));
}

#[test]
fn clicks_are_on_delivered_mail_by_its_recipients() {
    let gateway = gateway_events(200, false);
    let records = two_days(&source(200, false));
    let mut early = 0;
    for kind in [ClicksPermitted, ClicksBlocked] {
        let clicks = of_kind(&records, kind);
        assert!(clicks.len() > 10, "{kind}: {}", clicks.len());
        for click in clicks {
            let event = &gateway[click["GUID"].as_str().unwrap()];
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
    assert!(early > 10, "{early}");
}

#[test]
fn a_delivered_mail_is_condemned_clicked_and_cleared() {
    let source = source(200, false);
    let week = at("12T00:00:00")..at("20T00:00:00");
    let records = source.records(PRINCIPAL, &week, at("21T00:00:00"));
    let mut stories: BTreeMap<String, BTreeSet<(RecordKind, String)>> = BTreeMap::new();
    for record in &records {
        let body = parsed(record);
        let status = match record.kind.is_click() {
            true => &body["threatStatus"],
            false => &body["threatsInfoMap"][0]["threatStatus"],
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
