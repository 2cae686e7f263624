//! What holds of every input that others write, whatever its bytes: a function for each target of
//! `fuzz/`, which panics where one of its laws is broken.
//!
//! Built for fuzzing and for tests alone; the tests put every file of `fuzz/corpus` to its law.

mod checkpoint;
mod envelope;
mod frame;
mod ledger;
mod settings;

pub use checkpoint::checkpoint;
pub use envelope::envelope;
pub use frame::frame;
pub use ledger::ledger;
pub use settings::settings;

#[cfg(test)]
mod tests;
