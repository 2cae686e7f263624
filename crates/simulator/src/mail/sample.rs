//! One mail of the simulated traffic. Message events and log lines are written from it.

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use super::correspondents::{
    self, PARTNERS, Partner, STAFF, TLS12, TLS13, Threat, TlsParameters, UNWANTED_SENDERS, VENDORS,
};
use super::hash::{digest, mix};
use super::sequence::{HourSequence, Salt};
use super::timestamp_format::TimestampFormat;

/// The direction in which a mail passes the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Inbound,
    Outbound,
    Internal,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
            Direction::Internal => "internal",
        }
    }
}

/// What the gateway does with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    /// Delivered.
    Clean,
    /// A newsletter: delivered, with a copy in a quarantine folder.
    Bulk,
    /// Stopped by a filter module and kept in its quarantine folder.
    Quarantined(Threat),
    /// Classified as a threat, but delivered because a rule allows it for the recipient.
    Allowed(Threat),
    /// Rejected before it was queued, because of the sender's reputation.
    Rejected,
    /// Outbound with confidential data: quarantined for review.
    DataLoss,
    /// Outbound, and encrypted by the gateway.
    Encrypted,
    /// Deferred: the sender has to retry.
    Deferred,
}

impl Disposition {
    /// Whether the mail is delivered to its recipients.
    pub(super) fn is_delivered(self) -> bool {
        matches!(
            self,
            Disposition::Clean
                | Disposition::Bulk
                | Disposition::Allowed(_)
                | Disposition::Encrypted
        )
    }

    /// Whether the mail was in the queue of the mail transfer agent.
    pub(super) fn is_queued(self) -> bool {
        !matches!(self, Disposition::Rejected | Disposition::Deferred)
    }
}

/// A display name and an address.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    pub name: String,
    pub address: String,
}

impl Mailbox {
    fn new(name: &str, domain: &str) -> Mailbox {
        Mailbox { name: name.to_owned(), address: correspondents::address(name, domain) }
    }

    /// The form in a header: `"Name" <address>`.
    pub(super) fn header(&self) -> String {
        format!("\"{}\" <{}>", self.name, self.address)
    }

    /// The address with its local part hashed, as old releases write it.
    pub(super) fn hashed(&self) -> String {
        let bits = self.address.bytes().fold(0, |key, byte| mix(key, u64::from(byte)));
        format!("{}@{}", digest(bits, 32), self.domain())
    }

    pub(super) fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// The host that connected to the gateway.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub helo: String,
    pub host: String,
    pub ip: String,
    pub country: &'static str,
    pub resolved: bool,
}

/// A host of the customer's gateway.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub host: String,
    pub version: &'static str,
    /// Whether it runs an old release, which writes `pps`, hashed addresses and `startTime`.
    pub is_old: bool,
}

/// One mail.
pub(super) struct Mail {
    pub number: u64,
    pub guid: String,
    pub qid: String,
    pub at: Timestamp,
    pub timestamp_format: TimestampFormat,
    pub agent: Agent,
    pub direction: Direction,
    pub disposition: Disposition,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub peer: Peer,
    pub tls: Option<TlsParameters>,
    /// Whether the sender's domain signs its mail and publishes a DMARC policy.
    pub signs: bool,
    pub subject: &'static str,
    pub message_id: String,
    pub size: u64,
}

impl Mail {
    /// The `number`-th mail of the hour.
    pub(super) fn sample(sequence: &HourSequence, domain: &str, number: u64) -> Mail {
        let mut rng = sequence.rng(Salt::Mail, number);
        let draft = MailDraft::sample(sequence, domain, &mut rng);
        let guid = sequence.guid(number);
        let at = sequence.at(number);
        let message_id = format!(
            "<{}.{:08x}@{}>",
            at.as_millisecond(),
            rng.random::<u32>(),
            draft.from.domain()
        );
        let bits = sequence.bits(Salt::Time, number);
        Mail {
            number,
            guid,
            qid: sequence.qid(number),
            at,
            timestamp_format: TimestampFormat::from_bits(bits >> 32),
            agent: agent(bits >> 40),
            direction: draft.direction,
            disposition: draft.disposition,
            from: draft.from,
            to: draft.to,
            cc: draft.cc,
            peer: draft.peer,
            tls: draft.tls,
            signs: draft.signs,
            subject: draft.subject,
            message_id,
            size: 900 + (rng.random::<f64>().powi(6) * 6_000_000.0) as u64,
        }
    }

