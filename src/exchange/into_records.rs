//! The records that other tools' files become.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::dates::SessionStart;
use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use crate::error::{Error, Result};
use crate::record::{
    Adapter, CaseInvocation, CaseResult, ClockMethod, ClockSetup, Counts, DeviceType, DocumentKind,
    FailureKind, Host, Limits, Origin, Outcome, PlanSummary, Provenance, Reading, Record,
    SCHEMA_VERSION, Sampling, Status, StopReason, Verification,
};
use crate::stats;

/// What became of files of another tool.
#[derive(Debug, Default)]
pub struct ImportedRecords {
    /// One session a device.
    pub records: Vec<Record>,
    /// What was left out, and why.
    pub left_out: Vec<String>,
    /// What else a user must know of them.
    pub notes: Vec<String>,
}

/// Makes sessions of files, one a device, in the order in which the files name them.
pub(super) fn into_records(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    options: &ImportOptions,
) -> Result<ImportedRecords> {
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
    let start = SessionStart::of(files, read)?;
    let mut records = Vec::new();
    for device in devices
        .into_iter()
        .filter(|device| !choose || wanted(device))
    {
        let merged = merged(importer, files, read, device.as_deref(), options)?;
        left_out.extend(merged.left_out);
        let record = into_record(importer, files, read, device.as_deref(), options)?;
        records.push(Record {
            session: identity(files, &merged.cases),
            started_utc: start.started_utc.clone(),
            plan: plan(&merged.cases),
            cases: merged.cases,
            ..record
        });
    }
    left_out.dedup();
    Ok(ImportedRecords {
        records,
        left_out,
        notes: start.notes,
    })
}

/// What was asked for, as far as the cases show it.
fn plan(cases: &[CaseResult]) -> PlanSummary {
    let invocations = cases.iter().map(|case| case.invocations.len()).max();
    PlanSummary::of_another_program(
        u32::try_from(invocations.unwrap_or(0)).unwrap_or(u32::MAX),
        cases.iter().map(CaseResult::id).collect(),
    )
}

/// What files say of a device's session beside its cases.
fn into_record(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    device: Option<&str>,
    options: &ImportOptions,
) -> Result<Record> {
    let version = read.iter().find_map(|file| file.version.clone());
    let hosts: Vec<&str> = read
        .iter()
        .filter_map(|file| file.host.as_deref())
        .collect();
    if let Some(other) = hosts.iter().find(|host| **host != hosts[0]) {
        return Err(Error::usage(
            "import",
            format!(
                "the {} files come from different machines or builds ({} and {other}); import them one by one",
                files.len(),
                hosts[0]
            ),
        ));
    }
    let name = importer.name;
    let named = match device {
        Some(device) if read.iter().any(ImportedFile::is_of_several_devices) => Some(device),
        device => options.device.as_deref().or(device),
    };
    Ok(Record {
        kind: Some(DocumentKind::Record.mark().to_owned()),
        schema_version: SCHEMA_VERSION.to_owned(),
        session: String::new(),
        started_utc: String::new(),
        provenance: provenance(),
        host: Host {
            described: hosts.first().map(|host| (*host).to_owned()),
            ..host()
        },
        placement: None,
        adapter: adapter(importer, named.map(str::to_owned), version),
        clock: clock(importer, read),
        power: Reading::unmeasured(format!("{name} measures no energy")),
        plan: plan(&[]),
        invocations: Vec::new(),
        cases: Vec::new(),
        roofline: Vec::new(),
        warnings: Vec::new(),
    })
}

/// The cases of one device.
#[derive(Default)]
struct MergedCases {
    cases: Vec<CaseResult>,
    left_out: Vec<String>,
}

