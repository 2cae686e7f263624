//! One mail of the simulated traffic, before it is written down as a message event and log lines.

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use super::numbering::{Numbering, Salt, Stamp, mix};
use super::people::{self, Aim, NUISANCES, PARTNERS, Partner, STAFF, TLS12, TLS13, Tls, VENDORS};

/// Which way a mail passes the gateway.
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

/// What the gateway makes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Delivered.
    Clean,
    /// Newsletter: delivered, with a copy in a folder.
    Bulk,
    /// Caught by a filter module, kept in its folder.
    Caught(Aim),
    /// Scored as surely bad but delivered all the same: a rule lets the recipient have it.
    LetThrough(Aim),
    /// Turned away by the sender's reputation before it was queued.
    Rejected,
    /// Outbound with data that must not leave: kept for review.
    Leak,
    /// Outbound and encrypted on its way out.
    Encrypted,
    /// Put off: the sender has to come again.
    PutOff,
}

impl Verdict {
    /// Whether the mail reaches anybody.
    pub(super) fn is_delivered(self) -> bool {
        matches!(self, Verdict::Clean | Verdict::Bulk | Verdict::LetThrough(_) | Verdict::Encrypted)
    }

    /// Whether the mail transfer agent ever had it in its queue.
    pub(super) fn is_queued(self) -> bool {
        !matches!(self, Verdict::Rejected | Verdict::PutOff)
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
        Mailbox { name: name.to_owned(), address: people::address(name, domain) }
    }

    /// `"Name" <address>`, as in a header.
    pub(super) fn header(&self) -> String {
        format!("\"{}\" <{}>", self.name, self.address)
    }

    pub(super) fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// The machine that connected to the gateway.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub helo: String,
    pub host: String,
    pub ip: String,
    pub country: &'static str,
    pub resolved: bool,
}

/// A machine of the customer's gateway.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub host: String,
    pub version: &'static str,
    /// Runs a release that still writes `pps`, hashed addresses and `startTime`.
    pub is_old: bool,
}

/// One mail.
pub(super) struct Mail {
    pub number: u64,
    pub guid: String,
    pub qid: String,
    pub at: Timestamp,
    pub stamp: Stamp,
    pub agent: Agent,
    pub direction: Direction,
    pub verdict: Verdict,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub peer: Peer,
    pub tls: Option<Tls>,
    /// The sender's domain signs its mail and publishes a policy.
    pub signs: bool,
    pub subject: &'static str,
    pub message_id: String,
    pub size: u64,
}

impl Mail {
    /// The `number`-th mail of the hour.
    pub(super) fn draw(numbering: &Numbering, domain: &str, number: u64) -> Mail {
        let mut rng = numbering.rng(Salt::Mail, number);
        let sketch = Sketch::draw(numbering, domain, &mut rng);
        let guid = numbering.guid(number);
        let at = numbering.at(number);
        let message_id = format!(
            "<{}.{:08x}@{}>",
            at.as_millisecond(),
            rng.random::<u32>(),
            sketch.from.domain()
        );
        let bits = numbering.bits(Salt::Time, number);
        Mail {
            number,
            guid,
            qid: numbering.qid(number),
            at,
            stamp: Stamp::of(bits >> 32),
            agent: agent(bits >> 40),
            direction: sketch.direction,
            verdict: sketch.verdict,
            from: sketch.from,
            to: sketch.to,
            cc: sketch.cc,
            peer: sketch.peer,
            tls: sketch.tls,
            signs: sketch.signs,
            subject: sketch.subject,
            message_id,
            size: 900 + (rng.random::<f64>().powi(6) * 6_000_000.0) as u64,
        }
    }

    /// All recipients of the envelope.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc)
    }

    /// The queue id in the message event: a mail that was never queued has that of its session.
    pub(super) fn filter_qid(&self) -> String {
        if self.verdict.is_queued() { self.qid.clone() } else { format!("{}-1", self.session()) }
    }

    /// Id of the SMTP session.
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

/// What a mail is about, before it has ids and times.
struct Sketch {
    direction: Direction,
    verdict: Verdict,
    from: Mailbox,
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    peer: Peer,
    tls: Option<Tls>,
    signs: bool,
    subject: &'static str,
}

impl Sketch {
    fn draw(numbering: &Numbering, domain: &str, rng: &mut SmallRng) -> Sketch {
        match rng.random_range(0..100) {
            0..34 => Sketch::from_partner(domain, rng),
            34..50 => Sketch::from_vendor(domain, rng),
            50..66 => Sketch::from_nuisance(numbering, domain, rng),
            66..88 => Sketch::outbound(domain, rng),
            _ => Sketch::internal(domain, rng),
        }
    }

