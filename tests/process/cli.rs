//! The program as its users meet it: a process under a Functions host or in a terminal, with
//! stand-ins for everything that it talks to.

mod always_on;
mod check;
mod collect;
mod contract;
mod deadletter;
mod demo;
mod explain;
mod generate;
mod logs;
mod orphan;
mod program;
mod runs;
pub(crate) mod services;
mod simulate;
mod status;
mod support;
mod tap;
mod telemetry;
