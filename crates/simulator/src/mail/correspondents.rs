//! The senders and recipients of the simulated mail traffic.
//!
//! All domains end in `.example` and all addresses are from the ranges reserved for documentation,
//! so they belong to nobody.

/// The customer's staff: name and department.
pub(super) const STAFF: [(&str, &str); 24] = [
    ("Amara Okafor", "finance"),
    ("Anton Bergström", "engineering"),
    ("Beatriz Núñez", "sales"),
    ("Callum Fraser", "sales"),
    ("Chiara Lombardi", "legal"),
    ("Daniel Weiss", "engineering"),
    ("Emilia Kowalska", "people"),
    ("Farid Haddad", "operations"),
    ("Grace Mbeki", "finance"),
    ("Hana Suzuki", "engineering"),
    ("Ivo Petrov", "support"),
    ("Jasmine Clarke", "marketing"),
    ("Kofi Mensah", "support"),
    ("Lena Vogel", "sales"),
    ("Mateo Rivera", "operations"),
    ("Nadia Rahman", "legal"),
    ("Oscar Lindqvist", "engineering"),
    ("Priya Iyer", "finance"),
    ("Quentin Moreau", "marketing"),
    ("Rosa Almeida", "people"),
    ("Søren Dahl", "operations"),
    ("Tamsin Webb", "executive"),
    ("Uri Shalev", "engineering"),
    ("Zoë van Dijk", "executive"),
];

/// A domain that regularly exchanges mail with the staff.
#[derive(Clone, Copy)]
pub(super) struct Partner {
    pub domain: &'static str,
    /// The host that sends its mail.
    pub host: &'static str,
    pub ip: &'static str,
    pub country: &'static str,
    pub people: &'static [&'static str],
    /// `None` if its host does not support TLS.
    pub tls: Option<TlsParameters>,
    /// Whether its mail carries valid DKIM signatures and a DMARC policy.
    pub signs: bool,
}

/// The result of a TLS handshake between mail transfer agents.
#[derive(Clone, Copy)]
pub(super) struct TlsParameters {
    pub version: &'static str,
    pub cipher: &'static str,
    pub bits: u32,
}

pub(super) const TLS13: TlsParameters =
    TlsParameters { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256 };
pub(super) const TLS12: TlsParameters =
    TlsParameters { version: "TLSv1.2", cipher: "ECDHE-RSA-AES256-GCM-SHA384", bits: 256 };
pub(super) const TLS12_OLD: TlsParameters =
    TlsParameters { version: "TLSv1.2", cipher: "ECDHE-RSA-AES128-GCM-SHA256", bits: 128 };
pub(super) const TLS10_WEAK: TlsParameters =
    TlsParameters { version: "TLSv1.0", cipher: "DES-CBC3-SHA", bits: 112 };

/// Customers and suppliers: people on both sides.
pub(super) const PARTNERS: [Partner; 8] = [
    Partner {
        domain: "harbour-freight.example",
        host: "mx-out1.harbour-freight.example",
        ip: "192.0.2.11",
        country: "gb",
        people: &["Olive Hartley", "Tom Ashdown"],
        tls: Some(TLS13),
        signs: true,
    },
    Partner {
        domain: "kestrel-legal.example",
        host: "smtp.kestrel-legal.example",
        ip: "192.0.2.24",
        country: "us",
        people: &["Marcus Bell", "Dana Whitfield"],
        tls: Some(TLS12),
        signs: true,
    },
    Partner {
        domain: "muellerstahl.example",
        host: "mail.muellerstahl.example",
        ip: "192.0.2.37",
        country: "de",
        people: &["Jürgen Müller", "Katrin Scholz"],
        tls: Some(TLS12),
        signs: true,
    },
    Partner {
        domain: "atelier-lumiere.example",
        host: "relais.atelier-lumiere.example",
        ip: "192.0.2.52",
        country: "fr",
        people: &["Élodie Garnier", "Rémi Caron"],
        tls: Some(TLS12_OLD),
        signs: false,
    },
    Partner {
        domain: "sakura-parts.example",
        host: "mta3.sakura-parts.example",
        ip: "192.0.2.66",
        country: "jp",
        people: &["佐藤 美咲", "高橋 健"],
        tls: Some(TLS13),
        signs: true,
    },
    Partner {
        domain: "tasman-dairy.example",
        host: "edge.tasman-dairy.example",
        ip: "192.0.2.71",
        country: "nz",
        people: &["Aroha Ngata", "Ben Sinclair"],
        tls: Some(TLS12),
        signs: true,
    },
    Partner {
        domain: "oldmill-joinery.example",
        host: "exchange.oldmill-joinery.example",
        ip: "192.0.2.88",
        country: "ie",
        people: &["Niamh Byrne", "Cormac Daly"],
        tls: Some(TLS10_WEAK),
        signs: false,
    },
    Partner {
        domain: "cityclerk.example",
        host: "gw.cityclerk.example",
        ip: "192.0.2.93",
        country: "us",
        people: &["Records Office", "Permits Desk"],
        tls: None,
        signs: false,
    },
];

