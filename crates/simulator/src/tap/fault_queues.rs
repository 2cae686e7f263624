//! Injected faults of the next calls.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use proofpoint_sentinel_core::hour::Hour;

use super::call_fault::CallFault;
use super::window::Window;

/// The injected faults of each credential.
#[derive(Debug, Default)]
pub(super) struct FaultQueues(Mutex<HashMap<String, CredentialFaults>>);

#[derive(Debug, Default)]
struct CredentialFaults {
    next: VecDeque<CallFault>,
    /// Faults of every call for exactly this hour.
    hours: HashMap<Hour, CallFault>,
}

impl FaultQueues {
    pub(super) fn extend(&self, principal: &str, faults: impl IntoIterator<Item = CallFault>) {
        self.lock().entry(principal.to_owned()).or_default().next.extend(faults);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Gives every call for `hour` this fault, or none any more.
    pub(super) fn set_hour(&self, principal: &str, hour: Hour, fault: Option<CallFault>) {
        let mut queues = self.lock();
        let hours = &mut queues.entry(principal.to_owned()).or_default().hours;
        match fault {
            Some(fault) => hours.insert(hour, fault),
            None => hours.remove(&hour),
        };
    }

    /// Takes the next fault for a call with this `window`. Faults of an hour come last.
    pub(super) fn take(&self, principal: &str, window: &Window) -> Option<CallFault> {
        let mut queues = self.lock();
        let CredentialFaults { next, hours } = queues.get_mut(principal)?;
        let hour = Hour::containing(window.start);
        let is_hour = hour.start() == window.start && hour.end() == window.end;
        let of_hour = || is_hour.then(|| hours.get(&hour).cloned()).flatten();
        next.pop_front().or_else(of_hour)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CredentialFaults>> {
        self.0.lock().expect("no holder of the queues panics")
    }
}
