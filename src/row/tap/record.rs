//! What is read of a TAP record beside its bytes: its times and its verdicts.

use jiff::Timestamp;
use proofpoint_sentinel_core::tap_kind::TapKind;

use crate::row::event::{MalformedEvent, Member, elements, members};
use crate::row::timestamp;

/// A record, as slices of the bytes that came.
pub(super) struct Record<'a> {
    /// Its members in order, repeated keys included.
    pub(super) members: Vec<Member<'a>>,
    /// The verdicts on its threats. A click has one, a message any number.
    pub(super) verdicts: Vec<Verdict<'a>>,
    /// The message's or click's own time.
    own_time: Option<Timestamp>,
}

/// What Proofpoint says of a threat. Each is JSON as it came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict<'a> {
    pub(super) threat_id: Option<&'a str>,
    pub(super) status: Option<&'a str>,
    time: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// Finds the members of `record`.
    pub(super) fn read(kind: TapKind, record: &'a str) -> Result<Record<'a>, MalformedEvent> {
        let members = members(record)?;
        let verdicts = if kind.is_message() {
            let threats = last(&members, "threatsInfoMap").and_then(elements).unwrap_or_default();
            threats.into_iter().filter_map(|threat| Some(verdict(&members_of(threat)?))).collect()
        } else {
            vec![verdict(&members)]
        };
        let own = if kind.is_message() { "messageTime" } else { "clickTime" };
        let own_time = last(&members, own).and_then(timestamp::parse);
        Ok(Record { members, verdicts, own_time })
    }

    /// When the service made the record: the later of its own time and that of its newest verdict.
    /// `None` if neither can be read.
    pub(super) fn created(&self) -> Option<Timestamp> {
        let judged = self.verdicts.iter().filter_map(|verdict| timestamp::parse(verdict.time?));
        judged.chain(self.own_time).max()
    }

    /// The value of the last member of this key.
    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        last(&self.members, key)
    }
}

/// The members of a threat; `None` if it is no object.
fn members_of(threat: &str) -> Option<Vec<Member<'_>>> {
    members(threat).ok()
}

fn verdict<'a>(members: &[Member<'a>]) -> Verdict<'a> {
    Verdict {
        threat_id: last(members, "threatID").or_else(|| last(members, "threatId")),
        status: last(members, "threatStatus"),
        time: last(members, "threatTime"),
    }
}

fn last<'a>(members: &[Member<'a>], key: &str) -> Option<&'a str> {
    members.iter().rev().find(|member| member.key == key).map(|member| member.value)
}
