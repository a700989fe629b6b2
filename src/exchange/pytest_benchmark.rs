//! pytest-benchmark's JSON. A file is one process; its rounds are samples where `--benchmark-save-data` kept
//! them, else only their median is known.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::dates::stated;
use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::Result;
use crate::units::Seconds;

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "pytest-benchmark",
    hint: "`pytest --benchmark-json=FILE` writes one, with every round with --benchmark-save-data",
    marks: &["\"machine_info\"", "\"benchmarks\"", "\"stats\""],
    read,
};

#[derive(Deserialize)]
struct PytestFile {
    #[serde(default)]
    machine_info: Value,
    benchmarks: Vec<Value>,
    version: Option<String>,
    datetime: Option<String>,
}

#[derive(Deserialize)]
struct PytestRow {
    name: String,
    fullname: Option<String>,
    stats: PytestStats,
}

#[derive(Deserialize)]
struct PytestStats {
    /// The rounds; in files that were made smaller, a word instead of them.
    #[serde(default)]
    data: Value,
    median: Option<f64>,
    mean: Option<f64>,
}

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let read: PytestFile = IMPORTER.read_json(path)?;
    let mut file = ImportedFile {
        version: read.version,
        host: host(&read.machine_info),
        measured_at: read.datetime.as_deref().and_then(stated),
        ..ImportedFile::default()
    };
    for row in file.rows::<PytestRow>(read.benchmarks) {
        let name = row.fullname.unwrap_or(row.name);
        let rounds: Vec<f64> = serde_json::from_value(row.stats.data).unwrap_or_default();
        let samples = match (rounds, row.stats.median.or(row.stats.mean)) {
            (rounds, _) if !rounds.is_empty() => rounds,
            (_, Some(median)) => vec![median],
            _ => {
                file.leave_out(&name, "has neither `data` nor `median`");
                continue;
            }
        };
        let samples = samples.into_iter().map(|s| Seconds(s).ns()).collect();
        file.cases.push(ImportedCase::timed(name, vec![samples]));
    }
    Ok(file)
}

/// The machine and the interpreter.
fn host(machine: &Value) -> Option<String> {
    let text = |path: &str| {
        machine
            .pointer(path)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let words: Vec<String> = [
        text("/node"),
        text("/cpu/brand_raw").or(text("/processor")),
        machine
            .pointer("/cpu/count")
            .and_then(Value::as_u64)
            .map(|count| format!("{count} CPUs")),
        text("/python_version").map(|version| {
            let python = text("/python_implementation").unwrap_or_else(|| "Python".to_owned());
            format!("{python} {version}")
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!words.is_empty()).then(|| words.join(", "))
}
