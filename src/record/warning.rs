//! Typed warnings: what a reader of a figure must know, with the remedy in words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Seconds, Watts, percent, si};

/// Something that does not stop a measurement but changes how far it can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// Nothing checks the output of a custom kernel.
    #[error("UNVERIFIED: nothing checks the output ({reason}), so the kernel may be wrong")]
    Unverified {
        /// Why, as the user put it.
        reason: String,
    },
    /// Device timestamps and the host's clock do not agree.
    #[error(
        "timestamps say {}, the host's clock {} for one execution; the timestamps are shown, doubt them until a \
         longer run agrees",
        Seconds::from_ns(*.timestamp_ns), Seconds::from_ns(*.wall_ns)
    )]
    ClocksDisagree {
        /// Time of one execution by timestamps.
        timestamp_ns: f64,
        /// Time of one execution by the host's clock.
        wall_ns: f64,
    },
    /// Timestamps came back zero, reversed or missing and were not used.
    #[error("unusable device timestamps ({what}); the host's clock was used instead")]
    TimestampFault {
        /// What was seen.
        what: String,
    },
    /// The device has no timestamps; the host's clock includes submission.
    #[error("timed by the host's clock, which includes submission: {reason}")]
    WallClockOnly {
        /// Why.
        reason: String,
    },
    /// The rate is above what the measured roofline allows.
    #[error(
        "{} of the measured roofline, where {} is the most that the uncertainty allows; either a count is wrong, the \
         data sat in a cache, or the kernel skipped work",
        percent(*.share), percent(*.allowed)
    )]
    AboveRoofline {
        /// Measured share of the roofline; 1 is the roof.
        share: f64,
        /// What the share could be within both uncertainties.
        allowed: f64,
    },
    /// Steady state was never reached.
    #[error("no steady state: {reason}; close other programs, lock clocks, or raise --budget")]
    Unstable {
        /// What moved.
        reason: String,
    },
    /// Too few independent samples.
    #[error(
        "only {:.0} effective samples of {wanted:.0} wanted; raise --budget",
        .effective.floor()
    )]
    FewEffectiveSamples {
        /// Effective sample size.
        effective: f64,
        /// What it should be at least.
        wanted: f64,
    },
    /// An invocation has no figure for this case, though others have.
    #[error("invocation {invocation} has no figure: {reason}")]
    InvocationLost {
        /// Number of the invocation.
        invocation: u32,
        /// What happened to it.
        reason: String,
    },
    /// The adapter is a software driver.
    #[error("{name} is a software driver: its figures are the CPU's, not a GPU's")]
    SoftwareAdapter {
        /// Its name.
        name: String,
    },
    /// A batch is not far above the clock's precision.
    #[error(
        "a batch of {} is short against the clock's precision of {}; raise --budget",
        si(*.batch_ns * 1e-9, "s"), si(*.precision_ns * 1e-9, "s")
    )]
    CoarseClock {
        /// Length of a batch.
        batch_ns: f64,
        /// Precision of the clock.
        precision_ns: f64,
    },
    /// A shader may break a rule of the specifications that this driver forgives and another may not.
    #[error("{shader}: {rule}")]
    ShaderRule {
        /// The shader's file.
        shader: String,
        /// The variable or operation, the rule, and what to do.
        rule: String,
    },
    /// An execution is done in more dispatches than its kernel has, so that none outlasts the platform's watchdog.
    #[error(
        "done in {pieces} dispatches instead of {dispatches}, since one that takes longer than {} may lose this \
         platform's GPU; what lies between them is part of the time",
        si(*.longest_s, "s")
    )]
    InPieces {
        /// The kernel's dispatches.
        dispatches: u32,
        /// Those that it was done in.
        pieces: u32,
        /// The longest that one may take.
        longest_s: f64,
    },
    /// An execution is not much longer than the gap between two dispatches.
    #[error(
        "an execution takes {} and the gap between two dispatches {}, so up to {} of this may be the gap and not the \
         kernel; choose a larger shape",
        si(*.execution_ns * 1e-9, "s"), si(*.dispatch_gap_ns * 1e-9, "s"),
        percent((*.dispatch_gap_ns / *.execution_ns).min(1.0))
    )]
    ShortExecution {
        /// Time of one execution.
        execution_ns: f64,
        /// Time from one dispatch that does next to nothing to the next.
        dispatch_gap_ns: f64,
    },
    /// The device slowed down for heat or to protect itself while this was measured.
    #[error("the device throttled: {reason}; cool it, or lock its clock lower")]
    Throttled {
        /// What was seen. Files before version 1.3 name limits here too.
        reason: String,
    },
    /// The device ran at its power limit or at a clock that was set by a user: usual under full load.
    #[error("the device ran at a limit ({reason}), as is usual under full load")]
    AtLimit {
        /// What was seen.
        reason: String,
    },
    /// The power readings are made up.
    #[error(
        "SIMULATED: the power readings come from {sensor} and from no sensor; no figure of energy here was measured"
    )]
    SimulatedPower {
        /// The simulated sensor.
        #[serde(rename = "source")]
        sensor: String,
    },
    /// The sensor gave readings that no such device can have; they were left out.
    #[error(
        "{} of the power readings were doubted and left out ({example}); update the driver, or choose another sensor \
         with --power",
        percent(*.share)
    )]
    DoubtedReadings {
        /// Their share of all readings.
        share: f64,
        /// The last of them, in words.
        example: String,
    },
    /// The mean power lies clearly above the power limit that the driver states.
    #[error(
        "a mean of {} is {} of the driver's limit of {}; doubt the sensor until another one, or `perwatt power \
         calibrate`, agrees",
        Watts(*.mean_w), percent(*.mean_w / *.limit_w), Watts(*.limit_w)
    )]
    PowerAboveLimit {
        /// Mean power in the window.
        mean_w: f64,
        /// The limit.
        limit_w: f64,
    },
    /// Executions in the energy window took another time than the timed ones, beyond both uncertainties.
    #[error(
        "one execution took {} where it was timed and {} where its energy was measured; power and work per joule \
         belong to the latter",
        Seconds::from_ns(*.timed_ns), Seconds::from_ns(*.window_ns)
    )]
    EnergyAtOtherRate {
        /// Time of one timed execution.
        timed_ns: f64,
        /// Time of one execution in the energy window.
        window_ns: f64,
    },
    /// A case began on a warmer device than was asked for.
    #[error("not begun at {wanted_c} °C or below, as --cool-to asks: {reason}")]
    NotCooled {
        /// The temperature at or below which it was to begin, in °C.
        wanted_c: f64,
        /// Why it began all the same.
        reason: String,
    },
    /// A kind that a newer perwatt of the same major version added.
    #[error("a warning that only a newer perwatt can read; update perwatt")]
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
    /// faults on the one hand, limits on the other. An unknown reason counts as a fault.
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
