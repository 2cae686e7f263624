//! The storage account, looked at and meddled with from outside.

use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::StateSettings;
use proofpoint_sentinel::state::{Checkpoint, State};
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::secret::Secret;
use reqwest::StatusCode;

use crate::in_time;
use crate::support::azurite::Azurite;

/// A container of one world.
pub(crate) struct Storage {
    container: String,
    net: Net,
}

impl Storage {
    pub(crate) fn new(container: String) -> Storage {
        Storage { container, net: Net::new(None).unwrap() }
    }

    /// The settings with which the handler finds it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let connection_string = Azurite::shared().connection_string();
        [("StateStorage", connection_string), ("StateContainer", self.container.clone())]
    }

    /// Stands for the 60 seconds that pass in reality until the lease of a handler that was killed
    /// has run out. No handler may be alive.
    pub(crate) async fn let_lease_run_out(&self, feed: &Feed) {
        let mut url = Azurite::shared().blob(&self.container, &format!("leases/{feed}"));
        url.query_pairs_mut().append_pair("comp", "lease");
        let broken = self
            .net
            .http
            .put(url)
            .header("x-ms-lease-action", "break")
            .header("x-ms-lease-break-period", "0")
            .header("content-length", "0")
            // One that is kept for the next kill may be dropped just when that is sent.
            .header("connection", "close")
            .send();
        let status = in_time("the lease is broken", broken).await.unwrap().status();
        // It was released, or never taken.
        let was_free = [StatusCode::CONFLICT, StatusCode::NOT_FOUND].contains(&status);
        assert!(status == StatusCode::ACCEPTED || was_free, "{status}");
    }

    /// What is done for `feed`.
    pub(crate) async fn checkpoint(&self, feed: &Feed) -> Option<Checkpoint> {
        let connection_string = Secret::new(Azurite::shared().connection_string());
        let container = self.container.clone();
        let settings = StateSettings::ConnectionString { connection_string, container };
        let state = in_time("the state opens", State::open(&settings, &self.net)).await.unwrap();
        let read = in_time("the checkpoint is read", state.read_checkpoint(feed)).await.unwrap();
        read.map(|(checkpoint, _)| checkpoint)
    }
}
