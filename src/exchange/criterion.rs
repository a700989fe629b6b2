//! criterion's `target/criterion` folder. It holds the latest process of each benchmark in
//! `NAME/new/`, and what `--save-baseline main` kept in `NAME/main/`: `benchmark.json` names it, `sample.json` has
//! iterations and nanoseconds. The files do not say where a bench measured something other than time; such a
//! folder cannot be told apart.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::{Error, Result};

/// A folder is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "criterion",
    hint: "`cargo bench` with criterion 0.3 or newer writes a `target/criterion` folder",
    marks: &[],
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

fn read(folder: &Path, options: &ImportOptions) -> Result<ImportedFile> {
    let mut all = Vec::new();
    find(folder, DEPTH, &mut all)?;
    all.sort_unstable();
    let run = options.saved.as_deref().unwrap_or(LATEST);
    let name = |found: &Path| -> String {
        let name = found.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let (found, others): (Vec<PathBuf>, Vec<PathBuf>) =
        all.into_iter().partition(|found| name(found) == run);
    let mut saved: Vec<String> = others.iter().map(|other| name(other)).collect();
    saved.retain(|name| name != LATEST && name != PREVIOUS);
    saved.sort_unstable();
    saved.dedup();
    if found.is_empty() {
        let there = match saved.as_slice() {
            [] => "give the `target/criterion` folder after `cargo bench`".to_owned(),
            names => format!("there are {} (--saved NAME)", names.join(", ")),
        };
        return Err(Error::file(
            folder,
            format!("has no `{run}/sample.json` below it; {there}"),
        ));
    }
    let mut file = ImportedFile {
        written_as: found.first().map(|first| first.join("sample.json")),
        ..ImportedFile::default()
    };
    if options.saved.is_none() {
        for name in saved {
            file.left_out.push(format!(
                "the saved baseline {name:?}; `--saved {name}` imports it"
            ));
        }
    }
    for new in &found {
        match case(new) {
            Ok(case) => file.cases.push(case),
            Err(fault) => file.left_out.push(fault.to_string()),
        }
    }
    Ok(file)
}

/// Folder of the latest run.
const LATEST: &str = "new";

/// Folder of the run that the latest one was compared with by default.
const PREVIOUS: &str = "base";

/// Collects the folders that hold samples.
fn find(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<()> {
    let io = |source| Error::io(folder, source);
    if folder.join("sample.json").is_file() {
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
        bytes: bytes(&benchmark.throughput),
        ..ImportedCase::timed(benchmark.full_id, vec![samples])
    })
}

/// Bytes of one iteration, by each of the names that criterion has for them.
fn bytes(throughput: &Value) -> Option<u64> {
    ["/Bytes", "/BytesDecimal", "/ElementsAndBytes/bytes"]
        .into_iter()
        .find_map(|path| throughput.pointer(path)?.as_u64())
}
