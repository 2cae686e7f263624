//! The records of one answer, into the workspace.

use proofpoint_sentinel_core::tap_kind::TapKind;
use tokio::time::{sleep_until, timeout_at};

use super::context::TapContext;
use super::evidence::KindEvidence;
use crate::collect::delivery_error::DeliveryError;
use crate::collect::event_sink::EventSink as _;
use crate::collect::ledger::Ledger;
use crate::collect::pipeline::EventDelivery;
use crate::report::FeedCounts;
use crate::state::Arrival;
use crate::tap::{AskError, RecordForm, TapAnswer, TapRecord};

/// Why an answer was not read to its end.
#[derive(Debug)]
pub(super) enum ReadEnd {
    /// It ended by itself, and all of its records are accounted for.
    Whole,
    /// It broke off, or is not what the API sends. The records before that are accounted for.
    Broken(AskError),
    /// The run is to end, or its time for reading is up. Likewise.
    OutOfTime,
}

/// Delivers the records of `answer` that the ledger does not know, which then says that they `arrived`
/// like this. The API sends them kind after kind,
/// and each kind has a table of its own, so there is one delivery after the other.
///
/// # Errors
/// If records could not be accounted for.
pub(super) async fn deliver(
    ctx: TapContext<'_>,
    (answer, arrived): (&mut TapAnswer, Arrival),
    ledger: &mut Ledger,
    evidence: &KindEvidence,
    counts: &mut FeedCounts,
) -> Result<ReadEnd, DeliveryError> {
    let mut next = next_record(ctx, answer).await;
    loop {
        let record = match next {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(ReadEnd::Whole),
            Err(end) => return Ok(end),
        };
        let kind = record.kind;
        let evidence = evidence.of(kind);
        let delivery_ctx = ctx.delivery_context(kind, &evidence);
        let mut delivery = EventDelivery::tap(arrived, ledger, delivery_ctx);
        let delivered = deliver_kind(ctx, answer, record, &mut delivery).await;
        if delivered.is_err() {
            delivery.drain_in_flight().await;
        }
        let flushed = delivery.flush().await;
        counts.add(delivery.counts());
        next = delivered?;
        flushed?;
    }
}

/// Delivers `first` and the records after it, up to one of another kind, which is given back.
async fn deliver_kind(
    ctx: TapContext<'_>,
    answer: &mut TapAnswer,
    first: TapRecord,
    delivery: &mut EventDelivery<'_>,
) -> Result<Result<Option<TapRecord>, ReadEnd>, DeliveryError> {
    let kind: TapKind = first.kind;
    let mut record = first;
    loop {
        while !delivery.has_capacity() {
            if !ctx.may_read() || delivery.is_out_of_time() {
                return Ok(Err(ReadEnd::OutOfTime));
            }
            tokio::select! {
                progressed = delivery.make_progress() => progressed?,
                () = sleep_until(ctx.run.reading_ends) => {}
                () = ctx.scope.halt_token().cancelled() => {}
            }
        }
        match record.form {
            RecordForm::Object => delivery.push(record.bytes).await?,
            RecordForm::NotAnObject => {
                delivery.take_malformed("the record is not a JSON object", &record.bytes).await?;
            }
            RecordForm::TooLong => {
                let detail = "the record is longer than 64 MiB; its first megabyte is kept";
                delivery.take_malformed(detail, &record.bytes).await?;
            }
        }
        record = match next_record(ctx, answer).await {
            Ok(Some(next)) if next.kind == kind => next,
            other => return Ok(other),
        };
    }
}

async fn next_record(
    ctx: TapContext<'_>,
    answer: &mut TapAnswer,
) -> Result<Option<TapRecord>, ReadEnd> {
    tokio::select! {
        next = timeout_at(ctx.run.reading_ends, answer.next_record()) => match next {
            Ok(Ok(record)) => Ok(record),
            Ok(Err(error)) => Err(ReadEnd::Broken(error)),
            Err(_) => Err(ReadEnd::OutOfTime),
        },
        () = ctx.scope.halt_token().cancelled() => Err(ReadEnd::OutOfTime),
    }
}
