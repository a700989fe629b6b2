//! Margins that a machine can hold, from two sides of the same code.

use std::collections::{BTreeMap, HashSet};

use super::evidence::log_ratios;
use super::metric::Metric;
use super::pairing::Pair;
use super::policy::Policy;
use super::session::Session;
use crate::stats::{Holding, SessionCost, spread_of};

/// Steps in which margins are written, in per cent.
const STEP_PERCENT: f64 = 0.5;

/// From here on a bound says nothing any more.
const MOST_PERCENT: f64 = 100.0;

/// What a case of a machine can hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// `case@kernel`.
    pub case: String,
    /// Time or energy.
    pub metric: Metric,
    /// Standard deviation of pairs, as a share.
    pub pair_sd: f64,
    /// The margin and the bound of equivalence in per cent; none where no sensible bound would hold.
    pub percent: Option<(f64, f64)>,
    /// Whether the policy's general margins hold already.
    pub general_holds: bool,
}

/// What each case can hold in a gate of `pairs` pairs that passes identical code with the policy's power.
/// Spreads of pairs come from an A/A pairing.
pub fn suggest_from_pairs(
    baseline: &Session,
    candidate: &Session,
    paired: &[Pair],
    pairs: u32,
    policy: &Policy,
) -> Vec<Suggestion> {
    let mut spreads = BTreeMap::new();
    for case in &baseline.cases {
        let Some(other) = candidate.cases.iter().find(|other| other.id == case.id) else {
            continue;
        };
        for metric in [Metric::Time, Metric::Energy] {
            let ratios = log_ratios(&[case], &[other], metric.cost(), paired);
            if let Some(spread) = spread_of(&ratios) {
                spreads.insert((case.id.clone(), metric), spread);
            }
        }
    }
    suggestions(spreads, pairs, policy)
}

/// The same from sessions of the same code: invocations that run side by side differ as those of a session. Where
/// every session has one invocation, the spread between sessions stands for it; it is the same or larger.
pub fn suggest_from_sessions(sessions: &[Session], pairs: u32, policy: &Policy) -> Vec<Suggestion> {
    let mut known = HashSet::new();
    let once = sessions.iter().filter(|session| known.insert(&session.id));
    let mut costs: BTreeMap<(String, Metric), Vec<SessionCost>> = BTreeMap::new();
    for case in once.flat_map(|session| &session.cases) {
        for metric in [Metric::Time, Metric::Energy] {
            let values = case.invocations.iter();
            let values: Vec<f64> = values.filter_map(|v| v.cost(metric.cost())).collect();
            if let Ok(of_session) = SessionCost::of(&values) {
                let of_case = costs.entry((case.id.clone(), metric)).or_default();
                of_case.push(of_session);
            }
        }
    }
    let spreads = costs
        .into_iter()
        .filter_map(|(row, costs)| {
            let (squares, degrees) = within(&costs).or_else(|| between(&costs))?;
            Some((row, ((2.0 * squares / degrees).sqrt(), degrees)))
        })
        .collect();
    suggestions(spreads, pairs, policy)
}

/// Squared deviations of invocations from their session's mean, with their degrees of freedom, where there are any.
fn within(costs: &[SessionCost]) -> Option<(f64, f64)> {
    let squares = costs.iter().map(|cost| cost.squares).sum();
    let degrees: usize = costs
        .iter()
        .map(|cost| cost.invocations.saturating_sub(1))
        .sum();
    (degrees > 0).then_some((squares, degrees as f64))
}

/// Squared deviations of sessions from their mean, with their degrees of freedom, where there are any.
fn between(costs: &[SessionCost]) -> Option<(f64, f64)> {
    let degrees = costs.len().checked_sub(1).filter(|degrees| *degrees > 0)?;
    let mean = costs.iter().map(|cost| cost.mean_log).sum::<f64>() / costs.len() as f64;
    let squares = costs
        .iter()
        .map(|cost| (cost.mean_log - mean).powi(2))
        .sum();
    Some((squares, degrees as f64))
}

fn suggestions(
    spreads: BTreeMap<(String, Metric), (f64, f64)>,
    pairs: u32,
    policy: &Policy,
) -> Vec<Suggestion> {
    let rows = spreads.len().max(1) as f64;
    let holding = Holding {
        pairs,
        alpha: policy.alpha,
        chance: policy.power.powf(rows.recip()),
    };
    spreads
        .into_iter()
        .map(|((case, metric), (sd, degrees))| {
            let bound = holding.bound(sd, degrees);
            let percent = 100.0 * bound.exp_m1();
            // Half the bound, as the general margin is: a smaller change than that need not alarm.
            let margin = (percent / 2.0 / STEP_PERCENT).ceil() * STEP_PERCENT;
            Suggestion {
                general_holds: bound <= policy.equivalence(&case, metric),
                percent: (percent <= MOST_PERCENT).then_some((margin, 2.0 * margin)),
                case,
                metric,
                pair_sd: sd.exp_m1(),
            }
        })
        .collect()
}
