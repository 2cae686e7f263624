use serde_json::{Value, json};

use crate::host::Invocation;

/// The body of a `POST` by the Functions host is a timer's tick or refused.
///
/// A tick says the same whether its timer is an object or the text of one.
pub fn envelope(body: &[u8]) {
    let read = |body: &[u8]| Invocation::read("83a33220", body).map_err(|error| error.to_string());
    let tick = read(body);
    assert_eq!(tick, read(body), "the second reading differs from the first");
    let (Ok(tick), Ok(body)) = (tick, serde_json::from_slice::<Value>(body)) else { return };
    assert_eq!(tick.id, "83a33220");
    let Some(timer) = body.pointer("/Data/timer") else { return };
    let object = match timer {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(object) => object,
            Err(_) => return,
        },
        object => object.clone(),
    };
    if object.is_object() {
        assert_eq!(tick.past_due, object.get("IsPastDue") == Some(&Value::Bool(true)));
    }
    for timer in [Value::String(object.to_string()), object] {
        let body = json!({"Metadata": {}, "Data": {"timer": timer}}).to_string();
        assert_eq!(read(body.as_bytes()).as_ref(), Ok(&tick), "{body}");
    }
}