    /// All recipients of the envelope.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc)
    }

    /// The queue id in the message event. A mail that was never queued has an id of its SMTP session.
    pub(super) fn filter_qid(&self) -> String {
        if self.disposition.is_queued() {
            self.qid.clone()
        } else {
            format!("{}-1", self.session())
        }
    }

    /// The id of the SMTP session.
    pub(super) fn session(&self) -> String {
        format!("3{}", self.qid[..9].to_lowercase())
    }
}

fn agent(bits: u64) -> Agent {
    let (host, version) = match bits % 10 {
        0..4 => ("m0301114", "8.21.0.1358"),
        4..7 => ("m0301115", "8.21.0.1358"),
        7..9 => ("m0301116", "8.19.0.1022"),
        _ => ("m0090207", "8.14.0.396"),
    };
    Agent { host: format!("{host}.ppops.net"), version, is_old: version.starts_with("8.14") }
}

/// A mail without ids and times.
struct MailDraft {
    direction: Direction,
    disposition: Disposition,
    from: Mailbox,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    peer: Peer,
    tls: Option<TlsParameters>,
    signs: bool,
    subject: &'static str,
}

impl MailDraft {
    fn sample(sequence: &HourSequence, domain: &str, rng: &mut SmallRng) -> MailDraft {
        match rng.random_range(0..100) {
            0..34 => MailDraft::from_partner(domain, rng),
            34..50 => MailDraft::from_vendor(domain, rng),
            50..66 => MailDraft::from_unwanted_sender(sequence, domain, rng),
            66..88 => MailDraft::outbound(domain, rng),
            _ => MailDraft::internal(domain, rng),
        }
    }

    fn from_partner(domain: &str, rng: &mut SmallRng) -> MailDraft {
        let partner = pick(&PARTNERS, rng);
        let disposition =
            if rng.random_ratio(1, 60) { Disposition::Deferred } else { Disposition::Clean };
        let cc = if rng.random_ratio(1, 5) { staff(domain, 1, rng) } else { Vec::new() };
        let to = recipients(domain, rng);
        MailDraft {
            to,
            cc,
            ..MailDraft::received(partner, disposition, pick(&correspondents::SUBJECTS, rng), rng)
        }
    }

    fn from_vendor(domain: &str, rng: &mut SmallRng) -> MailDraft {
        let disposition =
            if rng.random_ratio(3, 5) { Disposition::Bulk } else { Disposition::Clean };
        let vendor = pick(&VENDORS, rng);
        let to = staff(domain, 1, rng);
        MailDraft {
            to,
            ..MailDraft::received(vendor, disposition, pick(&correspondents::NOTICES, rng), rng)
        }
    }

    fn received(
        partner: Partner,
        disposition: Disposition,
        subject: &'static str,
        rng: &mut SmallRng,
    ) -> MailDraft {
        MailDraft {
            direction: Direction::Inbound,
            disposition,
            from: Mailbox::new(pick(partner.people, rng), partner.domain),
            to: Vec::new(),
            cc: Vec::new(),
            peer: Peer {
                helo: partner.host.to_owned(),
                host: partner.host.to_owned(),
                ip: partner.ip.to_owned(),
                country: partner.country,
                resolved: true,
            },
            tls: partner.tls,
            signs: partner.signs,
            subject,
        }
    }

