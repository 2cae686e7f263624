//! Message events: the filter's record of one mail.

use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Map, Value, json};

use super::filter_modules;
use super::message_parts::message_parts;
use super::sample::{Direction, Disposition, Mail, Mailbox};

/// The message event of `mail`, with about `filler` bytes of additional extracted text.
pub(super) fn message_event(
    mail: &Mail,
    cluster_id: &str,
    filler: usize,
    rng: &mut SmallRng,
) -> Value {
    let origin = json!({
        "agent": mail.agent.host, "cid": cluster_id, "version": mail.agent.version,
    });
    let mut event = json!({
        "guid": mail.guid,
        "ts": mail.timestamp_format.write(mail.at),
        "connection": connection(mail, rng),
        "envelope": envelope(mail),
        "filter": filter(mail, rng),
        "metadata": {"origin": {"data": origin}},
        "msg": msg(mail, rng),
    });
    if mail.agent.is_old {
        event["pps"] = origin;
    }
    // Internal and outbound mail is often not analysed, and mail that was rejected early has no
    // content: `msgParts` is an empty list, or absent.
    let is_plain = mail.direction != Direction::Inbound && filler == 0 && rng.random_ratio(2, 3);
    if mail.disposition.is_queued() && !is_plain {
        event["msgParts"] = Value::Array(message_parts(mail, filler, rng));
    } else if mail.disposition != Disposition::Deferred {
        event["msgParts"] = json!([]);
    }
    event
}

fn connection(mail: &Mail, rng: &mut SmallRng) -> Value {
    let peer = &mail.peer;
    let mut connection = json!({
        "country": peer.country,
        "helo": peer.helo,
        "host": peer.host,
        "ip": peer.ip,
        "protocol": "smtp:smtp",
        "resolveStatus": if peer.resolved { "ok" } else { "[unknown]" },
        "sid": mail.session(),
    });
    if let Some(tls) = mail.tls {
        connection["tls"] = json!({
            "inbound": {"cipher": tls.cipher, "cipherBits": tls.bits, "version": tls.version},
        });
        if rng.random_ratio(1, 20) {
            connection["tls"]["inbound"]["policy"] = json!("always");
        }
    }
    connection
}

fn envelope(mail: &Mail) -> Value {
    let mut envelope = json!({"from": mail.from.address, "rcpts": addresses(mail.recipients())});
    if mail.agent.is_old {
        envelope["fromHashed"] = json!(mail.from.hashed());
        envelope["rcptsHashed"] = mail.recipients().map(Mailbox::hashed).collect();
    }
    envelope
}

fn filter(mail: &Mail, rng: &mut SmallRng) -> Value {
    let decision = filter_modules::decide(mail);
    let rcpts = addresses(mail.recipients());
    let mut filter = json!({
        "disposition": decision.disposition,
        "durationSecs": (rng.random_range(40_000..900_000) as f64) / 1e6,
        "msgSizeBytes": mail.size,
        "qid": mail.filter_qid(),
        "routeDirection": mail.direction.as_str(),
        "routes": [format!("default_{}", mail.direction.as_str()), "firewallsafe"],
        "suborgs": {"sender": "0", "rcpts": ["0"]},
        "verified": {"rcpts": rcpts},
    });
    if mail.disposition != Disposition::Rejected {
        filter["actions"] = filter_modules::actions(mail, &decision);
    }
    if mail.disposition.is_delivered() {
        filter["delivered"] = json!({"rcpts": rcpts});
    }
    if let Some(quarantine) = filter_modules::quarantine(mail, &decision) {
        filter["quarantine"] = quarantine;
        if rng.random_ratio(1, 10) {
            filter["currentFolder"] = json!(decision.folder);
        }
    }
    if let Some(modules) = filter_modules::modules(mail, rng) {
        filter["modules"] = modules;
    }
    add_old_members(&mut filter, mail);
    add_rare_members(&mut filter, mail, rng);
    filter
}

