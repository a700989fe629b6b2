//! Typed warnings: what a reader of a figure must know, with the remedy in words.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Seconds, Watts, percent, si};

/// Something that does not stop a measurement but changes how far it can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// Nothing checks the output of a custom kernel.
    Unverified {
        /// Why, as the user put it.
        reason: String,
    },
    /// Device timestamps and the host's clock do not agree.
    ClocksDisagree {
        /// Time of one execution by timestamps.
        timestamp_ns: f64,
        /// Time of one execution by the host's clock.
        wall_ns: f64,
    },
    /// Timestamps came back zero, reversed or missing and were not used.
    TimestampFault {
        /// What was seen.
        what: String,
    },
    /// The device has no timestamps; the host's clock includes submission.
    WallClockOnly {
        /// Why.
        reason: String,
    },
    /// The rate is above what the measured roofline allows.
    AboveRoofline {
        /// Measured share of the roofline; 1 is the roof.
        share: f64,
        /// What the share could be within both uncertainties.
        allowed: f64,
    },
    /// Steady state was never reached.
    Unstable {
        /// What moved.
        reason: String,
    },
    /// Too few independent samples.
    FewEffectiveSamples {
        /// Effective sample size.
        effective: f64,
        /// What it should be at least.
        wanted: f64,
    },
    /// An invocation has no figure for this case, though others have.
    InvocationLost {
        /// Number of the invocation.
        invocation: u32,
        /// What happened to it.
        reason: String,
    },
    /// The adapter is a software driver.
    SoftwareAdapter {
        /// Its name.
        name: String,
    },
    /// A batch is not far above the clock's precision.
    CoarseClock {
        /// Length of a batch.
        batch_ns: f64,
        /// Precision of the clock.
        precision_ns: f64,
    },
    /// A shader may break a rule of the specifications that this driver forgives and another may not.
    ShaderRule {
        /// The shader's file.
        shader: String,
        /// The variable or operation, the rule, and what to do.
        rule: String,
    },
    /// An execution is done in more dispatches than its kernel has, so that none outlasts the platform's watchdog.
    InPieces {
        /// The kernel's dispatches.
        dispatches: u32,
        /// Those that it was done in.
        pieces: u32,
        /// The longest that one may take.
        longest_s: f64,
    },
    /// An execution is not much longer than the gap between two dispatches.
    ShortExecution {
        /// Time of one execution.
        execution_ns: f64,
        /// Time from one dispatch that does next to nothing to the next.
        dispatch_gap_ns: f64,
    },
    /// The device slowed down for heat or to protect itself while this was measured.
    Throttled {
        /// What was seen. Files before version 1.3 name limits here too.
        reason: String,
    },
    /// The device ran at its power limit or at a clock that somebody set: usual under full load.
    AtLimit {
        /// What was seen.
        reason: String,
    },
    /// The power readings are made up.
    SimulatedPower {
        /// The simulated sensor.
        source: String,
    },
    /// The sensor gave readings that no such device can have; they were left out.
    DoubtedReadings {
        /// Their share of all readings.
        share: f64,
        /// The last of them, in words.
        example: String,
    },
    /// The mean power lies clearly above the power limit that the driver states.
    PowerAboveLimit {
        /// Mean power in the window.
        mean_w: f64,
        /// The limit.
        limit_w: f64,
    },
    /// Executions in the energy window took another time than the timed ones, beyond both uncertainties.
    EnergyAtOtherRate {
        /// Time of one timed execution.
        timed_ns: f64,
        /// Time of one execution in the energy window.
        window_ns: f64,
    },
    /// A case began on a warmer device than was asked for.
    NotCooled {
        /// The temperature at or below which it was to begin, in °C.
        wanted_c: f64,
        /// Why it began all the same.
        reason: String,
    },
    /// A kind that a newer perwatt of the same major version added.
    #[serde(other)]
    Unknown,
}

/// Reasons for a lower clock that are a card's usual state under load, or were asked for.
const LIMITS: [&str; 9] = [
    "power limit",
    "current limit",
    "clock set by the user",
    "clock set for a display",
    "kept level with another card",
    "pl1",
    "pl2",
    "pl4",
    "status", // Intel's summary of the reasons beside it.
];

impl Warning {
    /// What reasons for a lower clock, in the words of their library, say about a measurement: heat and
    /// faults on the one hand, limits on the other. A reason that nobody knows counts as a fault.
    pub fn of_throttling(reasons: &[String]) -> Vec<Self> {
        let (limits, faults): (Vec<&str>, Vec<&str>) = reasons
            .iter()
            .map(String::as_str)
            .partition(|reason| LIMITS.iter().any(|limit| reason.starts_with(limit)));
        let mut warnings = Vec::new();
        if !faults.is_empty() {
            let reason = faults.join(", ");
            warnings.push(Self::Throttled { reason });
        }
        if !limits.is_empty() {
            let reason = limits.join(", ");
            warnings.push(Self::AtLimit { reason });
        }
        warnings
    }

