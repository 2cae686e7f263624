//! The frames of a session, in their order, and how it ends: events dressed up as its fault says.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Fault;

/// The events of a window, as they are drawn while they are sent.
pub(super) type Events = Box<dyn Iterator<Item = Bytes> + Send>;

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

/// What a session with `fault` sends for `events`.
pub(super) fn frames(
    fault: Option<Fault>,
    events: Events,
) -> (impl Iterator<Item = Frame> + Send, Finish) {
    let normal = Finish::Close(Some(CloseCode::Normal));
    let (most, finish) = match &fault {
        Some(Fault::CutAfter(count)) => (*count, Finish::Cut),
        Some(Fault::StallAfter(count)) => (*count, Finish::Stall),
        Some(Fault::CloseAfter(count, code)) => (*count, Finish::Close(code.map(Into::into))),
        Some(Fault::FalseEmpty) => (0, normal),
        Some(Fault::EndByEof) => (u64::MAX, Finish::Eof),
        _ => (u64::MAX, normal),
    };
    let first = match &fault {
        Some(Fault::Garbage(0, bytes)) => Some(other(text(bytes.clone()))),
        _ => None,
    };
    let rest = (1..=most)
        .zip(events)
        .flat_map(move |(number, event)| dressed(fault.as_ref(), number, event));
    (first.into_iter().chain(rest), finish)
}

/// The `number`-th event, counted from 1, with what its fault puts around it.
fn dressed(
    fault: Option<&Fault>,
    number: u64,
    event: Bytes,
) -> impl Iterator<Item = Frame> + use<> {
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
