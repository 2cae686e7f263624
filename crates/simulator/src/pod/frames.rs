//! The frames of a session and how it ends, as its fault demands.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::connection::Disruption;
use super::session_fault::SessionFault;

/// A frame, and whether it contains an event.
pub(super) struct OutgoingFrame {
    pub message: Message,
    pub is_event: bool,
}

/// How a session ends after its last frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SessionEnd {
    Close(Option<CloseCode>),
    Eof,
    Stall,
    Oversized,
    Disrupt(Disruption),
}

/// How many events a session with `fault` sends at most, and how it ends after them.
pub(super) fn limit_and_end(fault: Option<&SessionFault>) -> (u64, SessionEnd) {
    let normal = SessionEnd::Close(Some(CloseCode::Normal));
    match fault {
        Some(SessionFault::CutAfter(count) | SessionFault::CutWithinEvent(count)) => {
            (*count, SessionEnd::Disrupt(Disruption::Dropped))
        }
        Some(SessionFault::ResetAfter(count)) => (*count, SessionEnd::Disrupt(Disruption::Reset)),
        Some(SessionFault::HalfOpenAfter(count)) => {
            (*count, SessionEnd::Disrupt(Disruption::HalfOpen))
        }
        Some(SessionFault::OversizedAfter(count)) => (*count, SessionEnd::Oversized),
        Some(SessionFault::StallAfter(count)) => (*count, SessionEnd::Stall),
        Some(SessionFault::CloseAfter(count, code)) => {
            (*count, SessionEnd::Close(code.map(Into::into)))
        }
        Some(SessionFault::FalseEmpty) => (0, normal),
        Some(SessionFault::EndByEof) => (u64::MAX, SessionEnd::Eof),
        _ => (u64::MAX, normal),
    }
}

/// A frame before the first event.
pub(super) fn frame_before_events(fault: Option<&SessionFault>) -> Option<OutgoingFrame> {
    extra_frame(fault, 0)
}

/// The frames for the `number`-th event, counted from 1.
pub(super) fn frames_for_event(
    fault: Option<&SessionFault>,
    number: u64,
    event: Bytes,
) -> impl Iterator<Item = OutgoingFrame> + Send + use<> {
    let is_nth = |every: &u64| number.is_multiple_of(*every);
    let message = match fault {
        Some(SessionFault::BinaryFrames) => Message::Binary(event),
        Some(SessionFault::TrailingNewline) => text([&event[..], b"\n"].concat().into()),
        _ => text(event),
    };
    let before = match fault {
        Some(SessionFault::EmptyFrames) => Some(without_event(Message::text(""))),
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
            Some(without_event(Message::Ping(payload.into())))
        }
        _ => extra_frame(fault, number),
    };
    let events =
        (0..times).map(move |_| OutgoingFrame { message: message.clone(), is_event: true });
    before.into_iter().chain(events).chain(after)
}

/// A frame without an event after the `number`-th event.
fn extra_frame(fault: Option<&SessionFault>, number: u64) -> Option<OutgoingFrame> {
    match fault {
        Some(SessionFault::Garbage(at, bytes)) if *at == number => {
            Some(without_event(text(bytes.clone())))
        }
        Some(SessionFault::NotUtf8After(at)) if *at == number => {
            let bytes = Bytes::from_static(b"{\"guid\":\"\xff\xfe\"}");
            let frame = frame::Frame::message(bytes, OpCode::Data(Data::Text), true);
            Some(without_event(Message::Frame(frame)))
        }
        _ => None,
    }
}

fn without_event(message: Message) -> OutgoingFrame {
    OutgoingFrame { message, is_event: false }
}

/// A text message, or a binary one if the bytes are not UTF-8.
fn text(bytes: Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes),
    }
}
