//! One case with one kernel: what each invocation measured and what they say together.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CaseName, ClockMethod, CustomKernel, DeviceStates, EnergyWindow, Estimate, Measure, Reading,
    Resources, Warning,
};

/// A case with a kernel and everything that was measured of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseResult {
    /// Workload, dtype and shape: `matmul/f32/1024x1024x1024`.
    pub case: String,
    /// Name of the kernel.
    pub kernel: String,
    /// The kernel's tuning parameters.
    pub parameters: BTreeMap<String, u32>,
    /// Where the parameters come from: `default`, or the tuning that chose them.
    pub parameters_from: String,
    /// The kernel itself, where it is a custom one.
    #[serde(rename = "own", default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<CustomKernel>>,
    /// What one dispatch of the case does.
    pub counts: Counts,
    /// What limits its rate. Files before version 1.1 do not state it; see [`CaseResult::resources`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What the samples are, where another tool measured something else than times. Since version 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// How another tool ran it, where its file states the settings. Since version 1.9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<ToolSetup>,
    /// The suite's case that this one stands for, where that one is too large for the adapter. Since version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
    /// Measured, skipped or failed.
    pub status: Status,
    /// One entry an invocation that got to this case.
    pub invocations: Vec<CaseInvocation>,
    /// What the invocations say together.
    pub summary: Reading<Summary>,
    /// What a reader must know about this case.
    pub warnings: Vec<Warning>,
}

impl CaseResult {
    /// `case@kernel`, the name by which records are matched.
    pub fn id(&self) -> String {
        CaseName::with_kernel(&self.case, &self.kernel)
    }

    /// What limits its rate: as the file states it or, before version 1.1, as it followed from names.
    pub fn resources(&self) -> Resources {
        self.resources.unwrap_or_else(|| {
            Resources::of_version_1_0(self.workload(), self.dtype(), &self.kernel)
        })
    }

    /// Whether it was attempted and has no throughput.
    pub fn has_failed(&self) -> bool {
        matches!(self.status, Status::Failed { .. })
    }

    /// The workload, which is the first part of the case's name.
    pub fn workload(&self) -> &str {
        CaseName::split_workload(&self.case).0
    }

    /// The dtype, which is the second part of the case's name.
    pub fn dtype(&self) -> &str {
        CaseName::dtype_of(&self.case).unwrap_or("-")
    }
}

/// A benchmark of another tool and the settings with which it ran. Two benchmarks of one name are one only where their
/// settings agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolSetup {
    /// Its name without any setting, whatever else a file holds.
    pub benchmark: String,
    /// The settings, by the tool's names.
    pub settings: BTreeMap<String, String>,
}

impl ToolSetup {
    /// The name with some of the settings.
    pub fn name(&self, keys: &BTreeSet<String>) -> String {
        let mut name = self.benchmark.clone();
        for key in keys {
            if let Some(value) = self.settings.get(key) {
                name += &format!(" {key}={value}");
            }
        }
        name
    }

    /// Settings that both state and in which they differ, each side's in words; a version that knows fewer settings
    /// says nothing of the others.
    pub fn difference(&self, other: &Self) -> Option<[String; 2]> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (key, value) in &self.settings {
            if let Some(of_other) = other.settings.get(key)
                && of_other != value
            {
                own.push(format!("{key}={value}"));
                others.push(format!("{key}={of_other}"));
            }
        }
        (!own.is_empty()).then(|| [own.join(" "), others.join(" ")])
    }
}

/// The case that a smaller one stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InsteadOf {
    /// The suite's case.
    pub case: String,
    /// What it is too large for.
    pub reason: String,
}

/// Useful work of one execution of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Floating-point operations, by the workload's formula; a fused multiply-add counts as two.
    pub flop: u64,
    /// Bytes that must cross the memory bus at least once, by the workload's formula.
    pub bytes: u64,
    /// Tokens, for workloads that process them.
    pub tokens: Option<u64>,
}

/// What became of a case in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Status {
    /// At least one invocation measured it and none found it wrong.
    Measured,
    /// It was not attempted.
    Skipped {
        /// Why, and what would let it run.
        reason: String,
    },
    /// It was attempted and has no throughput.
    Failed {
        /// What kind of failure.
        failure: FailureKind,
        /// What happened.
        reason: String,
    },
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The output is not what the reference says.
    Verification,
    /// The driver refused the shader, the pipeline or a buffer.
    Build,
    /// The worker did not come back within its deadline.
    Deadline,
    /// The worker process ended by itself.
    Crash,
    /// The device was lost.
    DeviceLost,
    /// Memory ran out.
    OutOfMemory,
    /// The clock gave unusable readings.
    Clock,
}

