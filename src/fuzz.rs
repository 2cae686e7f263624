//! Properties of every input that others write, whatever its bytes. Each target of `fuzz/` has a
//! function here, which panics where a property does not hold.
//!
//! Built only for fuzzing and for tests. The tests check every file of `fuzz/corpus`.

mod checkpoint;
mod envelope;
mod frame;
mod ledger;
mod settings;
mod tap;
mod web_request;

pub use checkpoint::checkpoint;
pub use envelope::envelope;
pub use frame::frame;
pub use ledger::ledger;
pub use settings::settings;
pub use tap::{tap_body, tap_progress};
pub use web_request::web_request;

#[cfg(test)]
mod tests;
