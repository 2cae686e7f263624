//! Answers in the format of RFC 5424, which a call gets that does not ask for JSON.

use proofpoint_sentinel_core::tap_kind::TapKind;
use serde_json::{Map, Value};

use super::record::TapRecord;

/// The record as a line. Its structured data has the members of the record.
pub(super) fn line(record: &TapRecord) -> String {
    let (message_id, data_id) = match record.kind {
        TapKind::MessagesDelivered => ("MSGDLV", "tapmsg@21139"),
        TapKind::MessagesBlocked => ("MSGBLK", "tapmsg@21139"),
        TapKind::ClicksPermitted => ("CLKPER", "tapclk@21139"),
        TapKind::ClicksBlocked => ("CLKBLK", "tapclk@21139"),
    };
    let members: Map<String, Value> = serde_json::from_slice(&record.body).unwrap_or_default();
    let data: String = members
        .iter()
        .map(|(name, value)| format!(" {name}=\"{}\"", escaped(&text(value))))
        .collect();
    format!("<38>1 {:.0} - ProofpointTAP - {message_id} [{data_id}{data}]\n", record.created_at)
}

/// Texts in a list are separated by commas. Lists of objects are JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) if elements.iter().all(Value::is_string) => {
            elements.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_members_as_structured_data() {
        let body = r#"{"QID":"r2FNwRHF004109","headerReplyTo":null,
            "policyRoutes":["default_inbound","executives"],"sender":"a\"b]@evil.zz",
            "threatsInfoMap":[{"threat":"x"}],"messageTime":"2016-06-24T21:18:38.000Z"}"#;
        let record = TapRecord::dated(TapKind::MessagesBlocked, body).unwrap();
        assert_eq!(
            line(&record),
            "<38>1 2016-06-24T21:18:38Z - ProofpointTAP - MSGBLK [tapmsg@21139 \
             QID=\"r2FNwRHF004109\" headerReplyTo=\"null\" \
             messageTime=\"2016-06-24T21:18:38.000Z\" \
             policyRoutes=\"default_inbound,executives\" sender=\"a\\\"b\\]@evil.zz\" \
             threatsInfoMap=\"[{\\\"threat\\\":\\\"x\\\"}\\]\"]\n"
        );
    }
}
