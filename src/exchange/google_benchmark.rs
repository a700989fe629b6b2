//! Google Benchmark's JSON. A file is one process: its repetitions are samples of one invocation.
//!
//! The library prints bare `NaN` and `Infinity`, which no JSON reader takes; they are read as absent.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::dates::stated;
use super::google_work::{StatedRates, ns_of};
use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::{Error, Result};

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "google-benchmark",
    hint: "`--benchmark_out=FILE --benchmark_out_format=json` writes one",
    marks: &["\"context\"", "\"benchmarks\"", "\"library_build_type\""],
    read,
};

#[derive(Deserialize)]
struct GoogleFile {
    context: Option<GoogleContext>,
    benchmarks: Vec<Value>,
}

#[derive(Deserialize)]
struct GoogleContext {
    library_version: Option<String>,
    library_build_type: Option<String>,
    host_name: Option<String>,
    num_cpus: Option<u64>,
    date: Option<String>,
}

impl GoogleContext {
    /// The machine and the build: neither debug against release nor a laptop against a server is a change of
    /// the code.
    fn host(&self) -> Option<String> {
        let words: Vec<String> = [
            self.host_name.clone(),
            self.num_cpus.map(|cpus| format!("{cpus} CPUs")),
            self.library_build_type
                .as_ref()
                .map(|build| format!("library built for {build}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[derive(Deserialize)]
struct GoogleRow {
    name: String,
    run_name: Option<String>,
    run_type: Option<String>,
    real_time: Option<f64>,
    cpu_time: Option<f64>,
    time_unit: Option<String>,
    bytes_per_second: Option<f64>,
    error_occurred: Option<bool>,
    error_message: Option<String>,
    skipped: Option<bool>,
    skip_message: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl GoogleRow {
    /// The benchmark's name, which its repetitions share.
    fn of(&self) -> &str {
        self.run_name.as_ref().unwrap_or(&self.name)
    }
}

/// Names that several benchmarks of a program have: families, or instances of one, that count their rows apart.
fn doubles(rows: &[GoogleRow]) -> BTreeSet<String> {
    let mut first: HashMap<&str, [Option<&Value>; 2]> = HashMap::new();
    let mut doubles = BTreeSet::new();
    for row in rows {
        let place = ["family_index", "per_family_instance_index"].map(|key| row.rest.get(key));
        if *first.entry(row.of()).or_insert(place) != place {
            doubles.insert(row.of().to_owned());
        }
    }
    doubles
}

/// Keys that are not counters of the user's.
const OWN_KEYS: [&str; 14] = [
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
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

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let read: GoogleFile = IMPORTER.parse_json(path, &without_bare_words(&read_text(path)?))?;
    let mut file = ImportedFile {
        host: read.context.as_ref().and_then(GoogleContext::host),
        measured_at: read
            .context
            .as_ref()
            .and_then(|context| stated(context.date.as_deref()?)),
        version: read.context.and_then(|context| context.library_version),
        ..ImportedFile::default()
    };
    let some = !read.benchmarks.is_empty();
    let rows: Vec<GoogleRow> = file.rows(read.benchmarks);
    let singles: HashSet<String> = rows.iter().map(|row| row.name.clone()).collect();
    let mut places = HashMap::new();
    let mut rates = StatedRates::default();
    let doubles = doubles(&rows);
    for name in &doubles {
        file.leave_out(name, "several benchmarks have this name, and a comparison could not tell them apart; rename one");
    }
    for row in rows {
        if !is_aggregate(&row, &singles) && !doubles.contains(row.of()) {
            add(&mut file, &mut places, &mut rates, row);
        }
    }
    for (case, bytes) in rates.bytes() {
        let case = &mut file.cases[case];
        case.bytes = bytes;
        if bytes.is_none() {
            file.left_out.push(format!(
                "bytes of {:?}: no whole number an execution fits its bytes_per_second and its times, so its \
                 times were taken alone",
                case.name
            ));
        }
    }
    if some && file.cases.is_empty() && file.left_out.is_empty() {
        return Err(Error::file(
            path,
            "holds only aggregates, which say nothing about single runs; run without \
             --benchmark_report_aggregates_only",
        ));
    }
    Ok(file)
}

/// Whether a row sums others up.
fn is_aggregate(row: &GoogleRow, singles: &HashSet<String>) -> bool {
    match row.run_type.as_deref() {
        Some(kind) => kind == "aggregate",
        None => AGGREGATES.iter().any(|end| {
            let of = row.name.strip_suffix(end);
            of.is_some_and(|name| singles.contains(name))
        }),
    }
}

/// Adds one row: a new benchmark, or another repetition of a known one.
fn add(
    file: &mut ImportedFile,
    places: &mut HashMap<String, usize>,
    rates: &mut StatedRates,
    row: GoogleRow,
) {
    let name = row.of().to_owned();
    if row.skipped == Some(true) {
        let reason = row.skip_message.as_deref().unwrap_or("no reason given");
        file.leave_out(&name, &format!("skipped, {reason}"));
        return;
    }
    note_counters(file, &name, &row);
    let measured = match row.error_occurred {
        Some(true) => Err(row
            .error_message
            .unwrap_or_else(|| "the benchmark reported an error".to_owned())),
        _ => match time_ns(row.real_time, row.time_unit.as_deref()) {
            Ok(ns) => Ok(ns),
            Err(fault) => return file.leave_out(&name, &fault.to_string()),
        },
    };
    let index = match places.get(&name) {
        Some(index) => *index,
        None => {
            places.insert(name.clone(), file.cases.len());
            file.cases.push(ImportedCase::timed(name, vec![Vec::new()]));
            file.cases.len() - 1
        }
    };
    let case = &mut file.cases[index];
    match measured {
        Ok(ns) => {
            case.processes.iter_mut().for_each(|times| times.push(ns));
            let base = match by_real_time(&row.name) {
                true => row.real_time,
                false => row.cpu_time,
            };
            rates.add(index, row.time_unit.as_deref(), base, row.bytes_per_second);
        }
        Err(reason) => case.failed = case.failed.take().or(Some(reason)),
    }
}

/// Says of each of the user's counters that it is left out.
fn note_counters(file: &mut ImportedFile, name: &str, row: &GoogleRow) {
    for (counter, _) in row
        .rest
        .iter()
        .filter(|(key, value)| value.is_number() && !OWN_KEYS.contains(&key.as_str()))
    {
        let note =
            format!("counter {counter:?} of {name:?}: the file does not say which way it improves");
        if !file.left_out.contains(&note) {
            file.left_out.push(note);
        }
    }
}

/// Whether a benchmark's rates are by the wall's time, or by one that it states itself, and not by the processor's.
fn by_real_time(name: &str) -> bool {
    let mut parts = name.split('/').skip(1);
    parts.any(|part| matches!(part, "real_time" | "manual_time"))
}

/// Why a row has no time.
#[derive(Debug, thiserror::Error)]
enum GoogleRowFault {
    #[error("has no `real_time`")]
    NoTime,
    #[error("has the `time_unit` {0:?}; ns, us, ms and s are known")]
    Unit(String),
}

/// A row's time in nanoseconds.
fn time_ns(time: Option<f64>, unit: Option<&str>) -> Result<f64, GoogleRowFault> {
    let time = time.ok_or(GoogleRowFault::NoTime)?;
    let ns =
        ns_of(unit).ok_or_else(|| GoogleRowFault::Unit(unit.unwrap_or_default().to_owned()))?;
    Ok(time * ns)
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
