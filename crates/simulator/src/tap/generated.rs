//! Generated records: what TAP finds in the mail that the simulated gateways log.
//!
//! A record is written from the gateway's own message event, so that both have the same guid, queue
//! id, addresses, files and URLs. What TAP blocked was in quarantine. What it condemned later was
//! delivered, and recipients click on it: before the verdict, which permits the click, or after it,
//! which mostly blocks it. Some verdicts are withdrawn; then all records of the mail are issued
//! again, with the same ids and another status.

mod case;
mod draws;
mod finding;
mod gateway_event;
mod message_record;
mod timeline;

use std::collections::HashMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;

use crate::mail::{HourOfMail, MailTraffic, Treatment};
use crate::pod::MailVolume;

use super::record::TapRecord;
use super::record_source::RecordSource;

use case::{Case, RecordRules};
use draws::Draws;
use timeline::{Millis, Timeline};

/// TAP looks at this many mails of an hour at most, over all clusters of a credential.
const MOST_LOOKED_AT: u64 = 500;

/// Generated records of the mail of clusters. They are the same for the same traffic and volume.
#[derive(Clone, Debug)]
pub struct GeneratedRecords {
    traffic: HashMap<String, Vec<MailTraffic>>,
    volume: MailVolume,
    rules: RecordRules,
}

impl GeneratedRecords {
    /// For each credential, by its principal, the records of the mail of these clusters. Records are
    /// indexed up to 30 minutes late, all have ids, and a new verdict leaves the earlier record.
    pub fn new(
        traffic: impl IntoIterator<Item = (String, Vec<MailTraffic>)>,
        volume: MailVolume,
    ) -> GeneratedRecords {
        let longest_lag = SignedDuration::from_mins(30);
        let rules = RecordRules { longest_lag, without_id: None, replaces: false };
        GeneratedRecords { traffic: traffic.into_iter().collect(), volume, rules }
    }

    /// Indexes records up to `longest` after their creation.
    pub fn with_lag(mut self, longest: SignedDuration) -> GeneratedRecords {
        self.rules.longest_lag = longest;
        self
    }

    /// Leaves out the id in one of `count` records.
    pub fn with_missing_ids(mut self, count: u64) -> GeneratedRecords {
        self.rules.without_id = (count > 0).then_some(count);
        self
    }

    /// Calls no longer return a record once a new verdict on it is indexed.
    pub fn with_replaced_records(mut self) -> GeneratedRecords {
        self.rules.replaces = true;
        self
    }

    /// The cases among the mails of an hour with records that are created in `window`.
    fn cases(
        &self,
        traffic: &MailTraffic,
        hour: Hour,
        clusters: u64,
        window: &Range<Millis>,
    ) -> impl Iterator<Item = Case> {
        let count = self.volume.count(EventType::Message, hour);
        let mails = traffic.hour_of_mail(hour, count, self.volume.bulk);
        let step = (count * clusters).div_ceil(MOST_LOOKED_AT).max(1);
        let rules = self.rules;
        (0..count).step_by(step as usize).filter_map(move |first| {
            // One of each `step` mails, and not always the first.
            let number = first + mails.bits(first) % step;
            if number >= count { None } else { case(&mails, number, window, rules) }
        })
    }
}

/// The mail's case, if it has records that are created in `window`.
fn case(
    mails: &HourOfMail<'_>,
    number: u64,
    window: &Range<Millis>,
    rules: RecordRules,
) -> Option<Case> {
    let (at, draws) = (mails.at(number).as_millisecond(), Draws::new(mails.bits(number)));
    let blocked = Timeline::of_blocked(at, draws);
    let delivered = Timeline::of_delivered(at, draws);
    // Cheaper than to look at the mail.
    if !blocked.touches(window) && !delivered.touches(window) {
        return None;
    }
    let treatment = mails.treatment(number);
    let timeline = match treatment {
        Treatment::Quarantined(_) => blocked,
        Treatment::Delivered(_) => delivered,
        Treatment::Other => return None,
    };
    (timeline.touches(window) && finding::is_condemned(treatment, draws))
        .then(|| Case::new(mails, number, treatment, timeline, rules))
}

impl RecordSource for GeneratedRecords {
    fn records(
        &self,
        principal: &str,
        window: &Range<Timestamp>,
        now: Timestamp,
    ) -> Vec<TapRecord> {
        let clusters = self.traffic.get(principal).map_or(&[][..], Vec::as_slice);
        // Nothing is created after now, and no mail of the future has a case.
        let window = window.start..window.end.min(now + SignedDuration::from_nanos(1));
        if window.is_empty() {
            return Vec::new();
        }
        let first = Hour::containing(window.start - timeline::LONGEST);
        let hours = || first.through(Hour::containing(window.end));
        let (count, millis) = (clusters.len() as u64, &timeline::millis(&window));
        let of_cluster = |traffic| {
            let cases = move |hour| self.cases(traffic, hour, count, millis);
            hours().flat_map(cases).flat_map(|case| case.records())
        };
        let mut records: Vec<TapRecord> = clusters.iter().flat_map(of_cluster).collect();
        records.retain(|record| window.contains(&record.created_at) && record.exists_at(now));
        records
    }
}

#[cfg(test)]
mod tests;