    /// Whether the device slowed down for another reason than a limit.
    pub fn is_slowdown(&self) -> bool {
        match self {
            Self::Throttled { reason } => {
                let reasons: Vec<String> = reason.split(", ").map(str::to_owned).collect();
                let of_reasons = Self::of_throttling(&reasons);
                of_reasons
                    .iter()
                    .any(|w| matches!(w, Self::Throttled { .. }))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |ns: f64| Seconds::from_ns(ns);
        match self {
            Self::ClocksDisagree {
                timestamp_ns,
                wall_ns,
            } => write!(
                f,
                "timestamps say {}, the host's clock {} for one execution; \
                 the timestamps are shown, doubt them until a longer run agrees",
                time(*timestamp_ns),
                time(*wall_ns)
            ),
            Self::TimestampFault { what } => write!(
                f,
                "unusable device timestamps ({what}); the host's clock was used instead"
            ),
            Self::WallClockOnly { reason } => write!(
                f,
                "timed by the host's clock, which includes submission: {reason}"
            ),
            Self::AboveRoofline { share, allowed } => write!(
                f,
                "{} of the measured roofline, where {} is the most that the uncertainty allows; \
                 either a count is wrong, the data sat in a cache, or the kernel skipped work",
                percent(*share),
                percent(*allowed)
            ),
            Self::Unstable { reason } => write!(
                f,
                "no steady state: {reason}; close other programs, lock clocks, or raise --budget"
            ),
            Self::FewEffectiveSamples { effective, wanted } => write!(
                f,
                "only {:.0} effective samples of {wanted:.0} wanted; raise --budget",
                effective.floor()
            ),
            Self::InvocationLost { invocation, reason } => {
                write!(f, "invocation {invocation} has no figure: {reason}")
            }
            Self::SoftwareAdapter { name } => write!(
                f,
                "{name} is a software driver: its figures are the CPU's, not a GPU's"
            ),
            Self::CoarseClock {
                batch_ns,
                precision_ns,
            } => write!(
                f,
                "a batch of {} is short against the clock's precision of {}; raise --budget",
                si(batch_ns * 1e-9, "s"),
                si(precision_ns * 1e-9, "s")
            ),
            Self::ShortExecution {
                execution_ns,
                dispatch_gap_ns,
            } => write!(
                f,
                "an execution takes {} and the gap between two dispatches {}, so up to {} of this may be the gap and not \
                 the kernel; choose a larger shape",
                si(execution_ns * 1e-9, "s"),
                si(dispatch_gap_ns * 1e-9, "s"),
                percent((dispatch_gap_ns / execution_ns).min(1.0))
            ),
            Self::InPieces {
                dispatches,
                pieces,
                longest_s,
            } => write!(
                f,
                "done in {pieces} dispatches instead of {dispatches}, since one that takes longer than {} may lose \
                 this platform's GPU; what lies between them is part of the time",
                si(*longest_s, "s")
            ),
            Self::Unverified { reason } => write!(
                f,
                "UNVERIFIED: nothing checks the output ({reason}), so the kernel may be wrong"
            ),
            Self::ShaderRule { shader, rule } => write!(f, "{shader}: {rule}"),
            Self::Throttled { reason } => write!(
                f,
                "the device throttled: {reason}; cool it, or lock its clock lower"
            ),
            Self::AtLimit { reason } => write!(
                f,
                "the device ran at a limit ({reason}), as is usual under full load"
            ),
            Self::SimulatedPower { source } => write!(
                f,
                "SIMULATED: the power readings come from {source} and from no sensor; no figure of \
                 energy here was measured"
            ),
            Self::DoubtedReadings { share, example } => write!(
                f,
                "{} of the power readings were doubted and left out ({example}); update the driver, or \
                 choose another sensor with --power",
                percent(*share)
            ),
            Self::PowerAboveLimit { mean_w, limit_w } => write!(
                f,
                "a mean of {} is {} of the driver's limit of {}; doubt the sensor until another one, \
                 or `perwatt power calibrate`, agrees",
                Watts(*mean_w),
                percent(mean_w / limit_w),
                Watts(*limit_w)
            ),
            Self::EnergyAtOtherRate {
                timed_ns,
                window_ns,
            } => write!(
                f,
                "one execution took {} where it was timed and {} where its energy was measured; power and work \
                 per joule belong to the latter",
                time(*timed_ns),
                time(*window_ns)
            ),
            Self::NotCooled { wanted_c, reason } => write!(
                f,
                "not begun at {wanted_c} °C or below, as --cool-to asks: {reason}"
            ),
            Self::Unknown => {
                f.write_str("a warning that only a newer perwatt can read; update perwatt")
            }
        }
    }
}
