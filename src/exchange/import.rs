//! What every importer is and reads, and the record that its files become.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::text::read_text;
use crate::error::{Error, Result};
use crate::record::{
    Adapter, CaseInvocation, CaseResult, ClockMethod, Counts, DeviceType, DocumentKind,
    FailureKind, Host, Limits, Origin, Outcome, PlanSummary, Provenance, Reading, Record,
    SCHEMA_VERSION, Sampling, Status, StopReason, Verification,
};
use crate::stats;

/// A tool whose files can be imported.
#[derive(Debug)]
pub struct Importer {
    /// As `--from` takes it.
    pub(super) name: &'static str,
    /// How the tool writes such a file: a sentence of the help and of the errors.
    pub(super) hint: &'static str,
    /// Reads one file or folder.
    pub(super) read: fn(&Path) -> Result<ImportedFile>,
}

impl Importer {
    /// As `--from` takes it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How the tool writes such a file.
    pub fn hint(&self) -> &'static str {
        self.hint
    }

    /// Reads a JSON file of the tool.
    pub(super) fn read_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.parse_json(path, &read_text(path)?)
    }

    /// Reads the text of a JSON file of the tool.
    pub(super) fn parse_json<T: DeserializeOwned>(&self, path: &Path, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|e| {
            let Self { name, hint, .. } = self;
            Error::file(path, format!("not a file of {name} ({e}); {hint}"))
        })
    }

    /// Reads one file and leaves out the rows without a usable time.
    ///
    /// # Errors
    /// No row is left.
    pub(super) fn read_usable(&self, path: &Path) -> Result<ImportedFile> {
        let mut file = (self.read)(path)?;
        for case in std::mem::take(&mut file.cases) {
            match case.fault() {
                Some(fault) => file.leave_out(&case.name, &fault),
                None => file.cases.push(case),
            }
        }
        if file.cases.is_empty() {
            let mut reason = "holds no benchmark with a usable time".to_owned();
            for note in file.left_out.iter().take(SHOWN_NOTES) {
                reason += &format!("; {note}");
            }
            return Err(Error::file(
                path,
                format!("{reason}; measure again ({})", self.hint),
            ));
        }
        Ok(file)
    }
}

/// Notes that the refusal of a file shows.
const SHOWN_NOTES: usize = 3;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct ImportedFile {
    /// The device, where the tool names it.
    pub(super) device: Option<String>,
    /// The tool's version, where it says.
    pub(super) version: Option<String>,
    /// Its benchmarks.
    pub(super) cases: Vec<ImportedCase>,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

impl ImportedFile {
    /// Notes that a benchmark was left out.
    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        self.left_out.push(format!("{name:?}: {why}"));
    }

    /// Reads the rows of a file; one that cannot be read is left out with a note.
    pub(super) fn rows<T: DeserializeOwned>(&mut self, rows: Vec<Value>) -> Vec<T> {
        let mut read = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            match serde_json::from_value(row) {
                Ok(row) => read.push(row),
                Err(e) => self.left_out.push(format!("row {}: {e}", index + 1)),
            }
        }
        read
    }
}

/// One benchmark of a file.
#[derive(Debug)]
pub(super) struct ImportedCase {
    /// Its name.
    pub(super) name: String,
    /// For each process, the times of one execution in nanoseconds.
    pub(super) processes: Vec<Vec<f64>>,
    /// Bytes of one execution, where the tool counts them.
    pub(super) bytes: Option<u64>,
    /// Why it has no figure, where it failed.
    pub(super) failed: Option<String>,
    /// Whose clock it was timed by.
    pub(super) clock: ClockMethod,
}

impl ImportedCase {
    /// Why the benchmark cannot be used. One bad time costs the whole benchmark: without the times that
    /// were too short for the clock, the rest would look slower than it is.
    fn fault(&self) -> Option<String> {
        if self.failed.is_some() {
            return None;
        }
        if self.processes.iter().all(Vec::is_empty) {
            return Some("has no time".to_owned());
        }
        let bad = self
            .processes
            .iter()
            .flatten()
            .find(|ns| !(**ns > 0.0 && ns.is_finite()))?;
        Some(format!("has a time of {bad} ns, which no run takes"))
    }
}

