//! One number for two files: the geometric mean of the ratios of the cases that both have.
//!
//! Its interval comes from the same units as a row's. Cases of one session move together, so treating
//! them as so many independent ratios would claim a precision that the conditions of a session take
//! away; here each pair, or each session, first gives its own mean over the cases.

use schemars::JsonSchema;
use serde::Serialize;

use super::comparable::Comparable;
use super::metric::Metric;
use super::noise::NoiseAssumption;
use super::policy::Policy;
use super::prospect::{Prospect, RowState, WeighedRow};
use super::ratio::Ratio;
use super::ratio_data::RatioData;
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
    #[schemars(with = "Option<String>")]
    pub prior: Option<NoiseAssumption>,
}

/// Geometric means over the cases that every pair, or every session, has.
pub(super) fn geomeans(
    prospects: &[Prospect],
    policy: &Policy,
    sides: &Comparable<'_>,
) -> Vec<Geomean> {
    let mut metrics = policy.metrics.clone();
    for prospect in prospects {
        if !metrics.contains(&prospect.metric) {
            metrics.push(prospect.metric);
        }
    }
    metrics
        .iter()
        .filter_map(|metric| {
            let of_metric = || prospects.iter().filter(|p| p.metric == *metric);
            let weighed: Vec<&WeighedRow> = of_metric()
                .filter_map(|prospect| match &prospect.state {
                    RowState::Weighed(weighed) if weighed.evidence.barred.is_none() => {
                        Some(weighed)
                    }
                    _ => None,
                })
                .collect();
            let (mut effect, cases, prior) = match sides.pairs {
                Some(pairs) => geomean_of_pairs(&weighed, pairs.len()),
                None => geomean_of_sessions(&weighed, sides.baseline.len(), sides.candidate.len()),
            };
            if let Some(effect) = &mut effect {
                // The mean of bounded errors is within the mean of their bounds.
                let slack: f64 = weighed.iter().map(|w| w.evidence.effect.slack).sum();
                effect.slack = slack / weighed.len() as f64;
            }
            let all = of_metric().count();
            (all > 0).then(|| Geomean {
                metric: *metric,
                cases,
                left_out: all - cases,
                ratio: effect.map(|effect| Ratio::of(&effect, *metric)),
                prior,
            })
        })
        .collect()
}

type MeanEffect = (Option<Effect>, usize, Option<NoiseAssumption>);

/// The geometric mean over cases that have every pair.
fn geomean_of_pairs(weighed: &[&WeighedRow], pairs: usize) -> MeanEffect {
    let complete: Vec<Vec<f64>> = weighed
        .iter()
        .filter_map(|weighed| match &weighed.data {
            RatioData::Pairs(ratios) if ratios.len() == pairs => Some(ratios.clone()),
            _ => None,
        })
        .collect();
    (mean_of_pairs(&complete), complete.len(), None)
}

/// The geometric mean over cases that every session has.
fn geomean_of_sessions(
    weighed: &[&WeighedRow],
    of_baseline: usize,
    of_candidate: usize,
) -> MeanEffect {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut widest: Option<NoisePrior> = None;
    let mut assumption = None;
    for weighed in weighed {
        if let RatioData::Sessions {
            baseline,
            candidate,
            prior,
        } = &weighed.data
            && baseline.len() == of_baseline
            && candidate.len() == of_candidate
        {
            left.push(baseline.clone());
            right.push(candidate.clone());
            if let Some(prior) = prior
                && widest.is_none_or(|known| known.session_sd < prior.session_sd)
            {
                widest = Some(*prior);
                assumption = weighed.evidence.prior;
            }
        }
    }
    (
        mean_of_sessions(&left, &right, widest),
        left.len(),
        assumption,
    )
}

/// Mean over cases of paired log ratios, pair by pair; `None` for fewer than two pairs.
fn mean_of_pairs(cases: &[Vec<f64>]) -> Option<Effect> {
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
fn mean_of_sessions(
    baseline: &[Vec<SessionCost>],
    candidate: &[Vec<SessionCost>],
    prior: Option<NoisePrior>,
) -> Option<Effect> {
    Effect::sessions(&over_cases(baseline), &over_cases(candidate), prior).ok()
}

/// Case by session, turned into one cost a session.
fn over_cases(cases: &[Vec<SessionCost>]) -> Vec<SessionCost> {
    let sessions = cases.first().map_or(0, Vec::len);
    let count = cases.len() as f64;
    (0..sessions)
        .map(|session| {
            let costs = || cases.iter().filter_map(|case| case.get(session));
            let first = costs().next().copied();
            SessionCost {
                day: first.map_or(0, |cost| cost.day),
                started_s: first.and_then(|cost| cost.started_s),
                in_prior: first.is_some_and(|cost| cost.in_prior),
                mean_log: costs().map(|cost| cost.mean_log).sum::<f64>() / count,
                invocations: costs().map(|cost| cost.invocations).min().unwrap_or(1),
                squares: costs().map(|cost| cost.squares).sum::<f64>() / count,
            }
        })
        .collect()
}
