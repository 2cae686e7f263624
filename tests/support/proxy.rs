//! An HTTP proxy that makes tunnels, as far as a test lets it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Makes tunnels for clients with the right user and password, and counts them.
pub(crate) struct ConnectProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// Where peers are in truth, by host and port.
pub(crate) type Routes = Arc<Mutex<BTreeMap<String, SocketAddr>>>;

struct Shared {
    authorization: String,
    routes: Option<Routes>,
    /// What the next requests are answered with instead of a tunnel.
    refusals: Mutex<Vec<u16>>,
    /// Requests by their answer's status.
    answers: Mutex<BTreeMap<u16, usize>>,
    /// Tunnels by the peer's host and port.
    tunnels: Mutex<BTreeMap<String, usize>>,
}

impl ConnectProxy {
    pub(crate) async fn start(user: &str, password: &str) -> ConnectProxy {
        ConnectProxy::with_routes(user, password, None).await
    }

    /// Where there are `routes`, only their peers are let through, and to where they say.
    pub(crate) async fn with_routes(
        user: &str,
        password: &str,
        routes: Option<Routes>,
    ) -> ConnectProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let shared = Arc::new(Shared {
            authorization: format!("Basic {pair}"),
            routes,
            refusals: Mutex::default(),
            answers: Mutex::default(),
            tunnels: Mutex::default(),
        });
        let serve = accept(listener, Arc::clone(&shared), stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(serve));
        ConnectProxy { address, shared, _stop: stop.drop_guard() }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The next request is answered with `status`.
    pub(crate) fn refuse_next(&self, status: u16) {
        self.shared.refusals.lock().unwrap().push(status);
    }

    /// How many requests were answered with which status.
    pub(crate) fn answers(&self) -> BTreeMap<u16, usize> {
        self.shared.answers.lock().unwrap().clone()
    }

    /// How many tunnels were made to which peer.
    pub(crate) fn tunnels(&self) -> BTreeMap<String, usize> {
        self.shared.tunnels.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    while let Ok((client, _)) = listener.accept().await {
        let tunnel = tunnel(BufReader::new(client), Arc::clone(&shared));
        tokio::spawn(stop.clone().run_until_cancelled_owned(tunnel));
    }
}

async fn tunnel(mut client: BufReader<TcpStream>, shared: Arc<Shared>) -> io::Result<()> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? <= 2 {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    match shared.answer_to(&lines) {
        Ok(peer) => {
            let mut server = match shared.route(&peer) {
                Some(address) => TcpStream::connect(address).await?,
                None => TcpStream::connect(&peer).await?,
            };
            let made = {
                let mut tunnels = shared.tunnels.lock().unwrap();
                let made = tunnels.entry(peer).or_default();
                *made += 1;
                *made
            };
            // The first tunnel to a peer and every other after it come with an informational answer.
            if made % 2 == 1 {
                client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
        Err(status) => {
            let page = "A page of the proxy.";
            let length = page.len();
            let answer =
                format!("HTTP/1.1 {status} Refused\r\nContent-Length: {length}\r\n\r\n{page}");
            client.write_all(answer.as_bytes()).await
        }
    }
}

impl Shared {
    /// The peer to make a tunnel to, or the status to answer with.
    fn answer_to(&self, lines: &[String]) -> Result<String, u16> {
        let answered = self.peer(lines);
        let status = answered.as_ref().err().copied().unwrap_or(200);
        *self.answers.lock().unwrap().entry(status).or_default() += 1;
        answered
    }

    fn peer(&self, lines: &[String]) -> Result<String, u16> {
        let request: Vec<&str> = lines.first().ok_or(400_u16)?.split(' ').collect();
        let ["CONNECT", peer, "HTTP/1.1"] = request[..] else { return Err(405) };
        let shown = lines.iter().filter_map(|line| line.split_once(": ")).find_map(|header| {
            header.0.eq_ignore_ascii_case("proxy-authorization").then_some(header.1)
        });
        if shown != Some(self.authorization.as_str()) {
            return Err(407);
        }
        if self.routes.is_some() && self.route(peer).is_none() {
            return Err(403);
        }
        match self.refusals.lock().unwrap().pop() {
            Some(status) => Err(status),
            None => Ok(peer.to_owned()),
        }
    }

    fn route(&self, peer: &str) -> Option<SocketAddr> {
        self.routes.as_ref()?.lock().unwrap().get(peer).copied()
    }
}
