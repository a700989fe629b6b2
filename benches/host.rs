//! What perwatt itself spends on the host: statistics of long series, and reading records.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench fails by panicking; Criterion's macros write undocumented items"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use perwatt::{record, stats};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Correlated noise around 1 ms, as an invocation's samples are.
fn samples(count: usize) -> Vec<f64> {
    let mut rng = Pcg64::seed_from_u64(1);
    let mut deviation = 0.0;
    (0..count)
        .map(|_| {
            deviation = 0.7 * deviation + rng.random_range(-0.01..0.01);
            1e6 * (1.0 + deviation)
        })
        .collect()
}

fn statistics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stats");
    let series = samples(10_000);
    group.throughput(Throughput::Elements(series.len() as u64));
    group.bench_function("median", |b| b.iter(|| stats::median(black_box(&series))));
    group.bench_function("half_width", |b| {
        b.iter(|| stats::half_width(black_box(&series)));
    });
    group.bench_function("effective_sample_size", |b| {
        b.iter(|| stats::effective_sample_size(black_box(&series)));
    });
    group.bench_function("steady_start", |b| {
        b.iter(|| stats::steady_start(black_box(&series)));
    });
    group.finish();
}

fn records(criterion: &mut Criterion) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/results");
    let path = std::fs::read_dir(folder)
        .expect("results/")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with("-quick.json"))
        .expect("a committed record");
    let bytes = std::fs::metadata(&path).expect("its size").len();
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("load", |b| b.iter(|| record::load(&path)));
    let record = record::load(&path).expect("a record");
    let folder = tempfile::tempdir().expect("a folder");
    group.bench_function("save", |b| {
        b.iter_batched(
            || folder.path().join("saved.json"),
            |path| record::save(&record, path),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, statistics, records);
criterion_main!(benches);
