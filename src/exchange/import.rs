//! What every importer is and reads, and the record that its files become.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::text::read_text;
use crate::error::{Error, Result};
use crate::record::{
    Adapter, Better, CaseInvocation, CaseResult, ClockMethod, Counts, DeviceType, DocumentKind,
    FailureKind, Host, Limits, MOST_CASES, MOST_IMPORTED, MOST_NAME_BYTES, Measure, Origin,
    Outcome, PlanSummary, Provenance, Reading, Record, SCHEMA_VERSION, Sampling, Status,
    StopReason, Verification,
};
use crate::stats;

/// A tool whose files can be imported.
#[derive(Debug)]
pub struct Importer {
    /// As `--from` takes it.
    pub(super) name: &'static str,
    /// How the tool writes such a file: a sentence of the help and of the errors.
    pub(super) hint: &'static str,
    /// Texts that a file of the tool holds and no other tool's does; for saying what a file is.
    pub(super) marks: &'static [&'static str],
    /// Reads one file or folder.
    pub(super) read: fn(&Path, &ImportOptions) -> Result<ImportedFile>,
}

/// What a user says about the files beside the tool.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// What they were measured on, for tools that do not say; of several devices in a file, the one that is
    /// meant.
    pub device: Option<String>,
    /// criterion: the name under which the run was saved.
    pub saved: Option<String>,
    /// csv and json: which column is what.
    pub columns: Vec<TableColumn>,
    /// Whether each file is one process whatever the tool calls its rows, as in a file per turn.
    pub process_per_file: bool,
}

