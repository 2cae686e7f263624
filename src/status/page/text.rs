//! Times, numbers and codes as the page writes them.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::error_code::{ErrorCode, entry};

/// A point in time, to the minute.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long before `now` something was.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", duration(now.duration_since(at).as_secs().max(0)))
}

/// Seconds in the largest unit that they fill.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A number with its digits in groups of three.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A code, as a link to its entry of the release's documents.
pub(super) fn code_link(code: &str) -> Markup {
    match ErrorCode::parse(code).and_then(entry) {
        Some(entry) => html! {
            a href=(address(entry.code, entry.title)) { (entry.code) } " (" (entry.title) ")"
        },
        None => html! { (code) },
    }
}

/// The address of an entry. GitHub makes the anchor of a heading from its letters, digits and blanks.
fn address(code: &str, title: &str) -> String {
    let heading = format!("{code} {title}").to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
    let (repository, version) = (env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"));
    format!("{repository}/blob/v{version}/docs/errors.md#{anchor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn digits_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn a_code_leads_to_its_entry() {
        let link = code_link("PPS1003").into_string();
        let end = "/docs/errors.md#pps1003-a-key-vault-reference-was-not-resolved\">PPS1003</a>";
        assert!(link.contains(end), "{link}");
        assert_eq!(code_link("<b>").into_string(), "&lt;b&gt;");
    }
}