/// One invocation's view of a case. How it is read stands in `flat.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CaseInvocation {
    /// Number of the invocation, from 0.
    pub invocation: u32,
    /// What happened.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What happened to a case in one invocation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all outcomes are the large one"
)]
pub enum Outcome {
    /// Verified, timed and verified again.
    Measured {
        /// The check before timing.
        verified_before: Verification,
        /// The check after timing, on the output of the timed dispatches.
        verified_after: Verification,
        /// The samples.
        sampling: Sampling,
        /// The energy window.
        energy: Box<Reading<EnergyWindow>>,
        /// What a reader must know about this invocation.
        warnings: Vec<Warning>,
    },
    /// Not attempted.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Attempted, without a throughput.
    Failed {
        /// What kind of failure.
        failure: FailureKind,
        /// What happened.
        reason: String,
        /// The check that failed, where it was a check.
        verification: Option<Verification>,
    },
}

/// A comparison of a kernel's output with the f64 reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Whether every element lies within its bound.
    pub passed: bool,
    /// Elements of the output.
    pub elements: u64,
    /// Elements that were compared; the rest of a big output is checked for having been written.
    pub checked: u64,
    /// Largest |output − reference|. Before version 1.9 zero where nothing was compared.
    pub max_abs_error: Reading<f64>,
    /// Largest |output − reference| ÷ that element's bound; above 1 is a failure. Before version 1.9 zero where nothing
    /// was compared.
    pub worst_error_over_bound: Reading<f64>,
    /// Σ(output − reference)² ÷ Σ reference² over the compared elements. Before version 1.9 zero where nothing was
    /// compared.
    pub normalized_mean_square_error: Reading<f64>,
    /// Where the worst element is and what it should have been, for a failed check.
    pub worst: Option<String>,
}

/// Why an output that was compared with nothing has no error.
pub(crate) const NOTHING_COMPARED: &str = "nothing was compared";

impl Verification {
    /// That another program measured and nothing was checked, which is what zero elements say; `why` in words.
    pub fn unchecked(why: impl Into<String>) -> Self {
        let none = || Reading::unmeasured(NOTHING_COMPARED);
        Self {
            passed: true,
            elements: 0,
            checked: 0,
            max_abs_error: none(),
            worst_error_over_bound: none(),
            normalized_mean_square_error: none(),
            worst: Some(why.into()),
        }
    }
}

/// The memory that the executions of a case go through, so that caches do not stand in for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Footprint {
    /// All buffers of all copies, in bytes.
    pub bytes: u64,
    /// Copies of the buffers that the executions took in turn.
    pub copies: u32,
}

/// The samples of one invocation and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sampling {
    /// The clock that gave `samples_ns`.
    pub clock: ClockMethod,
    /// Executions in one batch, fixed by calibration.
    pub batch: u32,
    /// Every sample in order, those before steady state included: a batch's time ÷ its executions.
    pub samples_ns: Vec<f64>,
    /// The host's monotonic clock across the same batches, in the same order and unit.
    pub wall_samples_ns: Vec<f64>,
    /// How many samples at the front came before steady state and are not in the figures below.
    pub discarded: u32,
    /// Whether steady state was reached.
    pub steady: bool,
    /// Median of the steady samples.
    pub median_ns: f64,
    /// Half-width of the 95 % interval of the median within this invocation, by batch means.
    pub half_width_ns: Reading<f64>,
    /// Effective sample size after autocorrelation.
    pub effective_samples: f64,
    /// Samples further than five scaled median absolute deviations from the median; kept.
    pub outliers: u32,
    /// Why sampling ended.
    pub stopped_by: StopReason,
    /// How much memory the executions went through. Files before 1.2 do not say: all executions used one copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footprint: Option<Footprint>,
    /// How the device stood while the samples were taken. Since version 1.8.
    #[serde(default, skip_serializing_if = "Reading::is_of_an_earlier_file")]
    pub device: Reading<DeviceStates>,
}

/// Why sampling ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// The interval was narrow enough.
    Precision,
    /// The time for this case was used up.
    Time,
    /// The largest number of samples was reached.
    Samples,
}

/// What the invocations of a case say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Invocations that the figures rest on.
    pub invocations: u32,
    /// Time of one execution: the geometric mean over invocations of their medians.
    pub time_ns: Estimate,
    /// Useful FLOP/s.
    pub flop_per_s: Reading<Estimate>,
    /// Useful bytes/s.
    pub bytes_per_s: Reading<Estimate>,
    /// Tokens/s.
    pub tokens_per_s: Reading<Estimate>,
    /// Share of the rate that the roofline of this session allows (1 is the roof).
    pub roofline_share: Reading<Estimate>,
    /// Mean power during the energy window.
    pub power_w: Reading<Estimate>,
    /// Energy of one execution.
    pub energy_j: Reading<Estimate>,
    /// Useful FLOP per joule.
    pub flop_per_j: Reading<Estimate>,
    /// Useful bytes per joule.
    pub bytes_per_j: Reading<Estimate>,
    /// Tokens per joule.
    pub tokens_per_j: Reading<Estimate>,
    /// Time of one execution in the energy windows, by the host's clock. Power and work per joule are those
    /// of this rate. Files before version 1.2 do not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_time_ns: Option<Reading<Estimate>>,
    /// Worst error over bound of all checks. Before version 1.9 zero where nothing was compared.
    pub worst_error_over_bound: Reading<f64>,
}
