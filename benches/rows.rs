//! The work per event: its row, its place in a batch, and the signature of a post; and per TAP record:
//! its place in the body of an answer, and its row.

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use proofpoint_sentinel::destination::{Limits, Packer, Signer};
use proofpoint_sentinel::row::frame::read;
use proofpoint_sentinel::row::tap::TapRowBuilder;
use proofpoint_sentinel::row::{CollectedBy, RowBuilder, RowShape};
use proofpoint_sentinel::settings::MessageText;
use proofpoint_sentinel::tap::RecordReader;
use proofpoint_sentinel_core::feed::EventType;
use proofpoint_sentinel_core::hour::Hour;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_simulator::mail::MailTraffic;
use std::hint::black_box;

fn events(event_type: EventType) -> Vec<String> {
    let hour: Hour = "2026-11-20T06".parse().expect("an hour");
    MailTraffic::new(1, "acme_hosted")
        .events(event_type, hour, 2_000)
        .map(|event| String::from_utf8(event).expect("events are text"))
        .collect()
}

fn bytes(texts: &[String]) -> Throughput {
    Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum())
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row");
    for event_type in EventType::ALL {
        let events = events(event_type);
        group.throughput(bytes(&events));
        for shape in [RowShape::Columns, RowShape::Legacy] {
            let builder = RowBuilder::new(event_type, shape, MessageText::Fit, CollectedBy::Live);
            let mut row = Vec::new();
            group.bench_function(format!("{event_type}/{shape:?}"), |bencher| {
                bencher.iter(|| {
                    for event in &events {
                        let built = builder.build(event, Timestamp::UNIX_EPOCH, &mut row);
                        black_box(built.expect("events are JSON objects"));
                    }
                });
            });
        }
    }
    group.finish();
}

/// The body of an answer with so many records, messages and clicks in turns, in the pieces in which a
/// connection brings it.
fn tap_body(records: usize) -> Vec<Bytes> {
    let messages = include_str!("../tests/fixtures/tap/messages_delivered.ndjson");
    let clicks = include_str!("../tests/fixtures/tap/clicks_permitted.ndjson");
    let list = |text: &str| {
        let lines = text.lines().filter(|line| !line.is_empty()).cycle().take(records / 2);
        lines.collect::<Vec<_>>().join(",")
    };
    let (messages, clicks) = (list(messages), list(clicks));
    let body = format!(r#"{{"messagesDelivered":[{messages}],"clicksPermitted":[{clicks}]}}"#);
    body.as_bytes().chunks(64 << 10).map(Bytes::copy_from_slice).collect()
}

fn tap(criterion: &mut Criterion) {
    let body = tap_body(100_000);
    let mut group = criterion.benchmark_group("tap");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(body.iter().map(|chunk| chunk.len() as u64).sum()));
    group.bench_function("records", |bencher| {
        bencher.iter(|| {
            let mut reader = RecordReader::default();
            let mut records = 0;
            for chunk in &body {
                reader.push(chunk.clone());
                while let Some(record) = reader.next_record().expect("the body is whole") {
                    records += usize::from(!black_box(record).bytes.is_empty());
                }
            }
            assert_eq!(records, 100_000);
        });
    });
    group.bench_function("records and rows", |bencher| {
        let mut row = Vec::new();
        bencher.iter(|| {
            let mut reader = RecordReader::default();
            for chunk in &body {
                reader.push(chunk.clone());
                while let Some(record) = reader.next_record().expect("the body is whole") {
                    let (text, repairs) = read(&record.bytes).expect("records are JSON objects");
                    let builder = TapRowBuilder::new(record.kind, RowShape::Columns);
                    row.clear();
                    let built = builder.append(&text, repairs, Timestamp::UNIX_EPOCH, &mut row);
                    black_box(built.expect("records are JSON objects"));
                }
            }
        });
    });
    group.finish();
}

fn packing(criterion: &mut Criterion) {
    let events = events(EventType::Message);
    let mut group = criterion.benchmark_group("pack");
    group.throughput(bytes(&events));
    group.bench_function("message", |bencher| {
        bencher.iter(|| {
            let mut packer = Packer::new(Limits { batch: 1_000_000, single: 1_000_000 });
            for (position, event) in events.iter().enumerate() {
                black_box(packer.push(event.as_bytes(), position).expect("no event is so long"));
            }
            black_box(packer.finish())
        });
    });
    group.finish();
}

fn signing(criterion: &mut Criterion) {
    let key = Secret::new("c2VjcmV0IGtleSBvZiBhIHdvcmtzcGFjZSwgNjQgYnl0ZXMgbG9uZw==");
    let signer = Signer::new("5a1b2c3d-0000-4000-8000-123456789abc", &key).expect("a key");
    criterion.bench_function("sign", |bencher| {
        bencher.iter(|| {
            black_box(signer.authorization(black_box(4_000_000), "Fri, 20 Nov 2026 06:00:00 GMT"))
        });
    });
}

criterion_group!(benches, rows, tap, packing, signing);
criterion_main!(benches);
