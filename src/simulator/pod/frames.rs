//! The frames of a session, and how it ends: events dressed up as its fault says.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Fault;

/// One frame, and whether it carries an event.
pub(super) struct Frame {
    pub message: Message,
    pub is_event: bool,
}

/// What comes after the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Close(Option<CloseCode>),
    Cut,
    Stall,
    Eof,
}

/// How many events a session with `fault` sends at most, and what it does then or after its last.
pub(super) fn course(fault: Option<&Fault>) -> (u64, Finish) {
    let normal = Finish::Close(Some(CloseCode::Normal));
    match fault {
        Some(Fault::CutAfter(count)) => (*count, Finish::Cut),
        Some(Fault::StallAfter(count)) => (*count, Finish::Stall),
        Some(Fault::CloseAfter(count, code)) => (*count, Finish::Close(code.map(Into::into))),
        Some(Fault::FalseEmpty) => (0, normal),
        Some(Fault::EndByEof) => (u64::MAX, Finish::Eof),
        _ => (u64::MAX, normal),
    }
}

/// What comes before the first event.
pub(super) fn prelude(fault: Option<&Fault>) -> Option<Frame> {
    match fault {
        Some(Fault::Garbage(0, bytes)) => Some(other(text(bytes.clone()))),
        _ => None,
    }
}

/// The `number`-th event, counted from 1, with what its fault puts around it.
pub(super) fn dressed(
    fault: Option<&Fault>,
    number: u64,
    event: Bytes,
) -> impl Iterator<Item = Frame> + Send + use<> {
    let (mut before, mut after) = (None, None);
    let message = match fault {
        Some(Fault::BinaryFrames) => Message::Binary(event),
        Some(Fault::TrailingNewline) => text([&event[..], b"\n"].concat().into()),
        Some(Fault::EmptyFrames) => {
            before = Some(other(Message::text("")));
            text(event)
        }
        Some(Fault::Garbage(at, bytes)) if *at == number => {
            after = Some(other(text(bytes.clone())));
            text(event)
        }
        Some(Fault::PingEvery(every)) if number.is_multiple_of(*every) => {
            let payload = (number / every).to_be_bytes().to_vec();
            after = Some(other(Message::Ping(payload.into())));
            text(event)
        }
        _ => text(event),
    };
    before.into_iter().chain([Frame { message, is_event: true }]).chain(after)
}

fn other(message: Message) -> Frame {
    Frame { message, is_event: false }
}

/// A text frame; a binary one where the bytes are not UTF-8, which a text frame can't carry.
fn text(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}