fn add_old_members(filter: &mut Value, mail: &Mail) {
    if mail.agent.is_old {
        filter["startTime"] = json!(mail.timestamp_format.write(mail.at));
        filter["isMsgEncrypted"] = json!(mail.disposition == Disposition::Encrypted);
        filter["isMsgReinjected"] = json!(false);
        filter["verified"]["rcptsHashed"] = mail.recipients().map(Mailbox::hashed).collect();
    } else if mail.disposition == Disposition::Encrypted {
        filter["isMsgEncrypted"] = json!(true);
    }
}

/// Documented, but rarely present.
fn add_rare_members(filter: &mut Value, mail: &Mail, rng: &mut SmallRng) {
    let rcpts = addresses(mail.recipients());
    match rng.random_range(0..400) {
        0..4 => filter["isMsgInDigest"] = json!(true),
        4..8 => filter["mid"] = json!(mail.number),
        8..12 => filter["origGuid"] = json!(mail.guid.chars().rev().collect::<String>()),
        12..14 => filter["throttleIp"] = json!(mail.peer.ip),
        14..16 => filter["pe"] = json!({"rcpts": rcpts}),
        16..18 => filter["pe"] = json!({"rcpts": [{"rcpt": mail.to[0].address, "ok": true}]}),
        18..20 => filter["smime"] = json!({"rcpts": rcpts, "signedRcpts": []}),
        _ => {}
    }
}

fn msg(mail: &Mail, rng: &mut SmallRng) -> Value {
    let header = header(mail, rng);
    let is_complete = mail.disposition.is_queued();
    let mut normalized = header.clone();
    normalized["message-id"] = json!([mail.message_id.trim_matches(['<', '>'])]);
    json!({
        "header": header,
        "lang": if is_complete { "en" } else { "" },
        "normalizedHeader": if is_complete { normalized } else { json!({}) },
        "parsedAddresses": if is_complete { parsed(mail) } else { json!({}) },
        "sizeBytes": mail.size + 24,
    })
}

/// Every value of a header is a list.
fn header(mail: &Mail, rng: &mut SmallRng) -> Value {
    let list = |boxes: &[Mailbox]| boxes.iter().map(Mailbox::header).collect::<Value>();
    let mut header = json!({
        "from": [mail.from.header()],
        "to": list(&mail.to),
        "subject": [mail.subject],
        "message-id": [mail.message_id],
    });
    if !mail.cc.is_empty() {
        header["cc"] = list(&mail.cc);
    }
    if mail.disposition == Disposition::Bulk {
        header["return-path"] = json!([format!("<bounce@{}>", mail.from.domain())]);
        header["x-mailer"] = json!(["ListSender 4.2"]);
        header["reply-to"] = json!([format!("noreply@{}", mail.from.domain())]);
    } else if rng.random_ratio(1, 30) {
        header["x-originating-ip"] = json!([format!("[{}]", mail.peer.ip)]);
    }
    if mail.agent.is_old {
        header["fromHashed"] = json!([mail.from.hashed()]);
        header["toHashed"] = mail.to.iter().map(Mailbox::hashed).collect();
    }
    header
}

fn parsed(mail: &Mail) -> Value {
    let mut parsed = Map::new();
    parsed.insert("from".into(), json!([mail.from.address]));
    parsed.insert("fromDisplayNames".into(), json!([mail.from.name]));
    parsed.insert("to".into(), addresses(mail.to.iter()));
    if !mail.cc.is_empty() {
        parsed.insert("cc".into(), addresses(mail.cc.iter()));
    }
    if mail.disposition == Disposition::Bulk {
        parsed.insert("reply-to".into(), json!([format!("noreply@{}", mail.from.domain())]));
    }
    if mail.agent.is_old {
        parsed.insert("fromHashed".into(), json!([mail.from.hashed()]));
        parsed.insert("toHashed".into(), mail.to.iter().map(Mailbox::hashed).collect());
    }
    Value::Object(parsed)
}

fn addresses<'a>(boxes: impl Iterator<Item = &'a Mailbox>) -> Value {
    boxes.map(|mailbox| json!(mailbox.address)).collect()
}
