//! Why a measurement has no energy. Types, so that nothing but the words depends on their wording.

use std::fmt;

use crate::power::Fault;
use crate::units::Seconds;

/// New values of a sensor that a window must hold.
pub(super) const FEWEST_UPDATES: u64 = 8;

/// Why a measurement has no energy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoEnergy {
    /// There was no steady load.
    #[error("no steady load was measured")]
    NoLoad,
    /// The sensor was lost or started anew during the window.
    #[error("{0}, so the window has no joules")]
    Fault(Fault),
    /// Readings begin too late or end too early.
    #[error("the sensor's readings do not cover the whole window{}", because(.0.as_ref()))]
    NotCovered(Option<Fault>),
    /// Readings cover too little of the idle before or after the load.
    #[error("the sensor's readings do not cover the idle")]
    IdleNotCovered,
    /// No reading at all.
    #[error("the sensor gave no reading during the window")]
    NoReading,
    /// The load came and went, and the reading stayed the same for so long.
    #[error(
        "the sensor is frozen: its reading stayed the same from the beginning of the window until the \
         device was idle again, {:.1} s; reload its driver, or choose another sensor with --power",
        .0.get()
    )]
    Frozen(Seconds),
    /// New values ceased to come in the middle of the window.
    #[error(
        "the sensor stopped: no new value came in the last {} of a window of {window}, where one is due every {period}; \
         reload its driver, or choose another sensor with --power", .silent
    )]
    Stopped {
        /// Time without a new value.
        silent: Seconds,
        /// Length of the window.
        window: Seconds,
        /// Time between two new values.
        period: Seconds,
    },
    /// Too few new values, of a sensor whose update period is unknown.
    #[error(
        "the sensor changed only {updates} times in a window of {window}, and {FEWEST_UPDATES} are \
         needed; its update period could not be determined, so try --energy publishable"
    )]
    FewChanges {
        /// New values inside the window.
        updates: u64,
        /// Its length.
        window: Seconds,
    },
    /// Too few new values.
    #[error(
        "the sensor gives a new value every {period}, so a window of {window} holds only {updates}, of \
         which {FEWEST_UPDATES} are needed; a window of {wanted} would do{}",
        if *.longer_tier { ": --energy publishable" } else { "" }
    )]
    FewUpdates {
        /// Time between two new values.
        period: Seconds,
        /// Length of the window.
        window: Seconds,
        /// New values inside it.
        updates: u64,
        /// Length that would hold enough.
        wanted: Seconds,
        /// Whether the longer tier may measure for that long.
        longer_tier: bool,
    },
    /// The sensor was silent for too much of the window.
    #[error(
        "the sensor was silent for {:.0} % of the window{}; see `perwatt power watch`",
        100.0 * .share, because(.fault.as_ref())
    )]
    Silent {
        /// Share of the window.
        share: f64,
        /// What it last said instead of a reading.
        fault: Option<Fault>,
    },
    /// Too many of the sensor's readings are such as no device can have.
    #[error(
        "{:.0} % of the sensor's readings are doubted ({example}); update its driver, or choose another sensor \
         with --power",
        100.0 * .share
    )]
    Doubted {
        /// Share of the readings.
        share: f64,
        /// The last of them, in words.
        example: String,
    },
    /// The readings overflow.
    #[error(
        "the readings never exceed 65.5 W and jump across that range, as 16 bits of milliwatts do when they \
         overflow, and the device may draw {limit_w:.0} W; update its driver, or choose another sensor with --power"
    )]
    Overflows {
        /// The power limit.
        limit_w: f64,
    },
    /// The measurement took far longer than was known beforehand.
    #[error(
        "the energy of this case took more than the {allowed} that are allowed, since an execution took longer \
         than the {once} it was timed at; use --energy publishable, or a smaller case"
    )]
    OverBudget {
        /// Time that it may take.
        allowed: Seconds,
        /// Time of one execution, as it was timed.
        once: Seconds,
    },
    /// The load did not move a sensor that looks only now and then.
    #[error(
        "the sensor looks at {:.0} % of the time and the load did not move its reading, so power that changes in \
         step with it cannot be excluded; choose a sensor that sees all of the time",
        100.0 * .coverage
    )]
    Unmoved {
        /// Share of the time that it sees.
        coverage: f64,
    },
    /// The procedure would take too long with this sensor, which is known before it begins.
    #[error(
        "with a sensor that has a new value every {period} the energy of this case takes about {needed}, and \
         {allowed} are allowed{}",
        if *.longer_tier { "; --energy publishable allows more" } else { "; use a faster sensor" }
    )]
    TooSlow {
        /// Time between two new values of the sensor.
        period: Seconds,
        /// Time that the procedure would take.
        needed: Seconds,
        /// Time that it may take.
        allowed: Seconds,
        /// Whether the longer tier allows enough.
        longer_tier: bool,
    },
    /// The record does not say when the window was, so a log cannot be aligned with it.
    #[error("the record does not say when the window was: {0}")]
    UnknownTime(String),
}

/// The end of a sentence that names a fault, where there is one.
fn because(fault: Option<&Fault>) -> impl fmt::Display {
    fault.map_or_else(String::new, |fault| format!(": {fault}"))
}
