//! Go's benchmark text, as `go test -bench` prints it. A file is one process, and lines of one name (`-count`)
//! are samples. Names carry their package: two packages may well have one. Each other unit is a benchmark of its own
//! where it is known which way it improves: of allocations, and of what a `Unit` line says.

use std::collections::HashMap;
use std::path::Path;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::{Error, Result};
use crate::record::Better;

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
    let units = units(&text);
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
                add(
                    &mut file,
                    &mut found,
                    &units,
                    &named(&package, name),
                    values,
                );
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

/// Which way units improve, by what benchstat knows and what lines as `Unit widgets/s better=higher` say.
fn units(text: &str) -> HashMap<&str, Better> {
    let mut units = HashMap::from([("B/op", Better::Smaller), ("allocs/op", Better::Smaller)]);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some("Unit"), Some(unit)) = (words.next(), words.next()) else {
            continue;
        };
        for word in words {
            match word {
                "better=higher" => units.insert(unit, Better::Larger),
                "better=lower" => units.insert(unit, Better::Smaller),
                _ => None,
            };
        }
    }
    units
}

/// Notes that a benchmark failed, whatever it printed before.
fn fail(file: &mut ImportedFile, found: &mut HashMap<String, usize>, name: &str) {
    let index = place(file, found, ImportedCase::timed(name, Vec::new()));
    file.cases[index].failed = Some("the benchmark failed".to_owned());
}

/// The place of a benchmark among the file's.
fn place(file: &mut ImportedFile, found: &mut HashMap<String, usize>, case: ImportedCase) -> usize {
    *found.entry(case.name.clone()).or_insert_with(|| {
        file.cases.push(ImportedCase {
            processes: vec![Vec::new()],
            ..case
        });
        file.cases.len() - 1
    })
}

/// Adds the sample of a benchmark to those of its lines before.
fn add_sample(file: &mut ImportedFile, found: &mut HashMap<String, usize>, case: ImportedCase) {
    let samples = case.processes.concat();
    let index = place(file, found, case);
    if let Some(known) = file.cases[index].processes.first_mut() {
        known.extend(samples);
    }
}

/// A benchmark's name with its package, as Go writes it.
fn named(package: &str, name: &str) -> String {
    match package {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

/// Adds one line: pairs of a value and its unit.
fn add(
    file: &mut ImportedFile,
    found: &mut HashMap<String, usize>,
    units: &HashMap<&str, Better>,
    name: &str,
    values: &[&str],
) {
    let mut cases = Vec::new();
    for pair in values.chunks(2) {
        let [value, unit] = pair else { continue };
        let Ok(value) = value.parse::<f64>() else {
            return file.leave_out(name, &format!("{value:?} is no number"));
        };
        match *unit {
            "ns/op" => cases.push(ImportedCase::timed(name, vec![vec![value]])),
            // The time says the same, and more exactly.
            "MB/s" => {}
            unit => match units.get(unit) {
                Some(better) => {
                    let name = format!("{name} {unit}");
                    cases.push(ImportedCase::measured(name, &[value], unit, *better));
                }
                None => {
                    let note = format!(
                        "{unit} of {name:?}: the file does not say which way it improves, as a line `Unit {unit} \
                         better=higher` would"
                    );
                    if !file.left_out.contains(&note) {
                        file.left_out.push(note);
                    }
                }
            },
        }
    }
    if cases.is_empty() {
        return file.leave_out(name, "has no ns/op");
    }
    for case in cases {
        add_sample(file, found, case);
    }
}
