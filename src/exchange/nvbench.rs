//! nvbench's JSON. A file is one process. Numbers are written as strings; the samples lie beside the
//! file as little-endian `f32` seconds where `--jsonbin` was used, else only their mean is known.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_inside;
use crate::error::{Error, Result};
use crate::record::ClockMethod;
use crate::units::Seconds;

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "nvbench",
    hint: "`BENCH --json FILE` or `BENCH --jsonbin FILE` writes one",
    marks: &["\"nvbench\"", "\"states\""],
    read,
};

#[derive(Deserialize)]
struct NvbenchFile {
    #[serde(default)]
    meta: Value,
    #[serde(default)]
    devices: Vec<NvbenchDevice>,
    benchmarks: Vec<NvbenchBenchmark>,
}

#[derive(Deserialize)]
struct NvbenchDevice {
    id: Option<u64>,
    name: String,
}

#[derive(Deserialize)]
struct NvbenchBenchmark {
    name: String,
    states: Vec<Value>,
}

#[derive(Deserialize)]
struct NvbenchState {
    name: String,
    device: Option<u64>,
    #[serde(default)]
    summaries: Option<Vec<NvbenchSummary>>,
    #[serde(default)]
    is_skipped: bool,
    skip_reason: Option<String>,
}

#[derive(Deserialize)]
struct NvbenchSummary {
    tag: String,
    #[serde(default)]
    data: Vec<NvbenchDatum>,
}

#[derive(Deserialize)]
struct NvbenchDatum {
    name: String,
    value: Value,
}

impl NvbenchState {
    /// A value of a summary.
    fn value(&self, tag: &str, name: &str) -> Option<&Value> {
        let summary = self.summaries.iter().flatten().find(|s| s.tag == tag)?;
        Some(&summary.data.iter().find(|datum| datum.name == name)?.value)
    }

    /// The first way in which this state was timed, with its mean in seconds.
    fn timing(&self) -> Option<(&'static NvbenchTiming, f64)> {
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
struct NvbenchTiming {
    mean: &'static str,
    samples: &'static str,
    clock: ClockMethod,
}

/// The ways, the one to compare by first: isolated launches, launches back to back, the host.
const TIMINGS: [NvbenchTiming; 3] = [
    NvbenchTiming {
        mean: "nv/cold/time/gpu/mean",
        samples: "nv/json/bin:nv/cold/sample_times",
        clock: ClockMethod::TimestampQuery,
    },
    NvbenchTiming {
        mean: "nv/batch/time/gpu/mean",
        samples: "nv/json/bin:nv/batch/sample_times",
        clock: ClockMethod::TimestampQuery,
    },
    NvbenchTiming {
        mean: "nv/cpu_only/time/cpu/mean",
        samples: "nv/json/bin:nv/cpu_only/sample_times",
        clock: ClockMethod::WallClock,
    },
];

/// The major version of nvbench's JSON that is known here.
const KNOWN_MAJOR: u64 = 1;

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let read: NvbenchFile = IMPORTER.read_json(path)?;
    let major = read
        .meta
        .pointer("/version/json/major")
        .and_then(Value::as_u64);
    if let Some(major) = major.filter(|major| *major != KNOWN_MAJOR) {
        return Err(Error::file(
            path,
            format!(
                "nvbench's JSON of version {major}; this perwatt reads version {KNOWN_MAJOR}, so try \
                 a newer perwatt"
            ),
        ));
    }
    let mut file = ImportedFile {
        version: read
            .meta
            .pointer("/version/nvbench/string")
            .and_then(Value::as_str)
            .map(str::to_owned),
        ..ImportedFile::default()
    };
    for benchmark in read.benchmarks {
        for state in file.rows(benchmark.states) {
            let device = device(&read.devices, &state);
            add(path, &mut file, &benchmark.name, &state, device);
        }
    }
    Ok(file)
}

/// The name of the device that a state ran on. Two cards of one name are told apart by their numbers.
fn device(devices: &[NvbenchDevice], state: &NvbenchState) -> Option<String> {
    let own = match state.device {
        Some(id) => devices.iter().find(|device| device.id == Some(id))?,
        None => match devices {
            [only] => only,
            _ => return None,
        },
    };
    let alike = devices
        .iter()
        .filter(|device| device.name == own.name)
        .count();
    Some(match own.id {
        Some(id) if alike > 1 => format!("{} (device {id})", own.name),
        _ => own.name.clone(),
    })
}

/// A benchmark with the values of its axes. Where the device is known, its number is none of them: the same work on
/// another card is the same case.
fn named(benchmark: &str, state: &str, device_known: bool) -> String {
    let axes = state
        .split_whitespace()
        .filter(|axis| !(device_known && axis.starts_with("Device=")));
    let words: Vec<&str> = [benchmark].into_iter().chain(axes).collect();
    words.join(" ")
}

/// Adds one state of a benchmark.
fn add(
    path: &Path,
    file: &mut ImportedFile,
    benchmark: &str,
    state: &NvbenchState,
    device: Option<String>,
) {
    let name = named(benchmark, &state.name, device.is_some());
    if state.is_skipped {
        let reason = state.skip_reason.as_deref().unwrap_or("no reason given");
        file.leave_out(&name, &format!("skipped, {reason}"));
        return;
    }
    let Some((timing, mean_s)) = state.timing() else {
        let known = TIMINGS.map(|timing| timing.mean).join(", ");
        file.leave_out(&name, &format!("has no time ({known})"));
        return;
    };
    let samples = samples(path, state, timing, &name, &mut file.left_out)
        .unwrap_or_else(|| vec![Seconds(mean_s).ns()]);
    file.cases.push(ImportedCase {
        device,
        clock: timing.clock,
        ..ImportedCase::timed(name, vec![samples])
    });
}

/// The samples of a state in nanoseconds, where they lie beside the file.
fn samples(
    path: &Path,
    state: &NvbenchState,
    timing: &NvbenchTiming,
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

/// Reads a sidecar. The file names it as seen from where nvbench ran. Here it lies in the file's own
/// folder or below it: under the name stated, moved with the file, or seen from the working folder.
fn read_sidecar(path: &Path, sidecar: &Path) -> io::Result<Vec<u8>> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let folder = sidecar.parent().and_then(Path::file_name);
    let moved: PathBuf = [beside.as_os_str()]
        .into_iter()
        .chain(folder)
        .chain(sidecar.file_name())
        .collect();
    // A candidate outside says more of what is wrong than one that does not exist.
    let found = |e: &io::Error| e.kind() != io::ErrorKind::NotFound;
    let first = match read_inside(beside, &beside.join(sidecar)) {
        Ok(bytes) => return Ok(bytes),
        Err(e) => e,
    };
    read_inside(beside, &moved)
        .or_else(|_| read_inside(beside, sidecar))
        .map_err(|last| if found(&first) { first } else { last })
}
