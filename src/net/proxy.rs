//! Connections through an outgoing proxy, with HTTP CONNECT.

use std::fmt;
use std::io;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use proofpoint_sentinel_core::secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::host::without_brackets;
use super::product::PRODUCT;
use crate::error_code::{self, Coded, ErrorCode};
use crate::retry::is_passing_status;
use crate::settings::{ProxyCredentials, ProxySettings};

/// How long the proxy may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the head of the proxy's answer may be.
const MAX_HEAD_BYTES: u64 = 16 << 10;

/// A proxy, and the peers that it is for.
#[derive(Debug)]
pub(super) struct Proxy {
    name: ProxyName,
    host: String,
    port: u16,
    authorization: Option<Secret>,
    /// Which peers it is for, as `NO_PROXY` says.
    matcher: Matcher,
}

/// A proxy as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyName {
    /// Host and port.
    pub address: String,
    /// The setting that holds it.
    pub setting: &'static str,
}

impl fmt::Display for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} ({})", self.address, self.setting)
    }
}

/// The proxy did not make the connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// There is no talking to it.
    #[error(
        "{proxy} can't be reached: {reason}; the next run tries again. Check the proxy and its address in {}", proxy.setting
    )]
    Unreachable {
        /// Which.
        proxy: ProxyName,
        /// What went wrong.
        reason: String,
    },
    /// Status 407.
    #[error(
        "{proxy} answered 407: it requires a user and a password, or other ones; check them in {}", proxy.setting
    )]
    Credentials {
        /// Which.
        proxy: ProxyName,
    },
    /// Status 407, with ways to authenticate that this program does not know.
    #[error(
        "{proxy} answered 407: it takes only {}, and this program knows only Basic; let the proxy take a user and a password by Basic, or let it pass this app without one", offered.join(" and ")
    )]
    Schemes {
        /// Which.
        proxy: ProxyName,
        /// What it offers, such as `NTLM` and `Negotiate`. Not empty.
        offered: Vec<String>,
    },
    /// It says no, or did not reach the peer.
    #[error("{proxy} answered {status} to the request for a connection to {peer}: {}", advice(*.status))]
    Refused {
        /// Which.
        proxy: ProxyName,
        /// HTTP status.
        status: u16,
        /// Host and port of the peer.
        peer: String,
    },
    /// What answers does not speak HTTP.
    #[error("{proxy} does not answer like an HTTP proxy; check {}", proxy.setting)]
    NotAProxy {
        /// Which.
        proxy: ProxyName,
    },
}

impl Coded for ProxyError {
    fn code(&self) -> ErrorCode {
        match self {
            ProxyError::Unreachable { .. } => error_code::PROXY_UNREACHABLE,
            ProxyError::Credentials { .. } | ProxyError::Schemes { .. } => {
                error_code::PROXY_CREDENTIALS
            }
            ProxyError::Refused { .. } => error_code::PROXY_REFUSED,
            ProxyError::NotAProxy { .. } => error_code::NOT_A_PROXY,
        }
    }
}

fn advice(status: u16) -> &'static str {
    if is_passing_status(status) {
        "it can't reach the peer at present; the next run tries again"
    } else {
        "allow this peer on the proxy, or name it in NO_PROXY"
    }
}

impl ProxyError {
    /// Whether a retry will probably succeed without any change.
    pub fn is_passing(&self) -> bool {
        match self {
            ProxyError::Unreachable { .. } => true,
            ProxyError::Refused { status, .. } => is_passing_status(*status),
            ProxyError::Credentials { .. }
            | ProxyError::Schemes { .. }
            | ProxyError::NotAProxy { .. } => false,
        }
    }
}

impl Proxy {
    /// The proxy that the settings name. Nothing is connected yet.
    pub(super) fn new(settings: &ProxySettings) -> Proxy {
        let ProxySettings { setting, host, port, credentials, no_proxy } = settings;
        let address = format!("{host}:{port}");
        // The matcher takes `*` for every name, but not for every IP address.
        let all = no_proxy.split(',').any(|part| part.trim() == "*");
        let no_proxy = if all { "*,0.0.0.0/0,::/0" } else { no_proxy };
        let matcher = Matcher::builder().https(format!("http://{address}")).no(no_proxy);
        Proxy {
            name: ProxyName { address, setting },
            host: without_brackets(host).to_owned(),
            port: *port,
            authorization: credentials.as_ref().map(basic),
            matcher: matcher.build(),
        }
    }

