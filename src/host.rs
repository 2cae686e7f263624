//! The contract of an Azure Functions custom handler: an HTTP server on the loopback interface that
//! the Functions host starts, probes and posts invocations to.
//!
//! The host's rules shape this module:
//! - any answer to `GET /` means ready, and no answer for half a minute means broken;
//! - the answer to an invocation must be a JSON object: an empty success hangs the host until its
//!   time-out;
//! - the host neither cancels an invocation nor warns before it kills the process.

mod envelope;
mod memory;
mod queue;
mod reply;
mod server;
mod timeout;
mod web;

pub use envelope::{BadEnvelope, Invocation};
pub use memory::working_memory;
pub use queue::{QueueMessage, has_feed_function};
pub use reply::Reply;
pub use server::{Function, serve};
pub use timeout::{BadHostJson, RunBudget};
pub use web::{WebRequest, WebResponse};

/// The function that a timer starts: the name of its folder, and of its route.
pub const FUNCTION: &str = "ProofpointPOD";

/// The function that messages of the queue start.
pub const FEED_FUNCTION: &str = "ProofpointFeed";

/// The function that HTTP requests start.
pub const STATUS_FUNCTION: &str = "ProofpointStatus";
