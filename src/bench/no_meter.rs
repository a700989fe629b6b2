//! Why the energy of a device cannot be metered, or two of its sensors not be compared.

use super::bench::Stop;
use crate::power::sensors::NoSensor;
use crate::power::{Fault, Unusable};
use crate::units::{Joules, bound_percent, change};

/// Disagreement of a counter with the integrated power of the same device, as a share, at which the counter is not
/// believed.
pub(super) const COUNTER_TOLERANCE: f64 = 0.1;

/// Why no sensor meters the energy.
#[derive(Debug, thiserror::Error)]
pub enum NoMeter {
    /// The session measures no energy.
    #[error("the session asked for no energy")]
    NotAsked,
    /// An earlier invocation of the session found none.
    #[error("{0}")]
    Earlier(String),
    /// None can be opened.
    #[error(transparent)]
    NoSensor(#[from] NoSensor),
    /// The sensor of the session's earlier invocations cannot be found.
    #[error("{0}, which the session began with, is gone")]
    Gone(String),
    /// None of those that were opened can be believed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoneUsable(Vec<PassedOver>),
    /// One of two that are compared cannot be opened.
    #[error("{name}: {why}")]
    Named {
        /// As the user named it.
        name: String,
        /// Why.
        why: NoSensor,
    },
    /// One of two that are compared cannot be believed.
    #[error(transparent)]
    Unusable(Unusable),
    /// A sensor failed while it was read.
    #[error("{sensor}: {fault}")]
    Failed {
        /// The sensor.
        sensor: String,
        /// What it said.
        fault: Fault,
    },
    /// The readings of a sensor do not cover a window.
    #[error("{0}: its readings do not cover a whole window")]
    Uncovered(String),
    /// A sensor shows no load.
    #[error("one of the two sensors saw no load; do both measure the device that --device names?")]
    NoLoad,
    /// The device cannot be put under load.
    #[error("{0}")]
    CannotLoad(String),
}

impl From<Stop> for NoMeter {
    fn from(stop: Stop) -> Self {
        Self::CannotLoad(stop.into())
    }
}

/// A sensor that was opened and is not used.
#[derive(Debug, thiserror::Error)]
#[error("{sensor}: {why}")]
pub struct PassedOver {
    /// The sensor.
    pub sensor: String,
    /// Why.
    pub why: NotBelieved,
}

/// Why a sensor's readings are not believed.
#[derive(Debug, thiserror::Error)]
pub enum NotBelieved {
    /// Its readings show it.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A counter of energy that another sensor of the device contradicts.
    #[error(
        "the counter says {by_counter} where the integrated power says {by_power} ({}), and ±{} is allowed",
        change(*.by_counter / *.by_power), bound_percent(COUNTER_TOLERANCE)
    )]
    Contradicted {
        /// By the counter.
        by_counter: Joules,
        /// By the other's power.
        by_power: Joules,
    },
}
