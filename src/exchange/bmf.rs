//! Bencher Metric Format, which Bencher takes and perwatt itself exports. A file is one process with one value a
//! benchmark. `latency` is nanoseconds and `throughput` operations per second; of the other measures the file does
//! not say which way they improve.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::Result;
use crate::record::Better;

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "bmf",
    hint: "`bencher run` adapters and `perwatt export --format bencher` write one",
    marks: &["\"latency\"", "\"value\""],
    read,
};

/// One entry of a benchmark that has several, told apart by their parameters.
#[derive(Deserialize)]
struct BmfVariant {
    #[serde(default)]
    parameters: Map<String, Value>,
    measures: Map<String, Value>,
}

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let read: Map<String, Value> = IMPORTER.read_json(path)?;
    let mut file = ImportedFile::default();
    for (name, entry) in read {
        match entry {
            Value::Object(measures) => add(&mut file, &name, &measures),
            Value::Array(variants) => {
                for variant in file.rows::<BmfVariant>(variants) {
                    let words = variant.parameters.iter().map(|(key, value)| match value {
                        Value::String(text) => format!(" {key}={text}"),
                        other => format!(" {key}={other}"),
                    });
                    add(
                        &mut file,
                        &(name.clone() + &words.collect::<String>()),
                        &variant.measures,
                    );
                }
            }
            _ => file.leave_out(&name, "is no object of measures"),
        }
    }
    Ok(file)
}

/// Adds the measures of a benchmark.
fn add(file: &mut ImportedFile, name: &str, measures: &Map<String, Value>) {
    let mut timed = false;
    for (measure, metric) in measures {
        let Some(value) = metric.get("value").and_then(Value::as_f64) else {
            file.leave_out(name, &format!("{measure} has no `value`"));
            continue;
        };
        match measure.as_str() {
            "latency" | "Latency" => {
                timed = true;
                file.cases
                    .push(ImportedCase::timed(name, vec![vec![value]]));
            }
            "throughput" | "Throughput" => {
                let name = match timed || measures.keys().any(|m| m.eq_ignore_ascii_case("latency"))
                {
                    true => format!("{name} throughput"),
                    false => name.to_owned(),
                };
                file.cases.push(ImportedCase::measured(
                    name,
                    &[value],
                    "ops/s",
                    Better::Larger,
                ));
            }
            other => file.left_out.push(format!(
                "measure {other:?} of {name:?}: the file does not say which way it improves"
            )),
        }
    }
}
