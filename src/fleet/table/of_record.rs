//! The rows of a record.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::row::{CaseRows, RecordHead, RecordRows};
use crate::record::{
    CaseResult, EnergyTier, EnergyWindow, FailureKind, Outcome, Reading, Record, Status, Warning,
};

/// What stands between the machine and the GPU in the names of a fleet's records.
const BETWEEN: &str = "--";

/// The name of a record's file without its endings, by which it is known where it says no more of its place.
pub fn file_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".json").unwrap_or(&name).to_owned()
}

/// The rows of a record that was read from a file of that stem.
pub fn rows_of(record: &Record, file: &str) -> RecordRows {
    let best = record.best_kernels();
    let cases: Vec<CaseRows> = record
        .cases
        .iter()
        .enumerate()
        .map(|(at, case)| case_rows(record, case, best.binary_search(&at).is_ok()))
        .collect();
    let started = record.started_utc.parse::<jiff::Timestamp>().ok();
    let adapter = &record.adapter;
    let placement = record.placement.as_ref();
    let (node, gpu) = place(record, file);
    let head = RecordHead {
        record: record.session.clone(),
        content: content(&cases),
        file: file.to_owned(),
        started_ms: started.map(jiff::Timestamp::as_millisecond),
        date: record.date(),
        device: adapter.name.clone(),
        vendor_id: adapter.vendor_id,
        device_id: adapter.device_id,
        backend: adapter.backend.clone(),
        driver: adapter.driver_and_version(),
        node,
        gpu,
        perwatt: record.provenance.perwatt_version.clone(),
        simulated: record.is_all_simulated(),
        software_driver: adapter.is_software(),
        concurrent_gpus: placement.and_then(|placement| placement.concurrent_gpus),
        exclusive: placement.and_then(|placement| placement.exclusive),
        scheduler: placement.map(|placement| placement.scheduler.name().to_owned()),
    };
    RecordRows { head, cases }
}

/// Machine and GPU. A record names them only where that was asked for; else its file does.
fn place(record: &Record, file: &str) -> (String, Option<String>) {
    let (of_file, gpu) = match file.rsplit_once(BETWEEN) {
        Some((node, gpu)) if !node.is_empty() && !gpu.is_empty() => (node, Some(gpu.to_owned())),
        _ => (file, None),
    };
    let placement = record.placement.as_ref();
    let named =
        placement.and_then(|placement| placement.gpu_uuid.as_ref().or(placement.pci.as_ref()));
    let node = placement.and_then(|placement| placement.node.as_deref());
    (node.unwrap_or(of_file).to_owned(), named.cloned().or(gpu))
}

fn case_rows(record: &Record, case: &CaseResult, is_best: bool) -> CaseRows {
    let (status, failure, reason) = match &case.status {
        Status::Measured => ("measured", None, case.summary.reason()),
        Status::Skipped { reason } => ("skipped", None, Some(reason.as_str())),
        Status::Failed { failure, reason } => (
            "failed",
            Some(failure_name(*failure)),
            Some(reason.as_str()),
        ),
    };
    let figures = case.exported();
    let summary = case.figures().ok();
    let joules = summary.and_then(|summary| summary.energy_j.measured());
    let windows: Vec<&EnergyWindow> = windows(case).collect();
    let condition = |of: &dyn Fn(&crate::record::Conditions) -> Option<f64>| {
        windows
            .iter()
            .rev()
            .find_map(|window| of(window.conditions.last()?))
    };
    CaseRows {
        case: case.case.clone(),
        kernel: case.kernel.clone(),
        is_best,
        status,
        failure,
        reason: reason.filter(|_| figures.is_empty()).map(str::to_owned),
        verified: !figures.is_empty() && !record.is_unverified(case),
        simulated_power: record.has_simulated_sensor()
            || warnings(case).any(|warning| matches!(warning, Warning::SimulatedPower { .. })),
        screening: windows
            .iter()
            .any(|window| window.tier == EnergyTier::Screening),
        too_short: warnings(case).any(|warning| matches!(warning, Warning::ShortExecution { .. })),
        joules: joules.map(|joules| {
            let ends = joules.interval.measured();
            (joules.value, ends.map(|ends| (ends.low, ends.high)))
        }),
        watts: summary.and_then(|summary| Some(summary.power_w.measured()?.value)),
        core_clock_mhz: condition(&|at| at.core_clock_mhz.measured().copied()),
        temperature_c: condition(&|at| at.temperature_c.measured().copied()),
        throttled_by: throttled(case, &windows),
        figures,
    }
}

fn failure_name(failure: FailureKind) -> &'static str {
    match failure {
        FailureKind::Verification => "verification",
        FailureKind::Build => "build",
        FailureKind::Deadline => "deadline",
        FailureKind::Crash => "crash",
        FailureKind::DeviceLost => "device-lost",
        FailureKind::OutOfMemory => "out-of-memory",
        FailureKind::Clock => "clock",
    }
}

/// Heat and faults; a card at its power limit is none.
fn throttled(case: &CaseResult, windows: &[&EnergyWindow]) -> Option<String> {
    let of_windows = windows
        .iter()
        .flat_map(|window| Warning::of_throttling(&window.throttled_by));
    let mut reasons: Vec<String> = warnings(case)
        .cloned()
        .chain(of_windows)
        .filter(Warning::is_slowdown)
        .filter_map(|warning| match warning {
            Warning::Throttled { reason } => Some(reason),
            _ => None,
        })
        .collect();
    reasons.sort();
    reasons.dedup();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// The warnings of a case and of its invocations.
fn warnings(case: &CaseResult) -> impl Iterator<Item = &Warning> {
    let of_invocations = case
        .invocations
        .iter()
        .flat_map(|result| match &result.outcome {
            Outcome::Measured { warnings, .. } => warnings.as_slice(),
            Outcome::Skipped { .. } | Outcome::Failed { .. } => &[],
        });
    case.warnings.iter().chain(of_invocations)
}

fn windows(case: &CaseResult) -> impl Iterator<Item = &EnergyWindow> {
    case.invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => match energy.as_ref() {
                Reading::Measured(window) => Some(window),
                Reading::Unmeasured(_) => None,
            },
            Outcome::Skipped { .. } | Outcome::Failed { .. } => None,
        })
}

/// Digest of the figures. Two sessions never have all digits in common.
fn content(cases: &[CaseRows]) -> String {
    let mut digest = Sha256::new();
    for case in cases {
        digest.update(case.case.as_bytes());
        digest.update([0]);
        digest.update(case.kernel.as_bytes());
        digest.update([0]);
        digest.update(case.status.as_bytes());
        for figure in &case.figures {
            digest.update(figure.metric.as_bytes());
            digest.update(figure.value.to_bits().to_le_bytes());
        }
    }
    hex(&digest.finalize()[..8])
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
