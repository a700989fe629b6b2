//! nvbench's JSON. A file is one process. Numbers are written as strings; the samples lie beside the
//! file as little-endian `f32` seconds where `--jsonbin` was used, else only their mean is known.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::foreign::{Foreign, ForeignCase};
use super::{Tool, read_json};
use crate::error::{Error, Result};
use crate::record::ClockMethod;
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

    /// The first way in which this state was timed, with its mean in seconds.
    fn timing(&self) -> Option<(&'static Timing, f64)> {
        TIMINGS.iter().find_map(|timing| {
            let mean = match self.value(timing.mean, "value")? {
                Value::String(text) => text.parse().ok(),
                other => other.as_f64(),
            };
            Some((timing, mean?))
        })
    }
}

/// A way in which nvbench times.
struct Timing {
    mean: &'static str,
    samples: &'static str,
    clock: ClockMethod,
}

/// The ways, the one to compare by first: isolated launches, launches back to back, the host.
const TIMINGS: [Timing; 3] = [
    Timing {
        mean: "nv/cold/time/gpu/mean",
        samples: "nv/json/bin:nv/cold/sample_times",
        clock: ClockMethod::TimestampQuery,
    },
    Timing {
        mean: "nv/batch/time/gpu/mean",
        samples: "nv/json/bin:nv/batch/sample_times",
        clock: ClockMethod::TimestampQuery,
    },
    Timing {
        mean: "nv/cpu_only/time/cpu/mean",
        samples: "nv/json/bin:nv/cpu_only/sample_times",
        clock: ClockMethod::WallClock,
    },
];

/// The major version of nvbench's JSON that is known here.
const KNOWN_MAJOR: u64 = 1;

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Foreign> {
    let file: File = read_json(Tool::Nvbench, path, "`BENCH --json FILE` writes one")?;
    let major = file
        .meta
        .pointer("/version/json/major")
        .and_then(Value::as_u64);
    if let Some(major) = major.filter(|major| *major != KNOWN_MAJOR) {
        return Err(Error::file(
            path,
            format!(
                "nvbench's JSON of version {major}; perwatt knows {KNOWN_MAJOR}, and a newer perwatt \
                 may know this one"
            ),
        ));
    }
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
            let (timing, mean_s) = state.timing().ok_or_else(|| {
                Error::file(
                    path,
                    format!(
                        "{name:?} has no time ({}); measure it again",
                        TIMINGS.map(|timing| timing.mean).join(", ")
                    ),
                )
            })?;
            let samples = samples(path, state, timing, &name, &mut foreign.left_out)
                .unwrap_or_else(|| vec![Seconds(mean_s).ns()]);
            foreign.cases.push(ForeignCase {
                name,
                processes: vec![samples],
                clock: timing.clock,
                bytes: None,
                failed: None,
            });
        }
    }
    Ok(foreign)
}

/// The samples of a state in nanoseconds, where they lie beside the file.
fn samples(
    path: &Path,
    state: &State,
    timing: &Timing,
    name: &str,
    notes: &mut Vec<String>,
) -> Option<Vec<f64>> {
    let sidecar = Path::new(state.value(timing.samples, "filename")?.as_str()?);
    match read_sidecar(path, sidecar) {
        Ok(bytes) if !bytes.is_empty() && bytes.len() % 4 == 0 => Some(
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|four| Seconds(f64::from(f32::from_le_bytes(*four))).ns())
                .collect(),
        ),
        Ok(_) => {
            notes.push(format!(
                "samples of {name:?}: {} is damaged; the mean was taken",
                sidecar.display()
            ));
            None
        }
        Err(e) => {
            notes.push(format!(
                "samples of {name:?}: {}: {e}; the mean was taken",
                sidecar.display()
            ));
            None
        }
    }
}

/// Reads a sidecar, which is named as seen from where nvbench ran: here it lies beside the file, with
/// its folder or from the working folder.
fn read_sidecar(path: &Path, sidecar: &Path) -> std::io::Result<Vec<u8>> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let folder = sidecar.parent().and_then(Path::file_name);
    let moved: PathBuf = [beside.as_os_str()]
        .into_iter()
        .chain(folder)
        .chain(sidecar.file_name())
        .collect();
    std::fs::read(beside.join(sidecar))
        .or_else(|_| std::fs::read(moved))
        .or_else(|_| std::fs::read(sidecar))
}
