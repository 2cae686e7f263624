//! What can go wrong on the side of Proofpoint and on the way there. docs/faults.md has the whole
//! table, with the tests that are elsewhere.

mod breaking;
mod clusters;
mod frames;
mod gaps;
mod opening;
mod pace;
mod positions;
mod refused_rows;
mod scope;
