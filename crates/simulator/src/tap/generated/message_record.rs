//! The record of a message for one of its recipients.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::mail::Treatment;

use super::draws::{Draws, Topic};
use super::finding::{Classification, Finding};
use super::gateway_event::GatewayEvent;
use super::timeline::{Millis, Verdict};

/// A message with its threats.
pub(super) struct CondemnedMessage<'a> {
    pub event: &'a GatewayEvent,
    pub treatment: Treatment,
    pub findings: &'a [Finding],
    pub mail_at: Millis,
    pub draws: Draws,
}

impl CondemnedMessage<'_> {
    /// The record for `recipient`. Only the first threat has the `verdict`; a later one concerns
    /// it alone.
    pub(super) fn record(
        &self,
        id: Option<&str>,
        recipient: &str,
        condemned: Verdict,
        verdict: Verdict,
    ) -> Value {
        let verdict_on = |at| if at == 0 { verdict } else { condemned };
        let threats: Value = self
            .findings
            .iter()
            .enumerate()
            .map(|(at, finding)| self.threat(finding, verdict_on(at)))
            .collect();
        let mut record = if self.is_abridged() { self.abridged() } else { self.whole() };
        record["messageTime"] = json!(time(self.mail_at));
        record["threatsInfoMap"] = threats;
        record["GUID"] = self.event.value("/guid");
        record["recipient"] = match self.draws.one_in(Topic::RecipientText, 25) {
            true => json!(recipient),
            false => json!([recipient]),
        };
        record["senderIP"] = self.event.value("/connection/ip");
        record["completelyRewritten"] = self.completely_rewritten();
        record[self.key("cluster", "clusterId")] = self.event.value("/metadata/origin/data/cid");
        self.add_scores(&mut record);
        if let Some(id) = id {
            record["id"] = json!(id);
        }
        record
    }

    /// The new name of a key, or the old one in a record of the old form.
    fn key(&self, new: &'static str, old: &'static str) -> &'static str {
        if self.event.is_old() { old } else { new }
    }

    /// Some records of delivered mail say almost nothing of the message.
    fn is_abridged(&self) -> bool {
        let is_delivered = matches!(self.treatment, Treatment::Delivered(_));
        is_delivered && !self.event.is_old() && self.draws.one_in(Topic::Abridged, 10)
    }

    fn abridged(&self) -> Value {
        json!({
            "subject": null, "quarantineFolder": null, "quarantineRule": null,
            "policyRoutes": null, "modulesRun": null, "messageSize": 0, "headerFrom": null,
            "headerReplyTo": null, "fromAddress": null, "ccAddresses": null,
            "replyToAddress": null, "toAddresses": null, "xmailer": null, "messageParts": null,
            "QID": null, "sender": "", "messageID": "",
        })
    }

    fn whole(&self) -> Value {
        let event = self.event;
        let header = |name: &str| event.value(&format!("/msg/header/{name}/0"));
        let addresses = |name: &str| json!(event.list(&format!("/msg/parsedAddresses/{name}")));
        let mut record = json!({
            "subject": header("subject"),
            "quarantineFolder": event.value("/filter/quarantine/folder"),
            "quarantineRule": event.value("/filter/quarantine/rule"),
            "policyRoutes": event.value("/filter/routes"),
            "modulesRun": self.modules(),
            "messageSize": event.value("/filter/msgSizeBytes"),
            "headerFrom": header("from"),
            "headerReplyTo": header("reply-to"),
            "fromAddress": addresses("from"),
            "ccAddresses": addresses("cc"),
            "replyToAddress": addresses("reply-to"),
            "toAddresses": addresses("to"),
            "xmailer": header("x-mailer"),
            "messageParts": self.parts(),
            "QID": event.value("/filter/qid"),
            "sender": event.value("/envelope/from"),
            "messageID": header("message-id"),
        });
        if event.is_old() {
            record["fromAddress"] = record["fromAddress"][0].take();
            record["headerTo"] = json!(joined(event.list("/msg/header/to")));
            record["headerCC"] = json!(joined(event.list("/msg/header/cc")));
            record.as_object_mut().and_then(|members| members.remove("messageSize"));
        }
        record
    }

    fn modules(&self) -> Value {
        let modules = self.event.value("/filter/modules");
        modules.as_object().map(|modules| modules.keys().cloned().collect()).unwrap_or_default()
    }

    /// The parts of the message. The file with the threat is marked.
    fn parts(&self) -> Value {
        let is_threat = |part: &Value| {
            self.findings.iter().any(|finding| part["sha256"] == finding.threat.as_str())
        };
        let parts = self.event.list("/msgParts").iter().map(|part| {
            let sandbox_status = match &part["disposition"] {
                _ if is_threat(part) => json!("threat"),
                disposition if disposition == "attached" => json!("clean"),
                _ if self.event.is_old() => json!("unsupported"),
                _ => Value::Null,
            };
            json!({
                "disposition": part["disposition"],
                "sha256": part["sha256"],
                "md5": part["md5"],
                "filename": part["detectedName"],
                "sandboxStatus": sandbox_status,
                "oContentType": part["labeledMime"],
                "contentType": part["detectedMime"],
            })
        });
        parts.collect()
    }

    /// A truth value, a text, or not applicable.
    fn completely_rewritten(&self) -> Value {
        let is_rewritten = self.findings.iter().any(|finding| finding.url.is_some());
        match self.draws.below(Topic::Rewritten, 10) {
            0 => json!("na"),
            _ if self.event.is_old() => json!(is_rewritten.to_string()),
            _ => json!(is_rewritten),
        }
    }

    /// Scores are whole numbers, except for that of an impostor in the newer form.
    fn add_scores(&self, record: &mut Value) {
        let is_malware =
            self.findings.iter().any(|finding| finding.classification == Classification::Malware);
        let score = |name| if self.is_abridged() { 0 } else { self.event.score(name) };
        record["spamScore"] = json!(score("spam"));
        record["phishScore"] = json!(score("phish"));
        record["malwareScore"] = json!(if is_malware { 100 } else { score("malware") });
        let impostor = score("impostor");
        record["impostorScore"] = match self.event.is_old() {
            true => json!(impostor),
            false if impostor == 0 => json!(0.0),
            false => {
                let quarters = self.draws.below(Topic::ScoreFraction, 4) as f64;
                json!(impostor as f64 - quarters / 4.0)
            }
        };
    }

    fn threat(&self, finding: &Finding, verdict: Verdict) -> Value {
        let (classification, threat_type) =
            (finding.classification.as_str(), finding.threat_type.as_str());
        if self.event.is_old() {
            return json!({
                "campaignId": finding.campaign,
                "classification": classification.to_uppercase(),
                "threat": finding.threat,
                "threatId": finding.threat_id(),
                "threatStatus": verdict.status.as_str(),
                "threatTime": time(verdict.at),
                "threatType": threat_type.to_uppercase(),
                "threatUrl": finding.page(),
            });
        }
        let actors: Vec<Value> =
            finding.actor.iter().map(|name| json!({"name": name, "type": "actor"})).collect();
        let mut threat = json!({
            "campaignID": finding.campaign,
            "classification": classification,
            "threat": finding.threat,
            "threatID": finding.threat_id(),
            "threatStatus": verdict.status.as_str(),
            "threatTime": time(verdict.at),
            "threatType": threat_type,
            "threatUrl": finding.page(),
            "actors": actors,
        });
        if finding.is_compromised_site {
            threat["detectionType"] = json!("COMPROMISED_WEBSITE");
        }
        threat
    }
}

/// A time as in records: UTC with milliseconds.
pub(super) fn time(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).expect("mail has a time");
    format!("{at:.3}")
}

/// The addresses of a header in one text, or `null` without any.
fn joined(addresses: &[Value]) -> Option<String> {
    let addresses: Vec<&str> = addresses.iter().filter_map(Value::as_str).collect();
    (!addresses.is_empty()).then(|| addresses.join("; "))
}
