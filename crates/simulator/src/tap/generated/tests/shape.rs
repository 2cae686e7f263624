//! The members of records, as public captures have them.

use super::*;

/// The `number`-th record of a public capture.
fn captured(file: &str, number: usize) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/tap");
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    serde_json::from_str(text.lines().nth(number).unwrap()).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn messages(records: &[TapRecord]) -> Vec<Value> {
    let mut messages = of_kind(records, MessagesDelivered);
    messages.extend(of_kind(records, MessagesBlocked));
    messages
}

/// All values at `pointer`.
fn values(records: &[Value], pointer: &str) -> BTreeSet<String> {
    records.iter().filter_map(|record| Some(record.pointer(pointer)?.to_string())).collect()
}

#[test]
fn records_have_the_members_of_real_ones() {
    let newer = captured("messages_delivered.ndjson", 1);
    let older = captured("messages_blocked.ndjson", 1);
    let (mut new_ones, mut old_ones) = (0, 0);
    for message in messages(&EIGHT_DAYS) {
        let is_new = message.get("cluster").is_some();
        *if is_new { &mut new_ones } else { &mut old_ones } += 1;
        let real = if is_new { &newer } else { &older };
        let mut expected = keys(real);
        // The older capture is from before records had ids.
        expected.insert("id");
        assert_eq!(keys(&message), expected, "{message}");
        for part in message["messageParts"].as_array().into_iter().flatten() {
            assert_eq!(keys(part), keys(&real["messageParts"][0]));
        }
        for threat in message["threatsInfoMap"].as_array().unwrap() {
            let mut expected = keys(&real["threatsInfoMap"][0]);
            if threat.get("detectionType").is_none() {
                expected.remove("detectionType");
            }
            assert_eq!(keys(threat), expected);
        }
    }
    assert!(new_ones > old_ones && old_ones > 10, "{new_ones} and {old_ones}");
    let real = captured("clicks_blocked.ndjson", 0);
    for kind in [ClicksPermitted, ClicksBlocked] {
        for click in of_kind(&EIGHT_DAYS, kind) {
            assert_eq!(keys(&click), keys(&real));
        }
    }
}

#[test]
fn every_kind_of_threat_occurs() {
    let threats: Vec<Value> = messages(&EIGHT_DAYS)
        .into_iter()
        .flat_map(|message| message["threatsInfoMap"].as_array().unwrap().clone())
        .collect();
    let classifications = values(&threats, "/classification");
    for name in ["malware", "phish", "spam", "impostor", "toad"] {
        assert!(classifications.contains(&format!("\"{name}\"")), "{name}");
    }
    assert!(classifications.contains("\"PHISH\"") && classifications.contains("\"MALWARE\""));
    let types = values(&threats, "/threatType");
    for name in ["url", "attachment", "messageText", "URL", "ATTACHMENT"] {
        assert!(types.contains(&format!("\"{name}\"")), "{name}");
    }
    let campaigns = values(&threats, "/campaignID");
    assert!(campaigns.contains("null") && campaigns.len() > 2, "{campaigns:?}");
    assert!(values(&threats, "/campaignId").len() > 1);
    assert!(
        values(&threats, "/actors").contains("[]") && values(&threats, "/actors/0/name").len() > 1
    );
    assert_eq!(
        values(&threats, "/detectionType"),
        BTreeSet::from(["\"COMPROMISED_WEBSITE\"".to_owned()])
    );
    let ids = values(&threats, "/threatID");
    assert!(ids.len() > 20 && ids.iter().all(|id| id.len() == 66));
}

#[test]
fn one_campaign_has_many_mails() {
    let mut guids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in messages(&EIGHT_DAYS) {
        for threat in message["threatsInfoMap"].as_array().unwrap() {
            if let Some(campaign) = threat["campaignID"].as_str() {
                guids.entry(campaign.to_owned()).or_default().insert(message["GUID"].to_string());
            }
        }
    }
    assert!(guids.values().all(|mails| mails.len() > 3), "{guids:?}");
}

#[test]
fn some_values_do_not_fit_their_columns() {
    let messages = messages(&EIGHT_DAYS);
    let rewritten = values(&messages, "/completelyRewritten");
    let all = ["true", "false", "\"true\"", "\"false\"", "\"na\""];
    assert_eq!(rewritten, all.map(str::to_owned).into());
    let scores = values(&messages, "/impostorScore");
    assert!(scores.contains("0.0") && scores.contains("0"), "{scores:?}");
    assert!(scores.iter().any(|score| score.ends_with(".5")), "{scores:?}");
    assert!(messages.iter().any(|message| message["recipient"].is_string()));
    assert!(messages.iter().any(|message| message["fromAddress"].is_string()));
    assert!(messages.iter().any(|message| message["fromAddress"].is_array()));
}

#[test]
fn some_delivered_records_are_abridged() {
    let is_abridged = |message: &&Value| message["QID"].is_null();
    let delivered = of_kind(&EIGHT_DAYS, MessagesDelivered);
    let abridged: Vec<&Value> = delivered.iter().filter(is_abridged).collect();
    assert!(abridged.len() > 5 && abridged.len() < delivered.len() / 2, "{}", abridged.len());
    let real = captured("messages_delivered.ndjson", 0);
    let nothing = |value: &Value| value.is_null() || *value == "" || *value == 0;
    for message in abridged {
        assert_eq!(keys(message), keys(&real));
        for (key, value) in real.as_object().unwrap() {
            let is_score = key.ends_with("Score");
            assert!(is_score || nothing(&message[key]) == nothing(value), "{key} in {message}");
        }
    }
    assert_eq!(of_kind(&EIGHT_DAYS, MessagesBlocked).iter().filter(is_abridged).count(), 0);
}

#[test]
fn ids_have_the_form_of_real_ones() {
    for record in EIGHT_DAYS.iter() {
        let body = parsed(record);
        let id = body["id"].as_str().unwrap();
        let (version, variant) = (&id[14..15], &id[19..20]);
        match record.kind.is_message() {
            false => assert!(version == "4" && "89ab".contains(variant), "{id}"),
            true => assert_eq!((id.len(), version, variant), (36, "b", "c"), "{id}"),
        }
    }
}

#[test]
fn the_file_with_the_threat_is_marked() {
    let mut marked = 0;
    for message in messages(&EIGHT_DAYS) {
        let threats = message["threatsInfoMap"].as_array().unwrap();
        let by_file = |threat: &&Value| {
            threat["threatType"].as_str().unwrap().eq_ignore_ascii_case("attachment")
        };
        for threat in threats.iter().filter(by_file) {
            if let Some(parts) = message["messageParts"].as_array() {
                let part = parts.iter().find(|part| part["sha256"] == threat["threat"]).unwrap();
                assert_eq!(part["sandboxStatus"], "threat");
                marked += 1;
            }
        }
    }
    assert!(marked > 10, "{marked}");
}
