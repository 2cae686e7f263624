//! `msgParts`: the body and the attachments of a mail as the filter sees them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Value, json};

use super::correspondents::Threat;
use super::hash::digest;
use super::sample::{Disposition, Mail, pick};

/// A kind of attached file.
#[derive(Clone, Copy)]
struct FileKind {
    extension: &'static str,
    mime: &'static str,
    name: &'static str,
    metadata: fn(&mut SmallRng) -> Value,
}

const PDF: FileKind = FileKind {
    extension: "pdf",
    mime: "application/pdf",
    name: "Offer_2026",
    metadata: |rng| json!({"generator": "PDFium", "pages": rng.random_range(1..40), "title": "Offer"}),
};

const BUSINESS: [FileKind; 6] = [
    PDF,
    FileKind {
        extension: "docx",
        mime: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        name: "Contract draft v2",
        metadata: |rng| {
            json!({
                "application": "Microsoft Office Word", "appversion": "16.0000",
                "author": "Dana Whitfield", "lastauthor": "Lena Vogel", "codepage": 1252,
                "create_dtm": "2026-11-02T09:14:00Z", "lastsave_dtm": "2026-11-19T16:40:00Z",
                "wordcount": rng.random_range(200..9000),
            })
        },
    },
    FileKind {
        extension: "xlsx",
        mime: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        name: "Preisliste Übersicht",
        metadata: |_| json!({"appname": "Microsoft Excel", "Content Status": "Final"}),
    },
    FileKind { extension: "jpg", mime: "image/jpeg", name: "IMG_2231", metadata: |_| json!({}) },
    FileKind { extension: "ics", mime: "text/calendar", name: "invite", metadata: |_| json!({}) },
    PDF,
];

const DANGEROUS: [FileKind; 4] = [
    FileKind {
        extension: "exe",
        mime: "application/x-msdownload",
        name: "Invoice_88213.pdf",
        metadata: |_| json!({}),
    },
    FileKind {
        extension: "js",
        mime: "text/javascript",
        name: "remittance",
        metadata: |_| json!({}),
    },
    FileKind { extension: "vbs", mime: "text/vbscript", name: "Zoll", metadata: |_| json!({}) },
    FileKind {
        extension: "iso",
        mime: "application/octet-stream",
        name: "shipment",
        metadata: |_| json!({}),
    },
];

const ZIP: FileKind = FileKind {
    extension: "zip",
    mime: "application/zip",
    name: "documents",
    metadata: |_| json!({}),
};

const FILLER: &str = "Lorem ipsum dolor sit amet. ";

/// The parts of `mail`, with about `filler` bytes of additional extracted text (in base64).
pub(super) fn message_parts(mail: &Mail, filler: usize, rng: &mut SmallRng) -> Vec<Value> {
    let mut parts = vec![text_part(mail, "text/plain", filler / 2, rng)];
    if filler > 0 || rng.random_ratio(1, 5) {
        parts.push(text_part(mail, "text/html", filler / 2, rng));
    }
    match mail.disposition {
        Disposition::Quarantined(Threat::Malware) | Disposition::Allowed(Threat::Malware) => {
            attach_malware(&mut parts, rng);
        }
        Disposition::Clean | Disposition::Encrypted if rng.random_ratio(1, 4) => {
            attach_business(&mut parts, rng);
        }
        Disposition::DataLoss => parts.push(attachment(&BUSINESS[2], parts.len(), rng)),
        _ => {}
    }
    parts
}

/// Puts the malware first, so that rules that look only at the first part find it.
fn attach_malware(parts: &mut Vec<Value>, rng: &mut SmallRng) {
    let inside = pick(&DANGEROUS, rng);
    if rng.random_ratio(1, 2) {
        parts.insert(0, attachment(&inside, 0, rng));
        parts[0]["sandboxStatus"] = json!("malicious");
    } else {
        parts.insert(0, archive(0, rng));
        parts.push(member(&inside, 0, rng));
    }
}

fn attach_business(parts: &mut Vec<Value>, rng: &mut SmallRng) {
    if rng.random_ratio(1, 8) {
        parts.insert(0, archive(0, rng));
        if parts[0]["isProtected"] == json!(false) {
            parts.push(member(&pick(&BUSINESS, rng), 0, rng));
        }
    } else {
        let mut part = attachment(&pick(&BUSINESS, rng), parts.len(), rng);
        if rng.random_ratio(1, 12) {
            part["isCorrupted"] = json!(true);
            part["textExtracted"] = json!("");
        }
        parts.push(part);
    }
}

