//! One number for two files: the geometric mean of the ratios of the cases that both have.
//!
//! Its interval comes from the same units as a row's. Cases of one session move together, so treating
//! them as so many independent ratios would claim a precision that the conditions of a session take
//! away; here each pair, or each session, first gives its own mean over the cases.

use schemars::JsonSchema;
use serde::Serialize;

use super::metric::Metric;
use super::verdict::Ratio;
use crate::stats::{Effect, NoisePrior, SessionCost};

/// The mean ratio of a metric over cases.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Geomean {
    /// The metric.
    pub metric: Metric,
    /// Cases in the mean.
    pub cases: usize,
    /// Cases of either side that are not.
    pub left_out: usize,
    /// Candidate ÷ baseline; nothing where too little is common.
    pub ratio: Option<Ratio>,
    /// The assumption about the noise that the interval rests on, where it is not the data alone.
    pub prior: Option<String>,
}

/// Mean over cases of paired log ratios, pair by pair; `None` for fewer than two pairs.
pub(super) fn paired(cases: &[Vec<f64>]) -> Option<Effect> {
    let pairs = cases.first()?.len();
    let means: Vec<f64> = (0..pairs)
        .map(|pair| {
            cases.iter().filter_map(|case| case.get(pair)).sum::<f64>() / cases.len() as f64
        })
        .collect();
    Effect::paired_robustly(&means).ok()
}

/// Mean over cases of sessions' costs, session by session. The spread inside a session is taken to be
/// that of its cases on average, which is the most it can be.
pub(super) fn sessions(
    baseline: &[Vec<SessionCost>],
    candidate: &[Vec<SessionCost>],
    prior: Option<NoisePrior>,
) -> Option<Effect> {
    Effect::sessions(&mean_sessions(baseline), &mean_sessions(candidate), prior).ok()
}

/// Case by session, turned into one cost a session.
fn mean_sessions(cases: &[Vec<SessionCost>]) -> Vec<SessionCost> {
    let sessions = cases.first().map_or(0, Vec::len);
    let count = cases.len() as f64;
    (0..sessions)
        .map(|session| {
            let costs = || cases.iter().filter_map(|case| case.get(session));
            SessionCost {
                mean_log: costs().map(|cost| cost.mean_log).sum::<f64>() / count,
                invocations: costs().map(|cost| cost.invocations).min().unwrap_or(1),
                squares: costs().map(|cost| cost.squares).sum::<f64>() / count,
            }
        })
        .collect()
}
