use serde_json::{Value, json};

use crate::host::WebRequest;

/// The body of a `POST` for a web request names a document or is refused, and the refusal has nothing of
/// the body: it can have a function key in it.
///
/// A document is the end of a path, whatever comes after the path.
pub fn web_request(body: &[u8]) {
    let read = |body: &[u8]| WebRequest::read(body).map_err(|error| error.to_string());
    let request = read(body);
    assert_eq!(request, read(body), "the second reading differs from the first");
    let request = match request {
        Ok(request) => request,
        Err(reason) => {
            assert_eq!(Err(reason), read(b""), "the reason depends on the body");
            return;
        }
    };
    let document = &request.document;
    assert!(!document.contains(['/', '?', '#']), "{document:?}");
    assert!(!document.contains(|it: char| it.is_ascii_uppercase()), "{document:?}");
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    let Some(url) = body.pointer("/Data/req/Url").and_then(Value::as_str) else { return };
    let path = url.split(['?', '#']).next().unwrap_or_default();
    // The host sends whole addresses.
    if !path.contains("://") {
        return;
    }
    for url in [format!("{path}?code=key/KEY"), format!("{path}#/KEY"), format!("{path}///?a=/")] {
        let body = json!({"Metadata": {}, "Data": {"req": {"Url": url}}}).to_string();
        assert_eq!(read(body.as_bytes()).as_ref(), Ok(&request), "{body}");
    }
}
