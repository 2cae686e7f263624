//! The Proofpoint on Demand Log API: addresses, sessions, and what their statuses mean.
//!
//! The API is one WebSocket endpoint. With `sinceTime` and `toTime` it is an archive: it sends whole
//! hours once, and ends with close code 1000. Without them it is live: the server resumes where the
//! token's last session ended, if that was within the last hour, or else an hour back. Then it sends
//! events as they come, until one side ends the session.

mod address;
mod cluster_sessions;
mod handshake;
mod open;
mod open_error;
mod refusal;
mod session;

pub use address::{archive_url, live_url};
pub use cluster_sessions::{ClusterSessions, ProcessSessions};
pub use open::SessionRequest;
pub(crate) use open::open_session;
pub use open_error::OpenError;
pub use refusal::{HandshakeRefusal, RefusalKind};
pub use session::{Session, SessionEnd, SessionItem, SessionTimeouts};
