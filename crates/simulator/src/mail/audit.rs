//! Audit events: what administrators do in the console.

use rand::RngExt;
use serde_json::{Value, json};

use super::drawn::pick;
use super::maillog::CUSTOMER_ID;
use super::numbering::{Numbering, Salt, Stamp, uuid};
use super::people;

const ADMINISTRATORS: [(&str, &str); 4] = [
    ("Uri Shalev", "192.0.2.201"),
    ("Hana Suzuki", "192.0.2.202"),
    ("Oscar Lindqvist", "192.0.2.203"),
    ("Managed Service", "198.51.100.9"),
];

/// Action, type of resource, name of the resource, sub-category, details.
type Deed = (&'static str, &'static str, Option<&'static str>, &'static str, &'static str);

const DEEDS: [Deed; 10] = [
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

/// The `number`-th audit event of the hour.
pub(super) fn audit(
    numbering: &Numbering,
    cluster_id: &str,
    domain: &str,
    number: u64,
) -> (Value, String) {
    let mut rng = numbering.rng(Salt::Audit, number);
    let (name, ip) = pick(&ADMINISTRATORS, &mut rng);
    let (action, resource_type, resource_name, category, details) = pick(&DEEDS, &mut rng);
    let guid = numbering.audit_guid(number);
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
            "email": people::address(name, domain),
            "id": uuid(name.len() as u64),
            "ipAddress": ip,
        },
    });
    if let Some(name) = resource_name {
        audit["resourceName"] = json!(name);
    }
    let event = json!({
        "guid": guid,
        "ts": Stamp::Utc.write(numbering.at(number)),
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
