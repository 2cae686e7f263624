//! The streams that the Functions host reads, and what it makes of their lines.
//!
//! | stream | what the host takes a line for |
//! |---|---|
//! | standard output | information, whatever it says |
//! | standard error | an error; a warning if it has the letters "warn" in it, in either case |

use std::io::{self, Stderr, Stdout, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Writes each line of JSON so that the host takes it for what it is.
pub(super) struct HostOutput;

/// The stream for one line.
pub(super) enum Line {
    Information(Stdout),
    /// It has its level in it, which the host finds.
    Warning(Stderr),
    Error(Stderr),
}

impl<'a> MakeWriter<'a> for HostOutput {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line::Information(io::stdout())
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        match *metadata.level() {
            Level::ERROR => Line::Error(io::stderr()),
            Level::WARN => Line::Warning(io::stderr()),
            _ => Line::Information(io::stdout()),
        }
    }
}

impl Write for Line {
    /// Gets a whole line at a time. One that can't be written is dropped: there is no host left to read
    /// it, and an error would be told on standard error, which panics if nobody reads that either.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = match self {
            Line::Information(stdout) => stdout.write_all(line),
            Line::Warning(stderr) => stderr.write_all(line),
            Line::Error(stderr) => stderr.write_all(&without_warn(line)),
        };
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = match self {
            Line::Information(stdout) => stdout.flush(),
            Line::Warning(stderr) | Line::Error(stderr) => stderr.flush(),
        };
        Ok(())
    }
}

/// The same JSON, spelt so that it does not have the letters "warn": the first of them is escaped. They
/// can only be in a text, since no word of JSON has them.
fn without_warn(json: &[u8]) -> Vec<u8> {
    let mut spelt = Vec::with_capacity(json.len());
    for (position, byte) in json.iter().enumerate() {
        let is_warn = json[position..].get(..4).is_some_and(|it| it.eq_ignore_ascii_case(b"warn"));
        if is_warn {
            spelt.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            spelt.push(*byte);
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn an_error_says_the_same_without_the_letters() {
        let texts = [
            "Warning: WARN",
            "wawarn",
            "a \\warn",
            "\"warn\"",
            "",
            "no such letters",
            "\u{1F600}warn\n",
        ];
        for text in texts {
            let json = json!({ "message": text, "warned": [text] });
            let spelt = without_warn(json.to_string().as_bytes());
            assert!(!String::from_utf8(spelt.clone()).unwrap().to_lowercase().contains("warn"));
            assert_eq!(serde_json::from_slice::<Value>(&spelt).unwrap(), json);
        }
    }
}
