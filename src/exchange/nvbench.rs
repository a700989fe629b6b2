//! nvbench's JSON. A file is one process. Numbers are written as strings; the samples lie beside the
//! file as little-endian `f32` seconds where `--jsonbin` was used, else only their mean is known.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::foreign::{Foreign, ForeignCase};
use super::{Tool, read_json};
use crate::error::{Error, Result};
use crate::units::Seconds;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    meta: Value,
    #[serde(default)]
    devices: Vec<Device>,
    benchmarks: Vec<Benchmark>,
}

#[derive(Deserialize)]
struct Device {
    name: String,
}

#[derive(Deserialize)]
struct Benchmark {
    name: String,
    states: Vec<State>,
}

#[derive(Deserialize)]
struct State {
    name: String,
    #[serde(default)]
    summaries: Option<Vec<Summary>>,
    #[serde(default)]
    is_skipped: bool,
    skip_reason: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    tag: String,
    #[serde(default)]
    data: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    name: String,
    value: Value,
}

impl State {
    /// A value of a summary.
    fn value(&self, tag: &str, name: &str) -> Option<&Value> {
        let summary = self.summaries.iter().flatten().find(|s| s.tag == tag)?;
        Some(&summary.data.iter().find(|datum| datum.name == name)?.value)
    }

    /// The mean GPU time of cold runs, in seconds.
    fn mean_s(&self) -> Option<f64> {
        match self.value("nv/cold/time/gpu/mean", "value")? {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        }
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Foreign> {
    let file: File = read_json(Tool::Nvbench, path, "`BENCH --json FILE` writes one")?;
    let mut names: Vec<String> = file.devices.into_iter().map(|device| device.name).collect();
    names.dedup();
    let mut foreign = Foreign {
        device: (!names.is_empty()).then(|| names.join(" and ")),
        version: file
            .meta
            .pointer("/version/nvbench/string")
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..Foreign::default()
    };
    for benchmark in &file.benchmarks {
        for state in &benchmark.states {
            let name = format!("{} {}", benchmark.name, state.name);
            if state.is_skipped {
                let reason = state.skip_reason.as_deref().unwrap_or("no reason given");
                foreign
                    .left_out
                    .push(format!("{name:?}: skipped, {reason}"));
                continue;
            }
            let samples = samples(path, state, &name, &mut foreign.left_out)?;
            foreign.cases.push(ForeignCase {
                name,
                processes: vec![samples],
                bytes: None,
                failed: None,
            });
        }
    }
    Ok(foreign)
}

/// The samples of a state in nanoseconds, or its mean alone.
fn samples(path: &Path, state: &State, name: &str, notes: &mut Vec<String>) -> Result<Vec<f64>> {
    let sidecar = state
        .value("nv/json/bin:nv/cold/sample_times", "filename")
        .and_then(Value::as_str);
    if let Some(sidecar) = sidecar {
        let beside = path.parent().unwrap_or(Path::new("")).join(sidecar);
        let read = std::fs::read(&beside).or_else(|_| std::fs::read(sidecar));
        match read {
            Ok(bytes) if !bytes.is_empty() && bytes.len() % 4 == 0 => {
                return Ok(bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|four| Seconds(f64::from(f32::from_le_bytes(*four))).ns())
                    .collect());
            }
            Ok(_) => notes.push(format!(
                "samples of {name:?}: {sidecar} is damaged; the mean was taken"
            )),
            Err(e) => notes.push(format!(
                "samples of {name:?}: {sidecar}: {e}; the mean was taken"
            )),
        }
    }
    let mean = state.mean_s().ok_or_else(|| {
        Error::file(
            path,
            format!("{name:?} has no GPU time (`nv/cold/time/gpu/mean`); measure it again"),
        )
    })?;
    Ok(vec![Seconds(mean).ns()])
}
