//! What the gateway logged of a mail: TAP's records repeat it.

use serde_json::Value;

/// A message event of the gateway.
pub(super) struct GatewayEvent(Value);

impl GatewayEvent {
    pub(super) fn read(bytes: &[u8]) -> GatewayEvent {
        GatewayEvent(serde_json::from_slice(bytes).expect("the gateway logs JSON"))
    }

    /// The value at a JSON pointer, or `null`.
    pub(super) fn value(&self, pointer: &str) -> Value {
        self.0.pointer(pointer).cloned().unwrap_or_default()
    }

    /// The text at a JSON pointer, or an empty one.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The list at a JSON pointer, or an empty one.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether an old release wrote it. TAP's records of such mail have their older form.
    pub(super) fn is_old(&self) -> bool {
        self.0.get("pps").is_some()
    }

    /// The recipients of the envelope.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &str> {
        self.list("/envelope/rcpts").iter().filter_map(Value::as_str)
    }

    /// The domain of the sender.
    pub(super) fn sender_domain(&self) -> &str {
        self.text("/envelope/from").rsplit('@').next().unwrap_or_default()
    }

    /// The first URL in the mail.
    pub(super) fn url(&self) -> Option<&str> {
        let urls = self.list("/msgParts").iter().filter_map(|part| part["urls"].as_array());
        urls.flatten().find_map(|url| url["url"].as_str())
    }

    /// The hash of the first attached file.
    pub(super) fn attached_hash(&self) -> Option<&str> {
        let mut parts = self.list("/msgParts").iter();
        parts.find(|part| part["disposition"] == "attached")?["sha256"].as_str()
    }

    /// A score of the spam module.
    pub(super) fn score(&self, classifier: &str) -> i64 {
        let pointer = format!("/filter/modules/spam/scores/classifiers/{classifier}");
        self.value(&pointer).as_i64().unwrap_or_default()
    }
}
