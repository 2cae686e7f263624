//! The checks of the command `check`: everything that a run needs, tried one by one.
//!
//! Nothing that they do is seen by the running app, but for three things: rows are posted without a row
//! in them; a feed's lease is held for the moment in which its session is opened and closed, or its call
//! is made; and a call of the TAP API is counted in the account's checkpoint. If the app holds the lease,
//! what its own last run said counts.

mod connections;
mod destination;
mod finding;
mod host_json;
mod last_run;
mod limit;
mod log_api;
mod settings;
mod storage;
mod tap_api;

use std::path::Path;

use proofpoint_sentinel_core::clock::Clock;

use connections::PeerName;

use crate::net::Net;
use crate::settings::{NetSettings, Settings, SourceSettings, StateSettings, TapSettings, Vars};
pub use finding::{Finding, Mark};

/// Where the checks find what they check.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The settings.
    pub vars: &'a Vars,
    /// The folder of the app, with host.json in it, if there is one.
    pub app_root: Option<&'a Path>,
    /// The time.
    pub clock: &'a Clock,
}

/// Checks everything, and tells each finding as soon as it is known. What depends on something that
/// failed is left out.
pub async fn check(subject: Subject<'_>, mut tell: impl FnMut(Finding)) {
    let Subject { vars, app_root, clock } = subject;
    settings::check(vars).into_iter().for_each(&mut tell);
    tell(host_json::check(app_root, vars));
    let net = match NetSettings::read(vars) {
        Ok(net) => net,
        // Named above.
        Err(_) => return,
    };
    let net = match Net::of(&net) {
        Ok(net) => net,
        Err(error) => return tell(Finding::failed("tls", "trusted roots", &error)),
    };
    let all = Settings::read(vars).ok();
    let source = SourceSettings::read(vars).ok();
    let tap = TapSettings::read(vars).filter(|tap| !tap.accounts.is_empty());
    let state = StateSettings::read(vars).ok();
    let peers = connections::peers(source.as_ref(), tap.as_ref(), all.as_ref(), state.as_ref());
    let unreached = connections::check(&net, &peers, clock, &mut tell).await;
    let is_reached = |peer| !unreached.contains(&peer);
    let mut opened = None;
    if let Some(settings) = state.as_ref().filter(|_| is_reached(PeerName::Storage)) {
        match storage::open(settings, &net).await {
            Ok(state) => {
                tell(storage::check(&state).await);
                opened = Some(state);
            }
            Err(finding) => tell(finding),
        }
    }
    if let Some(settings) = all.as_ref().filter(|_| is_reached(PeerName::Workspace)) {
        destination::check(settings, &net, clock, &mut tell).await;
    }
    let source = source.filter(|_| is_reached(PeerName::LogApi));
    if let (Some(source), Some(state)) = (&source, &opened) {
        log_api::check(source, &net, state, clock, &mut tell).await;
    }
    let tap = tap.filter(|_| is_reached(PeerName::TapApi));
    if let (Some(tap), Some(state)) = (&tap, &opened) {
        tap_api::check(tap, &net, state, clock, &mut tell).await;
    }
}
