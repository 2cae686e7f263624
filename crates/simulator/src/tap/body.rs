//! The body of an answer in JSON, as parts that are sent one after the other.

use std::ops::Range;

use bytes::Bytes;
use jiff::Timestamp;
use proofpoint_sentinel_core::tap_kind::TapKind;

use super::call_fault::CallFault;
use super::huge;
use super::record::TapRecord;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyPart {
    /// What stands between records.
    Frame(Bytes),
    /// A record.
    Record(TapKind, Bytes),
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
pub(super) type RecordArray = (TapKind, Vec<TapRecord>);

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
                let more = huge::records(kind, window, *count);
                Box::new(own.chain(more.map(move |body| BodyPart::Record(kind, body))))
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

#[cfg(test)]
mod tests {
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
            |body: &'static str| TapRecord::new(TapKind::ClicksPermitted, window().start, body);
        vec![
            (TapKind::MessagesDelivered, Vec::new()),
            (TapKind::ClicksPermitted, vec![record("{\"a\":1}"), record("{\"b\":2}")]),
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
}
