//! The comparison itself: cases matched, all rows of the gate tested together, every row decided.

use std::collections::HashMap;

use super::comparable::Comparable;
use super::comparison::{Comparison, Design};
use super::decide::{Bounds, OneSided, Tests};
use super::geomean::geomeans;
use super::metric::{AnyMetric, Cost};
use super::policy::Policy;
use super::prospect::{Prospect, RatioData, RowState};
use super::ratio::{Ranks, Ratio};
use super::session::Session;
use super::sides::Sides;
use super::verdict::{Verdict, VerdictRow};
use crate::stats::{benjamini_hochberg, holm};

/// Compares.
pub fn compare(sides: Sides<'_>, policy: &Policy) -> Comparison {
    let sides = Comparable::choose(sides, policy);
    let mut prospects = Vec::new();
    let mut absent_on_both = 0;
    let mut without_energy = None;
    for id in sides.ids() {
        let pair = sides.case(&id);
        if pair.absent_on_both() {
            absent_on_both += 1;
            continue;
        }
        for metric in &policy.metrics {
            match sides.prospect(&pair, *metric, policy) {
                Some(prospect) => prospects.push(prospect),
                None => without_energy = without_energy.or_else(|| pair.energy_missing()),
            }
        }
    }
    let family = number_hypotheses(&mut prospects);
    let geomeans = geomeans(&prospects, policy, &sides);
    let mut rows = judge(&prospects, family, policy);
    rows.sort_by(|a, b| {
        let size = |row: &VerdictRow| row.ratio.map_or(0.0, |ratio| ratio.value.ln().abs());
        (!a.gated, a.verdict, !a.failed)
            .cmp(&(!b.gated, b.verdict, !b.failed))
            .then_with(|| size(b).total_cmp(&size(a)))
    });
    let mut notes = sides.notes.clone();
    if let Some(reason) = without_energy.filter(|_| !sides.baseline.is_empty()) {
        notes.push(format!("energy was not compared: {reason}"));
    }
    notes.extend(idle_rules(policy, &rows));
    if rows.iter().any(|row| row.simulated) {
        notes.push(
            "SIMULATED numbers come from a made-up device or sensor and say nothing of hardware"
                .to_owned(),
        );
    }
    let names = |sessions: &[&Session]| sessions.iter().map(|s| s.name.clone()).collect();
    Comparison {
        design: if sides.pairs.is_some() {
            Design::Paired
        } else {
            Design::Sessions
        },
        baseline: names(&sides.baseline),
        candidate: names(&sides.candidate),
        baseline_environment: sides.baseline.first().map(|s| s.environment.clone()),
        candidate_environment: sides.candidate.first().map(|s| s.environment.clone()),
        alpha: policy.alpha,
        family,
        rows,
        geomeans,
        absent_on_both,
        notes,
    }
}

/// Rules of the policy that concern no row: probably a glob that was meant otherwise.
fn idle_rules(policy: &Policy, rows: &[VerdictRow]) -> Vec<String> {
    policy
        .cases
        .iter()
        .filter(|rule| !rows.iter().any(|row| rule.fits(&row.case)))
        .map(|rule| format!("the policy's glob {:?} fits no case here", rule.glob))
        .collect()
}

/// Gives every hypothesis of the gate its place in the family and says how many there are. A row that
/// could not be tested was declared all the same and keeps its place.
fn number_hypotheses(prospects: &mut [Prospect]) -> usize {
    let mut known: HashMap<(String, Cost, u64), usize> = HashMap::new();
    for prospect in prospects.iter_mut().filter(|prospect| prospect.gated) {
        let key = (
            prospect.id.clone(),
            prospect.metric.cost(),
            prospect.margin.to_bits(),
        );
        let next = known.len();
        prospect.hypothesis = Some(*known.entry(key).or_insert(next));
    }
    known.len()
}

