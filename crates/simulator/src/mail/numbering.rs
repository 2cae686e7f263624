//! What tells one event from all others: ids, queue ids and times, computed from a number.
//!
//! Nothing here is drawn in sequence, so the n-th message of an hour and its log lines agree on the
//! queue id no matter who asks for which, and a pool of templates can be renumbered in place.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp, tz};
use proofpoint_sentinel_core::hour::Hour;
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// Numbers the messages of one hour of one cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbering {
    key: u64,
    hour: Hour,
    count: u64,
}

/// A message comes up to so many messages late.
const JITTER: u64 = 3;

/// No line of a message's log is written later than this after the message.
pub(super) const LAST_LINE: SignedDuration = SignedDuration::from_secs(31);

/// Keeps the texts made from the same number apart.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(super) enum Salt {
    Guid = 1,
    Qid,
    LogId,
    AuditGuid,
    Time,
    Mail,
    Message,
    Log,
    Audit,
}

impl Numbering {
    pub(super) fn new(seed: u64, cluster_id: &str, hour: Hour, count: u64) -> Numbering {
        let cluster = cluster_id.bytes().fold(seed, |key, byte| mix(key, u64::from(byte)));
        let key = mix(cluster, hour.start().as_second().cast_unsigned());
        Numbering { key, hour, count: count.max(1) }
    }

    pub(super) fn hour(&self) -> Hour {
        self.hour
    }

    /// 64 bits that belong to the `number`-th message and to `salt`.
    pub(super) fn bits(&self, salt: Salt, number: u64) -> u64 {
        mix(mix(self.key, salt as u64), number)
    }

    /// Random numbers that belong to the `number`-th message and to `salt`.
    pub(super) fn rng(&self, salt: Salt, number: u64) -> SmallRng {
        SmallRng::seed_from_u64(self.bits(salt, number))
    }

    /// A message's `guid`: 32 characters of URL-safe base64.
    pub(super) fn guid(&self, number: u64) -> String {
        let bits = self.bits(Salt::Guid, number);
        URL_SAFE_NO_PAD.encode(bytes::<24>(bits))
    }

    /// A maillog line's `id`: 22 characters of base64.
    pub(super) fn log_id(&self, number: u64, line: u64) -> String {
        let bits = mix(self.bits(Salt::LogId, number), line);
        STANDARD_NO_PAD.encode(bytes::<16>(bits))
    }

    /// An audit event's `guid`: a random UUID.
    pub(super) fn audit_guid(&self, number: u64) -> String {
        uuid(self.bits(Salt::AuditGuid, number))
    }

    /// The queue id of the mail transfer agent: 14 letters and digits.
    pub(super) fn qid(&self, number: u64) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
        let bits = self.bits(Salt::Qid, number);
        let letters: String =
            (0..8).map(|at| LETTERS[(bits >> (5 * at)) as usize % 32] as char).collect();
        format!("{letters}{:06}", number % 1_000_000)
    }

    /// When the `number`-th message was processed. Rises with the number but for small jumps back,
    /// as the log of several machines does, and never leaves the hour.
    pub(super) fn at(&self, number: u64) -> Timestamp {
        let share = self.share();
        let jitter = self.bits(Salt::Time, number) % (JITTER * share.max(1));
        self.clamp(SignedDuration::from_micros((number * share + jitter).cast_signed()))
    }

    /// The time before which neither the `number`-th message nor any after it was processed.
    pub(super) fn earliest(&self, number: u64) -> Timestamp {
        self.clamp(SignedDuration::from_micros((number * self.share()).cast_signed()))
    }

    /// The first message that may be logged at or after `since`: all before it are over by then,
    /// the last lines of their log included.
    pub(super) fn first_since(&self, since: Timestamp) -> u64 {
        let over = since.duration_since(self.hour.start()) - LAST_LINE;
        let micros = u64::try_from(over.as_micros()).unwrap_or(0);
        (micros / self.share().max(1)).saturating_sub(JITTER)
    }

    /// Microseconds from one message to the next.
    fn share(&self) -> u64 {
        const HOUR_MICROS: u64 = 3_600_000_000;
        HOUR_MICROS / self.count
    }

    /// `after` the start of the hour, or the hour's last microsecond where that is earlier.
    pub(super) fn clamp(&self, after: SignedDuration) -> Timestamp {
        let last = self.hour.end() - SignedDuration::from_micros(1);
        (self.hour.start() + after).min(last)
    }
}