/// What all files say of a device's cases, with each file's processes.
fn merged(
    importer: &Importer,
    files: &[PathBuf],
    read: &[ImportedFile],
    device: Option<&str>,
    options: &ImportOptions,
) -> Result<MergedCases> {
    let mut merged = MergedCases::default();
    let mut known: HashMap<&str, (usize, &Path)> = HashMap::new();
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
            let (index, first) = *known.entry(case.name.as_str()).or_insert_with(|| {
                merged.cases.push(empty(importer, case));
                (merged.cases.len() - 1, path)
            });
            let into = &mut merged.cases[index];
            if into.invocations.is_empty() && case.failed.is_none() {
                into.measure.clone_from(&case.measure);
                into.counts.bytes = case.bytes.unwrap_or(0);
            }
            check_unit(into, first, case, path)?;
            check_setup(into, first, case, path)?;
            if first != path
                && case.failed.is_none()
                && into.counts.bytes != case.bytes.unwrap_or(0)
            {
                into.counts.bytes = 0;
                merged.left_out.push(format!(
                    "bytes of {:?}: the files count different ones, so its times were taken alone",
                    case.name
                ));
            }
            add_processes(into, importer, case, options, turn);
        }
    }
    Ok(merged)
}

/// Refuses values of another unit than those of the files before: together they would be no sample of anything.
fn check_unit(known: &CaseResult, first: &Path, case: &ImportedCase, path: &Path) -> Result<()> {
    if known.measure == case.measure || case.failed.is_some() {
        return Ok(());
    }
    let of_known = known
        .measure
        .as_ref()
        .map_or("time", |measure| measure.unit.as_str());
    Err(Error::file(
        path,
        format!(
            "{:?} is in {} here and in {of_known} in {}; import files of one unit",
            case.name,
            case.unit(),
            first.display()
        ),
    ))
}

/// Refuses a benchmark that ran with other settings than in the files before: the two are no sample of one thing.
fn check_setup(known: &CaseResult, first: &Path, case: &ImportedCase, path: &Path) -> Result<()> {
    let (Some(before), Some(setup)) = (&known.setup, &case.setup) else {
        return Ok(());
    };
    let Some([here, there]) = setup.difference(before) else {
        return Ok(());
    };
    Err(Error::file(
        path,
        format!(
            "{:?} ran with {here} here and with {there} in {}; import files of one setting",
            case.name,
            first.display()
        ),
    ))
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
            .push(invocation(importer, case, number, samples));
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
        setup: case.setup.clone(),
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
    case: &ImportedCase,
    number: u32,
    samples_ns: Vec<f64>,
) -> CaseInvocation {
    let median_ns = match &case.measure {
        Some(measure) => measure.median_cost(&samples_ns),
        None => stats::median(&samples_ns),
    };
    let unchecked =
        Verification::unchecked(format!("imported from {}: not verified", importer.name));
    CaseInvocation {
        invocation: number,
        outcome: Outcome::Measured {
            verified_before: unchecked.clone(),
            verified_after: unchecked,
            sampling: Sampling {
                clock: case.clock,
                batch: 1,
                wall_samples_ns: Vec::new(),
                footprint: None,
                device: Reading::unmeasured("the tool's file does not say"),
                discarded: 0,
                steady: true,
                median_ns: median_ns.unwrap_or_default(),
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

/// How precise the times are: no better than they were written.
fn clock(importer: &Importer, read: &[ImportedFile]) -> Reading<ClockSetup> {
    let Some(precision_ns) = read
        .iter()
        .filter_map(|file| file.last_digit_ns)
        .reduce(f64::min)
    else {
        return Reading::unmeasured(format!(
            "{} does not say how precise its clock is",
            importer.name
        ));
    };
    Reading::Measured(ClockSetup {
        method: ClockMethod::WallClock,
        tick_ns: Reading::unmeasured("taken from the digits of the times, which show no tick"),
        precision_ns,
        overhead_ns: Reading::unmeasured(format!("{} does not say", importer.name)),
        dispatch_gap_ns: None,
    })
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
        robust_buffer_access: None,
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
