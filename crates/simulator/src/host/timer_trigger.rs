//! The invocation request that the Functions host sends when a timer fires.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::request_ids::guid;

/// One firing of a timer.
#[derive(Clone, Debug, Default)]
pub struct TimerTrigger {
    /// `ScheduleStatus`; null if the schedule is not monitored.
    pub status: Option<ScheduleStatus>,
    /// Whether it fires at start-up for a missed occurrence.
    pub is_past_due: bool,
}

/// The host's status of a schedule.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleStatus {
    /// The previous occurrence; the year 1 on the first run.
    pub last: Option<Timestamp>,
    /// The occurrence that fires now: the host updates the status only after the run.
    pub next: Timestamp,
}

impl TimerTrigger {
    /// The body of the invocation of `function`, whose timer binding is called `binding`.
    pub(super) fn body(&self, function: &str, binding: &str) -> Value {
        let status = self.status.map(|status| {
            let last = status.last.map_or_else(|| "0001-01-01T00:00:00".to_owned(), with_offset);
            json!({"Last": last, "Next": with_offset(status.next), "LastUpdated": last})
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

/// RFC 3339 with a numeric offset.
fn with_offset(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}