    fn from_partner(domain: &str, rng: &mut SmallRng) -> Sketch {
        let partner = pick(&PARTNERS, rng);
        let verdict = if rng.random_ratio(1, 60) { Verdict::PutOff } else { Verdict::Clean };
        let cc = if rng.random_ratio(1, 5) { staff(domain, 1, rng) } else { Vec::new() };
        let to = recipients(domain, rng);
        Sketch { to, cc, ..Sketch::received(partner, verdict, pick(&people::SUBJECTS, rng), rng) }
    }

    fn from_vendor(domain: &str, rng: &mut SmallRng) -> Sketch {
        let verdict = if rng.random_ratio(3, 5) { Verdict::Bulk } else { Verdict::Clean };
        let vendor = pick(&VENDORS, rng);
        let to = staff(domain, 1, rng);
        Sketch { to, ..Sketch::received(vendor, verdict, pick(&people::NOTICES, rng), rng) }
    }

    fn received(
        partner: Partner,
        verdict: Verdict,
        subject: &'static str,
        rng: &mut SmallRng,
    ) -> Sketch {
        Sketch {
            direction: Direction::Inbound,
            verdict,
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

    fn from_nuisance(numbering: &Numbering, domain: &str, rng: &mut SmallRng) -> Sketch {
        let nuisance = campaign(numbering, rng);
        let verdict = match rng.random_range(0..100) {
            0..30 => Verdict::Rejected,
            30..34 => Verdict::LetThrough(nuisance.aim),
            _ => Verdict::Caught(nuisance.aim),
        };
        let resolved = rng.random_ratio(1, 3);
        let ip = format!("{}.{}", nuisance.network, rng.random_range(2..255));
        Sketch {
            direction: Direction::Inbound,
            verdict,
            from: Mailbox::new(nuisance.name, nuisance.domain),
            to: recipients(domain, rng),
            cc: Vec::new(),
            peer: Peer {
                helo: nuisance.helo.to_owned(),
                host: if resolved { nuisance.helo.to_owned() } else { format!("[{ip}]") },
                ip,
                country: nuisance.country,
                resolved,
            },
            tls: rng.random_ratio(1, 2).then_some(TLS12),
            signs: rng.random_ratio(1, 4),
            subject: pick(nuisance.subjects, rng),
        }
    }

    fn outbound(domain: &str, rng: &mut SmallRng) -> Sketch {
        let from = staff(domain, 1, rng).remove(0);
        let partner = pick(&PARTNERS, rng);
        let to = match rng.random_range(0..40) {
            // To the sender's own address elsewhere: what an exfiltration rule looks for.
            0 => vec![Mailbox::new(&from.name, "homemail.example")],
            1..12 => partner.people.iter().map(|name| Mailbox::new(name, partner.domain)).collect(),
            _ => vec![Mailbox::new(pick(partner.people, rng), partner.domain)],
        };
        let verdict = match rng.random_range(0..50) {
            0 => Verdict::Leak,
            1..4 => Verdict::Encrypted,
            _ => Verdict::Clean,
        };
        Sketch { direction: Direction::Outbound, verdict, to, ..Sketch::sent(from, rng) }
    }

    fn internal(domain: &str, rng: &mut SmallRng) -> Sketch {
        let from = staff(domain, 1, rng).remove(0);
        let to = recipients(domain, rng);
        Sketch { to, ..Sketch::sent(from, rng) }
    }

    fn sent(from: Mailbox, rng: &mut SmallRng) -> Sketch {
        let host = format!("exch{}.{}", rng.random_range(1..4), from.domain());
        Sketch {
            direction: Direction::Internal,
            verdict: Verdict::Clean,
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
            subject: pick(&people::SUBJECTS, rng),
        }
    }
}

/// Who bothers the customer in this hour: each has its quiet days and its days of campaign.
fn campaign(numbering: &Numbering, rng: &mut SmallRng) -> &'static people::Nuisance {
    let day = numbering.hour().start().as_second().div_euclid(86_400).cast_unsigned();
    let weight = |at: usize| if mix(day, at as u64).is_multiple_of(5) { 8 } else { 1 };
    let total: u32 = (0..NUISANCES.len()).map(weight).sum();
    let mut drawn = rng.random_range(0..total);
    for (at, nuisance) in NUISANCES.iter().enumerate() {
        match drawn.checked_sub(weight(at)) {
            Some(rest) => drawn = rest,
            None => return nuisance,
        }
    }
    &NUISANCES[0]
}

/// One to four of the staff; some of them get far more mail than others.
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

pub(super) fn pick<T: Copy>(from: &[T], rng: &mut SmallRng) -> T {
    *from.choose(rng).expect("the lists of this module are not empty")
}