/// Makes one session of files.
pub(super) fn into_record(
    importer: &Importer,
    files: &[PathBuf],
    read: Vec<ImportedFile>,
    device: Option<&str>,
) -> Result<(Record, Vec<String>)> {
    let Some(first) = files.first() else {
        return Err(Error::usage("import", "no file was given; name one"));
    };
    let named = read.iter().find_map(|file| file.device.clone());
    let version = read.iter().find_map(|file| file.version.clone());
    let (cases, left_out) = merged(importer, files, read)?;
    let invocations = cases
        .iter()
        .map(|case| case.invocations.len())
        .max()
        .unwrap_or(0);
    let name = importer.name;
    let record = Record {
        kind: Some(DocumentKind::Record.mark().to_owned()),
        schema_version: SCHEMA_VERSION.to_owned(),
        session: identity(files, &cases),
        started_utc: modified(first)?,
        provenance: provenance(),
        host: host(),
        adapter: adapter(importer, device.map(str::to_owned).or(named), version),
        clock: Reading::unmeasured(format!("{name} does not say how precise its clock is")),
        power: Reading::unmeasured(format!("{name} measures no energy")),
        plan: PlanSummary {
            suite: None,
            invocations: u32::try_from(invocations).unwrap_or(u32::MAX),
            budget_s: 0.0,
            seed: 0,
            power: None,
            energy: None,
            cases: cases.iter().map(CaseResult::id).collect(),
        },
        invocations: Vec::new(),
        cases,
        roofline: Vec::new(),
        warnings: Vec::new(),
    };
    Ok((record, left_out))
}

/// The cases of all files, with each file's processes, and what was left out.
fn merged(
    importer: &Importer,
    files: &[PathBuf],
    read: Vec<ImportedFile>,
) -> Result<(Vec<CaseResult>, Vec<String>)> {
    let mut cases: Vec<CaseResult> = Vec::new();
    let mut left_out = Vec::new();
    for (path, file) in files.iter().zip(read) {
        left_out.extend(file.left_out);
        let mut seen = HashSet::new();
        for case in file.cases {
            if !seen.insert(case.name.clone()) {
                return Err(Error::file(
                    path,
                    format!(
                        "two benchmarks are called {:?}, and a comparison could not tell them apart; \
                         rename one",
                        case.name
                    ),
                ));
            }
            merge(&mut cases, importer, case);
        }
    }
    Ok((cases, left_out))
}

/// Adds the processes of one file's benchmark to those of the files before it.
fn merge(cases: &mut Vec<CaseResult>, importer: &Importer, case: ImportedCase) {
    let index = match cases.iter().position(|known| known.case == case.name) {
        Some(index) => index,
        None => {
            cases.push(empty(importer, &case));
            cases.len() - 1
        }
    };
    let known = &mut cases[index];
    if let Some(reason) = case.failed {
        known.status = Status::Failed {
            failure: FailureKind::Crash,
            reason,
        };
        return;
    }
    for samples in case.processes {
        let number = u32::try_from(known.invocations.len()).unwrap_or(u32::MAX);
        known
            .invocations
            .push(invocation(importer, case.clock, number, samples));
    }
}

/// A case that waits for its invocations.
fn empty(importer: &Importer, case: &ImportedCase) -> CaseResult {
    CaseResult {
        case: case.name.clone(),
        kernel: importer.name.to_owned(),
        parameters: BTreeMap::new(),
        parameters_from: "imported".to_owned(),
        custom: None,
        counts: Counts {
            flop: 0,
            bytes: case.bytes.unwrap_or(0),
            tokens: None,
        },
        resources: None,
        status: Status::Measured,
        invocations: Vec::new(),
        summary: Reading::unmeasured(
            "imported: perwatt verified no output; `perwatt compare` judges the times",
        ),
        warnings: Vec::new(),
    }
}

