//! Who measured a record, where, and what was asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::energy::EnergyTier;
use super::reading::Reading;

/// Where the numbers of a file come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A device ran the kernels.
    Measured,
    /// Some part (a sensor, say) was simulated; every figure built on it says so.
    Simulated,
    /// Another program's file, converted.
    Imported,
}

/// Who wrote a record and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Where the numbers come from.
    pub origin: Origin,
    /// The command line, program name first.
    pub argv: Vec<String>,
    /// perwatt's version.
    pub perwatt_version: String,
    /// The git revision that perwatt was built from.
    pub git_revision: Reading<String>,
    /// Whether the tree that perwatt was built from had uncommitted changes.
    pub git_dirty: Reading<bool>,
    /// Version of wgpu that ran the kernels.
    pub wgpu_version: Reading<String>,
    /// Whether shaders ran with wgpu's run-time checks (`--checked`).
    pub checked_shaders: bool,
}

impl Provenance {
    /// Whether both are of one perwatt, as far as version and revision tell. Two builds of one revision with changes of
    /// their own look the same: see `git_dirty`.
    pub fn is_of_same_program(&self, other: &Self) -> bool {
        let of = |provenance: &Self| {
            let revision = provenance.git_revision.measured().cloned();
            (provenance.perwatt_version.clone(), revision)
        };
        of(self) == of(other)
    }
}

/// The machine that the device sits in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Operating system and its version.
    pub os: String,
    /// Kernel version.
    pub kernel: Reading<String>,
    /// Processor's name.
    pub cpu: Reading<String>,
    /// Logical processors that perwatt may use.
    pub cpu_threads: Reading<u32>,
    /// Main memory in bytes.
    pub memory_bytes: Reading<u64>,
    /// Machine and build as another tool names them, for an import. Since version 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<String>,
}

/// What a session was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    /// Name of the suite, where one was chosen.
    pub suite: Option<String>,
    /// Planned invocations.
    pub invocations: u32,
    /// Time budget of one case in one invocation, in seconds.
    pub budget_s: f64,
    /// Seed of the inputs and of the order of cases.
    pub seed: u64,
    /// What `--power` asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<String>,
    /// How much time energy was to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<EnergyTier>,
    /// What the user says of the sensor, where something was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<StatedSensor>,
    /// Which cases energy was to be measured of; all, in files before version 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_of: Option<EnergyScope>,
    /// In which order each invocation goes through the cases; as listed, in files before version 1.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<CaseOrder>,
    /// The temperature in °C at or below which a case was to begin, where one was asked for. Since version 1.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_to_c: Option<f64>,
    /// What was planned, as `case@kernel`, in order.
    pub cases: Vec<String>,
}

/// What a user says of a sensor that perwatt cannot see for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatedSensor {
    /// Time between two new values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_period_s: Option<f64>,
    /// Time over which a value averages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaging_s: Option<f64>,
}

impl PlanSummary {
    /// The suite, or that cases were chosen one by one.
    pub fn suite_name(&self) -> &str {
        self.suite.as_deref().unwrap_or("chosen cases")
    }

    /// What is known of a plan that another program had: how often it ran, and what it measured.
    pub fn of_another_program(invocations: u32, cases: Vec<String>) -> Self {
        Self {
            suite: None,
            invocations,
            budget_s: 0.0,
            seed: 0,
            power: None,
            energy: None,
            sensor: None,
            energy_of: None,
            order: None,
            cool_to_c: None,
            cases,
        }
    }
}

/// Temperatures in °C at which a device can rest, and that can be waited for.
pub const RESTING_C: std::ops::RangeInclusive<f64> = 0.0..=150.0;

/// In which order an invocation goes through the cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseOrder {
    /// As they are listed.
    #[default]
    Listed,
    /// In another order each time, drawn by the seed.
    Random,
}

/// Which cases of a session get an energy measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnergyScope {
    /// Every case in every invocation.
    #[default]
    All,
    /// The cases that sum a device up, once a session, each with its fastest kernel.
    Once,
}

/// One worker process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvocationInfo {
    /// Number of the invocation, from 0.
    pub invocation: u32,
    /// When it started, RFC 3339 in UTC.
    pub started_utc: String,
    /// Worker processes that this invocation needed: 1, plus one for each crash or kill.
    pub workers: u32,
    /// CPU time of perwatt's own process outside the driver and the CPU references, in seconds.
    pub own_cpu_s: Reading<f64>,
}
