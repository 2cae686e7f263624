//! How well something is, and why.

use maud::{Markup, html};

use super::text::code_link;
use crate::status::health::{Health, Reason};

/// The word for it.
pub(super) fn word(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Degraded => "Degraded",
        Health::Failing => "Failing",
    }
}

/// The state, with its word: no colour says it alone.
pub(super) fn state(health: Health) -> Markup {
    html! { span class={ "state " (health.as_str()) } { (word(health)) } }
}

/// A reason.
pub(super) fn explained(reason: &Reason) -> Markup {
    html! {
        (state(reason.health)) " "
        @if let Some(code) = &reason.code { (code_link(code)) ": " }
        (reason.text)
    }
}
