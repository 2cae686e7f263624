//! Audit events: what administrators do in the console.

use rand::RngExt;
use serde_json::{Value, json};

use super::correspondents;
use super::hash::uuid;
use super::maillog::CUSTOMER_ID;
use super::sample::pick;
use super::sequence::{HourSequence, Salt};
use super::timestamp_format::TimestampFormat;

const ADMINISTRATORS: [(&str, &str); 4] = [
    ("Uri Shalev", "192.0.2.201"),
    ("Hana Suzuki", "192.0.2.202"),
    ("Oscar Lindqvist", "192.0.2.203"),
    ("Managed Service", "198.51.100.9"),
];

/// Action, resource type, resource name, sub-category, details.
type Action = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str);

const ACTIONS: [Action; 10] = [
    ("login", "authorization", None, "authorization", ""),
    ("login", "authorization", None, "authorization", ""),
    ("logout", "authorization", None, "authorization", ""),
    ("execute", "smart_search", None, "search", r#"{"range":"last.24.hours","rows":500}"#),
    ("read", "smart_search", Some("sendmail"), "sendMailSearch", "Looked up a queue id"),
    ("create", "config", Some("siem_key"), "threatProtectionApiKeys", "New key siem_key"),
    ("delete", "config", Some("old_siem_key"), "threatProtectionApiKeys", "Key revoked"),
    ("edit", "spam_module", Some("inbound_strict"), "spamDetection.policies", "Threshold 80"),
    ("create", "policy_routes", Some("partners"), "policyRoutes", "Route for partners"),
    ("edit", "quarantine", Some("Phish"), "quarantineFolders", "Kept for 30 days"),
];

/// The `number`-th audit event of the hour, and its id.
pub(super) fn audit_event(
    sequence: &HourSequence,
    cluster_id: &str,
    domain: &str,
    number: u64,
) -> (Value, String) {
    let mut rng = sequence.rng(Salt::Audit, number);
    let (name, ip) = pick(&ADMINISTRATORS, &mut rng);
    let (action, resource_type, resource_name, category, details) = pick(&ACTIONS, &mut rng);
    let guid = sequence.audit_guid(number);
    let mut audit = json!({
        "action": action,
        "level": "INFO",
        "resourceType": resource_type,
        "tags": [
            {"name": "eventSubCategory", "value": category},
            {"name": "eventDetails", "value": details},
            {"name": format!("{action}.{category}"), "value": "true"},
        ],
        "user": {
            "email": correspondents::address(name, domain),
            "id": uuid(name.len() as u64),
            "ipAddress": ip,
        },
    });
    if let Some(name) = resource_name {
        audit["resourceName"] = json!(name);
    }
    let event = json!({
        "guid": guid,
        "ts": TimestampFormat::Utc.write(sequence.at(number)),
        "audit": audit,
        "metadata": {
            "customerId": CUSTOMER_ID,
            "origin": {
                "data": {
                    "agent": format!("192.0.2.{}", rng.random_range(2..6)),
                    "cid": cluster_id,
                    "version": "1.0",
                },
                "schemaVersion": "1.0",
                "type": "cadmin-api-gateway",
            },
        },
    });
    (event, guid)
}
