//! Connections: names, the proxy, certificates, and the clock.

use bytes::Bytes;
use hyper::http::Request;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::clock::Clock;
use url::Url;

use super::finding::{Finding, Mark};
use super::limit::in_time;
use crate::net::{DialError, Net, uri_of, without_brackets};
use crate::settings::{DestinationSettings, Settings, SourceSettings, StateSettings, TapSettings};

/// A clock that differs by more makes hours be read too early, or events seem to be of the future.
const NOTABLE_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Azure refuses tokens and signatures of a clock that differs by more.
const GREATEST_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a peer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerName {
    LogApi,
    TapApi,
    Workspace,
    Storage,
}

impl PeerName {
    fn as_str(self) -> &'static str {
        match self {
            PeerName::LogApi => "the Log API",
            PeerName::TapApi => "the TAP API",
            PeerName::Workspace => "the workspace",
            PeerName::Storage => "the storage",
        }
    }
}

/// Who is connected to.
pub(super) struct Peer {
    name: PeerName,
    url: Url,
}

/// The peers that the settings name.
pub(super) fn peers(
    source: Option<&SourceSettings>,
    tap: Option<&TapSettings>,
    all: Option<&Settings>,
    state: Option<&StateSettings>,
) -> Vec<Peer> {
    let log_api = source.map(|source| (PeerName::LogApi, &source.log_stream_uri));
    let tap_api = tap.map(|tap| (PeerName::TapApi, &tap.base_uri));
    let workspace = all.map(|settings| match &settings.destination {
        DestinationSettings::LogsIngestion { endpoint, .. } => (PeerName::Workspace, endpoint),
        DestinationSettings::DataCollector { uri, .. } => (PeerName::Workspace, uri),
    });
    let storage = state.and_then(|settings| match settings {
        StateSettings::Identity { blob_service_uri, .. } => {
            Some((PeerName::Storage, blob_service_uri))
        }
        // The check of the storage finds what is wrong with the account of a connection string.
        StateSettings::ConnectionString { .. } | StateSettings::Directory(_) => None,
    });
    let peers = [log_api, tap_api, workspace, storage].into_iter().flatten();
    peers.map(|(name, url)| Peer { name, url: url.clone() }).collect()
}

/// Connects to each peer, and compares clocks with the first one that says what time it is. Gives the
/// peers that could not be reached.
pub(super) async fn check(
    net: &Net,
    peers: &[Peer],
    clock: &Clock,
    tell: &mut impl FnMut(Finding),
) -> Vec<PeerName> {
    let (mut date, mut unreached) = (None, Vec::new());
    for peer in peers {
        // Only a service on this machine can do without TLS.
        if matches!(peer.url.scheme(), "https" | "wss") {
            let finding = connect(net, peer).await;
            let is_reached = finding.mark == Mark::Passed;
            tell(finding);
            if !is_reached {
                unreached.push(peer.name);
                continue;
            }
        }
        if date.is_none() {
            date = in_time(read_date(net, &peer.url)).await.ok().flatten();
        }
    }
    tell(match date {
        Some(date) => compare(clock.now(), date),
        None => Finding::skipped("clock", "this machine", "no peer said what time it is"),
    });
    unreached
}

async fn connect(net: &Net, peer: &Peer) -> Finding {
    let host = peer.url.host_str().unwrap_or_default();
    let port = peer.url.port_or_known_default().unwrap_or(443);
    let subject = format!("{} ({host}:{port})", peer.name.as_str());
    let tcp = match in_time(net.dial(host, port)).await {
        Ok(Ok(tcp)) => tcp,
        Ok(Err(DialError::Proxy(error))) => {
            return Finding::failed("proxy", subject, &error);
        }
        Ok(Err(DialError::Direct(error))) => return unreachable(subject, host, &error).await,
        Err(late) => return blocked(subject, &late),
    };
    match in_time(net.tls_handshake(host, tcp)).await {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let issuer = certificates.first().and_then(|certificate| issuer(certificate));
            let issuer = issuer.unwrap_or_else(|| "an issuer without a name".to_owned());
            Finding::passed("tls", subject, format!("its certificate is issued by {issuer}"))
        }
        Ok(Err(error)) => {
            let is_distrust = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            let mut text = error.to_string();
            if is_distrust {
                let presented = in_time(net.presented_certificate(host, port)).await.ok().flatten();
                if let Some(issuer) = presented.as_deref().and_then(issuer) {
                    text.push_str(&format!("; it is issued by {issuer}"));
                }
            }
            let finding = Finding::new("tls", subject, Mark::Failed, text);
            finding.with_remedy(if is_distrust {
                "If a company proxy inspects traffic, name its certificate authority in SSL_CERT_FILE. Otherwise check the address."
            } else {
                "Check that the address speaks TLS, and that no firewall breaks the connection."
            })
        }
        Err(late) => blocked(subject, &late),
    }
}

async fn unreachable(subject: String, host: &str, error: &std::io::Error) -> Finding {
    let lookup = tokio::net::lookup_host((without_brackets(host), 443));
    let is_known = matches!(in_time(lookup).await, Ok(Ok(_)));
    if is_known {
        return blocked(subject, &error.to_string());
    }
    let text = format!("the name can't be resolved: {error}");
    Finding::new("dns", subject, Mark::Failed, text).with_remedy(
        "Check the host's name, and the DNS servers of the network; in a virtual network, its private DNS zones. If only a proxy has a way out, set ProofpointProxy.",
    )
}

fn blocked(subject: String, why: &str) -> Finding {
    Finding::new("connection", subject, Mark::Failed, why).with_remedy(
        "Allow outgoing connections to this host and port in the firewall and the network security group, or set ProofpointProxy.",
    )
}

/// Who issued a certificate, in one line.
fn issuer(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let issuer = certificate.issuer().to_string();
    let printable = issuer.chars().filter(|c| !c.is_control()).collect::<String>();
    Some(printable).filter(|text| !text.is_empty())
}

/// What time it is for a peer, from the header `Date` of any answer.
async fn read_date(net: &Net, url: &Url) -> Option<Timestamp> {
    let mut url = url.clone();
    if url.scheme() == "wss" {
        // Another scheme of the same kind is always possible.
        url.set_scheme("https").ok()?;
    }
    let request = Request::get(uri_of(&url)).body(Bytes::new()).ok()?;
    let answer = net.http.send(request, 0).await.ok()?;
    let date = answer.headers().get("date")?.to_str().ok()?;
    Some(rfc2822::parse(date).ok()?.timestamp())
}

fn compare(now: Timestamp, date: Timestamp) -> Finding {
    let skew = now.duration_since(date);
    let seconds = skew.abs().as_secs();
    let direction = if skew.is_negative() { "behind" } else { "ahead" };
    // The header has whole seconds, and the answer was under way.
    let text = match seconds {
        0..=2 => "it agrees with its peers".to_owned(),
        _ => format!("it is {seconds} s {direction}"),
    };
    let mark = if skew.abs() > GREATEST_SKEW {
        Mark::Failed
    } else if skew.abs() > NOTABLE_SKEW {
        Mark::Attention
    } else {
        return Finding::passed("clock", "this machine", text);
    };
    let remedy = "Set this machine's clock, or let it be set by NTP.";
    Finding::new("clock", "this machine", mark, text).with_remedy(remedy)
}
