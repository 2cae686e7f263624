//! The ids, queue ids and times of the messages of one hour, computed from the message's number.
//!
//! Each value depends on the number alone, not on earlier calls. So the n-th message and its log
//! lines have the same queue id in whatever order they are generated, and a pool of template events
//! can be renumbered in place.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::hour::Hour;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::hash::{bytes, mix, uuid};

/// The messages of one hour of one cluster, as a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct HourSequence {
    key: u64,
    hour: Hour,
    count: u64,
}

/// The time of a message can be shifted by up to this many messages.
const JITTER: u64 = 3;

/// All log lines of a message are written within this time after it.
pub(super) const LAST_LINE: SignedDuration = SignedDuration::from_secs(31);

/// Makes values different that are derived from the same number.
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
    Later,
}

impl HourSequence {
    pub(super) fn new(seed: u64, cluster_id: &str, hour: Hour, count: u64) -> HourSequence {
        let cluster = cluster_id.bytes().fold(seed, |key, byte| mix(key, u64::from(byte)));
        let key = mix(cluster, hour.start().as_second().cast_unsigned());
        HourSequence { key, hour, count: count.max(1) }
    }

    pub(super) fn hour(&self) -> Hour {
        self.hour
    }

    /// 64 bits derived from the message number and `salt`.
    pub(super) fn bits(&self, salt: Salt, number: u64) -> u64 {
        mix(mix(self.key, salt as u64), number)
    }

    /// A random number generator, seeded with the message number and `salt`.
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

    /// The mail transfer agent's queue id: 14 letters and digits.
    pub(super) fn qid(&self, number: u64) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
        let bits = self.bits(Salt::Qid, number);
        let letters: String =
            (0..8).map(|at| LETTERS[(bits >> (5 * at)) as usize % 32] as char).collect();
        format!("{letters}{:06}", number % 1_000_000)
    }

    /// When the `number`-th message was processed. The time rises with the number except for small
    /// steps back, as in the merged log of several machines, and always lies within the hour.
    pub(super) fn at(&self, number: u64) -> Timestamp {
        let interval = self.interval_micros();
        let jitter = self.bits(Salt::Time, number) % (JITTER * interval.max(1));
        self.clamp(SignedDuration::from_micros((number * interval + jitter).cast_signed()))
    }

    /// A lower bound of the time of the `number`-th message and of all after it.
    pub(super) fn earliest(&self, number: u64) -> Timestamp {
        self.clamp(SignedDuration::from_micros((number * self.interval_micros()).cast_signed()))
    }

    /// The first message that can have an event at or after `since`. All events of the messages
    /// before it, log lines included, are older.
    pub(super) fn first_since(&self, since: Timestamp) -> u64 {
        let elapsed = since.duration_since(self.hour.start()) - LAST_LINE;
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(0);
        (micros / self.interval_micros().max(1)).saturating_sub(JITTER)
    }

    /// Microseconds from one message to the next.
    fn interval_micros(&self) -> u64 {
        const HOUR_MICROS: u64 = 3_600_000_000;
        HOUR_MICROS / self.count
    }

    /// The time `after` the start of the hour, but at most the last microsecond of the hour.
    pub(super) fn clamp(&self, after: SignedDuration) -> Timestamp {
        let last = self.hour.end() - SignedDuration::from_micros(1);
        (self.hour.start() + after).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence() -> HourSequence {
        HourSequence::new(7, "acme_hosted", "2026-11-20T06".parse().unwrap(), 500)
    }

    #[test]
    fn ids_have_the_widths_of_real_ones() {
        let sequence = sequence();
        assert_eq!(sequence.guid(3).len(), 32);
        assert_eq!(sequence.log_id(3, 0).len(), 22);
        assert_eq!(sequence.qid(1_234_567).len(), 14);
        assert_eq!(sequence.audit_guid(3).len(), 36);
    }

    #[test]
    fn times_stay_in_the_hour_and_mostly_rise() {
        let sequence = sequence();
        let times: Vec<_> = (0..500).map(|number| sequence.at(number)).collect();
        assert!(times.iter().all(|at| Hour::containing(*at) == sequence.hour()));
        assert!(times[400] > times[100]);
        assert!(times.windows(2).any(|pair| pair[1] < pair[0]), "some times step back");
    }
}
