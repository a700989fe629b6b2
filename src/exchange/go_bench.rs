//! Go's benchmark text, as `go test -bench` prints it. A file is one process, and lines of one name (`-count`)
//! are samples. Names carry their package: two packages may well have one. Allocations and the user's own units are left out: of those no line says which way they improve.

use std::collections::HashMap;
use std::path::Path;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::{Error, Result};

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "go",
    hint: "`go test -bench . -count 10 > FILE` writes one",
    marks: &[" ns/op", "Benchmark"],
    read,
};

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let text = read_text(path)?;
    if text.trim_start().starts_with("{\"Time\":") || text.trim_start().starts_with("{\"Action\":")
    {
        return Err(Error::file(
            path,
            "is the output of `go test -json`, whose events cut benchmarks' lines in pieces; run it without -json",
        ));
    }
    let mut file = ImportedFile::default();
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut host: Vec<String> = Vec::new();
    let mut package = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["goos:" | "goarch:" | "cpu:", rest @ ..] => {
                let said = rest.join(" ");
                if !host.contains(&said) {
                    host.push(said);
                }
            }
            ["pkg:", rest @ ..] => package = rest.join(" "),
            // A benchmark that logs or fails stands on a line without a count of iterations.
            [name, iterations, values @ ..]
                if name.starts_with("Benchmark") && iterations.parse::<u64>().is_ok() =>
            {
                add(&mut file, &mut found, &named(&package, name), values);
            }
            // It stands on a line of its own, or on the one that the benchmark began.
            ["---", "FAIL:", name, ..] | [_, "---", "FAIL:", name, ..]
                if name.starts_with("Benchmark") =>
            {
                fail(&mut file, &mut found, &named(&package, name));
            }
            _ => {}
        }
    }
    file.host = (!host.is_empty()).then(|| host.join(", "));
    Ok(file)
}

/// Notes that a benchmark failed, whatever it printed before.
fn fail(file: &mut ImportedFile, found: &mut HashMap<String, usize>, name: &str) {
    let index = place(file, found, name);
    file.cases[index].failed = Some("the benchmark failed".to_owned());
}

/// The place of a benchmark among the file's.
fn place(file: &mut ImportedFile, found: &mut HashMap<String, usize>, name: &str) -> usize {
    *found.entry(name.to_owned()).or_insert_with(|| {
        file.cases.push(ImportedCase::timed(name, vec![Vec::new()]));
        file.cases.len() - 1
    })
}

/// A benchmark's name with its package, as Go writes it.
fn named(package: &str, name: &str) -> String {
    match package {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

/// Adds one line: pairs of a value and its unit.
fn add(file: &mut ImportedFile, found: &mut HashMap<String, usize>, name: &str, values: &[&str]) {
    let mut time_ns = None;
    for pair in values.chunks(2) {
        let [value, unit] = pair else { continue };
        let Ok(value) = value.parse::<f64>() else {
            return file.leave_out(name, &format!("{value:?} is no number"));
        };
        match *unit {
            "ns/op" => time_ns = Some(value),
            // The time says the same, and more exactly.
            "MB/s" => {}
            other => {
                let note =
                    format!("{other} of {name:?}: the file does not say which way it improves");
                if !file.left_out.contains(&note) {
                    file.left_out.push(note);
                }
            }
        }
    }
    let Some(time_ns) = time_ns else {
        return file.leave_out(name, "has no ns/op");
    };
    let index = place(file, found, name);
    if let Some(samples) = file.cases[index].processes.first_mut() {
        samples.push(time_ns);
    }
}