fn archive(structure: usize, rng: &mut SmallRng) -> Value {
    let mut part = attachment(&ZIP, structure, rng);
    part["isArchive"] = json!(true);
    part["isProtected"] = json!(rng.random_ratio(1, 3));
    part["isTimedOut"] = json!(rng.random_ratio(1, 40));
    part
}

/// A file in an archive. The filter found it; the mail does not name it.
fn member(kind: &FileKind, archive: usize, rng: &mut SmallRng) -> Value {
    let mut part = attachment(kind, archive, rng);
    part["isVirtual"] = json!(true);
    part["labeledName"] = json!("");
    part["labeledMime"] = json!("");
    part["labeledExt"] = json!("");
    part["structureId"] = json!(format!("{archive}.0"));
    part
}

fn attachment(kind: &FileKind, structure: usize, rng: &mut SmallRng) -> Value {
    let name = format!("{}.{}", kind.name, kind.extension);
    let size = rng.random_range(8_000..900_000);
    let mut part = part(kind.mime, kind.extension, &name, size, rng);
    part["disposition"] = json!("attached");
    part["metadata"] = (kind.metadata)(rng);
    part["structureId"] = json!(structure.to_string());
    part["textExtracted"] = json!(encoded(kind.name.as_bytes()));
    part
}

fn text_part(mail: &Mail, mime: &str, filler: usize, rng: &mut SmallRng) -> Value {
    let is_html = mime == "text/html";
    let (extension, structure) = if is_html { ("html", "1") } else { ("txt", "0") };
    let size = rng.random_range(300..9_000) + filler;
    let mut part = part(mime, extension, &format!("text.{extension}"), size, rng);
    let text = format!("{}\n\n{}", mail.subject, FILLER.repeat(filler * 3 / 4 / FILLER.len()));
    part["textExtracted"] = json!(encoded(text.as_bytes()));
    part["detectedCharset"] = json!(if is_html { "UTF-8" } else { "utf-8" });
    part["labeledCharset"] = json!("UTF-8");
    part["structureId"] = json!(structure);
    part["urls"] = urls(mail, if is_html { 2 } else { 1 }, rng);
    part
}

fn urls(mail: &Mail, most: usize, rng: &mut SmallRng) -> Value {
    let count = rng.random_range(0..=most);
    (0..count)
        .map(|_| {
            let url = format!(
                "https://www.{}/{}/{:x}",
                mail.from.domain(),
                pick(&["track", "news", "doc", "login"], rng),
                rng.random::<u32>()
            );
            match rng.random_range(0..10) {
                0 => json!({
                    "url": url, "src": ["filter", "urldefense"], "isRewritten": false,
                    "notRewrittenReason": "excludedDomain",
                }),
                1..3 => json!({"url": url, "src": ["filter"]}),
                _ => json!({"url": url, "src": ["urldefense"], "isRewritten": true}),
            }
        })
        .collect()
}

fn part(mime: &str, extension: &str, name: &str, size: usize, rng: &mut SmallRng) -> Value {
    json!({
        "dataBase64": encoded(&rng.random::<[u8; 12]>()),
        "detectedCharset": "",
        "detectedExt": extension.to_uppercase(),
        "detectedMime": mime,
        "detectedName": name,
        "detectedSizeBytes": size,
        "disposition": "inline",
        "isArchive": false,
        "isCorrupted": false,
        "isDeleted": false,
        "isProtected": false,
        "isTimedOut": false,
        "isVirtual": false,
        "labeledCharset": "",
        "labeledExt": extension,
        "labeledMime": mime,
        "labeledName": name,
        "md5": digest(rng.random(), 32),
        "metadata": {},
        "sha256": digest(rng.random(), 64),
        "sizeDecodedBytes": size,
        "textExtracted": "",
        "urls": [],
    })
}

/// Base64 with a line feed at its end, as the filter writes it.
fn encoded(raw: &[u8]) -> String {
    STANDARD.encode(raw) + "\n"
}
