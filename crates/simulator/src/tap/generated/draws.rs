//! Chance that is the same for the same mail.

use crate::mail::hash::mix;

/// What is drawn. Each topic has bits of its own.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(super) enum Topic {
    Condemned = 1,
    Classification,
    SecondThreat,
    Verdict,
    VerdictDelay,
    Retraction,
    RetractionDelay,
    Clicks,
    ClickDelay,
    ClickPermitted,
    ClickAddress,
    UserAgent,
    Abridged,
    Rewritten,
    RecipientText,
    ScoreFraction,
    Attached,
}

/// The draws of one mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(bits: u64) -> Draws {
        Draws(bits)
    }

    /// The draws of a part of the mail, such as a recipient or a click.
    pub(super) fn of_part(self, number: usize) -> Draws {
        Draws(mix(self.0, 0x7061_7274 + number as u64))
    }

    /// A number below `end`.
    pub(super) fn below(self, topic: Topic, end: u64) -> u64 {
        mix(self.0, topic as u64) % end
    }

    /// True once in `count` draws.
    pub(super) fn one_in(self, topic: Topic, count: u64) -> bool {
        self.below(topic, count) == 0
    }

    /// One of `from`.
    pub(super) fn pick<T: Copy>(self, topic: Topic, from: &[T]) -> T {
        from[self.below(topic, from.len() as u64) as usize]
    }
}

/// 64 bits derived from a text.
pub(super) fn text_bits(text: &str) -> u64 {
    text.bytes().fold(text.len() as u64, |bits, byte| mix(bits, u64::from(byte)))
}