/// A column of a table and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// What it is: `case`, `time_ms` and so on.
    pub role: String,
    /// Its name, or for JSON a path with dots.
    pub name: String,
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
        serde_json::from_str(text).map_err(|e| self.refuse(path, &e))
    }

    /// Reads the rows of a JSON array, of a single object, or of objects one per line or one after the other.
    pub(super) fn read_json_rows(&self, path: &Path) -> Result<Vec<Value>> {
        let text = read_text(path)?;
        let mut rows = Vec::new();
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            match value {
                Ok(Value::Array(all)) => rows.extend(all),
                Ok(row) => rows.push(row),
                Err(e) => return Err(self.refuse(path, &e)),
            }
        }
        Ok(rows)
    }

    /// Says that a file is not of the tool.
    pub(super) fn refuse(&self, path: &Path, why: &dyn fmt::Display) -> Error {
        let Self { name, hint, .. } = self;
        Error::file(path, format!("not a file of {name} ({why}); {hint}"))
    }

    /// Reads one file and leaves out the rows without a usable value.
    ///
    /// # Errors
    /// No row is left, or the file is another tool's.
    pub(super) fn read_usable(&self, path: &Path, options: &ImportOptions) -> Result<ImportedFile> {
        let mut file = (self.read)(path, options)?;
        for case in std::mem::take(&mut file.cases) {
            match case.fault() {
                Some(fault) => file.leave_out(&case.name, &fault),
                None => file.cases.push(case),
            }
        }
        let processes: usize = file.cases.iter().map(|case| case.processes.len()).sum();
        if processes > MOST_IMPORTED || file.cases.len() > MOST_CASES {
            return Err(Error::file(
                path,
                format!(
                    "holds {} benchmarks with {processes} processes, more than the {MOST_CASES} with \
                     {MOST_IMPORTED} that a record takes from a file; export fewer",
                    file.cases.len()
                ),
            ));
        }
        if file.cases.is_empty() {
            let mut reason = "holds no benchmark with a usable value".to_owned();
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

/// As much of a name as a note shows.
const SHOWN_NAME: usize = 200;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct ImportedFile {
    /// The device, where the tool names it.
    pub(super) device: Option<String>,
    /// The tool's version, where it says.
    pub(super) version: Option<String>,
    /// Machine and build, where it names them.
    pub(super) host: Option<String>,
    /// Its benchmarks.
    pub(super) cases: Vec<ImportedCase>,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

impl ImportedFile {
    /// Whether its cases name devices of their own.
    fn is_of_several_devices(&self) -> bool {
        let mut devices = self.cases.iter().map(|case| &case.device);
        devices
            .next()
            .is_some_and(|first| devices.any(|other| other != first))
    }

    /// Notes that a benchmark was left out.
    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        let name: String = name.chars().take(SHOWN_NAME).collect();
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
    /// The device, where a file holds several.
    pub(super) device: Option<String>,
    /// For each process, the times of one execution in nanoseconds, or what stands for them in a measure.
    pub(super) processes: Vec<Vec<f64>>,
    /// What the values are, where they are no times.
    pub(super) measure: Option<Measure>,
    /// Bytes of one execution, where the tool counts them.
    pub(super) bytes: Option<u64>,
    /// Why it has no figure, where it failed.
    pub(super) failed: Option<String>,
    /// Whose clock it was timed by.
    pub(super) clock: ClockMethod,
}

impl ImportedCase {
    /// A benchmark that was timed by the host's clock: for each process, nanoseconds of one execution.
    pub(super) fn timed(name: impl Into<String>, processes: Vec<Vec<f64>>) -> Self {
        Self {
            name: name.into(),
            device: None,
            processes,
            measure: None,
            bytes: None,
            failed: None,
            clock: ClockMethod::WallClock,
        }
    }

    /// A benchmark of which a figure is known, in the tool's own unit, as samples of one process.
    pub(super) fn measured(
        name: impl Into<String>,
        values: &[f64],
        unit: &str,
        better: Better,
    ) -> Self {
        let (measure, factor) = Measure::of(unit, better);
        let costs = values.iter().map(|value| measure.value(value * factor));
        let costs = costs.collect();
        Self {
            measure: Some(measure),
            ..Self::timed(name, vec![costs])
        }
    }

    /// Why the benchmark cannot be used. One bad time costs the whole benchmark: without the times that
    /// were too short for the clock, the rest would look slower than it is.
    fn fault(&self) -> Option<String> {
        if self.name.len() > MOST_NAME_BYTES {
            return Some(format!("has a name longer than {MOST_NAME_BYTES} bytes"));
        }
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
        Some(match &self.measure {
            None => format!("has a time of {bad} ns, which no run takes"),
            Some(measure) => format!(
                "has a value of {} {}, which is no measurement",
                measure.value(*bad),
                measure.unit
            ),
        })
    }
}

/// Makes sessions of files, one a device, in the order in which the files name them.
pub(super) fn into_records(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    options: &ImportOptions,
) -> Result<(Vec<Record>, Vec<String>)> {
    let mut left_out = Vec::new();
    let mut devices: Vec<Option<String>> = Vec::new();
    for file in read {
        left_out.extend(file.left_out.iter().cloned());
        for case in &file.cases {
            let device = case.device.clone().or_else(|| file.device.clone());
            if !devices.contains(&device) {
                devices.push(device);
            }
        }
    }
    let wanted = |device: &Option<String>| match (&options.device, device) {
        (Some(wanted), Some(device)) => device.contains(wanted.as_str()),
        _ => true,
    };
    // Of several devices the user's name chooses one; a single one it renames.
    let choose = devices.len() > 1;
    if choose && !devices.iter().any(wanted) {
        let names: Vec<&str> = devices.iter().flatten().map(String::as_str).collect();
        return Err(Error::usage(
            "--device",
            format!(
                "names none of the files' devices; there are {}",
                names.join(", ")
            ),
        ));
    }
    let records = devices
        .into_iter()
        .filter(|device| !choose || wanted(device))
        .map(|device| into_record(importer, files, read, device.as_deref(), options))
        .collect::<Result<Vec<Record>>>()?;
    left_out.dedup();
    Ok((records, left_out))
}

/// Makes one session of what files say of a device.
fn into_record(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    device: Option<&str>,
    options: &ImportOptions,
) -> Result<Record> {
    let Some(first) = files.first() else {
        return Err(Error::usage("import", "no file was given; name one"));
    };
    let version = read.iter().find_map(|file| file.version.clone());
    let hosts: Vec<&str> = read
        .iter()
        .filter_map(|file| file.host.as_deref())
        .collect();
    if let Some(other) = hosts.iter().find(|host| **host != hosts[0]) {
        return Err(Error::usage(
            "import",
            format!(
                "the files come from different machines or builds ({} and {other}); import them one by one",
                hosts[0]
            ),
        ));
    }
    let cases = merged(importer, files, read, device, options)?;
    let invocations = cases
        .iter()
        .map(|case| case.invocations.len())
        .max()
        .unwrap_or(0);
    let name = importer.name;
    let named = match device {
        Some(device) if read.iter().any(ImportedFile::is_of_several_devices) => Some(device),
        device => options.device.as_deref().or(device),
    };
    Ok(Record {
        kind: Some(DocumentKind::Record.mark().to_owned()),
        schema_version: SCHEMA_VERSION.to_owned(),
        session: identity(files, &cases),
        started_utc: modified(first)?,
        provenance: provenance(),
        host: Host {
            described: hosts.first().map(|host| (*host).to_owned()),
            ..host()
        },
        placement: None,
        adapter: adapter(importer, named.map(str::to_owned), version),
        clock: Reading::unmeasured(format!("{name} does not say how precise its clock is")),
        power: Reading::unmeasured(format!("{name} measures no energy")),
        plan: PlanSummary {
            suite: None,
            invocations: u32::try_from(invocations).unwrap_or(u32::MAX),
            budget_s: 0.0,
            seed: 0,
            power: None,
            energy: None,
            sensor: None,
            energy_of: None,
            order: None,
            cool_to_c: None,
            cases: cases.iter().map(CaseResult::id).collect(),
        },
        invocations: Vec::new(),
        cases,
        roofline: Vec::new(),
        warnings: Vec::new(),
    })
}

/// What all files say of a device's cases, with each file's processes.
fn merged(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    device: Option<&str>,
    options: &ImportOptions,
) -> Result<Vec<CaseResult>> {
    let mut cases: Vec<CaseResult> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (turn, (path, file)) in files.iter().zip(read).enumerate() {
        let mut seen = HashSet::new();
        let of_device =
            |case: &&ImportedCase| case.device.as_deref().or(file.device.as_deref()) == device;
        for case in file.cases.iter().filter(of_device) {
            if !seen.insert(case.name.as_str()) {
                return Err(Error::file(
                    path,
                    format!(
                        "two benchmarks are called {:?}, and a comparison could not tell them apart; \
                         rename one",
                        case.name
                    ),
                ));
            }
            let index = *known.entry(case.name.as_str()).or_insert_with(|| {
                cases.push(empty(importer, case));
                cases.len() - 1
            });
            add_processes(&mut cases[index], importer, case, options, turn);
        }
    }
    Ok(cases)
}

/// Adds the processes of one file's benchmark to those of the files before it.
fn add_processes(
    known: &mut CaseResult,
    importer: &Importer,
    case: &ImportedCase,
    options: &ImportOptions,
    turn: usize,
) {
    if let Some(reason) = &case.failed {
        known.status = Status::Failed {
            failure: FailureKind::Crash,
            reason: reason.clone(),
        };
        return;
    }
    let processes = match options.process_per_file {
        true => vec![case.processes.concat()],
        false => case.processes.clone(),
    };
    for samples in processes {
        // A file that lacks the case leaves its number out, so that pairs stay pairs.
        let number = match options.process_per_file {
            true => turn,
            false => known.invocations.len(),
        };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
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
        measure: case.measure.clone(),
        instead_of: None,
        status: Status::Measured,
        invocations: Vec::new(),
        summary: Reading::unmeasured(
            "imported: perwatt verified no output; `perwatt compare` judges the values",
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
                footprint: None,
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
        subgroup_width: None,
        refused: Vec::new(),
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
        described: None,
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
