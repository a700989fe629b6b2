//! Why a statistic has no value.
//!
//! Every function of this room that may have no answer says so with this one type; none returns NaN
//! or an infinity. The messages end with what would give a value.

use crate::units::{self, percent};

/// Why a statistic has no value.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// There is nothing to compute it from.
    #[error("there is no value to compute it from")]
    NoValues,
    /// Fewer samples than an interval needs.
    #[error("{count} samples are too few for an interval; {needed} are needed")]
    FewSamples {
        /// How many there are.
        count: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Fewer values than changes of level can be told from noise in.
    #[error("{count} values are too few to tell a change of level from noise; {needed} are needed")]
    FewForChanges {
        /// How many there are.
        count: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Fewer invocations than an interval needs.
    #[error(
        "{count} invocation{} a median and its precision; three or more give an interval",
        if *count == 1 { " gives" } else { "s give" }
    )]
    FewInvocations {
        /// How many there are.
        count: usize,
    },
    /// Fewer pairs than a test needs.
    #[error("{count} pair{} cannot tell an effect from noise", if *count == 1 { "" } else { "s" })]
    FewPairs {
        /// How many there are.
        count: usize,
    },
    /// A session without any figure.
    #[error("no invocation has a figure")]
    NoInvocation,
    /// One side of a comparison is empty.
    #[error("one side has no session")]
    NoSession,
    /// One session on each side and no prior.
    #[error("one session on each side cannot show how much sessions differ")]
    OneSessionEach,
    /// One session and no prior.
    #[error("one session cannot show how much sessions differ")]
    OneSession,
    /// Only numbers above zero have a logarithm, and so a ratio.
    #[error("{value} is not above zero and has no ratio")]
    NotPositive {
        /// The number.
        value: f64,
    },
    /// The samples drift to their end.
    #[error(
        "the second half of the samples is {} off the first",
        units::change(1.0 + change)
    )]
    Unsteady {
        /// The second half's median less the first's, as a share of the whole's.
        change: f64,
    },
    /// A number is beyond what an `f64` holds.
    #[error("its spread or value is beyond what a number can hold")]
    NotFinite,
    /// The divisor may be zero, so the quotient has no upper end.
    #[error(
        "the divisor's {} confidence interval reaches down to {low:.3}, so the quotient has no upper \
         end; more invocations narrow it",
        percent(*level)
    )]
    DivisorReachesZero {
        /// Lower end of the divisor's interval.
        low: f64,
        /// Its level.
        level: f64,
    },
}