    /// Whether a connection to this host goes through the proxy: `NO_PROXY` does not name it.
    pub(super) fn is_for(&self, host: &str) -> bool {
        let uri = format!("https://{host}").parse::<Uri>();
        uri.is_ok_and(|uri| self.matcher.intercept(&uri).is_some())
    }

    /// Opens a connection to `host` through the proxy, which resolves the name. Nothing has been
    /// sent over it yet.
    ///
    /// # Errors
    /// If the proxy can't be reached, does not answer within 15 s, or refuses.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, ProxyError> {
        let peer = format!("{host}:{port}");
        let (stream, head) = match timeout(CONNECT_TIMEOUT, self.request_connection(&peer)).await {
            Ok(answered) => answered.map_err(|error| self.unreachable(error.to_string()))?,
            Err(_) => return Err(self.unreachable(format!("no answer within {CONNECT_TIMEOUT:?}"))),
        };
        let proxy = self.name.clone();
        match status(&head) {
            Some(200..300) => Ok(stream),
            Some(407) => Err(match schemes(&head) {
                offered if offered.is_empty() || offered.iter().any(|name| name == "Basic") => {
                    ProxyError::Credentials { proxy }
                }
                offered => ProxyError::Schemes { proxy, offered },
            }),
            Some(status) => Err(ProxyError::Refused { proxy, status, peer }),
            None => Err(ProxyError::NotAProxy { proxy }),
        }
    }

    /// Requests the connection and reads the head of the final answer, past informational ones
    /// (RFC 9110, section 15.2). Nothing follows a good head yet: with TLS, the client speaks first.
    async fn request_connection(&self, peer: &str) -> io::Result<(TcpStream, Vec<u8>)> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        stream.write_all(self.connect_request(peer).as_bytes()).await?;
        let mut read = Vec::new();
        let mut answer = (&mut stream).take(MAX_HEAD_BYTES);
        loop {
            if let Some(end) = head_end(&read) {
                let head = read.drain(..end).collect::<Vec<u8>>();
                match status(&head) {
                    Some(100..200) => continue,
                    _ => return Ok((stream, head)),
                }
            }
            if answer.read_buf(&mut read).await? == 0 {
                let reason = match read.is_empty() {
                    true => "it closed the connection",
                    false => "its answer breaks off or is too long",
                };
                return Err(io::Error::other(reason));
            }
        }
    }

    fn connect_request(&self, peer: &str) -> String {
        let authorization = self.authorization.as_ref().map_or_else(String::new, |value| {
            format!("Proxy-Authorization: {}\r\n", value.reveal())
        });
        format!(
            "CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\nUser-Agent: {PRODUCT}\r\n{authorization}\r\n"
        )
    }

    fn unreachable(&self, reason: String) -> ProxyError {
        ProxyError::Unreachable { proxy: self.name.clone(), reason }
    }
}

/// The value of `Proxy-Authorization`.
fn basic(credentials: &ProxyCredentials) -> Secret {
    let pair = format!("{}:{}", credentials.user, credentials.password.reveal());
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

/// Where the first head in `bytes` ends, with its empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|start| start + 4)
}

/// The names of the schemes that a head offers in `Proxy-Authenticate` (RFC 9110, section 11.7.1),
/// `Basic` so written in whatever case it came.
fn schemes(head: &[u8]) -> Vec<String> {
    let head = String::from_utf8_lossy(head);
    let mut names: Vec<String> = Vec::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        if !name.eq_ignore_ascii_case("proxy-authenticate") {
            continue;
        }
        // A part that begins with `name=` is a parameter of the scheme before it.
        let first_words = value.split(',').filter_map(|part| part.split_whitespace().next());
        for word in first_words.filter(|word| !word.contains(['=', '"'])) {
            let word = if word.eq_ignore_ascii_case("basic") { "Basic" } else { word };
            if !names.iter().any(|known| known == word) {
                names.push(word.to_owned());
            }
        }
    }
    names
}

/// The status in the first line of an HTTP/1 answer.
fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests;
