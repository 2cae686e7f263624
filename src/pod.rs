//! The Proofpoint on Demand Log API: addresses, sessions, and what their statuses mean.
//!
//! The API is one WebSocket endpoint. With `sinceTime` and `toTime` it is an archive: whole hours,
//! sent once, ended by close code 1000. Without them it is live: the server goes on where the
//! token's last session ended, if that was within the hour, or else an hour back, and then sends
//! events as they come, until somebody ends it.

mod address;
mod open;
mod refusal;
mod session;

pub use address::{archive_url, live_url};
pub use open::{OpenError, SessionRequest, open_session};
pub use refusal::{HandshakeRefusal, RefusalKind};
pub use session::{Session, SessionEnd, SessionItem, SessionTimeouts};
