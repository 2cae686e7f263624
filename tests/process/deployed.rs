//! The program in the Function App that the template makes: with exactly the settings that a
//! deployment comes to, every one of which somebody reads.

mod azure;
mod company_authority;
mod deployment;
mod identity;
mod runs;
mod setting_names;
mod template;
mod tls_front;
