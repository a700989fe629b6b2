//! The file that holds tuned parameters, and what an entry says.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::record::{Adapter, Document, DocumentKind, Reading, load_document, save_document};

/// Version of the file.
const TUNING_VERSION: &str = "1.1.0";

/// What was to be as small as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Time of one execution.
    Time,
    /// Energy of one execution; only where a sensor measured it.
    Energy,
}

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Time => "time",
            Self::Energy => "energy",
        })
    }
}

/// What makes two adapters of the same kind: everything but their place in a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterKey {
    /// The name that the driver gives.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// PCI vendor id.
    pub vendor_id: u32,
    /// PCI device id.
    pub device_id: u32,
    /// Driver's name.
    pub driver: String,
    /// Driver's version and build.
    pub driver_info: String,
}

impl From<&Adapter> for AdapterKey {
    fn from(adapter: &Adapter) -> Self {
        Self {
            name: adapter.name.clone(),
            backend: adapter.backend.clone(),
            vendor_id: adapter.vendor_id,
            device_id: adapter.device_id,
            driver: adapter.driver.clone(),
            driver_info: adapter.driver_info.clone(),
        }
    }
}

/// Parameters that a search chose, and on what grounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The case as written.
    pub case: String,
    /// Name of the kernel.
    pub kernel: String,
    /// What they are best at.
    pub objective: Objective,
    /// The parameters.
    pub parameters: BTreeMap<String, u32>,
    /// Hash of the WGSL that the parameters give, and of wgpu's version.
    pub shader_hash: String,
    /// perwatt's version.
    pub perwatt_version: String,
    /// When, RFC 3339 in UTC.
    pub tuned_utc: String,
    /// Time of one execution, in nanoseconds.
    pub time_ns: f64,
    /// Time of one execution with the default parameters, measured interleaved with it.
    pub default_time_ns: Reading<f64>,
    /// Energy of one execution, in joules.
    pub energy_j: Reading<f64>,
    /// Half of its 95 % interval without the sensor's gain, which is the same for all candidates.
    #[serde(default = "energy_unmeasured")]
    pub energy_half_width_j: Reading<f64>,
    /// Energy of one execution with the default parameters, measured interleaved with it.
    #[serde(default = "energy_unmeasured")]
    pub default_energy_j: Reading<f64>,
    /// The sensor that the energies are from.
    #[serde(default)]
    pub sensor: Option<String>,
    /// Parameter sets that were measured.
    pub measured: usize,
    /// Whether the finalists were timed to the end, interleaved; otherwise the first screening decided.
    pub complete: bool,
}

/// Files of version 1.0 hold no energy of the default.
fn energy_unmeasured() -> Reading<f64> {
    Reading::unmeasured("no energy was measured")
}

/// The content of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// `perwatt-tuning`; files of version 1.0 carry no mark.
    #[serde(default = "mark")]
    pub kind: String,
    /// Semantic version of this format.
    pub tuning_version: String,
    /// The adapter, driver and backend.
    pub adapter: AdapterKey,
    /// At most one entry per case, kernel and objective.
    pub entries: Vec<Entry>,
}

impl Document for Tuning {
    const KIND: DocumentKind = DocumentKind::Tuning;
    const VERSION: &'static str = TUNING_VERSION;
    const NAME: &'static str = "a tuning file";
    const HINT: &'static str = "`perwatt tune` writes one; delete it, or run with --tuned off";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.tuning_version
    }
}

fn mark() -> String {
    DocumentKind::Tuning.mark().to_owned()
}

impl Tuning {
    /// No entries yet.
    pub fn new(adapter: &Adapter) -> Self {
        Self {
            kind: mark(),
            tuning_version: TUNING_VERSION.to_owned(),
            adapter: adapter.into(),
            entries: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is none of perwatt's, or is of another major version.
    pub fn load(path: &Path) -> Result<Self> {
        load_document(path)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_document(self, path)
    }

    /// Adds an entry in the place of an older one for the same.
    pub fn put(&mut self, entry: Entry) {
        let same = |known: &Entry| {
            (&known.case, &known.kernel, known.objective)
                == (&entry.case, &entry.kernel, entry.objective)
        };
        self.entries.retain(|known| !same(known));
        self.entries.push(entry);
        self.entries.sort_by(|a, b| {
            (&a.case, &a.kernel, a.objective).cmp(&(&b.case, &b.kernel, b.objective))
        });
    }
}