    fn from_unwanted_sender(
        sequence: &HourSequence,
        domain: &str,
        rng: &mut SmallRng,
    ) -> MailDraft {
        let sender = campaign(sequence, rng);
        let disposition = match rng.random_range(0..100) {
            0..30 => Disposition::Rejected,
            30..34 => Disposition::Allowed(sender.threat),
            _ => Disposition::Quarantined(sender.threat),
        };
        let resolved = rng.random_ratio(1, 3);
        let ip = format!("{}.{}", sender.network, rng.random_range(2..255));
        MailDraft {
            direction: Direction::Inbound,
            disposition,
            from: Mailbox::new(sender.name, sender.domain),
            to: recipients(domain, rng),
            cc: Vec::new(),
            peer: Peer {
                helo: sender.helo.to_owned(),
                host: if resolved { sender.helo.to_owned() } else { format!("[{ip}]") },
                ip,
                country: sender.country,
                resolved,
            },
            tls: rng.random_ratio(1, 2).then_some(TLS12),
            signs: rng.random_ratio(1, 4),
            subject: pick(sender.subjects, rng),
        }
    }

    fn outbound(domain: &str, rng: &mut SmallRng) -> MailDraft {
        let from = staff(domain, 1, rng).remove(0);
        let partner = pick(&PARTNERS, rng);
        let to = match rng.random_range(0..40) {
            // To the sender's private address: exfiltration rules look for this.
            0 => vec![Mailbox::new(&from.name, "homemail.example")],
            1..12 => partner.people.iter().map(|name| Mailbox::new(name, partner.domain)).collect(),
            _ => vec![Mailbox::new(pick(partner.people, rng), partner.domain)],
        };
        let disposition = match rng.random_range(0..50) {
            0 => Disposition::DataLoss,
            1..4 => Disposition::Encrypted,
            _ => Disposition::Clean,
        };
        MailDraft { direction: Direction::Outbound, disposition, to, ..MailDraft::sent(from, rng) }
    }

    fn internal(domain: &str, rng: &mut SmallRng) -> MailDraft {
        let from = staff(domain, 1, rng).remove(0);
        let to = recipients(domain, rng);
        MailDraft { to, ..MailDraft::sent(from, rng) }
    }

    fn sent(from: Mailbox, rng: &mut SmallRng) -> MailDraft {
        let host = format!("exch{}.{}", rng.random_range(1..4), from.domain());
        MailDraft {
            direction: Direction::Internal,
            disposition: Disposition::Clean,
            from,
            to: Vec::new(),
            cc: Vec::new(),
            peer: Peer {
                helo: host.clone(),
                host,
                ip: format!("10.20.0.{}", rng.random_range(11..14)),
                country: "**",
                resolved: true,
            },
            tls: Some(TLS13),
            signs: false,
            subject: pick(&correspondents::SUBJECTS, rng),
        }
    }
}

/// Chooses an unwanted sender. Each of them runs a campaign on some days and is quiet on others.
fn campaign(
    sequence: &HourSequence,
    rng: &mut SmallRng,
) -> &'static correspondents::UnwantedSender {
    let day = sequence.hour().start().as_second().div_euclid(86_400).cast_unsigned();
    let weight = |at: usize| if mix(day, at as u64).is_multiple_of(5) { 8 } else { 1 };
    let total: u32 = (0..UNWANTED_SENDERS.len()).map(weight).sum();
    let mut sample = rng.random_range(0..total);
    for (at, sender) in UNWANTED_SENDERS.iter().enumerate() {
        match sample.checked_sub(weight(at)) {
            Some(rest) => sample = rest,
            None => return sender,
        }
    }
    &UNWANTED_SENDERS[0]
}

/// One to four members of the staff. Some of them receive far more mail than others.
fn recipients(domain: &str, rng: &mut SmallRng) -> Vec<Mailbox> {
    let count = match rng.random_range(0..20) {
        0 => 4,
        1..3 => 3,
        3..6 => 2,
        _ => 1,
    };
    staff(domain, count, rng)
}

fn staff(domain: &str, count: usize, rng: &mut SmallRng) -> Vec<Mailbox> {
    let skewed = rng.random::<f64>().powi(2);
    let first = (skewed * STAFF.len() as f64) as usize;
    (0..count).map(|at| Mailbox::new(STAFF[(first + 7 * at) % STAFF.len()].0, domain)).collect()
}

/// Picks one of `from` at random.
pub(super) fn pick<T: Copy>(from: &[T], rng: &mut SmallRng) -> T {
    *from.choose(rng).expect("no list of samples is empty")
}
