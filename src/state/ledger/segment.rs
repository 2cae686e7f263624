//! The name of a segment, which says when it may be deleted without a look into it.

use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::hour::Hour;
use sha2::{Digest as _, Sha256};

use crate::state::hour_counts::{Arrival, LedgerPart};

pub(super) const SUFFIX: &str = ".ids";

/// One writer's ids of a part of the ledger, as far as they were recorded within one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The hour of the events, and how they arrived.
    pub of: LedgerPart,
    /// The hour in which it is written. It is not written to later.
    pub written: Hour,
    /// See [`writer`].
    pub writer: u64,
    /// Counted from 1; the next one is begun where one is full.
    pub part: u32,
}

/// A writer in the name of a segment: the start of the SHA-256 of its id.
pub(super) fn writer(id: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(id).into();
    let (first, _) = hash.split_first_chunk().expect("32 bytes have a first 8");
    u64::from_be_bytes(*first)
}

fn suffix(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Live => ".live",
        Arrival::Archive => ".archive",
        Arrival::Late => ".late",
        Arrival::DeadLetter => ".dead",
        Arrival::Uncounted => "",
    }
}

/// How the events of a segment arrived, by its name, whatever else is in that.
pub(super) fn arrival(name: &str) -> Arrival {
    let stem = name.strip_suffix(SUFFIX).unwrap_or(name);
    let found = Arrival::ALL.into_iter().find(|arrival| stem.ends_with(suffix(*arrival)));
    found.unwrap_or(Arrival::Uncounted)
}

pub(super) fn feed_folder(feed: &Feed) -> String {
    format!("ledger/{feed}/")
}

pub(super) fn hour_folder(feed: &Feed, hour: Hour) -> String {
    format!("{}{hour}/", feed_folder(feed))
}

impl Segment {
    /// `ledger/<feed>/<hour>/<written>-<writer>.<arrival>.ids`; a further part has its number after the
    /// writer. Without an arrival its events are uncounted, as those of release 0.1.0.
    pub(super) fn name(&self, feed: &Feed) -> String {
        let Segment { of: LedgerPart { hour, arrival }, written, writer, part } = *self;
        let part = if part == 1 { String::new() } else { format!("-{part}") };
        let arrival = suffix(arrival);
        format!("{}{written}-{writer:016x}{part}{arrival}{SUFFIX}", hour_folder(feed, hour))
    }

    /// What [`name`](Segment::name) made, and nothing else.
    pub(super) fn parse(feed: &Feed, name: &str) -> Option<Segment> {
        let (hour, file) = name.strip_prefix(&feed_folder(feed))?.split_once('/')?;
        let arrival = arrival(file);
        let file = file.strip_suffix(SUFFIX)?.strip_suffix(suffix(arrival))?;
        let (written, rest) = file.split_at_checked("2026-11-20T10".len())?;
        let rest = rest.strip_prefix('-')?;
        let (writer, part) = rest.split_once('-').unwrap_or((rest, "1"));
        let segment = Segment {
            of: arrival.of(hour.parse().ok()?),
            written: written.parse().ok()?,
            writer: u64::from_str_radix(writer, 16).ok()?,
            part: part.parse().ok()?,
        };
        // Numbers can be written in more ways than one.
        (segment.name(feed) == name).then_some(segment)
    }
}

#[cfg(test)]
mod tests {
    use proofpoint_sentinel_core::feed::{EventType, FeedType};
    use proptest::prelude::*;

    use super::*;

    fn feed() -> Feed {
        Feed::log("a/b c%41+ü_hosted", EventType::Audit)
    }

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    /// The start of what `printf 'a/run\n1' | sha256sum` gives.
    #[test]
    fn a_name_tells_both_hours_and_the_writer() {
        let (hour, written) = (hour("2026-11-20T06"), hour("2026-11-20T10"));
        let of = Arrival::Uncounted.of(hour);
        let first = Segment { of, written, writer: writer("a/run\n1"), part: 1 };
        let folder = format!("ledger/{}/2026-11-20T06/", feed());
        let name = format!("{folder}2026-11-20T10-14d48527068409fe.ids");
        assert_eq!(first.name(&feed()), name);
        let second = Segment { part: 2, ..first };
        assert_eq!(second.name(&feed()), name.replace(".ids", "-2.ids"));
        let live = Segment { of: Arrival::Live.of(hour), ..second };
        assert_eq!(live.name(&feed()), name.replace(".ids", "-2.live.ids"));
    }

    #[test]
    fn other_names_are_of_no_segment() {
        let segment = |name: &str| Segment::parse(&feed(), &(feed_folder(&feed()) + name));
        assert!(segment("2026-11-20T06/2026-11-20T10-14d48527068409fe.ids").is_some());
        for name in [
            "",
            "x.ids",
            "2026-11-20T06/14d48527068409fe.ids",
            "2026-11-20T06/2026-11-20T10.ids",
            "2026-11-20T06/2026-11-20T10-.ids",
            "2026-11-20T06/2026-11-20T10-notes.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe",
            "2026-11-20T06/2026-11-20T10-14D48527068409FE.ids",
            "2026-11-20T06/2026-11-20T10-+4d48527068409fe.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe-1.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe.lively.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe.live.dead.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe-02.ids",
            "2026-11-20T06/2026-11-20T10-14d48527068409fe-2-2.ids",
            "2026-11-20T06/older/2026-11-20T10-14d48527068409fe.ids",
            "2026-11-20/2026-11-20T10-14d48527068409fe.ids",
            "2026-11-20T06/2026-11-20T1ü-14d48527068409fe.ids",
        ] {
            assert_eq!(segment(name), None, "{name}");
        }
        let other = Feed { feed_type: FeedType::Log(EventType::Message), ..feed() };
        let name = format!(
            "{}2026-11-20T10-14d48527068409fe.ids",
            hour_folder(&other, hour("2026-11-20T06"))
        );
        assert_eq!(Segment::parse(&feed(), &name), None);
    }

    proptest! {
        #[test]
        fn text_and_back(
            offsets in (-9_999..9_999i64, -9_999..9_999i64),
            writer in any::<u64>(),
            part in 1..200u32,
            arrival in prop::sample::select(Arrival::ALL.to_vec()),
        ) {
            let start = hour("2026-11-20T06");
            let (hour, written) = (start.plus(offsets.0), start.plus(offsets.1));
            let segment = Segment { of: arrival.of(hour), written, writer, part };
            prop_assert_eq!(super::arrival(&segment.name(&feed())), arrival);
            prop_assert_eq!(Segment::parse(&feed(), &segment.name(&feed())), Some(segment));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let name = feed_folder(&feed()) + &text;
            prop_assert!(Segment::parse(&feed(), &name).is_none_or(|it| it.name(&feed()) == name));
        }
    }
}
