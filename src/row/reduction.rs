//! Shortens a JSON value to a number of bytes. It gives up the least important content first and
//! stays JSON of the same shape.
//!
//! Of an object, the members with the best rank come first, and among those the small ones. What is
//! too long by itself is shortened in its turn and shares the room that is left fairly with its
//! equals. Of an array the beginning stays, of a text too. What stays is byte for byte what came.

use std::borrow::Cow;

use super::event::{elements_within, members};
use super::losses::Losses;
use super::rank::{Rank, rank};
use super::repair::escape_length;

/// Values that are too long and nested deeper than this are left out.
const MAX_DEPTH: usize = 16;

/// An equal share is at least so long, so that many members do not shrink each other to nothing.
const MIN_SHARE: usize = 256;

/// A value is not shortened to less than this, but left out.
const MIN_REST: usize = 48;

/// How many bytes of a key its path has.
const MAX_KEY_IN_PATH: usize = 100;

/// How much of a value may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Whatever fits.
    All,
    /// Of an object, only members that tell what it is.
    Identity,
}

/// Shortens `value`, which stands at `path` in the event, to at most `limit` bytes. `None` if
/// nothing of it would be left, which is then noted.
pub fn reduce<'a>(
    path: &str,
    value: &'a str,
    limit: usize,
    losses: &mut dyn Losses,
) -> Option<Cow<'a, str>> {
    shorten(path, value, limit, Extent::All, MAX_DEPTH, losses)
}

/// As [`reduce`]; of an object only the members that tell what it is stay.
pub fn reduce_to_identity<'a>(
    path: &str,
    value: &'a str,
    limit: usize,
    losses: &mut dyn Losses,
) -> Option<Cow<'a, str>> {
    shorten(path, value, limit, Extent::Identity, MAX_DEPTH, losses)
}

fn shorten<'a>(
    path: &str,
    value: &'a str,
    limit: usize,
    extent: Extent,
    levels: usize,
    losses: &mut dyn Losses,
) -> Option<Cow<'a, str>> {
    if value.len() <= limit && extent == Extent::All {
        return Some(Cow::Borrowed(value));
    }
    let shorter = match value.as_bytes().first() {
        _ if levels == 0 || limit < MIN_REST => None,
        Some(b'{') => object(path, value, limit, extent, levels, losses),
        Some(b'[') => array(path, value, limit, levels, losses),
        Some(b'"') => text(path, value, limit, losses),
        _ => None,
    };
    if shorter.is_none() {
        losses.left_out(path);
    }
    shorter.map(Cow::Owned)
}

fn object(
    path: &str,
    value: &str,
    limit: usize,
    extent: Extent,
    levels: usize,
    losses: &mut dyn Losses,
) -> Option<String> {
    let all = members(value).ok()?;
    let label = |key: &str| serde_json::Value::from(key).to_string();
    let mut order: Vec<(Rank, usize, usize)> = all
        .iter()
        .enumerate()
        .map(|(n, member)| (rank(path, &member.key), member.value.len(), n))
        .collect();
    order.sort_unstable();
    let mut equals = [0; 3];
    order.iter().for_each(|(own, ..)| equals[*own as usize] += 1);
    let mut room = limit - "{}".len();
    let mut kept: Vec<Option<Cow<'_, str>>> = vec![None; all.len()];
    for (own, length, n) in order {
        let key = &all[n].key;
        let inner = child(path, key);
        if extent == Extent::Identity && own != Rank::Essential {
            losses.left_out(&inner);
            continue;
        }
        let name = label(key).len() + ":,".len();
        let free = room.saturating_sub(name);
        let share = (free / equals[own as usize]).max(MIN_SHARE).min(free);
        equals[own as usize] -= 1;
        if name > room || (length > share && share < MIN_REST) {
            losses.left_out(&inner);
        } else if let Some(part) =
            shorten(&inner, all[n].value, share, Extent::All, levels - 1, losses)
        {
            room -= name + part.len();
            kept[n] = Some(part);
        }
    }
    let mut out = String::with_capacity(limit.min(value.len()));
    out.push('{');
    for (member, part) in all.iter().zip(kept) {
        let Some(part) = part else { continue };
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&label(&member.key));
        out.push(':');
        out.push_str(&part);
    }
    out.push('}');
    (out.len() > "{}".len()).then_some(out)
}

/// The path of the member `key` of the object at `path`. A long key is cut: the path only names.
pub fn child(path: &str, key: &str) -> String {
    let key = &key[..key.floor_char_boundary(MAX_KEY_IN_PATH)];
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn array(
    path: &str,
    value: &str,
    limit: usize,
    levels: usize,
    losses: &mut dyn Losses,
) -> Option<String> {
    let (first, count) = elements_within(value, limit, MIN_SHARE)?;
    let room = limit - "[]".len();
    let lengths: Vec<usize> = first.iter().map(|element| element.len() + 1).collect();
    let longest = level(lengths, room).max(MIN_SHARE);
    let mut out = String::from("[");
    let mut kept = 0;
    let inner = format!("{path}[]");
    for element in first {
        let separator = usize::from(kept > 0);
        let free = (room + 1).saturating_sub(out.len() + separator).min(longest);
        // A whole element or one that was long by itself; no scrap at the end.
        if element.len() > free && (element.len() <= longest || free < MIN_REST) {
            break;
        }
        let Some(part) = shorten(&inner, element, free, Extent::All, levels - 1, losses) else {
            continue;
        };
        if kept > 0 {
            out.push(',');
        }
        out.push_str(&part);
        kept += 1;
    }
    out.push(']');
    if kept < count {
        losses.cut(path, kept, count);
    }
    (kept > 0).then_some(out)
}

/// The beginning of a JSON text, cut before a whole character or escape.
fn text(path: &str, value: &str, limit: usize, losses: &mut dyn Losses) -> Option<String> {
    let inner = &value[1..value.len() - 1];
    let end = limit.checked_sub("\"\"".len())?;
    let mut kept = 0;
    while let Some(character) = inner[kept..].chars().next() {
        let length = match character {
            '\\' => escape_length(&inner[kept..]),
            _ => character.len_utf8(),
        };
        if kept + length > end {
            break;
        }
        kept += length;
    }
    losses.left_out(&format!("{path} (from byte {kept})"));
    Some(format!("\"{}\"", &inner[..kept]))
}

/// The greatest length to which all of `lengths` may be cut so that their sum is at most `room`.
pub fn level(mut lengths: Vec<usize>, room: usize) -> usize {
    lengths.sort_unstable();
    let mut left = room;
    let count = lengths.len();
    for (n, length) in lengths.into_iter().enumerate() {
        let share = left / (count - n);
        if length > share {
            return share;
        }
        left -= length;
    }
    usize::MAX
}

#[cfg(test)]
mod tests;
