//! The program in the Function App that the template makes: with exactly the settings that a
//! deployment comes to, every one of which somebody reads.

mod authority;
mod azure;
mod deployment;
mod front;
mod identity;
mod names;
mod runs;
mod template;
