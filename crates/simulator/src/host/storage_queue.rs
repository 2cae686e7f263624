//! A client of the queue service of a storage account, as far as the Functions host needs one.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use url::Url;

use super::loopback_client::loopback_client;

/// The queue service does not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum StorageQueueError {
    /// There is no answer.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The service refuses a request.
    #[error("the queue service answers {status}: {body}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What it says.
        body: String,
    },
    /// A message lacks something, or is not base64.
    #[error("the queue service answers with a message without {0}")]
    Message(&'static str),
}

/// The queue service of a storage account.
#[derive(Clone, Debug)]
pub struct QueueService {
    account: Url,
    client: reqwest::Client,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct StorageQueue {
    url: Url,
    client: reqwest::Client,
}

/// A message that was taken, and is hidden from others for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// How often it was taken.
    pub dequeue_count: u32,
    pub(super) pop_receipt: String,
    pub(super) inserted: String,
    pub(super) expires: String,
    pub(super) next_visible: String,
}

impl QueueService {
    /// The service whose account has this address, with a shared access signature in its query.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(account: Url) -> io::Result<QueueService> {
        Ok(QueueService { account, client: loopback_client()? })
    }

    /// The queue of that name, which may not be there yet.
    pub fn queue(&self, name: &str) -> StorageQueue {
        let mut url = self.account.clone();
        url.path_segments_mut().expect("http has segments").push(name);
        StorageQueue { url, client: self.client.clone() }
    }
}

impl StorageQueue {
    /// Makes the queue unless it is there.
    ///
    /// # Errors
    /// If the service does not answer, or refuses.
    pub async fn create(&self) -> Result<(), StorageQueueError> {
        accepted(self.request(Method::PUT, &[], &[])).await.map(drop)
    }

    /// Puts a message into the queue.
    ///
    /// # Errors
    /// If the service does not answer, or refuses.
    pub async fn send(&self, text: &str) -> Result<(), StorageQueueError> {
        let request = self.request(Method::POST, &["messages"], &[]);
        accepted(request.body(message_xml(text))).await.map(drop)
    }

    /// Takes up to `count` messages, and hides them from others for this time.
    ///
    /// # Errors
    /// If the service does not answer, or refuses.
    pub async fn take(
        &self,
        count: usize,
        hidden: Duration,
    ) -> Result<Vec<QueueMessage>, StorageQueueError> {
        let (count, hidden) = (count.to_string(), hidden.as_secs().to_string());
        let query = [("numofmessages", count.as_str()), ("visibilitytimeout", &hidden)];
        let xml = accepted(self.request(Method::GET, &["messages"], &query)).await?.text().await?;
        let messages = xml.split("<QueueMessage>").skip(1);
        messages.map(QueueMessage::from_xml).collect()
    }

    /// Deletes a message. One that someone else has taken since stays.
    ///
    /// # Errors
    /// If the service does not answer, or refuses, as it does if someone else has the message.
    pub async fn delete(&self, message: &QueueMessage) -> Result<(), StorageQueueError> {
        let query = [("popreceipt", message.pop_receipt.as_str())];
        let request = self.request(Method::DELETE, &["messages", &message.id], &query);
        accepted(request).await.map(drop)
    }

    /// Hides a message for this time from now on.
    ///
    /// # Errors
    /// As for [`delete`](Self::delete).
    pub async fn hide(
        &self,
        message: &mut QueueMessage,
        hidden: Duration,
    ) -> Result<(), StorageQueueError> {
        let hidden = hidden.as_secs().to_string();
        let query = [("popreceipt", message.pop_receipt.as_str()), ("visibilitytimeout", &hidden)];
        let request = self.request(Method::PUT, &["messages", &message.id], &query);
        let answer = accepted(request.body(message_xml(&message.text))).await?;
        let receipt = answer.headers().get("x-ms-popreceipt").and_then(|it| it.to_str().ok());
        receipt
            .ok_or(StorageQueueError::Message("x-ms-popreceipt"))?
            .clone_into(&mut message.pop_receipt);
        Ok(())
    }

    /// How many messages there are, hidden ones included.
    ///
    /// # Errors
    /// If the service does not answer, or refuses.
    pub async fn length(&self) -> Result<u32, StorageQueueError> {
        let answer = accepted(self.request(Method::GET, &[], &[("comp", "metadata")])).await?;
        let count = answer.headers().get("x-ms-approximate-messages-count");
        let count = count.and_then(|it| it.to_str().ok()?.parse().ok());
        count.ok_or(StorageQueueError::Message("x-ms-approximate-messages-count"))
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.url.clone();
        url.path_segments_mut().expect("http has segments").extend(path);
        url.query_pairs_mut().extend_pairs(query);
        self.client.request(method, url).header("content-type", "application/xml")
    }
}

async fn accepted(request: RequestBuilder) -> Result<Response, StorageQueueError> {
    let answer = request.send().await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    Err(StorageQueueError::Refused { status, body: answer.text().await? })
}

fn message_xml(text: &str) -> String {
    let text = BASE64.encode(text);
    format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>")
}

impl QueueMessage {
    /// Nothing in a message has characters that XML escapes.
    fn from_xml(xml: &str) -> Result<QueueMessage, StorageQueueError> {
        let member = |name: &'static str| {
            let (_, rest) = xml.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let needed = |name| member(name).ok_or(StorageQueueError::Message(name));
        let text = BASE64.decode(needed("MessageText")?).ok();
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        let count = needed("DequeueCount")?.parse();
        Ok(QueueMessage {
            id: needed("MessageId")?,
            text: text.ok_or(StorageQueueError::Message("a text in base64"))?,
            dequeue_count: count.map_err(|_| StorageQueueError::Message("DequeueCount"))?,
            pop_receipt: needed("PopReceipt")?,
            inserted: needed("InsertionTime")?,
            expires: needed("ExpirationTime")?,
            next_visible: needed("TimeNextVisible")?,
        })
    }
}
