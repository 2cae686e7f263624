//! Maillog events: the lines of the mail transfer agent's log. A mail has one line for its receipt
//! and one for each delivery attempt.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::correspondents::{TLS12, TLS13};
use super::sample::{Direction, Mail, Mailbox, pick};
use super::sequence::HourSequence;
use super::timestamp_format::TimestampFormat;

/// A log line as an event, with its id and time.
pub(super) struct LogLine {
    pub event: Value,
    pub id: String,
    pub at: Timestamp,
}

/// The lines of `mail`. There are none if it was never queued.
pub(super) fn lines(
    mail: &Mail,
    sequence: &HourSequence,
    cluster_id: &str,
    rng: &mut SmallRng,
) -> Vec<LogLine> {
    if !mail.disposition.is_queued() {
        return Vec::new();
    }
    let log = MailLog { mail, sequence, cluster_id };
    let mut lines = vec![log.received(rng)];
    if mail.disposition.is_delivered() {
        for recipient in mail.recipients() {
            let mut queued_seconds = 0;
            if rng.random_ratio(1, 50) {
                lines.push(log.delivery(
                    recipient,
                    DeliveryStatus::Deferred,
                    queued_seconds,
                    lines.len(),
                    rng,
                ));
                queued_seconds = RETRY_SECONDS;
            }
            let status = if rng.random_ratio(1, 80) {
                DeliveryStatus::UserUnknown
            } else {
                DeliveryStatus::Sent
            };
            lines.push(log.delivery(recipient, status, queued_seconds, lines.len(), rng));
        }
    }
    lines
}

/// A deferred delivery is retried after this many seconds.
const RETRY_SECONDS: i64 = 26;

/// The result of a delivery attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeliveryStatus {
    Sent,
    Deferred,
    UserUnknown,
}

impl DeliveryStatus {
    fn dsn(self) -> &'static str {
        match self {
            DeliveryStatus::Sent => "2.0.0",
            DeliveryStatus::Deferred => "4.4.1",
            DeliveryStatus::UserUnknown => "5.1.1",
        }
    }

    fn stat(self) -> &'static str {
        match self {
            DeliveryStatus::Sent => "Sent (OK queued as 6F2A91)",
            DeliveryStatus::Deferred => "Deferred: Connection timed out",
            DeliveryStatus::UserUnknown => "User unknown",
        }
    }
}

struct MailLog<'a> {
    mail: &'a Mail,
    sequence: &'a HourSequence,
    cluster_id: &'a str,
}

