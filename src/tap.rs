//! The SIEM API of Targeted Attack Protection (TAP): what to ask, how often, and what answers mean.
//!
//! The API is one HTTPS address. A call names a window of time, of at most an hour, and gets all
//! records that were created in it in one body. A record can be found up to half an hour after its
//! creation only, and is sent again to every call whose window contains it.

mod budget;
mod hours;
mod interval;
mod plan;
mod progress;

pub use budget::{CALLS_A_DAY, CallBudget};
pub use hours::HourSpan;
pub use interval::Interval;
pub use plan::{Call, Next, Outcome, Purpose, Rest, TapTiming};
pub use progress::TapProgress;
