//! What all other tools' results come down to, and the record that it becomes.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::Tool;
use crate::error::{Error, Result};
use crate::record::{
    Adapter, CaseInvocation, CaseResult, ClockMethod, Counts, DeviceType, FailureKind, Host,
    Limits, Origin, Outcome, PlanSummary, Provenance, Reading, Record, SCHEMA_VERSION, Sampling,
    Status, StopReason, Verification,
};
use crate::stats;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    /// The device, where the tool names it.
    pub(super) device: Option<String>,
    /// The tool's version, where it says.
    pub(super) version: Option<String>,
    /// Its benchmarks.
    pub(super) cases: Vec<ForeignCase>,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

/// One benchmark of a file.
#[derive(Debug)]
pub(super) struct ForeignCase {
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

/// Makes one session of files.
pub(super) fn into_record(
    tool: Tool,
    files: &[PathBuf],
    foreign: Vec<Foreign>,
    device: Option<&str>,
) -> Result<(Record, Vec<String>)> {
    let Some(first) = files.first() else {
        return Err(Error::usage("import", "no file was given"));
    };
    let named = foreign.iter().find_map(|file| file.device.clone());
    let version = foreign.iter().find_map(|file| file.version.clone());
    let mut cases: Vec<CaseResult> = Vec::new();
    let mut left_out = Vec::new();
    for (path, file) in files.iter().zip(foreign) {
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
            merge(&mut cases, tool, path, case)?;
        }
    }
    if cases.is_empty() {
        return Err(Error::file(first, "holds no benchmark with a time"));
    }
    let invocations = cases
        .iter()
        .map(|case| case.invocations.len())
        .max()
        .unwrap_or(0);
    let record = Record {
        schema_version: SCHEMA_VERSION.to_owned(),
        session: identity(files, &cases),
        started_utc: modified(first)?,
        provenance: provenance(),
        host: host(),
        adapter: adapter(tool, device.map(str::to_owned).or(named), version),
        clock: Reading::unmeasured(format!(
            "{} does not say how precise its clock is",
            tool.name()
        )),
        power: Reading::unmeasured(format!("{} measures no energy", tool.name())),
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

/// Adds the processes of one file's benchmark to those of the files before it.
fn merge(cases: &mut Vec<CaseResult>, tool: Tool, path: &Path, case: ForeignCase) -> Result<()> {
    let index = match cases.iter().position(|known| known.case == case.name) {
        Some(index) => index,
        None => {
            cases.push(empty(tool, &case));
            cases.len() - 1
        }
    };
    let known = &mut cases[index];
    if let Some(reason) = case.failed {
        known.status = Status::Failed {
            failure: FailureKind::Crash,
            reason,
        };
        return Ok(());
    }
    for samples in case.processes {
        if let Some(bad) = samples.iter().find(|ns| !(**ns > 0.0 && ns.is_finite())) {
            return Err(Error::file(
                path,
                format!(
                    "{:?} has a time of {bad} ns, which is none; measure it again",
                    case.name
                ),
            ));
        }
        let number = u32::try_from(known.invocations.len()).unwrap_or(u32::MAX);
        known
            .invocations
            .push(invocation(tool, case.clock, number, samples));
    }
    Ok(())
}

/// A case that waits for its invocations.
fn empty(tool: Tool, case: &ForeignCase) -> CaseResult {
    CaseResult {
        case: case.name.clone(),
        kernel: tool.name().to_owned(),
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
fn invocation(tool: Tool, clock: ClockMethod, number: u32, samples_ns: Vec<f64>) -> CaseInvocation {
    // Nothing was checked, which is what zero elements say.
    let unchecked = Verification {
        passed: true,
        elements: 0,
        checked: 0,
        max_abs_error: 0.0,
        worst_error_over_bound: 0.0,
        normalized_mean_square_error: 0.0,
        worst: Some(format!("imported from {}: not verified", tool.name())),
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
                tool.name()
            ))),
            warnings: Vec::new(),
        },
    }
}

/// Where the tool measured, as far as it is known.
fn adapter(tool: Tool, device: Option<String>, version: Option<String>) -> Adapter {
    let silent = || Reading::unmeasured(format!("{} does not say", tool.name()));
    Adapter {
        index: 0,
        group: 0,
        name: device.unwrap_or_else(|| format!("unknown device ({})", tool.name())),
        backend: "imported".to_owned(),
        device_type: DeviceType::Other,
        vendor_id: 0,
        device_id: 0,
        pci_id: Reading::unmeasured(format!("{} does not say", tool.name())),
        driver: tool.name().to_owned(),
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
            format!("has a time stamp that is no date ({e}); touch it"),
        )
    })?;
    Ok(stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
