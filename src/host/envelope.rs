//! What the host sends to run a function.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The part of a timer's tick that this program uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The host's id of the invocation, which joins its log with ours. Empty where the host gave
    /// none.
    pub id: String,
    /// The tick is late: the app was not running when it was due.
    pub past_due: bool,
}

/// The body is not an invocation of the function.
#[derive(Debug, thiserror::Error)]
#[error("the body is not the JSON envelope of an invocation of this function: {0}")]
pub struct BadEnvelope(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Data", borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    timer: &'a RawValue,
}

#[derive(Deserialize)]
struct Timer {
    #[serde(rename = "IsPastDue", default)]
    is_past_due: bool,
}

impl Invocation {
    /// Reads the body of a `POST /<function>`: `{"Data":{"timer":{...}},"Metadata":{...}}`. The
    /// timer's value is an object, or JSON within a JSON string.
    pub fn read(id: &str, body: &[u8]) -> Result<Invocation, BadEnvelope> {
        let envelope: Envelope<'_> = serde_json::from_slice(body)?;
        let timer = envelope.data.timer.get();
        let timer: Timer = match serde_json::from_str::<String>(timer) {
            Ok(inner) => serde_json::from_str(&inner)?,
            Err(_) => serde_json::from_str(timer)?,
        };
        Ok(Invocation { id: id.to_owned(), past_due: timer.is_past_due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tick_is_read_as_object_and_as_text() {
        let body = br#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":true}},"Metadata":{"sys":{"MethodName":"ProofpointPOD"}}}"#;
        let tick = Invocation::read("83a33220", body).unwrap();
        assert_eq!(tick, Invocation { id: "83a33220".into(), past_due: true });
        let body = br#"{"Data":{"timer":"{\"IsPastDue\":false}"},"Metadata":{}}"#;
        assert!(!Invocation::read("", body).unwrap().past_due);
    }

    #[test]
    fn any_other_body_is_refused() {
        let bodies: [&[u8]; 8] = [
            b"",
            b"null",
            b"[]",
            b"{}",
            br#"{"Data":{}}"#,
            br#"{"Data":{"timer":null}}"#,
            br#"{"Data":{"timer":"x"}}"#,
            b"{\"Data\":{\"timer\":\xff}}",
        ];
        for body in bodies {
            assert!(Invocation::read("", body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Invocation::read("", &body);
        }
    }
}
