//! Energy in the result file: where power was read and what one window of steady load cost.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reading;
use crate::stats::Interval;
use crate::units::percent;

/// The sensor of a session and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerSetup {
    /// This very sensor, as `perwatt power list` shows it: `nvml:0000:01:00.0:energy`.
    pub source: String,
    /// What sort of sensor it is, whichever slot it sits in: `nvml-energy`. With `boundary` it decides
    /// whether two sessions' joules can be compared.
    pub kind: String,
    /// How its readings become energy.
    pub provenance: EnergyProvenance,
    /// What it measures the consumption of.
    pub boundary: Boundary,
    /// Whether its readings are made up; every figure that rests on them is then SIMULATED.
    #[serde(default)]
    pub simulated: bool,
    /// Time between two new values, as the protocol measured it.
    pub update_period_s: Reading<f64>,
    /// Time over which a reading averages, where it is known.
    #[serde(rename = "window_s")]
    pub averaging_s: Reading<f64>,
    /// Time after a step of the load until readings have followed it.
    pub response_s: Reading<f64>,
    /// How far readings are behind the truth in the mean, as a step of the load showed it.
    #[serde(default)]
    pub lag_s: Reading<f64>,
    /// Share of the time that the sensor sees, from 0 to 1: its window ÷ its period, at most 1.
    pub coverage: Reading<f64>,
    /// The smallest step between two readings.
    pub resolution: Reading<Resolution>,
    /// The powers that this sensor's device can have; a reading outside is doubted and enters no sum. Files
    /// before version 1.2 do not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plausible: Option<PlausiblePower>,
    /// True value ÷ reading.
    pub gain: Gain,
    /// What reading the sensor cost.
    pub sampler: Reading<SamplerCost>,
    /// What a reader must know of this sensor, a sentence each.
    pub notes: Vec<String>,
}

impl PowerSetup {
    /// A sensor of which nothing else is known yet.
    pub fn new(
        source: impl Into<String>,
        kind: impl Into<String>,
        provenance: EnergyProvenance,
        boundary: Boundary,
    ) -> Self {
        let unknown = "neither published nor measured";
        Self {
            source: source.into(),
            kind: kind.into(),
            provenance,
            boundary,
            simulated: false,
            update_period_s: Reading::unmeasured("the sensor was not characterised"),
            averaging_s: Reading::unmeasured(unknown),
            response_s: Reading::unmeasured(unknown),
            lag_s: Reading::unmeasured(unknown),
            coverage: Reading::unmeasured(unknown),
            resolution: Reading::unmeasured(unknown),
            plausible: None,
            gain: Gain::unknown(),
            sampler: Reading::unmeasured("the sensor was not sampled"),
            notes: Vec::new(),
        }
    }

    /// The sort of sensor and its boundary, which must be equal for joules to be comparable.
    pub fn category(&self) -> String {
        format!("{} ({})", self.kind, self.boundary)
    }
}

/// The powers that a sensor's device can have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlausiblePower {
    /// Less than any such device draws while it is on.
    pub least_w: f64,
    /// More than it can draw.
    pub most_w: f64,
    /// The power limit that its driver states for lasting load.
    pub limit_w: Reading<f64>,
    /// Where `most_w` comes from, in words.
    pub most_from: String,
}

/// Readings that were doubted and left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoubtedReadings {
    /// How many.
    pub readings: u64,
    /// Their share of all readings.
    pub share: f64,
    /// The last of them, in words.
    pub example: String,
}

/// How readings become energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnergyProvenance {
    /// The device counts energy; perwatt takes differences.
    Counter,
    /// The device says power; perwatt integrates it.
    IntegratedPower,
    /// The device's firmware estimates from activity and measures nothing.
    Estimated,
}

impl fmt::Display for EnergyProvenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::IntegratedPower => "integrated power",
            Self::Estimated => "estimated",
        })
    }
}

/// Whose consumption a sensor measures, from the inside out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// The GPU's die, without its memory and regulators.
    GpuChip,
    /// The whole card.
    Board,
    /// A module with GPU and CPU, a Grace Hopper say.
    Module,
    /// A system on a chip: CPU, GPU and the rest of the die.
    Soc,
    /// A CPU's package.
    CpuPackage,
    /// The whole machine, at its plug.
    Wall,
    /// What it measures is not known.
    Unknown,
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::GpuChip => "GPU chip",
            Self::Board => "board",
            Self::Module => "module",
            Self::Soc => "SoC",
            Self::CpuPackage => "CPU package",
            Self::Wall => "wall",
            Self::Unknown => "unknown boundary",
        })
    }
}

/// The smallest step of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Of a sensor that says power.
    Watts(f64),
    /// Of a counter.
    Joules(f64),
}

/// True value ÷ reading, and how well that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gain {
    /// What readings are multiplied by.
    pub factor: f64,
    /// How far off it may be, as a share of it.
    pub uncertainty: GainUncertainty,
    /// Where both come from.
    pub from: GainFrom,
}

