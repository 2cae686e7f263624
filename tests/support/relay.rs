//! A relay between a client and a server that a test can make wait and fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Passes bytes on, counts requests, holds or swallows one, loses an answer, refuses in the server's
/// place or goes dead when told to.
pub(crate) struct Relay {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _stop: tokio_util::sync::DropGuard,
}

struct Shared {
    /// What a request must contain to be counted.
    counted: &'static str,
    count: watch::Sender<usize>,
    /// What a request must contain for its answer to be lost, once.
    lose: Mutex<Option<String>>,
    /// What a request must contain to be held, once, and where to put it then.
    hold: Mutex<Option<(String, oneshot::Sender<Held>)>>,
    /// Which request is swallowed, once, and how to tell that it came.
    swallow: Mutex<Option<(Matches, oneshot::Sender<()>)>>,
    /// What a request must contain to be refused, and the answer that it gets then.
    refuse: Mutex<Option<(String, String)>>,
    cut: CancellationToken,
}

/// Says whether a request, as text from its first line on, is the one that is meant.
type Matches = Box<dyn Fn(&str) -> bool + Send>;

/// A request that waits. It goes on to the server when this is dropped.
pub(crate) type Held = oneshot::Sender<()>;

impl Relay {
    /// In front of `server`; counts the requests that contain `counted`.
    pub(crate) async fn before(server: &str, counted: &'static str) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            counted,
            count: watch::Sender::new(0),
            lose: Mutex::new(None),
            hold: Mutex::new(None),
            swallow: Mutex::new(None),
            refuse: Mutex::new(None),
            cut: stop.child_token(),
        });
        tokio::spawn(accept(listener, server.to_owned(), Arc::clone(&shared)));
        Relay { address, shared, _stop: stop.drop_guard() }
    }

    /// How many requests were counted so far.
    pub(crate) fn count(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// Waits until `count` requests were counted.
    pub(crate) async fn counted(&self, count: usize) {
        let mut counts = self.shared.count.subscribe();
        counts.wait_for(|now| *now >= count).await.unwrap();
    }

    /// The server's answer to the next request that contains `marker` never arrives.
    pub(crate) fn lose_answer_to(&self, marker: &str) {
        *self.shared.lose.lock().unwrap() = Some(marker.to_owned());
    }

    /// Whether the answer that was to be lost was lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.shared.lose.lock().unwrap().is_none()
    }

    /// Gives the next request that contains `marker` when it comes, and lets it wait.
    pub(crate) fn hold(&self, marker: &str) -> oneshot::Receiver<Held> {
        let (caught, held) = oneshot::channel();
        *self.shared.hold.lock().unwrap() = Some((marker.to_owned(), caught));
        held
    }

    /// Tells when the next request for which `matches` is true comes. It never reaches the server, and
    /// its client waits for the answer as long as it lives.
    pub(crate) fn swallow(
        &self,
        matches: impl Fn(&str) -> bool + Send + 'static,
    ) -> oneshot::Receiver<()> {
        let (came, swallowed) = oneshot::channel();
        *self.shared.swallow.lock().unwrap() = Some((Box::new(matches), came));
        swallowed
    }

    /// Requests that contain `marker` do not reach the server any more. They are answered with
    /// `status` and the blob service's `code` for what is wrong.
    pub(crate) fn refuse(&self, marker: &str, status: &str, code: &str) {
        let answer =
            format!("HTTP/1.1 {status}\r\nx-ms-error-code: {code}\r\ncontent-length: 0\r\n\r\n");
        *self.shared.refuse.lock().unwrap() = Some((marker.to_owned(), answer));
    }

    /// All requests reach the server again.
    pub(crate) fn refuse_nothing(&self) {
        *self.shared.refuse.lock().unwrap() = None;
    }

    /// Ends all connections and takes no more.
    pub(crate) fn cut(&self) {
        self.shared.cut.cancel();
    }
}

async fn accept(listener: TcpListener, server: String, shared: Arc<Shared>) {
    let cut = shared.cut.clone();
    let serve = async {
        while let Ok((client, _)) = listener.accept().await {
            if let Ok(server) = TcpStream::connect(&server).await {
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        }
    };
    cut.run_until_cancelled(serve).await;
}

async fn pass(mut client: TcpStream, mut server: TcpStream, shared: Arc<Shared>) {
    let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut losing = false;
    loop {
        tokio::select! {
            () = shared.cut.cancelled() => return,
            read = client.read(&mut request) => {
                let Ok(1..) = read else { return };
                let bytes = &request[..read.unwrap()];
                let text = String::from_utf8_lossy(bytes);
                losing |= shared.observe(&text);
                if shared.swallows(&text) { return drain(client).await }
                shared.wait_if_held(&text).await;
                if let Some(answer) = shared.refusal_of(&text) { return refuse(client, &answer).await }
                if server.write_all(bytes).await.is_err() { return }
            }
            read = server.read(&mut answer) => {
                let Ok(1..) = read else { return };
                if losing || client.write_all(&answer[..read.unwrap()]).await.is_err() { return }
            }
        }
    }
}

/// Answers in the server's place, and takes what the client still has to say before it hangs up.
async fn refuse(mut client: TcpStream, answer: &str) {
    // It doesn't matter where the client has gone.
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
    drain(client).await;
}

/// Reads until the client hangs up.
async fn drain(mut client: TcpStream) {
    let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
}

impl Shared {
    async fn wait_if_held(&self, request: &str) {
        let held = self.hold.lock().unwrap().take_if(|(marker, _)| request.contains(&*marker));
        let Some((_, caught)) = held else { return };
        let (release, released) = oneshot::channel();
        if caught.send(release).is_ok() {
            // An error is the drop that it waits for.
            let _ = released.await;
        }
    }

    fn swallows(&self, request: &str) -> bool {
        let swallowed = self.swallow.lock().unwrap().take_if(|(matches, _)| matches(request));
        // Whether anybody still wants to know does not matter to the request.
        swallowed.map(|(_, came)| came.send(())).is_some()
    }

    /// What a request is answered with that does not reach the server.
    fn refusal_of(&self, request: &str) -> Option<String> {
        let refuse = self.refuse.lock().unwrap();
        let (marker, answer) = refuse.as_ref()?;
        request.contains(marker).then(|| answer.clone())
    }

    /// Counts a request; true where its answer is to be lost.
    fn observe(&self, request: &str) -> bool {
        if request.contains(self.counted) {
            self.count.send_modify(|count| *count += 1);
        }
        self.lose.lock().unwrap().take_if(|marker| request.contains(marker.as_str())).is_some()
    }
}
