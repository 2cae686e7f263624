//! The work per event: its row, its place in a batch, and the signature of a post.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use proofpoint_sentinel::destination::{Limits, Packer, Signer};
use proofpoint_sentinel::row::{CollectedBy, RowBuilder, RowShape};
use proofpoint_sentinel::settings::MessageText;
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

criterion_group!(benches, rows, packing, signing);
criterion_main!(benches);