/// One process.
fn invocation(
    importer: &Importer,
    clock: ClockMethod,
    number: u32,
    samples_ns: Vec<f64>,
) -> CaseInvocation {
    // Nothing was checked, which is what zero elements say.
    let unchecked = Verification {
        passed: true,
        elements: 0,
        checked: 0,
        max_abs_error: 0.0,
        worst_error_over_bound: 0.0,
        normalized_mean_square_error: 0.0,
        worst: Some(format!("imported from {}: not verified", importer.name)),
    };
    CaseInvocation {
        invocation: number,
        outcome: Outcome::Measured {
            verified_before: unchecked.clone(),
            verified_after: unchecked,
            sampling: Sampling {
                clock,
                batch: 1,
                wall_samples_ns: Vec::new(),
                discarded: 0,
                steady: true,
                median_ns: stats::median(&samples_ns).unwrap_or_default(),
                half_width_ns: Reading::from(stats::half_width(&samples_ns)),
                effective_samples: stats::effective_sample_size(&samples_ns),
                outliers: u32::try_from(stats::outliers(&samples_ns)).unwrap_or(u32::MAX),
                stopped_by: StopReason::Samples,
                samples_ns,
            },
            energy: Box::new(Reading::unmeasured(format!(
                "{} measures no energy",
                importer.name
            ))),
            warnings: Vec::new(),
        },
    }
}

/// Where the tool measured, as far as it is known.
fn adapter(importer: &Importer, device: Option<String>, version: Option<String>) -> Adapter {
    let silent = || Reading::unmeasured(format!("{} does not say", importer.name));
    Adapter {
        index: 0,
        group: 0,
        name: device.unwrap_or_else(|| format!("unknown device ({})", importer.name)),
        backend: "imported".to_owned(),
        device_type: DeviceType::Other,
        vendor_id: 0,
        device_id: 0,
        pci_id: Reading::unmeasured(format!("{} does not say", importer.name)),
        driver: importer.name.to_owned(),
        driver_info: version.unwrap_or_default(),
        subgroup_sizes: silent(),
        features: Vec::new(),
        coop_matrix: Vec::new(),
        limits: Limits::default(),
    }
}

fn provenance() -> Provenance {
    let imported = || Reading::unmeasured("another program measured");
    Provenance {
        origin: Origin::Imported,
        argv: std::env::args_os()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: imported(),
        git_dirty: Reading::unmeasured("another program measured"),
        wgpu_version: imported(),
        checked_shaders: false,
    }
}

fn host() -> Host {
    let silent = || Reading::unmeasured("the file does not say");
    Host {
        os: "unknown".to_owned(),
        kernel: silent(),
        cpu: silent(),
        cpu_threads: Reading::unmeasured("the file does not say"),
        memory_bytes: Reading::unmeasured("the file does not say"),
    }
}

/// An identity that the same times always get, so that a file imported twice counts once.
fn identity(files: &[PathBuf], cases: &[CaseResult]) -> String {
    let mut hasher = DefaultHasher::new();
    files.len().hash(&mut hasher);
    for case in cases {
        case.case.hash(&mut hasher);
        for result in &case.invocations {
            if let Outcome::Measured { sampling, .. } = &result.outcome {
                for sample in &sampling.samples_ns {
                    sample.to_bits().hash(&mut hasher);
                }
            }
        }
    }
    format!("imported-{:016x}", hasher.finish())
}

/// When a file was last written: the nearest to when it was measured that is known of every tool.
fn modified(file: &Path) -> Result<String> {
    let time = std::fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .map_err(|source| Error::io(file, source))?;
    let stamp = jiff::Timestamp::try_from(time).map_err(|e| {
        Error::file(
            file,
            format!("has a modification time that is not a date ({e}); `touch` it"),
        )
    })?;
    Ok(stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