/// Services that send mail but never receive any.
pub(super) const VENDORS: [Partner; 6] = [
    Partner {
        domain: "parcelwise.example",
        host: "out-17.parcelwise.example",
        ip: "198.51.100.17",
        country: "us",
        people: &["Parcelwise Tracking"],
        tls: Some(TLS13),
        signs: true,
    },
    Partner {
        domain: "cloudledger.example",
        host: "o4.mail.cloudledger.example",
        ip: "198.51.100.41",
        country: "us",
        people: &["CloudLedger Billing"],
        tls: Some(TLS13),
        signs: true,
    },
    Partner {
        domain: "dailybrief.example",
        host: "send.dailybrief.example",
        ip: "198.51.100.63",
        country: "us",
        people: &["The Daily Brief"],
        tls: Some(TLS12),
        signs: true,
    },
    Partner {
        domain: "skillsmith.example",
        host: "news.skillsmith.example",
        ip: "198.51.100.79",
        country: "ca",
        people: &["Skillsmith Courses"],
        tls: Some(TLS12),
        signs: true,
    },
    Partner {
        domain: "standup-bot.example",
        host: "mta-a.standup-bot.example",
        ip: "198.51.100.102",
        country: "nl",
        people: &["Standup Bot"],
        tls: Some(TLS13),
        signs: true,
    },
    Partner {
        domain: "fairbooker.example",
        host: "bulk2.fairbooker.example",
        ip: "198.51.100.140",
        country: "es",
        people: &["Fairbooker Viajes"],
        tls: Some(TLS12_OLD),
        signs: true,
    },
];

/// The kind of threat in an unwanted mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threat {
    Spam,
    Adult,
    Phish,
    Impostor,
    Malware,
}

/// A sender of unwanted mail.
pub(super) struct UnwantedSender {
    pub threat: Threat,
    pub name: &'static str,
    pub domain: &'static str,
    pub helo: &'static str,
    /// The first three octets of its IP addresses. The last one varies.
    pub network: &'static str,
    pub country: &'static str,
    pub subjects: &'static [&'static str],
}

