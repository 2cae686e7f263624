//! The program in the Function App that the template deploys: with exactly the settings of a
//! deployment. The program or the platform reads each of them.

mod azure;
mod company_authority;
mod deployment;
mod identity;
mod runs;
mod setting_names;
mod template;
mod tls_front;
