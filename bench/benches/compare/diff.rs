//! What differs between two states. The others get trees that are parsed already, the inspector gets bytes.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use imara_diff::{Algorithm, Diff, InternedInput};
use inspector_bench::measure;
use inspector_bench::pairs::{Pair, pairs};
use inspector_diff::{Options, tell};
use inspector_tape::{Document, compare};
use serde_json::Value;
use similar::{Algorithm as TextAlgorithm, TextDiff};

const LONG: Duration = Duration::from_secs(10);

/// How many changes each function tells, by function and pair.
type Counts = BTreeMap<String, usize>;

pub fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    let mut counts = Counts::new();
    for pair in &pairs() {
        group.throughput(Throughput::Bytes((pair.before.len() + pair.after.len()) as u64));
        own(&mut group, pair, &mut counts);
        trees(&mut group, pair, &mut counts);
        if pair.name.starts_with('d') {
            texts(&mut group, pair, &mut counts);
        }
    }
    group.finish();
    std::fs::create_dir_all(measure::folder()).unwrap();
    std::fs::write(measure::folder().join("counts.json"), serde_json::to_vec_pretty(&counts).unwrap()).unwrap();
}

fn own(group: &mut BenchmarkGroup<'_, WallTime>, pair: &Pair, counts: &mut Counts) {
    let before = Arc::new(Document::new(pair.before.clone()).unwrap());
    let after = Arc::new(Document::new(pair.after.clone()).unwrap());
    let scan = || Arc::new(Document::after(&before, pair.after.clone()).unwrap());
    let changes = compare(&before, &after, LONG).changes.len();
    for name in ["inspector, from bytes", "inspector, scanned already", "inspector, in words"] {
        counts.insert(format!("{name}/{}", pair.name), changes);
    }
    let id = |name: &str| BenchmarkId::new(name, pair.name);
    group.bench_function(id("inspector, from bytes"), |b| b.iter_with_large_drop(|| compare(black_box(&before), &scan(), LONG)));
    group.bench_function(id("inspector, scanned already"), |b| b.iter_with_large_drop(|| compare(black_box(&before), &after, LONG)));
    group.bench_function(id("inspector, in words"), |b| {
        b.iter_with_large_drop(|| tell(&compare(black_box(&before), &scan(), LONG), &Options { deadline: LONG, ..Options::default() }));
    });
    // Of two that are equal: it stops at the first difference.
    let copy = pair.after.as_bytes().to_vec();
    group.bench_function(id("memcmp"), |b| b.iter(|| black_box(pair.after.as_bytes()) == black_box(copy.as_slice())));
}

fn trees(group: &mut BenchmarkGroup<'_, WallTime>, pair: &Pair, counts: &mut Counts) {
    let before: Value = serde_json::from_str(&pair.before).unwrap();
    let after: Value = serde_json::from_str(&pair.after).unwrap();
    let id = |name: &str| BenchmarkId::new(name, pair.name);
    counts.insert(format!("json-patch/{}", pair.name), json_patch::diff(&before, &after).0.len());
    group.bench_function(id("json-patch"), |b| b.iter_with_large_drop(|| json_patch::diff(black_box(&before), &after)));
    // It takes the trees; their copies are not counted.
    group.bench_function(id("serde_json_diff"), |b| {
        b.iter_batched(
            || (before.clone(), after.clone()),
            |(before, after)| serde_json_diff::values(before, after),
            criterion::BatchSize::LargeInput,
        );
    });
    let record = || {
        let mut recorder = treediff::tools::Recorder::default();
        treediff::diff(black_box(&before), &after, &mut recorder);
        recorder
    };
    let changes = record().calls.iter().filter(|call| !matches!(call, treediff::tools::ChangeType::Unchanged(..))).count();
    counts.insert(format!("treediff/{}", pair.name), changes);
    group.bench_function(id("treediff"), |b| b.iter_with_large_drop(record));
}

/// The texts alone, for who knows where they are.
fn texts(group: &mut BenchmarkGroup<'_, WallTime>, pair: &Pair, counts: &mut Counts) {
    let body = |text: &str| serde_json::from_str::<Value>(text).unwrap()["body"].as_str().unwrap().to_owned();
    let (before, after) = (body(&pair.before), body(&pair.after));
    let id = |name: &str| BenchmarkId::new(name, pair.name);
    let by_words = || TextDiff::configure().algorithm(TextAlgorithm::Myers).diff_words(black_box(&before), &after).ops().len();
    counts.insert(format!("similar, words/{}", pair.name), by_words());
    group.bench_function(id("similar, words"), |b| b.iter(by_words));
    let words = |text| InternedInput::new(Words(text), Words(&after));
    let by_words = || Diff::compute(Algorithm::Myers, &words(black_box(&before)));
    counts.insert(format!("imara-diff, words/{}", pair.name), by_words().hunks().count());
    group.bench_function(id("imara-diff, words"), |b| b.iter_with_large_drop(by_words));
}

struct Words<'a>(&'a str);

impl<'a> imara_diff::TokenSource for Words<'a> {
    type Token = &'a str;
    type Tokenizer = std::str::SplitInclusive<'a, char>;

    fn tokenize(&self) -> Self::Tokenizer {
        self.0.split_inclusive(' ')
    }

    fn estimate_tokens(&self) -> u32 {
        (self.0.len() / 6) as u32
    }
}
