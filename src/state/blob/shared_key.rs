//! Signing with the key of a storage account.
//!
//! The official SDK knows identities and shared access signatures only. This adds the
//! [Shared Key scheme](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key)
//! as one policy of its pipeline.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request, Url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use sha2::Sha256;

/// The headers that are signed by position, in their order; `content-length` comes in between and
/// `date` stays empty, because `x-ms-date` stands in for it.
const BEFORE_LENGTH: [HeaderName; 2] =
    [HeaderName::from_static("content-encoding"), HeaderName::from_static("content-language")];
const AFTER_LENGTH: [HeaderName; 2] =
    [HeaderName::from_static("content-md5"), HeaderName::from_static("content-type")];
const AFTER_DATE: [HeaderName; 5] = [
    HeaderName::from_static("if-modified-since"),
    HeaderName::from_static("if-match"),
    HeaderName::from_static("if-none-match"),
    HeaderName::from_static("if-unmodified-since"),
    HeaderName::from_static("range"),
];

/// The key of a storage account. Signs every try of a request anew, so that a try after a long
/// wait does not carry an old date (the service refuses dates more than 15 minutes off).
pub(super) struct SharedKey {
    account: String,
    key: Vec<u8>,
}

impl SharedKey {
    pub(super) fn new(account: String, key: Vec<u8>) -> SharedKey {
        SharedKey { account, key }
    }

    /// Dates and signs `request`. Nothing that is signed may change afterwards.
    fn sign(&self, request: &mut Request, now: Timestamp) {
        request.insert_header("x-ms-date", http_date(now));
        let signature = self.signature(&string_to_sign(&self.account, request));
        request.insert_header("authorization", format!("SharedKey {}:{signature}", self.account));
    }

    fn signature(&self, text: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        BASE64.encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKey({}, ***)", self.account)
    }
}

#[async_trait]
impl Policy for SharedKey {
    #[expect(
        clippy::disallowed_methods,
        reason = "the service compares it with its own clock, whatever a test's says"
    )]
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        self.sign(request, Timestamp::now());
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// Such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .expect("RFC 9110 can write every year of ours")
}

fn string_to_sign(account: &str, request: &Request) -> String {
    let headers = request.headers();
    let value = |name: &HeaderName| headers.get_optional_str(name).unwrap_or_default();
    // No body is signed as no length, not as "0".
    let length = request.body().len().filter(|length| *length > 0);

    let mut lines = vec![request.method().as_str().to_owned()];
    lines.extend(BEFORE_LENGTH.iter().map(|name| value(name).to_owned()));
    lines.push(length.map(|length| length.to_string()).unwrap_or_default());
    lines.extend(AFTER_LENGTH.iter().map(|name| value(name).to_owned()));
    lines.push(String::new());
    lines.extend(AFTER_DATE.iter().map(|name| value(name).to_owned()));
    lines.extend(canonical_headers(request));
    lines.push(canonical_resource(account, request.url()));
    lines.join("\n")
}

/// Every `x-ms-` header, by name.
fn canonical_headers(request: &Request) -> Vec<String> {
    let mut headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().trim()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    headers.sort();
    headers.into_iter().map(|(name, value)| format!("{name}:{value}")).collect()
}

/// The account, the path as it is sent (so that an emulator's account, which is also the first
/// segment of the path, appears twice), and the query's parameters, decoded, by name.
fn canonical_resource(account: &str, url: &Url) -> String {
    let mut parameters: Vec<_> =
        url.query_pairs().map(|(name, value)| (name.to_lowercase(), value.into_owned())).collect();
    parameters.sort();
    let mut resource = format!("/{account}{}", url.path());
    for same_name in parameters.chunk_by(|one, other| one.0 == other.0) {
        let values: Vec<_> = same_name.iter().map(|(_, value)| value.as_str()).collect();
        resource += &format!("\n{}:{}", same_name[0].0, values.join(","));
    }
    resource
}

#[cfg(test)]
mod tests {
    use azure_core::http::Method;

    use super::*;

    fn request(url: &str, method: Method) -> Request {
        Request::new(url.parse().unwrap(), method)
    }

    /// The example on Microsoft's page about the scheme.
    #[test]
    fn signs_what_the_documentation_signs() {
        let url = "https://myaccount.blob.core.windows.net/mycontainer\
                   ?restype=container&comp=metadata&timeout=20";
        let mut request = request(url, Method::Get);
        request.insert_header("x-ms-version", "2015-02-21");
        request.insert_header("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
        assert_eq!(
            string_to_sign("myaccount", &request),
            "GET\n\n\n\n\n\n\n\n\n\n\n\n\
             x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
             /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }

    #[test]
    fn signs_body_length_condition_and_encoded_path() {
        let url =
            "http://127.0.0.1:10000/devstoreaccount1/state/a%2541%2Fb?prefix=a+b%2Bc&prefix=a";
        let mut request = request(url, Method::Put);
        request.set_body("four".as_bytes());
        request.insert_header("content-type", "application/octet-stream");
        request.insert_header("if-none-match", "*");
        request.insert_header("x-ms-blob-type", " BlockBlob ");
        assert_eq!(
            string_to_sign("devstoreaccount1", &request),
            "PUT\n\n\n4\n\napplication/octet-stream\n\n\n\n*\n\n\nx-ms-blob-type:BlockBlob\n\
             /devstoreaccount1/devstoreaccount1/state/a%2541%2Fb\nprefix:a,a b+c"
        );
    }

    /// The signature was made with `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_signature_is_hmac_sha256_in_base64() {
        let key = SharedKey::new("myaccount".to_owned(), b"hunter2".to_vec());
        let mut request =
            request("https://myaccount.blob.core.windows.net/c?comp=list", Method::Get);
        request.insert_header("x-ms-version", "2015-02-21");
        key.sign(&mut request, "2015-06-26T23:39:12Z".parse().unwrap());
        let header = |name| request.headers().get_optional_str(&HeaderName::from_static(name));
        assert_eq!(header("x-ms-date"), Some("Fri, 26 Jun 2015 23:39:12 GMT"));
        assert_eq!(
            header("authorization"),
            Some("SharedKey myaccount:iafKhr/xxePD/e3M6IwcHrLh5xBkT5zBttecIJJ5/Oc=")
        );
    }
}
