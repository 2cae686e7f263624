//! The body of an answer in JSON, as parts that are sent one after the other.

use std::ops::Range;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::call_fault::CallFault;
use super::endpoint::RecordKind;
use super::record::TapRecord;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyPart {
    /// What stands between records.
    Frame(Bytes),
    /// A record.
    Record(RecordKind, Bytes),
}

impl BodyPart {
    pub(super) fn bytes(&self) -> &Bytes {
        match self {
            BodyPart::Frame(bytes) | BodyPart::Record(_, bytes) => bytes,
        }
    }

    fn text(text: impl Into<String>) -> BodyPart {
        BodyPart::Frame(Bytes::from(text.into()))
    }
}

/// The parts of a body. Not all of them exist at once.
pub(super) type BodyParts = Box<dyn Iterator<Item = BodyPart> + Send>;

/// An array of records, by its kind.
pub(super) type RecordArray = (RecordKind, Vec<TapRecord>);

/// The parts of an answer to a call for `window`, with what `fault` adds or leaves out.
pub(super) fn json_parts(
    window: &Range<Timestamp>,
    arrays: Vec<RecordArray>,
    fault: Option<&CallFault>,
) -> BodyParts {
    let mut members: Vec<BodyParts> = Vec::new();
    if !matches!(fault, Some(CallFault::NoQueryEndTime)) {
        let end = BodyPart::text(format!("\"queryEndTime\":\"{}\"", window.end));
        members.push(Box::new(std::iter::once(end)));
    }
    for (at, (kind, records)) in arrays.into_iter().enumerate() {
        if records.is_empty() && matches!(fault, Some(CallFault::MissingArrays)) {
            continue;
        }
        let own = records.into_iter().map(move |record| BodyPart::Record(kind, record.body));
        let elements: BodyParts = match fault {
            Some(CallFault::Huge(count)) if at == 0 => {
                Box::new(own.chain(huge(kind, window.clone(), *count)))
            }
            Some(CallFault::Member(member)) => {
                Box::new(std::iter::once(BodyPart::Frame(member.clone())).chain(own))
            }
            _ => Box::new(own),
        };
        members.push(array(kind.as_str(), elements));
    }
    if let Some(CallFault::UnknownArray(name, elements)) = fault {
        let elements = elements.clone().into_iter().map(BodyPart::Frame);
        members.push(array(name, Box::new(elements)));
    }
    let members = separated(members.into_iter());
    let open = std::iter::once(BodyPart::text("{"));
    Box::new(open.chain(members).chain(std::iter::once(BodyPart::text("}"))))
}

/// A member whose value is an array.
fn array(name: &str, elements: BodyParts) -> BodyParts {
    let open = BodyPart::text(format!("{}:[", serde_json::Value::from(name)));
    let elements = separated(elements.map(std::iter::once));
    let close = std::iter::once(BodyPart::text("]"));
    Box::new(std::iter::once(open).chain(elements).chain(close))
}

/// All parts of `groups`, with commas between the groups.
fn separated<G>(groups: impl Iterator<Item = G> + Send) -> impl Iterator<Item = BodyPart> + Send
where
    G: IntoIterator<Item = BodyPart>,
    G::IntoIter: Send,
{
    groups.enumerate().flat_map(|(at, group)| {
        let comma = (at > 0).then(|| BodyPart::Frame(Bytes::from_static(b",")));
        comma.into_iter().chain(group)
    })
}

/// `count` records of `kind` that are created within `window`.
fn huge(
    kind: RecordKind,
    window: Range<Timestamp>,
    count: u64,
) -> impl Iterator<Item = BodyPart> + Send {
    let seconds = window.end.duration_since(window.start).as_secs().max(1).cast_unsigned();
    (0..count).map(move |number| {
        let after = SignedDuration::from_secs((number % seconds).cast_signed());
        BodyPart::Record(kind, huge_record(kind, number, window.start + after))
    })
}

