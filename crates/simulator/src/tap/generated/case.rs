//! A mail with a threat, and all records of it.

use jiff::SignedDuration;
use proofpoint_sentinel_core::tap_kind::TapKind;
use serde_json::{Value, json};

use crate::mail::hash::{mix, uuid};
use crate::mail::{HourOfMail, Treatment};
use crate::tap::record::TapRecord;

use super::draws::{Draws, Topic, text_bits};
use super::finding::{Finding, findings};
use super::gateway_event::GatewayEvent;
use super::message_record::{CondemnedMessage, time};
use super::timeline::{Millis, Timeline, Verdict};

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
];

/// How records of all cases come about.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordRules {
    /// The longest time between the creation of a record and its index.
    pub longest_lag: SignedDuration,
    /// One in so many records has no id.
    pub without_id: Option<u64>,
    /// Whether calls no longer return a record after a new verdict on it was indexed.
    pub replaces: bool,
}

/// A mail with a threat.
pub(super) struct Case {
    event: GatewayEvent,
    treatment: Treatment,
    findings: Vec<Finding>,
    timeline: Timeline,
    draws: Draws,
    rules: RecordRules,
}

impl Case {
    pub(super) fn new(
        mails: &HourOfMail<'_>,
        number: u64,
        treatment: Treatment,
        timeline: Timeline,
        rules: RecordRules,
    ) -> Case {
        let draws = Draws::new(mails.bits(number));
        let event = GatewayEvent::read(&mails.event(number));
        let findings = findings(&event, treatment, draws);
        Case { event, treatment, findings, timeline, draws, rules }
    }

    /// All records, whenever they are created.
    pub(super) fn records(&self) -> Vec<TapRecord> {
        let mut records = self.message_records();
        if let Some((finding, url)) = self.clicked() {
            for (number, at) in self.timeline.clicks.iter().enumerate() {
                records
                    .extend(at.iter().flat_map(|at| self.click_records(finding, url, number, *at)));
            }
        }
        records
    }

    /// For each recipient a record of each verdict.
    fn message_records(&self) -> Vec<TapRecord> {
        let kind = match self.treatment {
            Treatment::Delivered(_) => TapKind::MessagesDelivered,
            _ => TapKind::MessagesBlocked,
        };
        let message = CondemnedMessage {
            event: &self.event,
            treatment: self.treatment,
            findings: &self.findings,
            mail_at: self.timeline.mail_at,
            draws: self.draws,
        };
        let of_recipient = |(number, recipient)| {
            let bits = mix(text_bits(self.event.text("/guid")), number as u64);
            let id = message_id(bits);
            let verdicts = self.timeline.verdicts().collect();
            self.versions(kind, bits, verdicts, |verdict| {
                message.record(self.sent_id(bits, &id), recipient, self.timeline.condemned, verdict)
            })
        };
        self.event.recipients().enumerate().flat_map(of_recipient).collect()
    }

    /// The threat that recipients click on.
    fn clicked(&self) -> Option<(&Finding, &str)> {
        self.findings.iter().find_map(|finding| Some((finding, finding.url.as_deref()?)))
    }

    /// The records of a click: one of each verdict. A click on a known threat is mostly blocked.
    fn click_records(
        &self,
        finding: &Finding,
        url: &str,
        number: usize,
        at: Millis,
    ) -> Vec<TapRecord> {
        let draws = self.draws.of_part(number);
        let verdicts: Vec<Verdict> = self.timeline.verdicts_on_click(at).collect();
        let is_blocked = self.timeline.is_threat_at(at) && !draws.one_in(Topic::ClickPermitted, 6);
        let kind = match is_blocked {
            true => TapKind::ClicksBlocked,
            false => TapKind::ClicksPermitted,
        };
        let bits = mix(text_bits(self.event.text("/guid")), 0x636c_6963_6b00 + number as u64);
        let id = uuid(bits);
        self.versions(kind, bits, verdicts, |verdict| {
            self.click(finding, url, number, at, self.sent_id(bits, &id), verdict)
        })
    }

    fn click(
        &self,
        finding: &Finding,
        url: &str,
        number: usize,
        at: Millis,
        id: Option<&str>,
        verdict: Verdict,
    ) -> Value {
        let draws = self.draws.of_part(number);
        let recipients: Vec<&str> = self.event.recipients().collect();
        let recipient = recipients.get(number % recipients.len().max(1)).copied();
        let address = draws.below(Topic::ClickAddress, 200) + 20;
        let message_id = self.event.text("/msg/header/message-id/0");
        let mut click = json!({
            "url": url,
            "classification": finding.classification.as_str(),
            "clickTime": time(at),
            "threatTime": time(verdict.at),
            "userAgent": draws.pick(Topic::UserAgent, &USER_AGENTS),
            "campaignId": finding.campaign,
            "clickIP": format!("198.51.100.{address}"),
            "sender": self.event.value("/envelope/from"),
            "recipient": recipient,
            "senderIP": self.event.value("/connection/ip"),
            "GUID": self.event.value("/guid"),
            "threatID": finding.threat_id(),
            "threatURL": finding.page(),
            "threatStatus": verdict.status.as_str(),
            "messageID": message_id.trim_matches(['<', '>']),
        });
        if self.event.is_old() {
            click["classification"] = json!(finding.classification.as_str().to_uppercase());
        }
        if let Some(id) = id {
            click["id"] = json!(id);
        }
        click
    }

    /// The id as it is sent. Some records have none.
    fn sent_id<'a>(&self, bits: u64, id: &'a str) -> Option<&'a str> {
        let is_missing =
            self.rules.without_id.is_some_and(|count| mix(bits, 3).is_multiple_of(count));
        (!is_missing).then_some(id)
    }

    /// A record of each verdict, indexed some time after its creation.
    fn versions(
        &self,
        kind: TapKind,
        bits: u64,
        verdicts: Vec<Verdict>,
        body: impl Fn(Verdict) -> Value,
    ) -> Vec<TapRecord> {
        let mut records: Vec<TapRecord> = verdicts
            .into_iter()
            .enumerate()
            .map(|(version, verdict)| {
                let body = body(verdict).to_string();
                let record = TapRecord::dated(kind, body).expect("a record has its times");
                let lag = lag(mix(bits, version as u64 + 1), self.rules.longest_lag);
                let indexed_at = record.created_at + lag;
                record.indexed_at(indexed_at)
            })
            .collect();
        if self.rules.replaces {
            for at in 1..records.len() {
                records[at - 1].replaced_at = Some(records[at].indexed_at);
            }
        }
        records
    }
}

/// The id of a message's record: a UUID with the digits that real ones have in two places.
fn message_id(bits: u64) -> String {
    let mut id = uuid(bits);
    id.replace_range(14..15, "b");
    id.replace_range(19..20, "c");
    id
}

/// How long after its creation a record is indexed: mostly within a minute.
fn lag(bits: u64, longest: SignedDuration) -> SignedDuration {
    let longest = longest.as_millis().max(0) as u64;
    let most = match bits % 10 {
        0..6 => longest.min(60_000),
        6..9 => longest / 3,
        _ => longest,
    };
    let millis = (bits >> 8) % (most + 1);
    SignedDuration::from_millis(millis.cast_signed())
}
