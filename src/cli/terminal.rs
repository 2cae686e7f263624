//! What a stream is to a person.

use std::io::IsTerminal;

use proofpoint_sentinel::settings::environment;

/// Whether to write colours to `stream`: on a terminal, unless `NO_COLOR` is set
/// (<https://no-color.org>).
pub(super) fn is_coloured(stream: &impl IsTerminal) -> bool {
    let no_color = environment().get("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !no_color
}
