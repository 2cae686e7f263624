//! The support bundle: what a person needs to find a fault, without secrets, addresses and mail.

mod bundle;
mod files;
mod redactor;

pub use bundle::{Bundle, Contents};