pub(super) const UNWANTED_SENDERS: [UnwantedSender; 10] = [
    UnwantedSender {
        threat: Threat::Spam,
        name: "Solar Savings Desk",
        domain: "solar-offers.example",
        helo: "vps-4471.example",
        network: "203.0.113",
        country: "ru",
        subjects: &["Your roof qualifies", "FINAL NOTICE: energy rebate"],
    },
    UnwantedSender {
        threat: Threat::Spam,
        name: "Dr. Vital",
        domain: "vital-drops.example",
        helo: "localhost.localdomain",
        network: "203.0.113",
        country: "cn",
        subjects: &["Doctors hate this", "Sleep better from tonight"],
    },
    UnwantedSender {
        threat: Threat::Spam,
        name: "SEO Experts",
        domain: "rank-first.example",
        helo: "mail.rank-first.example",
        network: "198.51.100",
        country: "in",
        subjects: &["Proposal for your website", "Re: website errors found"],
    },
    UnwantedSender {
        threat: Threat::Spam,
        name: "Prêt Rapide",
        domain: "pret-rapide.example",
        helo: "host-77.example",
        network: "203.0.113",
        country: "**",
        subjects: &["Crédit accordé en 24 h", "Votre dossier est prêt"],
    },
    UnwantedSender {
        threat: Threat::Adult,
        name: "Nightline",
        domain: "nightline-chat.example",
        helo: "nl-93.example",
        network: "203.0.113",
        country: "ro",
        subjects: &["Someone nearby wants to talk"],
    },
    UnwantedSender {
        threat: Threat::Phish,
        name: "IT Service Desk",
        domain: "portal-secure-login.example",
        helo: "web12.example",
        network: "203.0.113",
        country: "ng",
        subjects: &["Password expires today", "Your mailbox is almost full"],
    },
    UnwantedSender {
        threat: Threat::Phish,
        name: "e-Signature",
        domain: "docs-sign-now.example",
        helo: "srv.docs-sign-now.example",
        network: "198.51.100",
        country: "br",
        subjects: &["Please sign: Q4 agreement", "Dokument zur Unterschrift"],
    },
    UnwantedSender {
        threat: Threat::Impostor,
        name: "Zoë van Dijk",
        domain: "executive-mailbox.example",
        helo: "mail-lf1.example",
        network: "192.0.2",
        country: "us",
        subjects: &["Are you at your desk?", "Quick favour, confidential"],
    },
    UnwantedSender {
        threat: Threat::Malware,
        name: "Accounts Payable",
        domain: "invoice-center.example",
        helo: "ip-203-0-113-9.example",
        network: "203.0.113",
        country: "vn",
        subjects: &["Overdue invoice 88213", "Remittance advice"],
    },
    UnwantedSender {
        threat: Threat::Malware,
        name: "Express Zoll",
        domain: "zoll-paket.example",
        helo: "unknown.example",
        network: "203.0.113",
        country: "tr",
        subjects: &["Zollgebühr für Ihr Paket", "Sendung konnte nicht zugestellt werden"],
    },
];

/// Subjects of mail between people who know each other.
pub(super) const SUBJECTS: [&str; 18] = [
    "Re: Delivery dates for week 48",
    "Minutes of Tuesday's meeting",
    "Updated price list",
    "Contract draft, second round",
    "Fwd: site visit in March",
    "Question on invoice 2026-1187",
    "Rückfrage zum Angebot",
    "AW: Prüfbericht Charge 7",
    "Devis révisé – à valider",
    "Reunião de sexta-feira",
    "見積書の件",
    "Onboarding checklist",
    "Photos from the trade fair 📷",
    "Re: Re: access for the auditors",
    "Quarterly figures",
    "Lunch on Thursday?",
    "Test results attached",
    "Change request CR-2291",
];

/// Subjects of mail from services.
pub(super) const NOTICES: [&str; 8] = [
    "Your shipment is on its way",
    "Invoice for November",
    "This morning in five minutes",
    "New courses picked for you",
    "Reminder: stand-up notes are due",
    "Ofertas de última hora",
    "Your receipt",
    "Action needed: payment method expires",
];

/// The address of a person with this `name` at `domain`: `first.last`, in ASCII.
pub(super) fn address(name: &str, domain: &str) -> String {
    let local: String = name
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'a'..='z' | '0'..='9' => Some(letter),
            ' ' => Some('.'),
            'á' | 'à' | 'å' | 'ä' => Some('a'),
            'é' | 'è' | 'ë' => Some('e'),
            'ñ' => Some('n'),
            'ö' | 'ø' => Some('o'),
            'ú' | 'ü' => Some('u'),
            _ => None,
        })
        .collect();
    let local = local.trim_matches('.');
    format!("{}@{domain}", if local.is_empty() { "office" } else { local })
}
