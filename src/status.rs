//! What the operator sees of all feeds: a page and a JSON document, made from what is in the state.
//!
//! Nothing here needs the process that collects, which may be on another instance.

mod completeness;
mod feed_overview;
mod health;
mod overview;
mod page;
mod reader;

pub use completeness::Completeness;
pub use feed_overview::FeedOverview;
pub use health::Health;
pub use overview::Overview;
pub use page::{content_security_policy, html};
pub use reader::StatusReader;