/// How a time is written. The Log API's own form has an offset without a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// `2026-11-20T06:00:00.000000-0700`
    Local,
    /// `2026-11-20T06:00:00.000000-07:00`
    LocalColon,
    /// `2026-11-20T13:00:00.000000+0000`
    Utc,
}

impl Stamp {
    pub(super) const ALL: [Stamp; 3] = [Stamp::Local, Stamp::LocalColon, Stamp::Utc];

    /// Most machines write local time, a few newer ones UTC, hardly any a colon.
    pub(super) fn of(bits: u64) -> Stamp {
        match bits % 100 {
            0..86 => Stamp::Local,
            86..98 => Stamp::Utc,
            _ => Stamp::LocalColon,
        }
    }

    pub(super) fn write(self, at: Timestamp) -> String {
        let (offset, format) = match self {
            Stamp::Local => (-7, "%Y-%m-%dT%H:%M:%S.%6f%z"),
            Stamp::LocalColon => (-7, "%Y-%m-%dT%H:%M:%S.%6f%:z"),
            Stamp::Utc => (0, "%Y-%m-%dT%H:%M:%S.%6f%z"),
        };
        at.to_zoned(tz::offset(offset).to_time_zone()).strftime(format).to_string()
    }
}

/// A UUID of version 4 made from `bits`.
pub(super) fn uuid(bits: u64) -> String {
    let mut raw = bytes::<16>(bits);
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = hex(&raw);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// `length` hexadecimal digits made from `bits`, as a digest would be written.
pub(super) fn digest(bits: u64, length: usize) -> String {
    let mut text = hex(&bytes::<32>(bits));
    text.truncate(length);
    text
}

fn hex(raw: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    raw.iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

fn bytes<const N: usize>(bits: u64) -> [u8; N] {
    let mut raw = [0; N];
    for (at, chunk) in raw.chunks_mut(8).enumerate() {
        let word = mix(bits, at as u64).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    raw
}

/// One step of SplitMix64: spreads every bit of both values over the whole result.
pub(super) fn mix(key: u64, value: u64) -> u64 {
    let mut z =
        (key ^ value.wrapping_mul(0xd6e8_feb8_6659_fd93)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering() -> Numbering {
        Numbering::new(7, "acme_hosted", "2026-11-20T06".parse().unwrap(), 500)
    }

    #[test]
    fn ids_have_the_widths_of_real_ones() {
        let numbering = numbering();
        assert_eq!(numbering.guid(3).len(), 32);
        assert_eq!(numbering.log_id(3, 0).len(), 22);
        assert_eq!(numbering.qid(1_234_567).len(), 14);
        assert_eq!(numbering.audit_guid(3).len(), 36);
    }

    #[test]
    fn times_stay_in_the_hour_and_rise_by_and_large() {
        let numbering = numbering();
        let times: Vec<_> = (0..500).map(|number| numbering.at(number)).collect();
        assert!(times.iter().all(|at| Hour::containing(*at) == numbering.hour()));
        assert!(times[400] > times[100]);
        assert!(times.windows(2).any(|pair| pair[1] < pair[0]), "some are out of order");
    }

    #[test]
    fn stamps_are_written_as_the_log_api_writes_them() {
        let at: Timestamp = "2026-11-20T13:00:00.0312Z".parse().unwrap();
        assert_eq!(Stamp::Local.write(at), "2026-11-20T06:00:00.031200-0700");
        assert_eq!(Stamp::LocalColon.write(at), "2026-11-20T06:00:00.031200-07:00");
        assert_eq!(Stamp::Utc.write(at), "2026-11-20T13:00:00.031200+0000");
    }
}
