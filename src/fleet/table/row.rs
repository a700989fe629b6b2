//! What the rows of one record say, before they are cells.

use crate::record::ExportedFigure;

/// All rows of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRows {
    /// What they have in common.
    pub head: RecordHead,
    /// One entry a case and kernel.
    pub cases: Vec<CaseRows>,
}

/// What all rows of a record say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordHead {
    /// The session's identity.
    pub record: String,
    /// Digest of all figures, by which a copy under another name is known.
    pub content: String,
    /// The record file's name without its ending.
    pub file: String,
    /// When the session started, milliseconds since 1970 in UTC.
    pub started_ms: Option<i64>,
    /// The day of it, `2026-11-28`.
    pub date: Option<String>,
    /// The adapter's name.
    pub device: String,
    /// PCI vendor.
    pub vendor_id: u32,
    /// PCI device.
    pub device_id: u32,
    /// The graphics API.
    pub backend: String,
    /// The driver with its version.
    pub driver: String,
    /// The machine: as the record names it, else the first part of the file's name.
    pub node: String,
    /// The GPU within it, where something tells several apart.
    pub gpu: Option<String>,
    /// Version of perwatt.
    pub perwatt: String,
    /// Whether nothing was measured on hardware.
    pub simulated: bool,
    /// Whether a processor did the work.
    pub software_driver: bool,
    /// GPUs of the machine that were measured at the same time, this one included.
    pub concurrent_gpus: Option<u32>,
    /// Whether the machine was this job's alone.
    pub exclusive: Option<bool>,
    /// What placed it.
    pub scheduler: Option<String>,
}

/// What the rows of a case with a kernel say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseRows {
    /// The case.
    pub case: String,
    /// The kernel.
    pub kernel: String,
    /// Whether the kernel stands for the case.
    pub is_best: bool,
    /// `measured`, `skipped` or `failed`.
    pub status: &'static str,
    /// Kind of failure.
    pub failure: Option<&'static str>,
    /// Why there is no figure.
    pub reason: Option<String>,
    /// Whether its output was compared with the reference and passed.
    pub verified: bool,
    /// Whether its power readings are made up.
    pub simulated_power: bool,
    /// Whether its energy was given a short window.
    pub screening: bool,
    /// Whether an execution is not much longer than the gap between two.
    pub too_short: bool,
    /// The figures.
    pub figures: Vec<ExportedFigure>,
    /// Joules of one execution, with the interval.
    pub joules: Option<(f64, Option<(f64, f64)>)>,
    /// Mean power.
    pub watts: Option<f64>,
    /// Clock of the arithmetic units at the end of the energy window.
    pub core_clock_mhz: Option<f64>,
    /// Temperature of the chip there.
    pub temperature_c: Option<f64>,
    /// Why the device slowed down, limits left out.
    pub throttled_by: Option<String>,
}