impl MailLog<'_> {
    fn received(&self, rng: &mut SmallRng) -> LogLine {
        let mail = self.mail;
        let relay = format!("{} [{}]", mail.peer.host, mail.peer.ip);
        let tls = mail.tls.map_or(NO_TLS, |tls| [verified(mail), tls.version, tls.cipher]);
        let (count, size) = (mail.recipients().count().to_string(), mail.size.to_string());
        let from = format!("<{}>", mail.from.address);
        let text = format!(
            "from={from}, size={size}, class=0, nrcpts={count}, msgid={}, proto=ESMTP, \
             daemon=MTA, {}, auth=NONE, relay={relay}",
            mail.message_id,
            written(tls),
        );
        let sm = json!({
            "auth": "NONE", "class": "0", "daemon": "MTA", "from": from, "msgid": mail.message_id,
            "nrcpts": count, "proto": "ESMTP", "qid": mail.qid, "relay": relay, "sizeBytes": size,
        });
        self.line(0, 0, text, sm, tls, rng)
    }

    /// A delivery attempt to one recipient, after the mail has been queued for `queued_seconds`.
    fn delivery(
        &self,
        to: &Mailbox,
        status: DeliveryStatus,
        queued_seconds: i64,
        line: usize,
        rng: &mut SmallRng,
    ) -> LogLine {
        let mail = self.mail;
        let is_outbound = mail.direction == Direction::Outbound;
        let relay = if is_outbound {
            format!("mx.{}. [192.0.2.{}]", to.domain(), rng.random_range(10..100))
        } else {
            format!("mailstore.{}. [10.20.0.31]", to.domain())
        };
        let tls = match (status, is_outbound, rng.random_range(0..10)) {
            (DeliveryStatus::Deferred, _, _) | (_, true, 0) => NO_TLS,
            (_, true, 1..4) => ["FAIL", TLS12.version, TLS12.cipher],
            (_, true, _) => ["OK", TLS12.version, TLS12.cipher],
            (_, false, _) => ["OK", TLS13.version, TLS13.cipher],
        };
        let took: i64 =
            if status == DeliveryStatus::Deferred { 10 } else { rng.random_range(0..4) };
        let seconds = queued_seconds + took;
        let (delay, xdelay) = (format!("00:00:{seconds:02}"), format!("00:00:{took:02}"));
        let mailer = if is_outbound { "esmtp" } else { pick(&["relay", "smtp"], rng) };
        let priority = (120_000 + mail.size % 9_000).to_string();
        let (dsn, stat) = (status.dsn(), status.stat());
        let address = format!("<{}>", to.address);
        let text = format!(
            "to={address}, delay={delay}, xdelay={xdelay}, mailer={mailer}, {}, pri={priority}, \
             relay={relay}, dsn={dsn}, stat={stat}",
            written(tls),
        );
        let mut sm = json!({
            "delay": delay, "dsn": dsn, "mailer": mailer, "pri": priority, "qid": mail.qid,
            "relay": relay, "stat": stat, "to": [address], "xdelay": xdelay,
        });
        if mail.direction == Direction::Internal {
            sm["ctladdr"] = json!(format!("<{}> (8/0)", mail.from.address));
        }
        self.line(line, seconds * 1000 + 200, text, sm, tls, rng)
    }

    fn line(
        &self,
        line: usize,
        later_millis: i64,
        text: String,
        sm: Value,
        [verify, version, cipher]: [&str; 3],
        rng: &mut SmallRng,
    ) -> LogLine {
        let mail = self.mail;
        let later = mail.at + SignedDuration::from_millis(later_millis);
        let at = self.sequence.clamp(later.duration_since(self.sequence.hour().start()));
        let id = self.sequence.log_id(mail.number, line as u64);
        let agent = &mail.agent.host;
        let machine = agent.split('.').next().unwrap_or(agent);
        let process = rng.random_range(2000..32_000);
        let written_at = TimestampFormat::LocalColon.write(at);
        let mut event = json!({
            "id": id,
            "ts": mail.timestamp_format.write(at),
            "data": format!("{written_at} {machine} sendmail[{process}]: {}: {text}", mail.qid),
            "pps": {"agent": agent, "cid": self.cluster_id},
            "sm": sm,
        });
        if mail.agent.is_old {
            // Old releases write TLS within `sm`, no metadata, and numbers as numbers.
            event["sm"]["tls"] = json!({"verify": verify});
            if let Some(priority) = sm_priority(&event) {
                event["sm"]["pri"] = json!(priority);
            }
        } else {
            event["tls"] = json!({"cipher": cipher, "verify": verify, "version": version});
            event["metadata"] = json!({
                "customerId": CUSTOMER_ID,
                "origin": {
                    "data": {"agent": agent, "cid": self.cluster_id},
                    "schemaVersion": "20200420",
                },
            });
        }
        LogLine { event, id, at }
    }
}

/// The customer id at Proofpoint, in the metadata of maillog and audit events.
pub(super) const CUSTOMER_ID: &str = "5a1c3f00-0000-4000-8000-0000000ac3e0";

const NO_TLS: [&str; 3] = ["NONE", "NONE", "NONE"];

fn verified(mail: &Mail) -> &'static str {
    if mail.signs { "OK" } else { "NO" }
}

fn written([verify, version, cipher]: [&str; 3]) -> String {
    format!("tls_verify={verify}, tls_version={version}, cipher={cipher}")
}

fn sm_priority(event: &Value) -> Option<u64> {
    event["sm"]["pri"].as_str()?.parse().ok()
}
