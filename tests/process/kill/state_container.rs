//! The blob container with the state of a scenario, as the test reads and changes it.

use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::{Checkpoint, State};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::secret::Secret;
use reqwest::StatusCode;

use crate::in_time;
use crate::support::azurite::Azurite;

/// The container of one scenario.
pub(crate) struct StateContainer {
    container: String,
    net: Net,
}

impl StateContainer {
    pub(crate) fn new(container: String) -> StateContainer {
        StateContainer { container, net: Net::new(None).unwrap() }
    }

    /// The settings that lead the handler to it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let connection_string = Azurite::shared().connection_string();
        [("StateStorage", connection_string), ("StateContainer", self.container.clone())]
    }

    /// Breaks the lease of a killed handler, which saves the 60 seconds until it expires. No handler
    /// may be running.
    pub(crate) async fn break_lease(&self, feed: &Feed) {
        let mut url = Azurite::shared().blob(&self.container, &format!("leases/{feed}"));
        url.query_pairs_mut().append_pair("comp", "lease");
        let broken = self
            .net
            .http
            .put(url)
            .header("x-ms-lease-action", "break")
            .header("x-ms-lease-break-period", "0")
            .header("content-length", "0")
            // A connection kept alive until the next kill could be closed just as it is used again.
            .header("connection", "close")
            .send();
        let status = in_time("the lease is broken", broken).await.unwrap().status();
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
