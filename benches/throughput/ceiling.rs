//! The bare program.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::pod::archive_url;
use proofpoint_sentinel_core::feed::{EventType, Feed};
use proofpoint_sentinel_core::hour::Hour;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Failure;
use super::usage::Usage;

/// As long as the connector's batches are.
const PIECE: usize = 1_000_000;

/// As many posts at once as the connector has for a feed.
const POSTS: usize = 4;

/// Reads the hour and posts it, with everything it needs to know in the environment.
pub(crate) async fn run() -> Result<(), Failure> {
    let net = Net::new(Some(Path::new(&std::env::var("SSL_CERT_FILE")?)))?;
    let target = Arc::new(Target::find(&net).await?);
    let base = std::env::var("ProofpointLogStreamUri")?.parse()?;
    let hour: Hour = std::env::var("HOUR")?.parse()?;
    let cluster_id = std::env::var("ProofpointClusterID")?;
    let url = archive_url(&base, &Feed { cluster_id, event_type: EventType::Message }, hour);

    let tcp = TcpStream::connect(("127.0.0.1", url.port().ok_or("no port")?)).await?;
    let name = ServerName::try_from("localhost")?;
    let tls = TlsConnector::from(net.tls.clone()).connect(name, tcp).await?;
    let mut request = url.as_str().into_client_request()?;
    let bearer = format!("Bearer {}", std::env::var("ProofpointToken")?);
    request.headers_mut().insert("authorization", bearer.parse()?);
    let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await?;

    let (mut bytes, mut piece, mut posts) = (0, Vec::with_capacity(PIECE), JoinSet::new());
    while let Some(message) = socket.next().await {
        let Message::Text(event) = message? else { break };
        bytes += event.len();
        if piece.len() + event.len() + 2 > PIECE {
            send(&target, &mut piece, &mut posts).await?;
        }
        piece.push(if piece.is_empty() { b'[' } else { b',' });
        piece.extend_from_slice(event.as_bytes());
    }
    send(&target, &mut piece, &mut posts).await?;
    while let Some(posted) = posts.join_next().await {
        posted??;
    }
    println!("{bytes} {}", Usage::of(std::process::id())?.to_words());
    Ok(())
}

async fn send(
    target: &Arc<Target>,
    piece: &mut Vec<u8>,
    posts: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    if posts.len() == POSTS
        && let Some(posted) = posts.join_next().await
    {
        posted??;
    }
    let mut full = std::mem::replace(piece, Vec::with_capacity(PIECE));
    full.push(b']');
    let target = Arc::clone(target);
    posts.spawn(async move { target.post(full).await });
    Ok(())
}

struct Target {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Target {
    async fn find(net: &Net) -> Result<Target, Failure> {
        let endpoint = std::env::var("IDENTITY_ENDPOINT")?;
        let ask =
            format!("{endpoint}?api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com");
        let ask = net.http.get(ask).header("x-identity-header", std::env::var("IDENTITY_HEADER")?);
        let reply: serde_json::Value = serde_json::from_slice(&ask.send().await?.bytes().await?)?;
        let token = reply["access_token"].as_str().ok_or("no token")?.to_owned();
        let url = format!(
            "{}/dataCollectionRules/{}/streams/Custom-ProofpointPODMessage_CL?api-version=2023-01-01",
            std::env::var("LogsIngestionEndpoint")?,
            std::env::var("DcrImmutableId")?
        );
        Ok(Target { client: net.http.clone(), url, token })
    }

    async fn post(&self, piece: Vec<u8>) -> Result<(), Failure> {
        let mut gzip = GzEncoder::new(Vec::with_capacity(piece.len() / 4), Compression::new(1));
        gzip.write_all(&piece)?;
        let body = Bytes::from(gzip.finish()?);
        let posted = self
            .client
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(body)
            .send()
            .await?;
        if posted.status() != 204 {
            return Err(format!("the workspace answered {}", posted.status()).into());
        }
        Ok(())
    }
}
