//! Which members of an event stay in a row that can't hold all of them.

/// How important a member is among its neighbours. The most important comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Rules and investigations need it.
    Essential,
    /// Anything else.
    Usual,
    /// A sender decides how long it is, and its first elements say most of it.
    Expendable,
}

/// What Proofpoint decided, and what names the message.
const ESSENTIAL: [(&str, &[&str]); 8] = [
    (
        "filter",
        &[
            "disposition",
            "actions",
            "modules",
            "quarantine",
            "routeDirection",
            "qid",
            "msgSizeBytes",
        ],
    ),
    ("msg", &["header", "lang", "sizeBytes"]),
    ("msg.header", HEADER),
    ("msg.normalizedHeader", HEADER),
    ("", &["guid", "id", "ts", "filter"]),
    ("", TAP_RECORD),
    ("threatsInfoMap[]", THREAT),
    ("messageParts[]", &["disposition", "sha256", "md5", "filename", "sandboxStatus"]),
];

/// What names a TAP record, and what Proofpoint decided.
const TAP_RECORD: &[&str] = &[
    "GUID",
    "QID",
    "messageTime",
    "clickTime",
    "clickIP",
    "threatsInfoMap",
    "threatID",
    "threatStatus",
    "threatTime",
    "classification",
    "recipient",
    "sender",
    "senderIP",
    "subject",
    "quarantineFolder",
    "quarantineRule",
];

/// What names a threat, and what Proofpoint holds it for.
const THREAT: &[&str] =
    &["threatID", "threatStatus", "threatTime", "threatType", "classification", "campaignID"];

const HEADER: &[&str] = &["subject", "message-id", "from"];

/// What tells a message part from another.
const PART: [&str; 21] = [
    "labeledName",
    "detectedName",
    "labeledExt",
    "detectedExt",
    "labeledMime",
    "detectedMime",
    "labeledCharset",
    "detectedCharset",
    "labeledSizeBytes",
    "detectedSizeBytes",
    "sizeDecodedBytes",
    "sha256",
    "md5",
    "disposition",
    "structureId",
    "isArchive",
    "isDeleted",
    "isTimedOut",
    "isVirtual",
    "isProtected",
    "isCorrupted",
];

/// Lists of recipients and of URLs, and mail content.
const EXPENDABLE: [&str; 18] = [
    "toAddresses",
    "ccAddresses",
    "replyToAddress",
    "rcpts",
    "rcptsHashed",
    "signedRcpts",
    "to",
    "toHashed",
    "cc",
    "ccHashed",
    "bcc",
    "toDisplayNames",
    "ccDisplayNames",
    "rewrittenUrls",
    "urls",
    "metadata",
    "textExtracted",
    "dataBase64",
];

/// Where elements of `msgParts` stand. A single part can stand there without a list.
const PARTS: [&str; 2] = ["msgParts[]", "msgParts"];

/// The rank of the member `key` of the object at `path`. A path has the keys from the event down,
/// with `[]` for the elements of a list.
pub fn rank(path: &str, key: &str) -> Rank {
    let is_essential = |(at, keys): &(&str, &[&str])| *at == path && keys.contains(&key);
    if PARTS.contains(&path) && PART.contains(&key) || ESSENTIAL.iter().any(is_essential) {
        Rank::Essential
    } else if EXPENDABLE.contains(&key) && !(path.is_empty() && key == "metadata") {
        Rank::Expendable
    } else {
        Rank::Usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_ranks_before_recipients_and_content() {
        for (path, key, expected) in [
            ("filter", "modules", Rank::Essential),
            ("msg.header", "subject", Rank::Essential),
            ("msgParts[]", "sha256", Rank::Essential),
            ("connection", "ip", Rank::Usual),
            ("", "metadata", Rank::Usual),
            ("envelope", "rcpts", Rank::Expendable),
            ("msg.header", "to", Rank::Expendable),
            ("msgParts[]", "metadata", Rank::Expendable),
        ] {
            assert_eq!(rank(path, key), expected, "{path}.{key}");
        }
    }
}