impl Gain {
    /// This sensor was never compared with a meter. Published errors of uncalibrated cards lie within
    /// some 6 % with few exceptions; ±5 % is what vendors claim, and no more can be said.
    pub fn unknown() -> Self {
        Self {
            factor: 1.0,
            uncertainty: GainUncertainty::Within(0.05),
            from: GainFrom::Assumed,
        }
    }
}

/// How far off a gain may be, as a share of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GainUncertainty {
    /// Anywhere within plus or minus this, each value as likely as another.
    Within(f64),
    /// A standard uncertainty.
    Standard(f64),
}

impl GainUncertainty {
    /// As a standard uncertainty; that of a rectangle is its half-width ÷ √3 (GUM, 4.3.7).
    pub fn standard(self) -> f64 {
        match self {
            Self::Within(half_width) => half_width / 3.0_f64.sqrt(),
            Self::Standard(standard) => standard,
        }
    }
}

impl fmt::Display for GainUncertainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(share) => write!(f, "within ±{}", percent(*share)),
            Self::Standard(share) => write!(f, "±{} standard", percent(*share)),
        }
    }
}

/// Where a gain comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum GainFrom {
    /// This sensor was never compared with another; the width is what such sensors usually are off by.
    Assumed,
    /// The maker of the sensor states its accuracy.
    Stated {
        /// Where.
        by: String,
    },
    /// `perwatt power calibrate` compared it with a reference.
    Calibrated {
        /// The reference.
        reference: String,
        /// When, RFC 3339 in UTC.
        at_utc: String,
    },
}

impl fmt::Display for GainFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assumed => f.write_str("assumed, never compared with a meter"),
            Self::Stated { by } => write!(f, "stated by {by}"),
            Self::Calibrated { reference, at_utc } => {
                write!(f, "calibrated against {reference} at {at_utc}")
            }
        }
    }
}

/// What it cost to read the sensor beside the load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SamplerCost {
    /// Time between two reads.
    pub interval_s: f64,
    /// Median time that one read took.
    pub read_s: f64,
    /// CPU time of the sampling thread as a share of one processor, or why it cannot be said.
    pub cpu_share: Reading<f64>,
}

/// How a device stood at one moment; what the sensor's library says beside the power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conditions {
    /// Clock of the arithmetic units.
    pub core_clock_mhz: Reading<f64>,
    /// Clock of the memory.
    pub memory_clock_mhz: Reading<f64>,
    /// Temperature of the chip.
    pub temperature_c: Reading<f64>,
    /// Power limit in force.
    pub power_limit_w: Reading<f64>,
    /// Why the device runs below its clock, in the library's words; empty where it does not. Being
    /// idle is no reason.
    pub throttled_by: Reading<Vec<String>>,
}

impl Conditions {
    /// Nothing can be said, for one reason.
    pub fn unread(reason: &str) -> Self {
        Self {
            core_clock_mhz: Reading::unmeasured(reason),
            memory_clock_mhz: Reading::unmeasured(reason),
            temperature_c: Reading::unmeasured(reason),
            power_limit_w: Reading::unmeasured(reason),
            throttled_by: Reading::unmeasured(reason),
        }
    }
}

/// How much time an energy figure was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnergyTier {
    /// A short window: good for a look, and named so.
    Screening,
    /// At least 60 seconds of steady load.
    Publishable,
}

impl fmt::Display for EnergyTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Screening => "screening",
            Self::Publishable => "publishable",
        })
    }
}

/// Energy over one window of steady load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyWindow {
    /// How much time it was given.
    pub tier: EnergyTier,
    /// Executions of the case inside the window.
    pub executions: u64,
    /// Length of the window: the time of its groups, the sleeps between them left out.
    pub duration_s: f64,
    /// Energy over the window, idle included.
    pub gross_j: f64,
    /// Standard uncertainty of `gross_j`: the root of the sum of the squares of `budget`, without `idle-drift`,
    /// which is an error of `net_j` alone.
    pub gross_uncertainty_j: f64,
    /// Where the true gross energy lies.
    pub gross_interval_j: Interval,
    /// Energy above idle over the window.
    pub net_j: Reading<f64>,
    /// Standard uncertainty of `net_j`.
    pub net_uncertainty_j: Reading<f64>,
    /// Where the true energy above idle lies.
    #[serde(default)]
    pub net_interval_j: Reading<Interval>,
    /// Mean power before the load.
    pub idle_before_w: Reading<f64>,
    /// Mean power after the load.
    pub idle_after_w: Reading<f64>,
    /// What makes the energy uncertain. The *uncertainty without the gain* is the root of the sum of the
    /// squares of these terms without `gain` and `idle-drift`: what differs from window to window of one
    /// sensor.
    pub budget: Vec<ErrorTerm>,
    /// Share of the window that the sensor saw, from 0 to 1.
    pub coverage: f64,
    /// New values of the sensor inside the window.
    pub updates: u64,
    /// Longest time between two new values inside the window.
    pub longest_gap_s: f64,
    /// Pieces that the load was cut into; they stand at different phases of the sensor's period.
    pub groups: u32,
    /// Load before the window that is in no figure.
    pub warm_up_s: f64,
    /// The device before the load and at the window's end.
    pub conditions: Vec<Conditions>,
    /// Why the device ran below its clock at any time from warm-up to idle; empty where it did not, or
    /// where that is unknown.
    #[serde(default)]
    pub throttled_by: Vec<String>,
    /// Readings that no such device can have; none of them is in the energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<DoubtedReadings>,
    /// What the sensor said, so that it can be integrated in another way.
    pub trace: Trace,
}

