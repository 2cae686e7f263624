//! The blob container with the state of a scenario, as the test reads and changes it.

use hyper::http::{Request, StatusCode};
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::{Checkpoint, State};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::secret::Secret;
use tokio::sync::oneshot;

use crate::in_time;
use crate::kill::kill_point::Step;
use crate::support::azurite::{self, Azurite};
use crate::support::http;
use crate::support::relay::Relay;

/// The container of one scenario.
pub(crate) struct StateContainer {
    container: String,
    net: Net,
    /// The handler's way to it.
    relay: Relay,
}

impl StateContainer {
    pub(crate) async fn new(container: String) -> StateContainer {
        let relay = Relay::before(Azurite::shared().authority(), "").await;
        StateContainer { container, net: Net::new(None).unwrap(), relay }
    }

    /// The settings that lead the handler to it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let relay = self.relay.address.to_string();
        let connection_string = azurite::connection_string(&relay, azurite::KEY);
        [("StateStorage", connection_string), ("StateContainer", self.container.clone())]
    }

    /// Tells when the handler makes the request of `step`, which then never reaches the storage.
    pub(crate) fn stop_at(&self, step: Step, feed: &Feed) -> oneshot::Receiver<()> {
        let (container, feed) = (self.container.clone(), feed.to_string());
        self.relay.swallow(move |request| step.is_request(request, &container, &feed))
    }

    /// Breaks the lease of a killed handler, which saves the 60 seconds until it expires. No handler
    /// may be running.
    pub(crate) async fn break_lease(&self, feed: &Feed) {
        let mut url = Azurite::shared().blob(&self.container, &format!("leases/{feed}"));
        url.query_pairs_mut().append_pair("comp", "lease");
        let request = Request::put(url.as_str())
            .header("x-ms-lease-action", "break")
            .header("x-ms-lease-break-period", "0")
            // A connection kept alive until the next kill could be closed just as it is used again.
            .header("connection", "close");
        let broken = http::send(&self.net, request, "");
        let status = in_time("the lease is broken", broken).await.status();
        // The lease was released, or never taken.
        let was_free = [StatusCode::CONFLICT, StatusCode::NOT_FOUND].contains(&status);
        assert!(status == StatusCode::ACCEPTED || was_free, "{status}");
    }

    /// The checkpoint of `feed`.
    pub(crate) async fn checkpoint(&self, feed: &Feed) -> Option<Checkpoint> {
        let connection_string = Secret::new(Azurite::shared().connection_string());
        let container = self.container.clone();
        let settings = StateSettings::ConnectionString { connection_string, container };
        let state = in_time("the state opens", State::open(&settings, &self.net)).await.unwrap();
        let read = in_time("the checkpoint is read", state.read_checkpoint(feed)).await.unwrap();
        read.map(|(checkpoint, _)| checkpoint)
    }
}
