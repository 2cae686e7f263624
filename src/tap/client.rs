//! One call, and the records of its answer as they come.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use hyper::http::{Request, StatusCode};
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_core::threat_status::ThreatStatus;
use url::Url;

use super::ask_error::AskError;
use super::body_error::BodyError;
use super::interval::Interval;
use super::records::{BodySummary, RecordReader, TapRecord};
use super::refusal::TapRefusal;
use crate::net::{HttpBody, HttpClient, HttpError, uri_of};

/// How much of a refusal's body is read.
const MAX_REFUSAL_BYTES: usize = 1_000;

/// Asks the SIEM API with one credential. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TapClient {
    http: HttpClient,
    base: Url,
    /// Sensitive, so that its `Debug` does not show it.
    authorization: HeaderValue,
}

impl TapClient {
    /// A client for the API at `base`: scheme, host and port.
    ///
    /// # Errors
    /// If the credential can't be sent: a principal can't have a colon.
    pub fn new(
        http: HttpClient,
        base: &Url,
        principal: &str,
        secret: &Secret,
    ) -> Result<TapClient, AskError> {
        if principal.contains(':') {
            return Err(AskError::NotSendable);
        }
        let both = STANDARD.encode(format!("{principal}:{}", secret.reveal()));
        let value = HeaderValue::from_str(&format!("Basic {both}"));
        let mut authorization = value.map_err(|_| AskError::NotSendable)?;
        authorization.set_sensitive(true);
        Ok(TapClient { http, base: base.clone(), authorization })
    }

    /// Asks for the records of a window, of all kinds, whose threats have `status`; of active and
    /// cleared ones if it is `None`. Gives the answer once its head is there.
    ///
    /// # Errors
    /// If the service can't be reached, or does not grant the call.
    pub async fn ask(
        &self,
        interval: Interval,
        status: Option<ThreatStatus>,
    ) -> Result<TapAnswer, AskError> {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let request = Request::get(uri_of(&self.address(interval, status)))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .body(Bytes::new())
            .expect("an address and headers that were checked make a request");
        let answer = self.http.open(request).await.map_err(|error| AskError::of(error, &host))?;
        let (head, mut body) = answer.into_parts();
        match head.status {
            StatusCode::OK => {
                let reader = Some(RecordReader::default());
                Ok(TapAnswer { host, body, reader, summary: BodySummary::default() })
            }
            StatusCode::NO_CONTENT => {
                Ok(TapAnswer { host, body, reader: None, summary: BodySummary::default() })
            }
            status => {
                let text = beginning(&mut body).await;
                Err(AskError::Refused(TapRefusal::of(status.as_u16(), &text)))
            }
        }
    }

    fn address(&self, interval: Interval, status: Option<ThreatStatus>) -> Url {
        let mut url = self.base.clone();
        url.set_path("/v2/siem/all");
        let status = status.map(|status| format!("&threatStatus={}", status.as_str()));
        let status = status.unwrap_or_default();
        url.set_query(Some(&format!("format=json&{}{status}", interval.query())));
        url
    }
}

/// The beginning of a body. What breaks off ends there.
async fn beginning(body: &mut HttpBody) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < MAX_REFUSAL_BYTES
        && let Ok(Some(chunk)) = body.chunk().await
    {
        text.extend_from_slice(&chunk[..chunk.len().min(MAX_REFUSAL_BYTES - text.len())]);
    }
    text
}

/// An answer whose records are still to be taken. Nothing is read while nobody asks: that is the
/// backpressure on the service.
#[derive(Debug)]
pub struct TapAnswer {
    host: String,
    body: HttpBody,
    /// `None` once the end is there.
    reader: Option<RecordReader>,
    summary: BodySummary,
}

impl TapAnswer {
    /// The next record; `None` after the last one of a whole answer. If the wait is cancelled,
    /// nothing is lost.
    ///
    /// # Errors
    /// If the answer breaks off or is not what the API sends. The records before that are good.
    pub async fn next_record(&mut self) -> Result<Option<TapRecord>, AskError> {
        loop {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            if let Some(record) = reader.next_record().map_err(AskError::Body)? {
                return Ok(Some(record));
            }
            match self.body.chunk().await {
                Ok(Some(chunk)) => reader.push(chunk),
                Ok(None) => {
                    let reader = self.reader.take().unwrap_or_default();
                    self.summary = reader.finish().map_err(AskError::Body)?;
                }
                Err(HttpError::TimedOut) => {
                    return Err(AskError::TimedOut { host: self.host.clone() });
                }
                Err(_) => {
                    return Err(AskError::Body(BodyError::Cut { bytes: reader.bytes() }));
                }
            }
        }
    }

    /// What the answer said beside its records, once all of them were taken.
    pub fn summary(&self) -> &BodySummary {
        &self.summary
    }
}

#[cfg(test)]
mod tests;
