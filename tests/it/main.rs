//! Tests in this process: collections from end to end over real sockets, the state over a real blob
//! service, and what documents, template and content say of the program.
#![allow(clippy::disallowed_methods, reason = "tests may")]

#[path = "../support"]
#[expect(dead_code, reason = "the other test binary uses more of it")]
mod support {
    pub(crate) mod azurite;
    pub(crate) mod http;
    pub(crate) mod markdown;
    pub(crate) mod proxy;
    pub(crate) mod relay;
    pub(crate) mod repository;
}

mod content;
mod docs;
mod e2e;
mod identity;
mod modules;
mod state;
mod style;
mod template;
