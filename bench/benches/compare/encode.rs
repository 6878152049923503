//! Taking in a frame: the states before and after a step become what is kept of it.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use inspector_bench::chain::Packer;
use inspector_bench::corpora::{Pages, Sort};
use inspector_model::{Step, StepDetail, StepKind};
use inspector_store::{NewState, NewStep, Store};

/// States that are gone through forwards and backwards, without end.
struct BackAndForth {
    texts: Vec<Arc<str>>,
    at: usize,
    back: bool,
}

impl BackAndForth {
    /// The next state, and the one before it.
    fn next(&mut self) -> (&Arc<str>, &Arc<str>) {
        let before = self.at;
        self.back = if self.at == 0 { false } else { self.back || self.at + 1 == self.texts.len() };
        self.at = if self.back { self.at - 1 } else { self.at + 1 };
        (&self.texts[before], &self.texts[self.at])
    }
}

pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for sort in Sort::ALL {
        let count = if sort == Sort::Large { 60 } else { 600 };
        let mut pages = Pages::new(sort);
        let texts: Vec<Arc<str>> = (0..count)
            .map(|_| {
                pages.turn();
                pages.json()
            })
            .collect();
        let states = || BackAndForth { texts: texts.clone(), at: 0, back: false };
        group.throughput(Throughput::Bytes(2 * texts[0].len() as u64));
        let id = |name: &str| BenchmarkId::new(name, sort.letter());

        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut recorder = store.create("encode", 1.0, "").unwrap();
        let mut next = states();
        group.bench_function(id("inspector, recorded"), |b| {
            b.iter(|| {
                let (before, after) = next.next();
                let step = Step::new(StepKind::Event, "toggle", 1.0);
                let (before, after) = (NewState::Text(before.clone()), NewState::Text(after.clone()));
                recorder.append(NewStep { step, detail: StepDetail::default(), before, after, html: None }).unwrap()
            });
        });
        drop(recorder);

        let mut next = states();
        let mut target = Vec::with_capacity(4 * texts[0].len());
        group.bench_function(id("memcpy"), |b| {
            b.iter(|| {
                let (before, after) = next.next();
                target.clear();
                target.extend_from_slice(before.as_bytes());
                target.extend_from_slice(after.as_bytes());
                black_box(&target);
            });
        });
        let mut next = states();
        group.bench_function(id("serde_json::Value of it"), |b| {
            b.iter(|| {
                let (before, after) = next.next();
                let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                black_box((parse(before), parse(after)));
            });
        });
        let mut next = states();
        group.bench_function(id("sonic-rs Value of it"), |b| {
            b.iter(|| {
                let (before, after) = next.next();
                let parse = |text: &str| sonic_rs::from_str::<sonic_rs::Value>(text).unwrap();
                black_box((parse(before), parse(after)));
            });
        });
        let mut at = 0;
        let mut packer = Packer::new().unwrap();
        group.bench_function(id("zstd, the state before as prefix"), |b| {
            b.iter(|| {
                at = at % (count - 1) + 1;
                packer.pack(Some(texts[at - 1].as_bytes()), texts[at].as_bytes()).unwrap()
            });
        });
        let trees: Vec<serde_json::Value> = texts.iter().take(60).map(|text| serde_json::from_str(text).unwrap()).collect();
        let mut at = 0;
        group.bench_function(id("json-patch of trees, as JSON"), |b| {
            b.iter(|| {
                at = at % (trees.len() - 1) + 1;
                serde_json::to_vec(&json_patch::diff(&trees[at - 1], &trees[at])).unwrap()
            });
        });
    }
    group.finish();
}
