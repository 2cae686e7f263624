//! The bare program that `scripts/bench` compares the connector with. It does only what can't be left
//! out: it reads an hour of each feed over TLS, joins the events to pieces, compresses them and posts
//! them. No event is looked into, and nothing is remembered.
//!
//! Its environment says where: the settings of the connector, `HOUR` and `FEEDS`. It prints the
//! bytes that it read and those that it sent, and ends once its input does.

#![allow(clippy::disallowed_methods, reason = "an example may")]

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::http::Request;
use mimalloc::MiMalloc;
use proofpoint_sentinel::destination::gzip;
use proofpoint_sentinel::net::{HttpClient, Net};
use proofpoint_sentinel::pod::archive_url;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::tables::table;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use url::Url;

/// As in the connector.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Failure = Box<dyn Error + Send + Sync>;

/// As long as the connector's batches are.
const PIECE: usize = 1_000_000;

/// As many posts at once as the connector has for a feed.
const POSTS: usize = 4;

/// Bytes of events that were read, and of bodies that were sent.
#[derive(Default)]
struct Moved {
    read: usize,
    sent: usize,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let net = Net::new(Some(Path::new(&std::env::var("SSL_CERT_FILE")?)))?;
    let hour: Hour = std::env::var("HOUR")?.parse()?;
    let token = token(&net).await?;
    let mut feeds = JoinSet::new();
    for event_type in std::env::var("FEEDS")?.split(',') {
        let event_type = event_type.parse()?;
        let target = Target::new(&net, event_type, &token)?;
        let net = net.clone();
        feeds.spawn(async move { move_hour(&net, event_type, hour, Arc::new(target)).await });
    }
    let mut all = Moved::default();
    while let Some(moved) = feeds.join_next().await {
        let moved = moved??;
        all.read += moved.read;
        all.sent += moved.sent;
    }
    println!("{} {}", all.read, all.sent);
    // Whoever started it looks at what it used.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

async fn move_hour(
    net: &Net,
    event_type: EventType,
    hour: Hour,
    target: Arc<Target>,
) -> Result<Moved, Failure> {
    let base: Url = std::env::var("ProofpointLogStreamUri")?.parse()?;
    let cluster_id = std::env::var("ProofpointClusterID")?;
    let url = archive_url(&base, &cluster_id, event_type, hour);
    let tcp = net.dial("127.0.0.1", url.port().ok_or("no port")?).await?;
    let tls = net.tls_handshake("localhost", tcp).await?;
    let mut request = url.as_str().into_client_request()?;
    let bearer = format!("Bearer {}", std::env::var("ProofpointToken")?);
    request.headers_mut().insert("authorization", bearer.parse()?);
    let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await?;

    let mut posts = Posts { target, in_flight: JoinSet::new(), sent: 0 };
    let (mut read, mut piece) = (0, Vec::with_capacity(PIECE));
    while let Some(message) = socket.next().await {
        let Message::Text(event) = message? else { break };
        read += event.len();
        if piece.len() + event.len() + 2 > PIECE {
            posts.begin(std::mem::replace(&mut piece, Vec::with_capacity(PIECE))).await?;
        }
        piece.push(if piece.is_empty() { b'[' } else { b',' });
        piece.extend_from_slice(event.as_bytes());
    }
    posts.begin(piece).await?;
    Ok(Moved { read, sent: posts.finish().await? })
}

/// The posts of a feed.
struct Posts {
    target: Arc<Target>,
    in_flight: JoinSet<Result<usize, Failure>>,
    sent: usize,
}

impl Posts {
    async fn begin(&mut self, mut piece: Vec<u8>) -> Result<(), Failure> {
        if self.in_flight.len() == POSTS
            && let Some(posted) = self.in_flight.join_next().await
        {
            self.sent += posted??;
        }
        piece.push(b']');
        let target = Arc::clone(&self.target);
        self.in_flight.spawn(async move { target.post(piece).await });
        Ok(())
    }

    async fn finish(mut self) -> Result<usize, Failure> {
        while let Some(posted) = self.in_flight.join_next().await {
            self.sent += posted??;
        }
        Ok(self.sent)
    }
}

async fn token(net: &Net) -> Result<String, Failure> {
    let endpoint = std::env::var("IDENTITY_ENDPOINT")?;
    let ask = format!("{endpoint}?api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com");
    let ask = Request::get(ask).header("x-identity-header", std::env::var("IDENTITY_HEADER")?);
    let answer = net.http.send_whole(ask.body(Bytes::new())?).await?;
    let reply: serde_json::Value = serde_json::from_slice(answer.body())?;
    Ok(reply["access_token"].as_str().ok_or("no token")?.to_owned())
}

struct Target {
    client: HttpClient,
    url: String,
    token: String,
}

impl Target {
    fn new(net: &Net, event_type: EventType, token: &str) -> Result<Target, Failure> {
        let url = format!(
            "{}/dataCollectionRules/{}/streams/{}?api-version=2023-01-01",
            std::env::var("LogsIngestionEndpoint")?,
            std::env::var("DcrImmutableId")?,
            table(event_type).stream
        );
        Ok(Target { client: net.http.clone(), url, token: format!("Bearer {token}") })
    }

    async fn post(&self, piece: Vec<u8>) -> Result<usize, Failure> {
        let body = gzip(&piece);
        let sent = body.len();
        let post = Request::post(&self.url).header("authorization", &self.token);
        let post = post.header("content-type", "application/json");
        let post = post.header("content-encoding", "gzip").body(body)?;
        let posted = self.client.send(post, 0).await?;
        if posted.status() != 204 {
            return Err(format!("the workspace answered {}", posted.status()).into());
        }
        Ok(sent)
    }
}
