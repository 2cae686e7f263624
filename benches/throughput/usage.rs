//! What a process has used, as Linux tells it.

use std::io;
use std::time::Duration;

/// Ticks of `/proc/<id>/stat` in a second: `USER_HZ`, which is 100 on every Linux that Rust has.
const TICKS: u64 = 100;

/// Processor time and memory.
pub(crate) struct Usage {
    /// User and system time of all threads.
    pub cpu: Duration,
    /// The most memory that was ever resident.
    pub peak_bytes: u64,
}

impl Usage {
    /// Of the process with this id.
    pub(crate) fn of(process: u32) -> io::Result<Usage> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let odd = || io::Error::other("an unknown form of /proc");
        // The name in parentheses may hold blanks; times are the 14th and 15th field.
        let (_, rest) = stat.rsplit_once(')').ok_or_else(odd)?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok());
        let (user, system) = ticks(11).zip(ticks(12)).ok_or_else(odd)?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
            .ok_or_else(odd)?;
        let cpu = Duration::from_millis((user + system) * 1000 / TICKS);
        Ok(Usage { cpu, peak_bytes: peak * 1024 })
    }
}
