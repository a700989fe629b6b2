//! hyperfine's `--export-json`. Every time is a process of its own, so every time is an invocation.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::Result;
use crate::units::Seconds;

/// Every time is a process.
pub(super) const IMPORTER: Importer = Importer {
    name: "hyperfine",
    hint: "`hyperfine --export-json FILE` of version 1.6 or newer writes one",
    marks: &["\"results\"", "\"command\"", "\"stddev\""],
    read,
};

#[derive(Deserialize)]
struct HyperfineFile {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct HyperfineEntry {
    command: String,
    times: Option<Vec<f64>>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
}

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let read: HyperfineFile = IMPORTER.read_json(path)?;
    let mut file = ImportedFile::default();
    for entry in file.rows(read.results) {
        add(&mut file, entry);
    }
    Ok(file)
}

fn add(file: &mut ImportedFile, entry: HyperfineEntry) {
    let name = named(&entry.command, &entry.parameters);
    let Some(times) = entry.times.filter(|times| !times.is_empty()) else {
        file.leave_out(&name, "has no `times`, and a mean alone cannot be judged");
        return;
    };
    let runs = entry.exit_codes.len();
    let broken = entry
        .exit_codes
        .iter()
        .filter(|code| **code != Some(0))
        .count();
    let processes = times.into_iter().map(|s| vec![Seconds(s).ns()]);
    file.cases.push(ImportedCase {
        failed: (broken > 0).then(|| format!("{broken} of {runs} runs ended with an error")),
        ..ImportedCase::timed(name, processes.collect())
    });
}

/// The command, with those parameters that do not show in it.
fn named(command: &str, parameters: &BTreeMap<String, Value>) -> String {
    let mut name = command.to_owned();
    for (key, value) in parameters {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        if !command.contains(&value) {
            name += &format!(" {key}={value}");
        }
    }
    name
}
