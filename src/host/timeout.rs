//! How long a run may take: `functionTimeout` of host.json.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::error_code::{self, Coded, ErrorCode};

/// The limit where host.json names none: the shorter of the platforms' defaults.
const DEFAULT: Duration = Duration::from_secs(5 * 60);

/// Without a limit (`-1`) a run still ends, so that the next tick can come.
const UNLIMITED: Duration = Duration::from_secs(30 * 60);

/// host.json can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct BadHostJson {
    path: PathBuf,
    reason: String,
}

impl Coded for BadHostJson {
    fn code(&self) -> ErrorCode {
        error_code::HOST_JSON
    }
}

/// How long the parts of one run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunBudget {
    /// The host's limit.
    pub limit: Duration,
    /// After this nothing more is read: what is in flight is delivered and saved.
    pub reading: Duration,
    /// After this nothing is posted: what was delivered is saved.
    pub posting: Duration,
    /// After this nothing is awaited. The host kills the process some time later.
    pub total: Duration,
}

impl RunBudget {
    /// Reads `host.json` in the app's root.
    #[expect(clippy::disallowed_methods, reason = "a few hundred bytes, before a run begins")]
    pub fn from_host_json(app_root: &Path) -> Result<RunBudget, BadHostJson> {
        let path = app_root.join("host.json");
        let fault = |reason: String| BadHostJson { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let limit = function_timeout(&text).map_err(fault)?;
        Ok(RunBudget::within(limit))
    }

    /// Three quarters of the host's limit are for reading, and a part of the rest for each later step.
    pub fn within(limit: Duration) -> RunBudget {
        RunBudget {
            limit,
            reading: limit.mul_f64(0.75),
            posting: limit.mul_f64(0.85),
            total: limit.mul_f64(0.95),
        }
    }

    /// When reading ends, for a run that starts now.
    pub fn reading_ends(&self) -> Instant {
        Instant::now() + self.reading
    }

    /// When posting ends, for a run that starts now.
    pub fn posting_ends(&self) -> Instant {
        Instant::now() + self.posting
    }

    /// When everything ends, for a run that starts now.
    pub fn all_ends(&self) -> Instant {
        Instant::now() + self.total
    }
}

fn function_timeout(host_json: &str) -> Result<Duration, String> {
    #[derive(Deserialize)]
    struct HostJson {
        #[serde(rename = "functionTimeout")]
        function_timeout: Option<String>,
    }
    // The host tolerates a byte order mark.
    let host_json: HostJson = serde_json::from_str(host_json.trim_start_matches('\u{feff}'))
        .map_err(|error| error.to_string())?;
    match host_json.function_timeout.as_deref() {
        None => Ok(DEFAULT),
        Some("-1") => Ok(UNLIMITED),
        Some(text) => time_span(text)
            .filter(|limit| *limit >= Duration::from_secs(1))
            .ok_or_else(|| format!("functionTimeout is `{text}`, expected hh:mm:ss or -1")),
    }
}

/// A .NET time span: `[d.]hh:mm:ss[.fraction]`. The fraction is ignored.
fn time_span(text: &str) -> Option<Duration> {
    let mut parts = text.split(':').rev();
    let seconds: u64 = parts.next()?.split('.').next()?.parse().ok()?;
    let minutes: u64 = parts.next()?.parse().ok()?;
    let hours = parts.next()?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (days, hours): (u64, u64) = (days.parse().ok()?, hours.parse().ok()?);
    let valid = parts.next().is_none() && seconds < 60 && minutes < 60 && hours < 24 && days < 100;
    valid.then(|| Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Result<u64, String> {
        function_timeout(text).map(|limit| limit.as_secs() / 60)
    }

    #[test]
    fn function_timeout_is_read_from_host_json() {
        assert_eq!(minutes(r#"{"version":"2.0","functionTimeout":"00:10:00"}"#), Ok(10));
        assert_eq!(minutes("\u{feff}{\"functionTimeout\":\"1.02:03:00\"}"), Ok(26 * 60 + 3));
        assert_eq!(minutes(r#"{"functionTimeout":"-1"}"#), Ok(30));
        assert_eq!(minutes(r#"{"version":"2.0"}"#), Ok(5));
        for bad in ["10", "00:61:00", "25:00:00", "x", "", "00:00:00", "1:2:3:4"] {
            assert!(minutes(&format!(r#"{{"functionTimeout":"{bad}"}}"#)).is_err(), "{bad}");
        }
        assert!(minutes("").is_err());
    }

    #[test]
    fn a_run_ends_well_before_the_hosts_time_out() {
        let time = RunBudget::within(Duration::from_secs(600));
        assert_eq!(time.reading, Duration::from_secs(450));
        assert_eq!(time.posting, Duration::from_secs(510));
        assert_eq!(time.total, Duration::from_secs(570));
    }
}
