//! Google Benchmark's JSON. A file is one process: its repetitions are samples of one invocation.
//!
//! The library prints bare `NaN` and `Infinity`, which no JSON reader takes; they are read as absent.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::foreign::{Foreign, ForeignCase};
use super::{Tool, parse_json};
use crate::error::{Error, Result};
use crate::record::ClockMethod;
use crate::units::Seconds;

#[derive(Deserialize)]
struct File {
    context: Option<Context>,
    benchmarks: Vec<Entry>,
}

#[derive(Deserialize)]
struct Context {
    library_version: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    run_name: Option<String>,
    run_type: Option<String>,
    real_time: Option<f64>,
    time_unit: Option<String>,
    bytes_per_second: Option<f64>,
    error_occurred: Option<bool>,
    error_message: Option<String>,
    skipped: Option<bool>,
    skip_message: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Keys that are not counters of the user's.
const OWN_KEYS: [&str; 15] = [
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "cpu_time",
    "items_per_second",
    "label",
    "aggregate_name",
    "aggregate_unit",
    "big_o",
    "cpu_coefficient",
    "real_coefficient",
    "rms",
];

/// Ends of aggregates' names; libraries before 1.5 mark them by nothing else.
const AGGREGATES: [&str; 6] = ["_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"];

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Foreign> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    let file: File = parse_json(
        Tool::GoogleBenchmark,
        path,
        &without_bare_words(&text),
        "`--benchmark_out=FILE --benchmark_out_format=json` writes one",
    )?;
    let mut foreign = Foreign {
        version: file.context.and_then(|context| context.library_version),
        ..Foreign::default()
    };
    let some = !file.benchmarks.is_empty();
    let singles: HashSet<String> = file.benchmarks.iter().map(|e| e.name.clone()).collect();
    for entry in file.benchmarks {
        if !is_aggregate(&entry, &singles) {
            add(path, &mut foreign, entry)?;
        }
    }
    if some && foreign.cases.is_empty() && foreign.left_out.is_empty() {
        return Err(Error::file(
            path,
            "holds aggregates alone, which say nothing of single runs; run without \
             --benchmark_report_aggregates_only",
        ));
    }
    Ok(foreign)
}

/// Whether a row sums others up.
fn is_aggregate(entry: &Entry, singles: &HashSet<String>) -> bool {
    match entry.run_type.as_deref() {
        Some(kind) => kind == "aggregate",
        None => AGGREGATES.iter().any(|end| {
            let of = entry.name.strip_suffix(end);
            of.is_some_and(|name| singles.contains(name))
        }),
    }
}

/// Adds one row: a new benchmark, or another repetition of a known one.
fn add(path: &Path, foreign: &mut Foreign, entry: Entry) -> Result<()> {
    let name = entry.run_name.unwrap_or(entry.name);
    if entry.skipped == Some(true) {
        let reason = entry.skip_message.as_deref().unwrap_or("no reason given");
        foreign
            .left_out
            .push(format!("{name:?}: skipped, {reason}"));
        return Ok(());
    }
    let failed = entry.error_occurred.unwrap_or(false).then(|| {
        entry
            .error_message
            .unwrap_or_else(|| "the benchmark reported an error".to_owned())
    });
    for counter in entry
        .rest
        .iter()
        .filter(|(key, value)| value.is_number() && !OWN_KEYS.contains(&key.as_str()))
    {
        let said = format!(
            "counter {:?} of {name:?}: the file does not say which way it improves",
            counter.0
        );
        if !foreign.left_out.contains(&said) {
            foreign.left_out.push(said);
        }
    }
    let ns = match (failed.is_some(), entry.real_time) {
        (true, _) => None,
        (false, None) => {
            return Err(Error::file(
                path,
                format!("{name:?} has no `real_time`; measure it again"),
            ));
        }
        (false, Some(time)) => Some(time * unit_ns(path, entry.time_unit.as_deref())?),
    };
    let bytes = ns
        .zip(entry.bytes_per_second)
        .map(|(ns, rate)| (rate * Seconds::from_ns(ns).get()).round())
        .filter(|bytes| bytes.is_finite() && *bytes >= 1.0)
        .map(|bytes| bytes as u64);
    let index = match foreign.cases.iter().position(|case| case.name == name) {
        Some(index) => index,
        None => {
            foreign.cases.push(ForeignCase {
                name,
                processes: vec![Vec::new()],
                bytes,
                failed: None,
                clock: ClockMethod::WallClock,
            });
            foreign.cases.len() - 1
        }
    };
    let case = &mut foreign.cases[index];
    case.failed = case.failed.take().or(failed);
    if let (Some(ns), Some(samples)) = (ns, case.processes.first_mut()) {
        samples.push(ns);
    }
    Ok(())
}

/// Nanoseconds of a unit.
fn unit_ns(path: &Path, unit: Option<&str>) -> Result<f64> {
    match unit {
        None | Some("ns") => Ok(1.0),
        Some("us") => Ok(1e3),
        Some("ms") => Ok(1e6),
        Some("s") => Ok(1e9),
        Some(other) => Err(Error::file(
            path,
            format!("`time_unit` is {other:?}; ns, us, ms and s are known"),
        )),
    }
}

/// The text with bare `NaN`, `Infinity` and their signs as `null`, strings left alone.
fn without_bare_words(text: &str) -> String {
    const WORDS: [&str; 6] = ["-Infinity", "Infinity", "-NaN", "NaN", "-inf", "inf"];
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        if !in_string
            && let Some(word) = WORDS
                .iter()
                .chain(["-nan", "nan"].iter())
                .find(|word| rest.starts_with(**word))
        {
            clean.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        let mut taken = c.len_utf8();
        match c {
            '"' => in_string = !in_string,
            '\\' if in_string => {
                taken += rest[taken..].chars().next().map_or(0, char::len_utf8);
            }
            _ => {}
        }
        clean.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::without_bare_words;

    #[test]
    fn bare_words_become_null_and_strings_stay() {
        let text = r#"{"a NaN \"Infinity": NaN, "b": -Infinity, "c": [inf, "\\"], "d": -nan}"#;
        let wanted = r#"{"a NaN \"Infinity": null, "b": null, "c": [null, "\\"], "d": null}"#;
        assert_eq!(without_bare_words(text), wanted);
    }
}
