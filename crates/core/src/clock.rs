//! The wall clock, as a value that a test can hold.
//!
//! Durations within a run (time-outs, backoff, deadlines) are tokio's; this clock answers only
//! "what time is it", which decides which hours are due.

use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

/// Tells the time of day.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Held(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(Source::System)
    }

    /// A clock that stands at `at` until it is moved. Clones share the same hands.
    pub fn held(at: Timestamp) -> Clock {
        Clock(Source::Held(Arc::new(Mutex::new(at))))
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Held(at) => *at.lock().expect("no holder of the clock panics"),
        }
    }

    /// Moves a held clock on by `duration`.
    ///
    /// # Panics
    /// On the system clock, which nobody moves.
    pub fn advance(&self, duration: SignedDuration) {
        match &self.0 {
            Source::System => panic!("the system clock can't be moved"),
            Source::Held(at) => *at.lock().expect("no holder of the clock panics") += duration,
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
