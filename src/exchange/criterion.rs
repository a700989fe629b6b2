//! criterion's `target/criterion` folder. It holds the latest process of each benchmark in
//! `NAME/new/`: `benchmark.json` names it, `sample.json` has iterations and nanoseconds. The files do
//! not say where a bench measured something other than time; such a folder cannot be told apart.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::import::{ImportedCase, ImportedFile, Importer};
use crate::error::{Error, Result};
use crate::record::ClockMethod;

/// A folder is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "criterion",
    hint: "`cargo bench` with criterion 0.3 or newer writes a `target/criterion` folder",
    read,
};

/// Deepest folder below the given one that is looked into.
const DEPTH: u32 = 8;

#[derive(Deserialize)]
struct CriterionBenchmark {
    full_id: String,
    #[serde(default)]
    throughput: Value,
}

#[derive(Deserialize)]
struct CriterionSample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read(folder: &Path) -> Result<ImportedFile> {
    let mut found = Vec::new();
    find(folder, DEPTH, &mut found)?;
    found.sort_unstable();
    if found.is_empty() {
        return Err(Error::file(
            folder,
            "has no `new/sample.json` below it; give the `target/criterion` folder after `cargo bench`",
        ));
    }
    let mut file = ImportedFile::default();
    for new in &found {
        match case(new) {
            Ok(case) => file.cases.push(case),
            Err(fault) => file.left_out.push(fault.to_string()),
        }
    }
    Ok(file)
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

fn case(new: &Path) -> Result<ImportedCase> {
    let benchmark: CriterionBenchmark = IMPORTER.read_json(&new.join("benchmark.json"))?;
    let file = new.join("sample.json");
    let sample: CriterionSample = IMPORTER.read_json(&file)?;
    let (iterations, times) = (sample.iters.len(), sample.times.len());
    if iterations != times {
        return Err(Error::file(
            file,
            format!("{iterations} iteration counts for {times} times; run the benchmark again"),
        ));
    }
    let samples = sample
        .times
        .iter()
        .zip(&sample.iters)
        .map(|(time, iterations)| time / iterations)
        .collect();
    Ok(ImportedCase {
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
