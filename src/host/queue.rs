//! Messages of a storage queue that start a function, and those that a function sends.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::FEED_FUNCTION;
use super::envelope::BadEnvelope;

/// A message that starts a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// The host's id of the invocation. Empty where the host gave none.
    pub invocation: String,
    /// What the message says.
    pub text: String,
    /// How often the queue gave it out, this time included; 0 if it was not in a queue, because someone
    /// runs the function by hand.
    pub dequeue_count: u32,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Data", borrow)]
    data: Data<'a>,
    #[serde(rename = "Metadata", default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Data<'a> {
    /// By the name of the binding in function.json.
    #[serde(borrow)]
    job: &'a RawValue,
}

#[derive(Default, Deserialize)]
struct Metadata {
    /// A number, or one in a text. A member of the message may stand there instead.
    #[serde(rename = "DequeueCount", default)]
    dequeue_count: Value,
}

impl QueueMessage {
    /// Reads the body of a `POST /<function>`. The host gives the message as JSON text within a JSON
    /// text. An object, and a text that is not JSON, are taken for the message too.
    pub(super) fn read(invocation: &str, body: &[u8]) -> Result<QueueMessage, BadEnvelope> {
        let Envelope { data: Data { job }, metadata } = serde_json::from_slice(body)?;
        let text = match serde_json::from_str::<String>(job.get()) {
            Ok(outer) => serde_json::from_str::<String>(&outer).unwrap_or(outer),
            Err(_) => job.get().to_owned(),
        };
        let dequeue_count = match &metadata.dequeue_count {
            Value::String(text) => text.parse().ok(),
            count => count.as_u64().and_then(|count| u32::try_from(count).ok()),
        };
        let dequeue_count = dequeue_count.unwrap_or(0);
        Ok(QueueMessage { invocation: invocation.to_owned(), text, dequeue_count })
    }
}

/// Whether the app in `root` has the function that messages start. Without it the host drops what is
/// sent to them, and says nothing.
pub fn has_feed_function(root: &Path) -> bool {
    root.join(FEED_FUNCTION).join("function.json").is_file()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> QueueMessage {
        QueueMessage::read("7d5176c1", body.as_bytes()).unwrap()
    }

    /// As the host was seen to send them.
    #[test]
    fn a_message_is_taken_out_of_its_envelope() {
        let of = |job: &str| {
            format!(
                r#"{{"Data":{{"job":{job}}},"Metadata":{{"DequeueCount":"1","Id":"\"05131e17\""}}}}"#
            )
        };
        let cases = [
            // An object comes indented.
            (
                r#""\"{\\n  \\\"feed\\\": \\\"acme-message\\\",\\n  \\\"version\\\": 1\\n}\"""#,
                "{\n  \"feed\": \"acme-message\",\n  \"version\": 1\n}",
            ),
            (r#""\"plain text\"""#, "plain text"),
            (r#""\"{\\\"feed\\\":\\\"acme-message\\\"}\"""#, r#"{"feed":"acme-message"}"#),
            // What looks like base64 is not decoded.
            (r#""\"aGVsbG8=\"""#, "aGVsbG8="),
            (r#""\"True\"""#, "True"),
            (r#""\"\"""#, ""),
            (r#""\"[\\n  \\\"a\\\",\\n  \\\"b\\\"\\n]\"""#, "[\n  \"a\",\n  \"b\"\n]"),
            (r#""\"42\"""#, "42"),
            ("\"\\\"\u{fc}n\u{ef}code \u{2603}\\\"\"", "\u{fc}n\u{ef}code \u{2603}"),
            // Encoded once, and not at all.
            (r#""{\"feed\":\"acme-message\"}""#, r#"{"feed":"acme-message"}"#),
            (r#"{"feed":"acme-message"}"#, r#"{"feed":"acme-message"}"#),
        ];
        for (job, text) in cases {
            let message = read(&of(job));
            assert_eq!((message.text.as_str(), message.dequeue_count), (text, 1), "{job}");
        }
    }

    #[test]
    fn a_message_may_be_run_by_hand_and_hide_its_own_count() {
        let by_hand = r#"{"Data":{"job":"\"work please\""},"Metadata":{"DequeueCount":"0","job":"\"work please\""}}"#;
        assert_eq!(read(by_hand).dequeue_count, 0);
        let hidden = r#"{"Data":{"job":"\"x\""},"Metadata":{"DequeueCount":{"a":[]}}}"#;
        assert_eq!(read(hidden).dequeue_count, 0);
        assert_eq!(
            read(r#"{"Data":{"job":"\"x\""},"Metadata":{"DequeueCount":3}}"#).dequeue_count,
            3
        );
        assert_eq!(read(r#"{"Data":{"job":"\"x\""}}"#).text, "x");
    }

    #[test]
    fn any_other_body_is_refused() {
        for body in ["", "null", "[]", "{}", r#"{"Data":{}}"#, r#"{"Data":{"timer":{}}}"#] {
            assert!(QueueMessage::read("", body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_through(text in "\\PC{0,40}") {
            let twice = Value::from(Value::from(text.clone()).to_string());
            let body = serde_json::json!({"Data": {"job": twice}, "Metadata": {}}).to_string();
            prop_assert_eq!(read(&body).text, text);
        }

        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = QueueMessage::read("", &body);
        }
    }
}
