//! The invocation that a timer causes, as the Functions host words it.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

/// One firing of a timer.
#[derive(Clone, Debug, Default)]
pub struct Tick {
    /// `ScheduleStatus`; null where the schedule is not monitored.
    pub status: Option<ScheduleStatus>,
    /// Whether it fires at start-up for an occurrence that was missed.
    pub is_past_due: bool,
}

/// What the host remembers of a schedule.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleStatus {
    /// The occurrence before; the year 1 on the very first run.
    pub last: Option<Timestamp>,
    /// The occurrence that fires now: the status is brought up to date only after the run.
    pub next: Timestamp,
}

impl Tick {
    /// The body of the invocation of `function`, whose timer binding is called `binding`.
    pub(super) fn body(&self, function: &str, binding: &str) -> Value {
        let status = self.status.map(|status| {
            let last = status.last.map_or_else(|| "0001-01-01T00:00:00".to_owned(), offset);
            json!({"Last": last, "Next": offset(status.next), "LastUpdated": last})
        });
        let timer = json!({
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": status,
            "IsPastDue": self.is_past_due,
        });
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        json!({
            "Data": {binding: timer},
            "Metadata": {"sys": {
                "MethodName": function,
                "UtcNow": now.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string(),
                "RandGuid": guid(),
            }},
        })
    }
}

fn offset(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

/// A random GUID.
pub(super) fn guid() -> String {
    let hex = format!("{:032x}", rand::random::<u128>());
    let [a, b, c, d, e] = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]];
    format!("{a}-{b}-4{c}-8{d}-{e}")
}

/// A `traceparent` as .NET's HTTP client sends it, of a trace that is not sampled.
pub(super) fn trace_parent() -> String {
    format!("00-{:032x}-{:016x}-00", rand::random::<u128>(), rand::random::<u64>())
}
