//! criterion's `target/criterion` folder. It holds the latest process of each benchmark in
//! `NAME/new/`: `benchmark.json` names it, `sample.json` has iterations and nanoseconds. The files do
//! not say where a bench measured something other than time; such a folder cannot be told apart.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::foreign::{Foreign, ForeignCase};
use super::{Tool, read_json};
use crate::error::{Error, Result};
use crate::record::ClockMethod;

/// Deepest folder below the given one that is looked into.
const DEPTH: u32 = 8;

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    #[serde(default)]
    throughput: Value,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Reads a folder.
pub(super) fn read(folder: &Path) -> Result<Foreign> {
    let mut found = Vec::new();
    find(folder, DEPTH, &mut found)?;
    found.sort_unstable();
    if found.is_empty() {
        return Err(Error::file(
            folder,
            "has no `new/sample.json` below it; give the `target/criterion` folder after `cargo bench`",
        ));
    }
    let cases = found.iter().map(|new| case(new)).collect::<Result<_>>()?;
    Ok(Foreign {
        cases,
        ..Foreign::default()
    })
}

/// Collects the folders called `new` that hold samples.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<()> {
    let io = |source| Error::io(folder, source);
    if folder.join("sample.json").is_file() && folder.file_name().is_some_and(|n| n == "new") {
        found.push(folder.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        // A link could lead back up.
        if entry.file_type().map_err(io)?.is_dir() {
            find(&entry.path(), depth - 1, found)?;
        }
    }
    Ok(())
}

fn case(new: &Path) -> Result<ForeignCase> {
    let hint = "`cargo bench` with criterion 0.3 or newer writes one";
    let benchmark: Benchmark = read_json(Tool::Criterion, &new.join("benchmark.json"), hint)?;
    let file = new.join("sample.json");
    let sample: Sample = read_json(Tool::Criterion, &file, hint)?;
    if sample.iters.len() != sample.times.len() || sample.times.is_empty() {
        return Err(Error::file(
            file,
            "has not as many iterations as times; run the benchmark again",
        ));
    }
    let samples = sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(time, iterations)| time / iterations)
        .collect();
    Ok(ForeignCase {
        name: benchmark.full_id,
        processes: vec![samples],
        bytes: bytes(&benchmark.throughput),
        clock: ClockMethod::WallClock,
        failed: None,
    })
}

/// Bytes of one iteration, by each of the names that criterion has for them.
fn bytes(throughput: &Value) -> Option<u64> {
    ["/Bytes", "/BytesDecimal", "/ElementsAndBytes/bytes"]
        .into_iter()
        .find_map(|path| throughput.pointer(path)?.as_u64())
}
