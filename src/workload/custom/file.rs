//! The form of a workload file: its TOML tables, as written.

use std::path::PathBuf;

use serde::Deserialize;

use crate::record::CustomDtype;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadFile {
    #[serde(default)]
    pub(super) kernel: Vec<KernelTable>,
    #[serde(default)]
    pub(super) workload: Vec<WorkloadTable>,
}

/// `[[kernel]]`: another implementation of a built-in case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KernelTable {
    pub(super) name: String,
    pub(super) case: String,
    pub(super) dispatch: Vec<DispatchTable>,
    #[serde(default)]
    pub(super) buffer: Vec<BufferTable>,
}

/// `[[workload]]`: a custom case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkloadTable {
    pub(super) case: String,
    #[serde(default = "default_kernel")]
    pub(super) kernel: String,
    #[serde(default)]
    pub(super) flop: u64,
    #[serde(default)]
    pub(super) bytes: u64,
    pub(super) tokens: Option<u64>,
    pub(super) dispatch: Vec<DispatchTable>,
    pub(super) buffer: Vec<BufferTable>,
}

/// `[[….dispatch]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DispatchTable {
    pub(super) shader: PathBuf,
    pub(super) workgroups: Vec<u32>,
    pub(super) bind: Vec<String>,
}

/// `[[….buffer]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BufferTable {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) dtype: CustomDtype,
    pub(super) elements: Option<u64>,
    pub(super) fill: Option<f64>,
    pub(super) values: Option<Vec<f64>>,
    pub(super) file: Option<PathBuf>,
    pub(super) expected: Option<PathBuf>,
    #[serde(default)]
    pub(super) absolute: f64,
    #[serde(default)]
    pub(super) relative: f64,
    #[serde(default)]
    pub(super) scratch: bool,
}

/// The kernel's name where a `[[workload]]` gives none. Records are matched by it, so it stays as version 1.0
/// wrote it.
fn default_kernel() -> String {
    "own".to_owned()
}
