//! The Proofpoint on Demand Log API: addresses, sessions, and what their statuses mean.
//!
//! The API is one WebSocket endpoint. With `sinceTime` and `toTime` it is an archive: whole hours,
//! sent once, ended by close code 1000.

mod address;
mod open;
mod refusal;
mod session;

pub use address::archive_url;
pub use open::{OpenError, Opening, open};
pub use refusal::{Refusal, RefusalKind};
pub use session::{End, Next, Patience, Session};
