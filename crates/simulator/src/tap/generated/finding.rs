//! Which threats TAP finds in a mail.

use crate::mail::hash::{digest, mix, uuid};
use crate::mail::{Threat, Treatment};
use crate::tap::record::ThreatType;

use super::draws::{Draws, Topic, text_bits};
use super::gateway_event::GatewayEvent;

/// One in so many mails that the gateway found clean is condemned later.
const CONDEMNED_LATER: u64 = 40;

/// The kind of a threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Classification {
    Malware,
    Phish,
    Spam,
    Impostor,
    /// An attack that wants to be called by telephone.
    Toad,
}

impl Classification {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Classification::Malware => "malware",
            Classification::Phish => "phish",
            Classification::Spam => "spam",
            Classification::Impostor => "impostor",
            Classification::Toad => "toad",
        }
    }
}

/// A threat in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub classification: Classification,
    pub threat_type: ThreatType,
    /// What it is: a URL without its last part, the hash of a file, an address or a number.
    pub threat: String,
    /// What recipients click on.
    pub url: Option<String>,
    pub campaign: Option<String>,
    pub actor: Option<&'static str>,
    /// Whether the threat is a known site that was taken over.
    pub is_compromised_site: bool,
}

impl Finding {
    /// The id of the threat, which is the same in all mails with it.
    pub(super) fn threat_id(&self) -> String {
        match self.threat_type {
            ThreatType::Attachment => self.threat.clone(),
            _ => digest(text_bits(&self.threat), 64),
        }
    }

    /// The page of the threat in the dashboard.
    pub(super) fn page(&self) -> String {
        const ACCOUNT: u64 = 0x7461_7061_6363;
        let id = self.threat_id();
        format!("https://threatinsight.proofpoint.com/{}/threat/email/{id}", uuid(ACCOUNT))
    }
}

/// Whether TAP condemns a mail that was treated so.
pub(super) fn is_condemned(treatment: Treatment, draws: Draws) -> bool {
    match treatment {
        Treatment::Other => false,
        Treatment::Quarantined(Threat::Spam | Threat::Adult) => draws.one_in(Topic::Condemned, 8),
        Treatment::Quarantined(_) | Treatment::Delivered(Some(_)) => true,
        Treatment::Delivered(None) => draws.one_in(Topic::Condemned, CONDEMNED_LATER),
    }
}

/// The threats in a mail, the most important one first.
pub(super) fn findings(event: &GatewayEvent, treatment: Treatment, draws: Draws) -> Vec<Finding> {
    let classification = classification(treatment, draws);
    let first = finding(event, classification, draws);
    let mut all = vec![first];
    if draws.one_in(Topic::SecondThreat, 8) {
        let second = second_finding(event, &all[0]);
        all.extend(second);
    }
    if !matches!(treatment, Treatment::Delivered(None)) {
        let (campaign, actor) = campaign(event);
        for finding in &mut all {
            finding.campaign.clone_from(&campaign);
            finding.actor = actor;
        }
    }
    all
}

fn classification(treatment: Treatment, draws: Draws) -> Classification {
    let threat = match treatment {
        Treatment::Quarantined(threat) => Some(threat),
        Treatment::Delivered(threat) => threat,
        Treatment::Other => None,
    };
    match threat {
        Some(Threat::Spam | Threat::Adult) => Classification::Spam,
        Some(Threat::Phish) => Classification::Phish,
        Some(Threat::Impostor) => Classification::Impostor,
        Some(Threat::Malware) => Classification::Malware,
        None => match draws.below(Topic::Classification, 20) {
            0..9 => Classification::Phish,
            9..14 => Classification::Malware,
            14..17 => Classification::Toad,
            17..19 => Classification::Impostor,
            _ => Classification::Spam,
        },
    }
}

fn finding(event: &GatewayEvent, classification: Classification, draws: Draws) -> Finding {
    let attached = event.attached_hash();
    match (classification, attached) {
        (Classification::Malware, Some(hash)) => {
            new_finding(classification, ThreatType::Attachment, hash.to_owned())
        }
        (Classification::Impostor, _) => {
            let sender = event.text("/envelope/from").to_owned();
            new_finding(classification, ThreatType::MessageText, sender)
        }
        (Classification::Toad, _) => {
            // From the range of numbers that are kept for fiction.
            let line = text_bits(event.sender_domain()) % 100;
            let number = format!("+1 202 555 01{line:02}");
            new_finding(classification, ThreatType::MessageText, number)
        }
        (_, _) => {
            let bits = draws.below(Topic::Attached, 1 << 32);
            url_finding(event, classification, bits)
        }
    }
}

/// Another threat in the same mail: a URL beside a file, or a page of spam beside a URL.
fn second_finding(event: &GatewayEvent, first: &Finding) -> Option<Finding> {
    match first.threat_type {
        ThreatType::MessageText => None,
        ThreatType::Attachment => Some(url_finding(event, first.classification, 1)),
        ThreatType::Url => {
            let threat = format!("offers.{}", event.sender_domain());
            Some(new_finding(Classification::Spam, ThreatType::Url, threat))
        }
    }
}

fn url_finding(event: &GatewayEvent, classification: Classification, bits: u64) -> Finding {
    let own = || format!("https://www.{}/login/{bits:x}", event.sender_domain());
    let url = event.url().map_or_else(own, str::to_owned);
    // All mails of a sender that lead to the same folder have the same threat.
    let (folder, _) = url.rsplit_once('/').unwrap_or((&url, ""));
    let threat = folder.trim_start_matches("https://").to_owned();
    let is_compromised_site = classification == Classification::Phish && event.url().is_some();
    Finding {
        url: Some(url),
        is_compromised_site,
        ..new_finding(classification, ThreatType::Url, threat)
    }
}

fn new_finding(classification: Classification, threat_type: ThreatType, threat: String) -> Finding {
    Finding {
        classification,
        threat_type,
        threat,
        url: None,
        campaign: None,
        actor: None,
        is_compromised_site: false,
    }
}

/// The campaign of a sender of unwanted mail, and who is behind it. Some have none.
fn campaign(event: &GatewayEvent) -> (Option<String>, Option<&'static str>) {
    const ACTORS: [&str; 3] = ["TA9001", "TA9014", "TA9027"];
    let bits = mix(text_bits(event.sender_domain()), 7);
    let campaign = (bits % 10 < 7).then(|| uuid(bits));
    let is_attributed = campaign.is_some() && bits >> 8 & 1 == 0;
    let actor = is_attributed.then(|| ACTORS[(bits >> 16) as usize % ACTORS.len()]);
    (campaign, actor)
}