impl EnergyWindow {
    /// Mean power, idle included; none where no time passed.
    pub fn power_w(&self) -> Option<f64> {
        (self.duration_s > 0.0).then(|| self.gross_j / self.duration_s)
    }

    /// Time of one execution inside the window by the host's clock; none where nothing was executed.
    pub fn per_execution_s(&self) -> Option<f64> {
        (self.executions > 0).then(|| self.duration_s / self.executions as f64)
    }

    /// Energy of one execution, idle included; none where nothing was executed.
    pub fn per_execution_j(&self) -> Option<f64> {
        (self.executions > 0).then(|| self.gross_j / self.executions as f64)
    }

    /// Standard uncertainty of the gross energy as a share of it, the sensor's gain left out: what differs
    /// from window to window of one sensor. The gain is the same in all of them and cancels from their
    /// ratios; idle drift is an error of the net energy alone. None where no number says it.
    pub fn uncertainty_without_gain(&self) -> Option<f64> {
        let variance: f64 = self
            .budget
            .iter()
            .filter(|term| !matches!(term.cause, ErrorCause::Gain | ErrorCause::IdleDrift))
            .map(|term| term.uncertainty_j.powi(2))
            .sum();
        let share = variance.sqrt() / self.gross_j;
        (share.is_finite() && share >= 0.0).then_some(share)
    }
}

/// One cause of uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorTerm {
    /// What makes the figure uncertain.
    pub cause: ErrorCause,
    /// Its standard uncertainty of the gross energy; of `idle-drift`, of the net energy.
    pub uncertainty_j: f64,
}

/// What makes an energy figure uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCause {
    /// The sensor's constant factor.
    Gain,
    /// The ends of the window fall between two values of the sensor.
    Ends,
    /// The sensor is behind by a time that is not quite known, while power moves.
    Lag,
    /// The spread of phase-shifted rounds, or the noise of single readings.
    Trials,
    /// The load repeats in step with a sensor that looks only now and then.
    InStep,
    /// The smallest step of the sensor.
    Resolution,
    /// Idle power during the load is not that of before and after.
    IdleDrift,
    /// The sensor was silent, or sees only part of the time.
    Gaps,
}

/// What a sensor said around a window, on the worker's monotonic clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// Time of day at which the worker's clock stood at zero, in seconds since 1970, so that a meter's own
    /// log can be compared with it.
    #[serde(default)]
    pub zero_unix_s: Reading<f64>,
    /// When each new value was read.
    pub at_s: Vec<f64>,
    /// Power, of a sensor that says power.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub power_w: Vec<f64>,
    /// Energy since the first value, of a counter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy_j: Vec<f64>,
    /// Beginning and end of each piece of steady load.
    pub groups_s: Vec<(f64, f64)>,
}

/// A power that a trace says.
#[cfg(any(feature = "cli", feature = "power"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TracePower {
    /// From when it is the mean, in seconds; of a reading, when it was read.
    pub(crate) from_s: f64,
    /// Until when, in seconds.
    pub(crate) to_s: f64,
    /// The power, in watts.
    pub(crate) watts: f64,
}

#[cfg(any(feature = "cli", feature = "power"))]
impl Trace {
    /// Power over time: as the sensor said it, or as the steps of its counter say it.
    pub(crate) fn powers(&self) -> Vec<TracePower> {
        if !self.power_w.is_empty() {
            let readings = self.at_s.iter().zip(&self.power_w);
            return readings
                .map(|(at, watts)| TracePower {
                    from_s: *at,
                    to_s: *at,
                    watts: *watts,
                })
                .collect();
        }
        let values = self.at_s.iter().copied().zip(self.energy_j.iter().copied());
        let values: Vec<(f64, f64)> = values.collect();
        values
            .windows(2)
            .filter_map(|pair| {
                let [(from_s, before_j), (to_s, after_j)] = *pair else {
                    return None;
                };
                let watts = (after_j - before_j) / (to_s - from_s);
                // Two values of one time say none, and a step back in time neither.
                (to_s > from_s && watts.is_finite()).then_some(TracePower {
                    from_s,
                    to_s,
                    watts,
                })
            })
            .collect()
    }
}
