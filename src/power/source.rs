//! What every power sensor is to the rest of perwatt.

use crate::record::{Conditions, PowerSetup};
use crate::units::{Joules, Seconds, Watts};

/// A sensor that can be read at any time.
///
/// Time is handed in rather than looked up, so that a simulated sensor and a simulated hour cost
/// nothing, and the protocol that reads it cannot tell the difference.
pub trait PowerSource: Send {
    /// What this sensor is: name, provenance, boundary, what is known of its period and window.
    fn setup(&self) -> &PowerSetup;

    /// Reads the sensor; `now` is the time of the session's monotonic clock.
    ///
    /// # Errors
    /// There is no reading, which is never the same as a reading of zero.
    fn read(&mut self, now: Seconds) -> Result<Sample, Fault>;

    /// Clocks, temperature, power limit and throttling, where the same library says them. It is asked
    /// far less often than [`PowerSource::read`].
    fn conditions(&mut self) -> Conditions {
        Conditions::unread("this sensor says nothing but power")
    }
}

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When the value was read, on the session's monotonic clock: `now`, unless the source knows better
    /// (a driver that stamps its values).
    pub at: Seconds,
    /// What the sensor said.
    pub value: Quantity,
}

/// What a sensor can say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// Power, averaged over the sensor's window.
    Power(Watts),
    /// Energy since some start; register wraps are undone by the source, a reset is a [`Fault`].
    Energy(Joules),
}

impl Quantity {
    /// The power in watts; none of a counter.
    pub(super) fn watts(self) -> Option<f64> {
        match self {
            Self::Power(watts) => Some(watts.get()),
            Self::Energy(_) => None,
        }
    }
}

/// Why there is no reading. After [`Fault::Gone`] and [`Fault::Permission`] the source is not asked
/// again; after the others it is, and the gap is accounted for. A [`Fault::Reset`] and a [`Fault::Lost`]
/// are reported once, and the next reading counts from the new start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The system does not let this user read it.
    #[error("permission denied: {0}")]
    Permission(String),
    /// It was there and is gone.
    #[error("the sensor is gone: {0}")]
    Gone(String),
    /// What a counter counted since the reading before is unknown; the next reading counts from here.
    #[error("{0}")]
    Lost(String),
    /// It answers, and no such device can have the answer: the reading is left out.
    #[error("{0}")]
    Doubted(String),
    /// A counter started anew, at a driver reload say.
    #[error("the counter was reset: {0}")]
    Reset(String),
    /// It answers, and the answer cannot be used.
    #[error("{0}")]
    Unusable(String),
}
