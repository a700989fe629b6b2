//! What a ratio was computed from, for the geometric mean and for what more would decide.

use crate::stats::{NoisePrior, SessionCost};

/// What a ratio was computed from.
pub(super) enum RatioData {
    Pairs(Vec<f64>),
    Sessions {
        baseline: Vec<SessionCost>,
        candidate: Vec<SessionCost>,
        prior: Option<NoisePrior>,
    },
}
