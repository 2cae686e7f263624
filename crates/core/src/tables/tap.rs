//! Tables of TAP records: those of Microsoft's own connector, with its names and types, so that
//! content for them works. `AdditionalFields` is ours.

use super::ColumnType::{Boolean, DateTime, Dynamic, Int, String};
use super::{ADDITIONAL_FIELDS, Column, Table, column};
use crate::tap_kind::TapKind;

const MESSAGE: &[Column] = &[
    column("TimeGenerated", DateTime),
    column("messageTime", DateTime),
    column("spamScore", Int),
    column("phishScore", Int),
    column("impostorScore", Int),
    column("malwareScore", Int),
    column("messageSize", Int),
    column("completelyRewritten", Boolean),
    column("threatsInfoMap", Dynamic),
    column("policyRoutes", Dynamic),
    column("modulesRun", Dynamic),
    column("fromAddress", Dynamic),
    column("ccAddresses", Dynamic),
    column("replyToAddress", Dynamic),
    column("toAddresses", Dynamic),
    column("xmailer", Dynamic),
    column("messageParts", Dynamic),
    column("recipient", Dynamic),
    column("cluster", String),
    column("subject", String),
    column("quarantineFolder", String),
    column("quarantineRule", String),
    column("headerFrom", String),
    column("headerReplyTo", String),
    column("id", String),
    column("QID", String),
    column("GUID", String),
    column("sender", String),
    column("senderIP", String),
    column("messageID", String),
    column(ADDITIONAL_FIELDS, Dynamic),
];

const CLICK: &[Column] = &[
    column("TimeGenerated", DateTime),
    column("clickTime", DateTime),
    column("threatTime", DateTime),
    column("url", String),
    column("classification", String),
    column("userAgent", String),
    column("campaignId", String),
    column("id", String),
    column("clickIP", String),
    column("sender", String),
    column("recipient", String),
    column("senderIP", String),
    column("GUID", String),
    column("threatID", String),
    column("threatURL", String),
    column("threatStatus", String),
    column("messageID", String),
    column(ADDITIONAL_FIELDS, Dynamic),
];

static MESSAGES_DELIVERED: Table = Table {
    name: "ProofPointTAPMessagesDeliveredV2_CL",
    stream: "Custom-ProofPointTAPMessagesDeliveredV2_CL",
    log_type: "ProofPointTAPMessagesDelivered",
    id: "id",
    columns: MESSAGE,
};

static MESSAGES_BLOCKED: Table = Table {
    name: "ProofPointTAPMessagesBlockedV2_CL",
    stream: "Custom-ProofPointTAPMessagesBlockedV2_CL",
    log_type: "ProofPointTAPMessagesBlocked",
    id: "id",
    columns: MESSAGE,
};

static CLICKS_PERMITTED: Table = Table {
    name: "ProofPointTAPClicksPermittedV2_CL",
    stream: "Custom-ProofPointTAPClicksPermittedV2_CL",
    log_type: "ProofPointTAPClicksPermitted",
    id: "id",
    columns: CLICK,
};

static CLICKS_BLOCKED: Table = Table {
    name: "ProofPointTAPClicksBlockedV2_CL",
    stream: "Custom-ProofPointTAPClicksBlockedV2_CL",
    log_type: "ProofPointTAPClicksBlocked",
    id: "id",
    columns: CLICK,
};

/// The table for records of a kind.
pub fn tap_table(kind: TapKind) -> &'static Table {
    match kind {
        TapKind::MessagesDelivered => &MESSAGES_DELIVERED,
        TapKind::MessagesBlocked => &MESSAGES_BLOCKED,
        TapKind::ClicksPermitted => &CLICKS_PERMITTED,
        TapKind::ClicksBlocked => &CLICKS_BLOCKED,
    }
}
