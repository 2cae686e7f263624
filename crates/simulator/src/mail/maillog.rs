//! Writes a mail down as the lines that the mail transfer agent logs for it: one when it comes in
//! and one for each delivery.

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::drawn::{Direction, Mail, Mailbox, pick};
use super::numbering::{Numbering, Stamp};
use super::people::{TLS12, TLS13};

/// A log line as an event, and when it was written.
pub(super) struct Line {
    pub event: Value,
    pub id: String,
    pub at: Timestamp,
}

/// The lines of `mail`; none where it never reached the queue.
pub(super) fn lines(
    mail: &Mail,
    numbering: &Numbering,
    cluster_id: &str,
    rng: &mut SmallRng,
) -> Vec<Line> {
    if !mail.verdict.is_queued() {
        return Vec::new();
    }
    let log = Log { mail, numbering, cluster_id };
    let mut lines = vec![log.received(rng)];
    if mail.verdict.is_delivered() {
        for recipient in mail.recipients() {
            let mut queued = 0;
            if rng.random_ratio(1, 50) {
                lines.push(log.delivery(recipient, Fate::Deferred, queued, lines.len(), rng));
                queued = UNTIL_RETRY;
            }
            let fate = if rng.random_ratio(1, 80) { Fate::Unknown } else { Fate::Sent };
            lines.push(log.delivery(recipient, fate, queued, lines.len(), rng));
        }
    }
    lines
}

/// Seconds after which a deferred delivery is tried again.
const UNTIL_RETRY: i64 = 26;

/// What became of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sent,
    Deferred,
    Unknown,
}

impl Fate {
    fn dsn(self) -> &'static str {
        match self {
            Fate::Sent => "2.0.0",
            Fate::Deferred => "4.4.1",
            Fate::Unknown => "5.1.1",
        }
    }

    fn stat(self) -> &'static str {
        match self {
            Fate::Sent => "Sent (OK queued as 6F2A91)",
            Fate::Deferred => "Deferred: Connection timed out",
            Fate::Unknown => "User unknown",
        }
    }
}

struct Log<'a> {
    mail: &'a Mail,
    numbering: &'a Numbering,
    cluster_id: &'a str,
}

impl Log<'_> {
    fn received(&self, rng: &mut SmallRng) -> Line {
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

    /// An attempt to deliver to one recipient a mail that has been `queued` for so many seconds.
    fn delivery(
        &self,
        to: &Mailbox,
        fate: Fate,
        queued: i64,
        line: usize,
        rng: &mut SmallRng,
    ) -> Line {
        let mail = self.mail;
        let is_outbound = mail.direction == Direction::Outbound;
        let relay = if is_outbound {
            format!("mx.{}. [192.0.2.{}]", to.domain(), rng.random_range(10..100))
        } else {
            format!("mailstore.{}. [10.20.0.31]", to.domain())
        };
        let tls = match (fate, is_outbound, rng.random_range(0..10)) {
            (Fate::Deferred, _, _) | (_, true, 0) => NO_TLS,
            (_, true, 1..4) => ["FAIL", TLS12.version, TLS12.cipher],
            (_, true, _) => ["OK", TLS12.version, TLS12.cipher],
            (_, false, _) => ["OK", TLS13.version, TLS13.cipher],
        };
        let took: i64 = if fate == Fate::Deferred { 10 } else { rng.random_range(0..4) };
        let seconds = queued + took;
        let (delay, xdelay) = (format!("00:00:{seconds:02}"), format!("00:00:{took:02}"));
        let mailer = if is_outbound { "esmtp" } else { pick(&["relay", "smtp"], rng) };
        let priority = (120_000 + mail.size % 9_000).to_string();
        let (dsn, stat) = (fate.dsn(), fate.stat());
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
    ) -> Line {
        let mail = self.mail;
        let later = mail.at + SignedDuration::from_millis(later_millis);
        let at = self.numbering.clamp(later.duration_since(self.numbering.hour().start()));
        let id = self.numbering.log_id(mail.number, line as u64);
        let agent = &mail.agent.host;
        let machine = agent.split('.').next().unwrap_or(agent);
        let process = rng.random_range(2000..32_000);
        let written_at = Stamp::LocalColon.write(at);
        let mut event = json!({
            "id": id,
            "ts": mail.stamp.write(at),
            "data": format!("{written_at} {machine} sendmail[{process}]: {}: {text}", mail.qid),
            "pps": {"agent": agent, "cid": self.cluster_id},
            "sm": sm,
        });
        if mail.agent.is_old {
            // Old releases keep TLS within `sm`, know no metadata and write numbers as numbers.
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
        Line { event, id, at }
    }
}

/// The customer's id at Proofpoint, in the metadata of maillog and audit events.
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
