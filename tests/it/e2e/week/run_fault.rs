//! The faults of the runs of a week.

use std::time::Duration;

use proofpoint_sentinel_simulator::pod::{RefusedHandshake, SessionFault};
use proofpoint_sentinel_simulator::workspace::{ApiResponse, PostFault};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::plan::Tick;

/// A fault of a run, besides those of the archive. A run has only one, so that none is left over for
/// the next run.
#[derive(Clone, Debug)]
pub(super) enum RunFault {
    /// The live session has this fault.
    Live(SessionFault),
    /// A post has this fault, and the run has no time to retry.
    Held(PostFault),
    /// The run has only this much time to read.
    Deadline(Duration),
    /// The run is told to stop after this many events.
    Stop(u64),
}

/// Chooses random faults.
pub(super) struct RunFaultGenerator<'a> {
    rng: &'a mut SmallRng,
    /// The number of events before the archive's last fault.
    last_count: u64,
}

impl RunFaultGenerator<'_> {
    pub(super) fn new(rng: &mut SmallRng) -> RunFaultGenerator<'_> {
        RunFaultGenerator { rng, last_count: 0 }
    }

    /// Gives a quarter of `ticks` a fault, and some the same fault for hours in a row.
    pub(super) fn spread(&mut self, ticks: &mut [Tick]) {
        for tick in &mut *ticks {
            tick.fault = self.rng.random_bool(0.25).then(|| self.any());
            tick.archive = self.rng.random_bool(0.15).then(|| self.of_archive());
        }
        for lasting in [
            RunFault::Held(PostFault::Reply(ApiResponse::status(503))),
            RunFault::Held(PostFault::Reply(ApiResponse::status(400))),
            RunFault::Live(unavailable()),
            RunFault::Live(unauthorized()),
        ] {
            let first = self.rng.random_range(1..ticks.len());
            let length = self.rng.random_range(2..12);
            for tick in ticks.iter_mut().skip(first).take(length) {
                tick.fault = Some(lasting.clone());
            }
        }
    }

    fn any(&mut self) -> RunFault {
        match self.rng.random_range(0..20) {
            0..12 => RunFault::Live(self.of_live()),
            12 | 13 => RunFault::Held(PostFault::Reply(self.of_destination())),
            14 => RunFault::Held(PostFault::ResetConnection),
            15..18 => RunFault::Deadline(Duration::from_millis(self.rng.random_range(0..80))),
            _ => RunFault::Stop(self.rng.random_range(0..40)),
        }
    }

    /// An answer that is neither a delivery nor a refusal of rows, whatever the API.
    fn of_destination(&mut self) -> ApiResponse {
        match self.rng.random_range(0..5) {
            0 => ApiResponse::throttled(self.rng.random_range(1..3600)),
            of @ 1..=3 => {
                let body = "<html>Sign in</html>".to_owned();
                ApiResponse { status: [400, 403, 404][of - 1], headers: Vec::new(), body }
            }
            _ => ApiResponse::status(503),
        }
    }

    fn of_live(&mut self) -> SessionFault {
        let count = self.rng.random_range(0..25);
        match self.rng.random_range(0..16) {
            0 => SessionFault::CutAfter(count),
            1 => SessionFault::CutWithinEvent(count),
            2 => SessionFault::ResetAfter(count),
            3 => SessionFault::CloseAfter(count, None),
            4 => SessionFault::CloseAfter(count, Some(1000)),
            5 => SessionFault::CloseAfter(count, Some(1011)),
            6 => SessionFault::StallAfter(count),
            7 => SessionFault::HalfOpenAfter(count),
            8 => SessionFault::NotUtf8After(count),
            9 => SessionFault::SkipEvery(2 + count),
            10 => unavailable(),
            11 => unauthorized(),
            12 => SessionFault::Refuse(RefusedHandshake::second_session()),
            _ => self.session_fault(),
        }
    }

    /// Two faults in a row never come after the same number of events: an hour that is cut twice at
    /// the same event counts as complete, since some servers end no other way. For the same reason,
    /// none of these faults loses events that were sent.
    fn of_archive(&mut self) -> SessionFault {
        self.last_count = (self.last_count + 1) % 9;
        let count = self.last_count;
        match self.rng.random_range(0..12) {
            0 => SessionFault::CutAfter(count),
            1 => SessionFault::CutWithinEvent(count),
            2 => SessionFault::CloseAfter(count, None),
            3 => SessionFault::CloseAfter(count, Some(1001)),
            4 => SessionFault::CloseAfter(count, Some(1011)),
            5 => SessionFault::StallAfter(count),
            6 => SessionFault::NotUtf8After(count),
            7 => SessionFault::OversizedAfter(count),
            8 => SessionFault::EndByEof,
            _ => self.session_fault(),
        }
    }

    /// A fault that loses nothing.
    fn session_fault(&mut self) -> SessionFault {
        match self.rng.random_range(0..7) {
            0 => SessionFault::EmptyFrames,
            1 => SessionFault::BinaryFrames,
            2 => SessionFault::TrailingNewline,
            3 => SessionFault::PingEvery(5),
            4 => SessionFault::DuplicateEvery(3),
            5 => SessionFault::ReverseEvery(7),
            _ => SessionFault::Garbage(2, "{oops".into()),
        }
    }
}

/// With this status, only the archive is read.
fn unavailable() -> SessionFault {
    SessionFault::Refuse(RefusedHandshake::new(503, "Service Unavailable"))
}

/// With this status, nothing is read.
fn unauthorized() -> SessionFault {
    SessionFault::Refuse(RefusedHandshake::new(401, "Unauthorized"))
}
