//! The frames of a session, and how it ends: events dressed up as its fault says.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::SessionFault;
use super::wire::Break;

/// One frame, and whether it carries an event.
pub(super) struct Frame {
    pub message: Message,
    pub is_event: bool,
}

/// What comes after the last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    Close(Option<CloseCode>),
    Eof,
    Stall,
    Oversized,
    Break(Break),
}

/// How many events a session with `fault` sends at most, and what it does then or after its last.
pub(super) fn course(fault: Option<&SessionFault>) -> (u64, Finish) {
    let normal = Finish::Close(Some(CloseCode::Normal));
    match fault {
        Some(SessionFault::CutAfter(count) | SessionFault::CutWithinEvent(count)) => {
            (*count, Finish::Break(Break::Cut))
        }
        Some(SessionFault::ResetAfter(count)) => (*count, Finish::Break(Break::Reset)),
        Some(SessionFault::HalfOpenAfter(count)) => (*count, Finish::Break(Break::HalfOpen)),
        Some(SessionFault::OversizedAfter(count)) => (*count, Finish::Oversized),
        Some(SessionFault::StallAfter(count)) => (*count, Finish::Stall),
        Some(SessionFault::CloseAfter(count, code)) => {
            (*count, Finish::Close(code.map(Into::into)))
        }
        Some(SessionFault::FalseEmpty) => (0, normal),
        Some(SessionFault::EndByEof) => (u64::MAX, Finish::Eof),
        _ => (u64::MAX, normal),
    }
}

/// What comes before the first event.
pub(super) fn prelude(fault: Option<&SessionFault>) -> Option<Frame> {
    intrusion(fault, 0)
}

/// The `number`-th event, counted from 1, with what its fault makes of it and puts around it.
pub(super) fn dressed(
    fault: Option<&SessionFault>,
    number: u64,
    event: Bytes,
) -> impl Iterator<Item = Frame> + Send + use<> {
    let is_nth = |every: &u64| number.is_multiple_of(*every);
    let message = match fault {
        Some(SessionFault::BinaryFrames) => Message::Binary(event),
        Some(SessionFault::TrailingNewline) => text([&event[..], b"\n"].concat().into()),
        _ => text(event),
    };
    let before = match fault {
        Some(SessionFault::EmptyFrames) => Some(other(Message::text(""))),
        _ => None,
    };
    let times = match fault {
        Some(SessionFault::DuplicateEvery(every)) if is_nth(every) => 2,
        Some(SessionFault::SkipEvery(every)) if is_nth(every) => 0,
        _ => 1,
    };
    let after = match fault {
        Some(SessionFault::PingEvery(every)) if is_nth(every) => {
            let payload = (number / every).to_be_bytes().to_vec();
            Some(other(Message::Ping(payload.into())))
        }
        _ => intrusion(fault, number),
    };
    let events = (0..times).map(move |_| Frame { message: message.clone(), is_event: true });
    before.into_iter().chain(events).chain(after)
}

/// What comes after the `number`-th event and is none.
fn intrusion(fault: Option<&SessionFault>, number: u64) -> Option<Frame> {
    match fault {
        Some(SessionFault::Garbage(at, bytes)) if *at == number => Some(other(text(bytes.clone()))),
        Some(SessionFault::NotUtf8After(at)) if *at == number => {
            let bytes = Bytes::from_static(b"{\"guid\":\"\xff\xfe\"}");
            let frame = frame::Frame::message(bytes, OpCode::Data(Data::Text), true);
            Some(other(Message::Frame(frame)))
        }
        _ => None,
    }
}

fn other(message: Message) -> Frame {
    Frame { message, is_event: false }
}

/// A text frame; a binary one where the bytes are not UTF-8, which a text message can't carry.
fn text(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}