/// Tests the family together and decides every row.
fn judge(prospects: &[Prospect], family: usize, policy: &Policy) -> Vec<VerdictRow> {
    let mut worse = vec![1.0; family];
    let mut better = vec![1.0; family];
    for prospect in prospects {
        if let (Some(place), RowState::WeighedRow(weighed)) = (prospect.hypothesis, &prospect.state)
            && weighed.evidence.barred.is_none()
        {
            let effect = &weighed.evidence.effect;
            worse[place] = effect.p_above(prospect.margin);
            better[place] = effect.p_below(-prospect.margin);
        }
    }
    let adjusted = |p_values: &[f64]| -> Vec<OneSided> {
        holm(p_values)
            .into_iter()
            .zip(benjamini_hochberg(p_values))
            .map(|(holm, listed)| OneSided { holm, listed })
            .collect()
    };
    let (worse, better) = (adjusted(&worse), adjusted(&better));
    prospects
        .iter()
        .map(|prospect| {
            let adjusted = prospect
                .hypothesis
                .map(|place| (worse[place], better[place]));
            row(prospect, adjusted, family, policy)
        })
        .collect()
}

/// One row; `adjusted` are its tests' p-values where it is in the family.
fn row(
    prospect: &Prospect,
    adjusted: Option<(OneSided, OneSided)>,
    family: usize,
    policy: &Policy,
) -> VerdictRow {
    let metric = prospect.metric;
    let text = |value: Option<f64>| value.map(|value| metric.show(value, prospect.counts));
    let mut row = VerdictRow {
        shader: prospect.shader.clone(),
        gated: prospect.gated,
        simulated: prospect.simulated,
        baseline: prospect.baseline,
        candidate: prospect.candidate,
        baseline_text: text(prospect.baseline),
        candidate_text: text(prospect.candidate),
        margin: prospect.margin.exp_m1(),
        equivalence: prospect.equivalence.exp_m1(),
        notes: prospect.notes.clone(),
        ..VerdictRow::of(
            Verdict::Inconclusive,
            prospect.id.clone(),
            AnyMetric::Measured(metric),
            metric.better(),
        )
    };
    match &prospect.state {
        RowState::FixedRow(fixed) => {
            row.verdict = fixed.verdict;
            row.reason.clone_from(&fixed.reason);
            row.failed = fixed.failed;
            row.only_in = fixed.only_in;
            row.needed = fixed.needed;
        }
        RowState::WeighedRow(weighed) => {
            let evidence = &weighed.evidence;
            let effect = &evidence.effect;
            let (regressed, improved) = adjusted.unwrap_or_else(|| {
                (
                    OneSided::alone(effect.p_above(prospect.margin)),
                    OneSided::alone(effect.p_below(-prospect.margin)),
                )
            });
            let tests = Tests {
                regressed,
                improved,
                equivalent: effect.p_equivalent(prospect.equivalence),
            };
            let bounds = Bounds {
                margin: prospect.margin,
                equivalence: prospect.equivalence,
                family: if adjusted.is_some() { family } else { 1 },
            };
            let judgement = evidence.judge(metric, tests, bounds, policy);
            row.verdict = judgement.verdict;
            row.reason = judgement.reason;
            row.plain = judgement.plain;
            row.ratio = Some(Ratio::of(effect, metric));
            row.p_regressed = Some(tests.regressed.holm);
            row.p_improved = Some(tests.improved.holm);
            row.q_regressed = Some(tests.regressed.listed);
            row.q_improved = Some(tests.improved.listed);
            row.p_equivalent = Some(tests.equivalent);
            row.detectable = Some(judgement.detectable.exp_m1().min(f64::MAX));
            row.needed = judgement.needed;
            row.prior.clone_from(&evidence.prior);
            if let (RatioData::Pairs(ratios), None) = (&weighed.data, &evidence.barred) {
                row.ranks = Ranks::of(ratios, metric, prospect.margin);
                let dissent = row.ranks.and_then(|ranks| {
                    ranks.dissent(effect, ratios.len(), prospect.margin, policy.alpha)
                });
                row.notes.extend(dissent);
            }
            row.notes.extend(weighed.notes.iter().cloned());
        }
    }
    row
}
