//! The comparison itself: cases matched, all rows of the gate tested together, every row decided.

use std::collections::HashMap;

use super::comparable::Comparable;
use super::comparison::{Comparison, Design};
use super::decide::{Bounds, OneSided, Tests};
use super::geomean::geomeans;
use super::metric::{AnyMetric, Cost, Metric};
use super::policy::Policy;
use super::prospect::{FixedRow, Prospect, RowState, WeighedRow};
use super::ratio::{Ranks, Ratio};
use super::ratio_data::RatioData;
use super::reason::{Change, Reason};
use super::row::VerdictRow;
use super::session::Session;
use super::sides::Sides;
use super::successor::explain;
use super::verdict::Verdict;
use crate::stats::{benjamini_hochberg, holm};

/// Compares.
pub fn compare(sides: Sides<'_>, policy: &Policy) -> Comparison {
    let sides = Comparable::choose(sides, policy);
    let mut prospects = Vec::new();
    let mut absent_on_both = 0;
    let mut without_energy = None;
    let pairs = sides.cases();
    for pair in &pairs {
        if pair.absent_on_both() {
            absent_on_both += 1;
            continue;
        }
        for (at, metric) in pair.metrics(policy).into_iter().enumerate() {
            match sides.prospect(pair, metric, at == 0, policy) {
                Some(prospect) => prospects.push(prospect),
                None => without_energy = without_energy.or_else(|| pair.energy_missing()),
            }
        }
    }
    let family = number_hypotheses(&mut prospects);
    let geomeans = geomeans(&prospects, policy, &sides);
    let mut rows = judge(&prospects, family, policy);
    explain(&mut rows, &pairs);
    rows.sort_by(|a, b| {
        let size = |row: &VerdictRow| row.ratio.map_or(0.0, |ratio| ratio.value.ln().abs());
        (!a.gated, a.verdict)
            .cmp(&(!b.gated, b.verdict))
            .then_with(|| size(b).total_cmp(&size(a)))
    });
    let mut notes = sides.notes.clone();
    if let Some(reason) = without_energy.filter(|_| !sides.baseline.is_empty()) {
        notes.push(format!("energy was not compared: {reason}"));
    }
    let changed = |row: &VerdictRow| matches!(row.verdict, Verdict::Regressed | Verdict::Improved);
    if rows.iter().any(changed) {
        notes.extend(sides.doubt_of_sequel());
    }
    notes.extend(idle_rules(policy, &rows));
    notes.extend(policy.gaps());
    if rows.iter().any(|row| row.simulated) {
        notes.push(
            "SIMULATED values come from a simulated device or sensor and say nothing about hardware"
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
        pairs: sides.pairs.map(<[_]>::len),
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
        .map(|rule| format!("the policy's glob {:?} matches no case here", rule.glob))
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
        if let (Some(place), RowState::Weighed(weighed)) = (prospect.hypothesis, &prospect.state)
            && weighed.evidence.may_regress()
        {
            let effect = weighed.evidence.of_change();
            let looks = weighed.evidence.looks;
            worse[place] = looks.change(effect.p_above(prospect.margin));
            if weighed.evidence.barred.is_none() {
                better[place] = looks.change(effect.p_below(-prospect.margin));
            }
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
    let decided = match &prospect.state {
        RowState::Fixed(fixed) => fixed_row(prospect, fixed),
        RowState::Weighed(weighed) => {
            let weighed = weighed_row(prospect, weighed, adjusted, family, policy);
            match prospect.unchanged {
                true => same_program(weighed, metric),
                false => weighed,
            }
        }
    };
    let mut notes = prospect.notes.clone();
    notes.extend(decided.notes);
    VerdictRow {
        shader: prospect.shader.as_ref().map(|place| place.file.clone()),
        line: prospect.shader.as_ref().and_then(|place| place.line),
        gated: prospect.gated,
        simulated: prospect.simulated,
        baseline: prospect.baseline.as_ref().map(|side| side.value),
        candidate: prospect.candidate.as_ref().map(|side| side.value),
        baseline_text: prospect.baseline.as_ref().map(|side| side.text.clone()),
        candidate_text: prospect.candidate.as_ref().map(|side| side.text.clone()),
        margin: prospect.margin.exp_m1(),
        equivalence: prospect.equivalence.exp_m1(),
        notes,
        ..decided
    }
}

/// The part of a row that needs no test.
fn fixed_row(prospect: &Prospect, fixed: &FixedRow) -> VerdictRow {
    VerdictRow {
        only_in: fixed.only_in,
        needed: fixed.needed,
        ..VerdictRow::of(
            fixed.verdict,
            prospect.id.clone(),
            AnyMetric::Measured(prospect.metric),
            fixed.reason.clone(),
        )
    }
}

/// A row whose program and data are the same on both sides: noise alone leaves nothing to decide, and a sure
/// change is the machine's.
fn same_program(row: VerdictRow, metric: Metric) -> VerdictRow {
    match (row.verdict, row.ratio) {
        (Verdict::Inconclusive | Verdict::Pass, Some(ratio)) => VerdictRow {
            verdict: Verdict::Unchanged,
            reason: Reason::SameProgram(Change { metric, ratio }),
            needed: None,
            ..row
        },
        _ => {
            let mut row = row;
            row.notes.push(
                "WGSL, parameters and data are the same on both sides, so the machine, its driver or its \
                 settings changed"
                    .to_owned(),
            );
            row
        }
    }
}

/// The part of a row that its tests decide.
fn weighed_row(
    prospect: &Prospect,
    weighed: &WeighedRow,
    adjusted: Option<(OneSided, OneSided)>,
    family: usize,
    policy: &Policy,
) -> VerdictRow {
    let (metric, evidence) = (prospect.metric, &weighed.evidence);
    let (effect, looks) = (&evidence.effect, evidence.looks);
    let (regressed, improved) = adjusted.unwrap_or_else(|| {
        let effect = evidence.of_change();
        (
            OneSided::alone(looks.change(effect.p_above(prospect.margin))),
            OneSided::alone(looks.change(effect.p_below(-prospect.margin))),
        )
    });
    let tests = Tests {
        regressed,
        improved,
        equivalent: looks.equivalence(effect.p_equivalent(prospect.equivalence)),
    };
    let bounds = Bounds {
        margin: prospect.margin,
        equivalence: prospect.equivalence,
        family: if adjusted.is_some() { family } else { 1 },
    };
    let judgement = evidence.judge(metric, tests, bounds, policy, &weighed.data);
    let ranks = match (&weighed.data, &evidence.barred) {
        (RatioData::Pairs(ratios), None) => Ranks::of(ratios, metric, prospect.margin),
        _ => None,
    };
    let dissent = ranks.and_then(|ranks| {
        ranks.dissent(
            effect,
            evidence.units as usize,
            prospect.margin,
            policy.alpha,
        )
    });
    let notes = dissent.into_iter().chain(weighed.notes.iter().cloned());
    VerdictRow {
        ratio: Some(Ratio::of(effect, metric)),
        p_regressed: Some(tests.regressed.holm),
        p_improved: Some(tests.improved.holm),
        q_regressed: Some(tests.regressed.listed),
        q_improved: Some(tests.improved.listed),
        p_equivalent: Some(tests.equivalent),
        detectable: Some(judgement.detectable.exp_m1().min(f64::MAX)),
        needed: judgement.needed,
        prior: evidence.prior,
        ranks,
        notes: notes.collect(),
        ..VerdictRow::of(
            judgement.verdict,
            prospect.id.clone(),
            AnyMetric::Measured(metric),
            judgement.reason,
        )
    }
}