/// A record of the usual length, whose id is made of its hour and `number`.
fn huge_record(kind: RecordKind, number: u64, at: Timestamp) -> Bytes {
    let id = format!(
        "{:08x}-0000-b000-c000-{number:012x}",
        at.as_second().div_euclid(3600) & i64::from(u32::MAX)
    );
    let threat = format!("{:064x}", number % 1000);
    let link = format!("https://threatinsight.proofpoint.com/threat/email/{threat}");
    let body = if kind.is_click() {
        format!(
            r#"{{"url":"https://www.huge.example/login/{number:x}","classification":"phish","clickTime":"{at:.3}","threatTime":"{at:.3}","userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36","campaignId":null,"id":"{id}","clickIP":"192.0.2.7","sender":"news@huge.example","recipient":"user{number}@acme.example","senderIP":"203.0.113.9","GUID":"huge-{number:027x}","threatID":"{threat}","threatURL":"{link}","threatStatus":"active","messageID":"<{number}@huge.example>"}}"#
        )
    } else {
        format!(
            r#"{{"spamScore":0,"phishScore":100,"threatsInfoMap":[{{"threatID":"{threat}","threatStatus":"active","classification":"phish","threatUrl":"{link}","threatTime":"{at:.3}","threat":"www.huge.example/login","campaignID":null,"threatType":"url"}}],"messageTime":"{at:.3}","impostorScore":0.0,"malwareScore":0,"cluster":"acme_hosted","subject":"Your parcel {number}","quarantineFolder":null,"quarantineRule":null,"policyRoutes":["default_inbound"],"modulesRun":["av","dkimv","spf","spam","dmarc","pdr","urldefense"],"messageSize":3102,"headerFrom":"<news@huge.example>","headerReplyTo":null,"fromAddress":["news@huge.example"],"ccAddresses":[],"replyToAddress":[],"toAddresses":["user{number}@acme.example"],"xmailer":null,"messageParts":[{{"disposition":"inline","sha256":"{number:064x}","md5":"{number:032x}","filename":"text.html","sandboxStatus":null,"oContentType":"text/html","contentType":"text/html"}}],"completelyRewritten":false,"id":"{id}","QID":"HUGE{number:010}","GUID":"huge-{number:027x}","sender":"bounce@huge.example","recipient":["user{number}@acme.example"],"senderIP":"203.0.113.9","messageID":"<{number}@huge.example>"}}"#
        )
    };
    Bytes::from(body)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn window() -> Range<Timestamp> {
        "2026-11-20T10:00:00Z".parse().unwrap().."2026-11-20T11:00:00Z".parse().unwrap()
    }

    fn text(arrays: Vec<RecordArray>, fault: Option<CallFault>) -> String {
        let parts = json_parts(&window(), arrays, fault.as_ref());
        parts.map(|part| String::from_utf8(part.bytes().to_vec()).unwrap()).collect()
    }

    fn arrays() -> Vec<RecordArray> {
        let record =
            |body: &'static str| TapRecord::new(RecordKind::ClicksPermitted, window().start, body);
        vec![
            (RecordKind::MessagesDelivered, Vec::new()),
            (RecordKind::ClicksPermitted, vec![record("{\"a\":1}"), record("{\"b\":2}")]),
        ]
    }

    #[test]
    fn arrays_follow_the_end_of_the_window() {
        assert_eq!(
            text(arrays(), None),
            "{\"queryEndTime\":\"2026-11-20T11:00:00Z\",\"messagesDelivered\":[],\
             \"clicksPermitted\":[{\"a\":1},{\"b\":2}]}"
        );
    }

    #[test]
    fn members_can_be_missing() {
        assert_eq!(
            text(arrays(), Some(CallFault::MissingArrays)),
            "{\"queryEndTime\":\"2026-11-20T11:00:00Z\",\
             \"clicksPermitted\":[{\"a\":1},{\"b\":2}]}"
        );
        assert_eq!(
            text(arrays(), Some(CallFault::NoQueryEndTime)),
            "{\"messagesDelivered\":[],\"clicksPermitted\":[{\"a\":1},{\"b\":2}]}"
        );
    }

    #[test]
    fn members_can_be_strange() {
        let unknown = CallFault::UnknownArray("new \"kind\"".to_owned(), vec!["{}".into()]);
        assert!(text(arrays(), Some(unknown)).ends_with(r#"],"new \"kind\"":[{}]}"#));
        let member = text(arrays(), Some(CallFault::Member("7".into())));
        assert!(member.contains(r#""messagesDelivered":[7],"clicksPermitted":[7,{"a":1},"#));
    }

    #[test]
    fn huge_answers_have_distinct_records_of_the_window() {
        for kind in RecordKind::ALL {
            let arrays = vec![(kind, Vec::new())];
            let answer = text(arrays, Some(CallFault::Huge(3601)));
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let records = answer[kind.as_str()].as_array().unwrap();
            let ids: std::collections::BTreeSet<_> =
                records.iter().map(|record| record["id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), 3601);
            for record in records {
                let body = record.to_string();
                let created = TapRecord::dated(kind, body).unwrap().created_at;
                assert!(window().contains(&created), "{record}");
            }
        }
    }
}
