//! What is compared: the two sides as they are given.

use super::looks::Looks;
use super::noise::Noise;
use super::pairing::Pair;
use super::session::Session;

/// The two sides of a comparison, as they are given.
#[derive(Clone, Copy, Debug)]
pub enum Sides<'a> {
    /// Interleaved invocations.
    Paired {
        /// The baseline's session.
        baseline: &'a Session,
        /// The candidate's session.
        candidate: &'a Session,
        /// Which invocation ran beside which.
        pairs: &'a [Pair],
        /// How often they are looked at.
        looks: Looks,
    },
    /// Sessions that know nothing of each other.
    Sessions {
        /// The baseline's.
        baseline: &'a [&'a Session],
        /// The candidate's.
        candidate: &'a [&'a Session],
        /// Calibrated noise of the device.
        noise: Option<&'a Noise>,
    },
}
