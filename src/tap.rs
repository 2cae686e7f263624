//! The SIEM API of Targeted Attack Protection (TAP): what to ask, how often, and what answers mean.
//!
//! The API is one HTTPS address. A call names a window of time, of at most an hour, and gets all
//! records that were created in it in one body. A record can be found up to half an hour after its
//! creation only, and is sent again to every call whose window contains it.

mod ask_error;
mod body_error;
mod budget;
mod call;
mod client;
mod hours;
mod interval;
mod notice;
mod outcome;
mod plan;
mod progress;
mod records;
mod refusal;
mod unknown_arrays;
mod value_end;

pub use ask_error::{AskError, AskScope};
pub use body_error::BodyError;
pub use budget::{CALLS_A_DAY, CallBudget};
pub use call::{Call, Purpose};
pub use client::{TapAnswer, TapClient};
pub use hours::{HourSpan, SETTLED_AFTER};
pub use interval::Interval;
pub use notice::TapNotice;
pub use outcome::Outcome;
pub use plan::{Next, Rest, TapTiming};
pub use progress::TapProgress;
pub use records::{BodySummary, MAX_RECORD_BYTES, RecordForm, RecordReader, TapRecord};
pub use refusal::{RefusalReason, TapRefusal};
pub use unknown_arrays::UnknownArrays;
