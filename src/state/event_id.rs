//! What the ledger knows an event by.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// What the ledger knows an event by: the first 16 bytes of the SHA-256 of what tells it from others.
///
/// Among a billion events, the chance that any two share an id is one in 10²¹.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventId(pub(super) u128);

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        let digits = String::deserialize(deserializer)?;
        match (digits.len(), u128::from_str_radix(&digits, 16)) {
            (32, Ok(id)) => Ok(EventId(id)),
            _ => Err(D::Error::custom("an id has 32 hexadecimal digits")),
        }
    }
}

impl EventId {
    /// How many bytes [`to_bytes`](EventId::to_bytes) gives.
    pub(super) const BYTES: usize = 16;

    /// The id of the event that `key` tells from all others of its feed.
    pub fn of(key: impl AsRef<[u8]>) -> EventId {
        let hash: [u8; 32] = Sha256::digest(key).into();
        let (first, _) = hash.split_first_chunk().expect("32 bytes have a first 16");
        EventId::from_bytes(*first)
    }

    pub(super) fn from_bytes(bytes: [u8; EventId::BYTES]) -> EventId {
        EventId(u128::from_le_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; EventId::BYTES] {
        self.0.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash was made with `sha256sum`.
    #[test]
    fn an_id_is_the_start_of_its_sha256() {
        let expected = *b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23";
        assert_eq!(EventId::of("abc").to_bytes(), expected);
        assert_eq!(EventId::from_bytes(expected), EventId::of("abc"));
    }
}
