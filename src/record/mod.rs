//! The result file: what one `run` measured, and nothing that it did not.
//!
//! Producers (the measuring loop) and consumers (compare, report, invest) meet only here, so this
//! module knows no wgpu, and of statistics only the form of an interval. Three rules shape every type:
//!
//! - a unit stands in the field's name (`median_ns`, `energy_j`);
//! - what could not be measured is a [`Reading::Unmeasured`] with its reason, never a zero or a gap;
//! - raw samples are kept, so that a better analysis can be made later from the same file.

mod adapter;
mod case;
mod case_name;
mod custom_kernel;
mod energy;
mod estimate;
mod file;
mod flat;
mod headline;
mod inspection;
mod journal;
mod reading;
mod resource;
mod warning;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use adapter::{Adapter, CoopMatrix, DeviceType, Limits};
pub use case::{
    CaseInvocation, CaseResult, Counts, FailureKind, Outcome, Sampling, Status, StopReason,
    Summary, Verification,
};
pub use case_name::CaseName;
pub use custom_kernel::{CustomBuffer, CustomContents, CustomDispatch, CustomDtype, CustomKernel};
pub use energy::{
    Boundary, Conditions, EnergyProvenance, EnergyTier, EnergyWindow, ErrorCause, ErrorTerm, Gain,
    GainFrom, GainUncertainty, PowerSetup, Resolution, SamplerCost, Trace,
};
pub use estimate::Estimate;
pub use file::{load, parse, save, schema, write_atomically};
pub use headline::{Headline, WorkUnit};
pub use inspection::{
    CompiledShader, CompilerStatistics, DeviceInfo, INSPECTION_VERSION, Inspection, LoopSummary,
    Mix, Target, load_inspection,
};
pub use journal::{Event, Journal, read_journal};
pub use resource::{Resource, Resources};
pub use warning::Warning;

/// The version of the result file that this program writes. Readers refuse another major version.
pub const SCHEMA_VERSION: &str = "1.1.0";

/// What one `perwatt run` measured: the content of one result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "perwatt record")]
pub struct Record {
    /// Semantic version of this format.
    pub schema_version: String,
    /// Random identity of the session; the same in the journal and the record.
    pub session: String,
    /// When the session started, RFC 3339 in UTC.
    pub started_utc: String,
    /// Who wrote this file, how it was called, and whether its numbers come from a device.
    pub provenance: Provenance,
    /// The machine.
    pub host: Host,
    /// The adapter that the cases ran on.
    pub adapter: Adapter,
    /// How time was measured.
    pub clock: Reading<ClockSetup>,
    /// How energy was measured, or why it was not.
    pub power: Reading<PowerSetup>,
    /// What was asked for.
    pub plan: PlanSummary,
    /// One entry a worker process.
    pub invocations: Vec<InvocationInfo>,
    /// One entry a case and kernel, in the order in which they ran.
    pub cases: Vec<CaseResult>,
    /// The device's own roofs, from the peak and bandwidth cases of this session.
    pub roofline: Vec<Roof>,
    /// What a reader must know about the whole session.
    pub warnings: Vec<Warning>,
}

/// A value that was measured, or the reason why it was not.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Reading<T> {
    /// Nobody measured it.
    Unmeasured(Unmeasured),
    /// It was measured.
    Measured(T),
}

/// The reason that stands where a measured value would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmeasured {
    /// Why there is no value, and what would give one.
    pub unmeasured: String,
}

impl<T> Reading<T> {
    /// A reading that does not exist, and why.
    pub fn unmeasured(reason: impl Into<String>) -> Self {
        Self::Unmeasured(Unmeasured {
            unmeasured: reason.into(),
        })
    }

    /// The value, where there is one.
    pub fn measured(&self) -> Option<&T> {
        match self {
            Self::Measured(value) => Some(value),
            Self::Unmeasured(_) => None,
        }
    }

    /// The reason, where there is no value.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Measured(_) => None,
            Self::Unmeasured(reason) => Some(&reason.unmeasured),
        }
    }

    /// Applies `f`, which may find a reason of its own, to a measured value; keeps a reason as it is.
    pub fn and_then<U>(&self, f: impl FnOnce(&T) -> Reading<U>) -> Reading<U> {
        match self {
            Self::Measured(value) => f(value),
            Self::Unmeasured(reason) => Reading::Unmeasured(reason.clone()),
        }
    }

    /// Applies `f` to a measured value and keeps a reason as it is.
    pub fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Reading<U> {
        match self {
            Self::Measured(value) => Reading::Measured(f(value)),
            Self::Unmeasured(reason) => Reading::Unmeasured(reason.clone()),
        }
    }
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self::unmeasured("this file does not say")
    }
}

impl<T, E: fmt::Display> From<Result<T, E>> for Reading<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Measured(value),
            Err(reason) => Self::unmeasured(reason.to_string()),
        }
    }
}

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
}

/// How time was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockSetup {
    /// The clock whose samples stand in the record.
    pub method: ClockMethod,
    /// Length of one timestamp tick, in nanoseconds.
    pub tick_ns: Reading<f64>,
    /// The smallest difference between two timestamps that was seen, in nanoseconds: the clock's
    /// precision, which is coarser than a tick on many devices.
    pub precision_ns: f64,
    /// Cost of one empty batch by this clock, in nanoseconds. It is not subtracted from samples;
    /// batches are sized to make it vanish.
    pub overhead_ns: f64,
}

/// A clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockMethod {
    /// Timestamps that the device writes around a pass.
    TimestampQuery,
    /// The host's monotonic clock around submit and wait.
    WallClock,
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
    /// What was planned, as `case@kernel`, in order.
    pub cases: Vec<String>,
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

/// A measured roof of the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Roof {
    /// What is limited.
    pub resource: Resource,
    /// FLOP/s or bytes/s.
    pub rate_per_s: Estimate,
    /// The case and kernel that reached it.
    pub from: String,
}
