//! Checking and indexing a state.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use inspector_bench::corpora::{Pages, Sort};
use inspector_tape::Document;

pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for sort in Sort::ALL {
        let mut pages = Pages::new(sort);
        pages.turn();
        let earlier = Document::new(pages.json()).unwrap();
        pages.turn();
        let text = pages.json();
        let bytes = text.as_bytes();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let id = |name: &str| BenchmarkId::new(name, sort.letter());
        group.bench_function(id("inspector, along the state before"), |b| {
            b.iter_with_large_drop(|| Document::after(black_box(&earlier), Arc::clone(&text)).unwrap());
        });
        group.bench_function(id("inspector, from nothing"), |b| b.iter_with_large_drop(|| Document::new(Arc::clone(&text)).unwrap()));
        let mut target = Vec::with_capacity(bytes.len());
        group.bench_function(id("memcpy"), |b| {
            b.iter(|| {
                target.clear();
                target.extend_from_slice(black_box(bytes));
                black_box(&target);
            });
        });
        group.bench_function(id("serde_json::Value"), |b| {
            b.iter_with_large_drop(|| serde_json::from_str::<serde_json::Value>(black_box(&text)).unwrap());
        });
        group.bench_function(id("sonic-rs Value"), |b| {
            b.iter_with_large_drop(|| sonic_rs::from_str::<sonic_rs::Value>(black_box(&text)).unwrap());
        });
        // It writes into what it reads; the copy is not counted.
        group.bench_function(id("simd-json tape"), |b| {
            b.iter_batched_ref(
                || bytes.to_vec(),
                |bytes| {
                    black_box(simd_json::to_tape(bytes).unwrap());
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}
