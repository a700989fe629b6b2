//! What the values of a case say about its ratio: the effect, how well it is known, and what bars a verdict.

use std::collections::{HashMap, HashSet};

use super::case_pair::CasePair;
use super::comparable::Comparable;
use super::decide::RowEvidence;
use super::metric::{Cost, Metric};
use super::noise::default_noise;
use super::pairing::{Pair, Side};
use super::policy::Policy;
use super::prospect::{FixedRow, Prospect, RatioData, RowState, WeighedRow};
use super::session::{InvocationValues, Session, SessionCase, SessionSensor};
use super::verdict::{Needed, Verdict};
use crate::stats::{Effect, NoisePrior, SessionCost, geometric_mean};

/// Fewest pairs that decide anything.
const FEWEST_PAIRS: usize = 3;

/// Fewest new values of a sensor in one window from which an energy is believed.
const FEWEST_UPDATES: u64 = 5;

/// Fewest invocations, both sides together, that decide anything: one against one is a single pair.
const FEWEST_INVOCATIONS: usize = 3;

impl<'a> Comparable<'a> {
    /// What a metric of a case amounts to before the family is known; `None` where neither side has it.
    pub(super) fn prospect(
        &self,
        case: &CasePair<'_>,
        metric: Metric,
        policy: &Policy,
    ) -> Option<Prospect> {
        let cost = metric.cost();
        let (base, candidate) = (
            case.costs(Side::Baseline, cost),
            case.costs(Side::Candidate, cost),
        );
        let nothing = base.is_empty() && candidate.is_empty();
        // A case that failed everywhere is told once, not for every metric.
        let first = policy.metrics.first() == Some(&metric);
        let state = if let Some(absence) = case.absence().filter(|_| first || !nothing) {
            absence
        } else if nothing {
            return None;
        } else if let Some(absence) = case.cost_absence(cost, &base, &candidate) {
            absence
        } else if let Some(reason) = self.incomparable(case, cost) {
            RowState::FixedRow(FixedRow::new(Verdict::Incomparable, reason))
        } else {
            match self.evidence(case, cost, policy) {
                Ok(data) => RowState::WeighedRow(data),
                Err(reason) => RowState::FixedRow(FixedRow {
                    needed: self.fewest(),
                    ..FixedRow::new(Verdict::Inconclusive, reason)
                }),
            }
        };
        let counts = case.counts();
        let value = |costs: &[f64]| geometric_mean(costs).map(|cost| metric.value(cost, counts));
        Some(Prospect {
            id: case.id.clone(),
            metric,
            counts,
            shader: case.shader(),
            gated: policy.gates(&case.id),
            margin: policy.margin(&case.id, metric),
            equivalence: policy.equivalence(&case.id, metric),
            baseline: value(&base),
            candidate: value(&candidate),
            notes: case.notes(),
            simulated: self.simulated(cost),
            state,
            hypothesis: None,
        })
    }

    /// What the figures of a case say.
    fn evidence(
        &self,
        case: &CasePair<'_>,
        cost: Cost,
        policy: &Policy,
    ) -> Result<WeighedRow, String> {
        let mut weighed = match self.pairs {
            Some(pairs) => paired(case, cost, pairs)?,
            None => self.by_sessions(case, cost, policy)?,
        };
        let evidence = &mut weighed.evidence;
        let figures: Vec<&InvocationValues> = case.figures().collect();
        let unstable = figures.iter().filter(|figures| figures.unstable).count();
        let throttled = figures.iter().filter(|figures| figures.throttled).count();
        let all = figures.len();
        if throttled > 0 {
            evidence.barred.get_or_insert_with(|| {
                format!("the device throttled in {throttled} of {all} invocations")
            });
        }
        if unstable > 0 {
            let said = format!("{unstable} of {all} invocations never reached steady state");
            if unstable as f64 > policy.unstable_share * all as f64 {
                evidence.doubtful = Some(said.clone());
            }
            weighed.notes.push(said);
        }
        let unverified = case
            .baseline
            .iter()
            .chain(&case.candidate)
            .find_map(|case| case.unverified.clone());
        if let Some(reason) = unverified {
            evidence.barred = Some(reason);
        }
        match cost {
            Cost::Time => {
                let step = figures.iter().map(|f| f.step).sum::<f64>() / all.max(1) as f64;
                let spread = evidence.effect.standard_error * evidence.units.sqrt();
                // Noise wider than the clock's step averages the step away; without it, every reading
                // is rounded alike and repetition learns nothing below the step.
                if step > spread {
                    evidence.widen(step);
                }
            }
            Cost::Energy => self.weigh_sensors(case, &mut weighed),
        }
        Ok(weighed)
    }

    /// Puts what is stated of the energies' uncertainty into the evidence.
    fn weigh_sensors(&self, case: &CasePair<'_>, weighed: &mut WeighedRow) {
        let evidence = &mut weighed.evidence;
        // What chance does to single windows shows in their spread, unless it happened to agree; less
        // than what is stated is never claimed.
        let stated = [Side::Baseline, Side::Candidate]
            .map(|side| case.energy_variance(side))
            .iter()
            .sum::<f64>()
            .sqrt();
        for effect in [&mut evidence.effect, &mut evidence.plain] {
            effect.standard_error = effect.standard_error.max(stated);
        }
        // The gain of one sensor is in both sides alike and cancels; two gains do not, and no
        // repetition brings them nearer. Twice the standard uncertainty (GUM's expanded one) bounds it.
        let sensors = |sessions: &[&'a Session]| -> Vec<&'a SessionSensor> {
            sessions
                .iter()
                .filter_map(|s| s.sensor.as_ref().ok())
                .collect()
        };
        let (base, candidate) = (sensors(&self.baseline), sensors(&self.candidate));
        let all = || base.iter().chain(&candidate);
        let identities: HashSet<&str> = all().map(|sensor| sensor.identity.as_str()).collect();
        if identities.len() > 1 {
            let widest = |side: &[&SessionSensor]| side.iter().map(|s| s.gain).fold(0.0, f64::max);
            let gains = 2.0 * widest(&base).hypot(widest(&candidate));
            evidence.widen(gains);
            weighed.notes.push(format!(
                "the energies come from different sensors, whose gains may differ by {:.1} %; \
                 `perwatt power calibrate` narrows that",
                100.0 * gains.exp_m1()
            ));
        }
        let updates = case.figures().filter(|f| f.energy_j.is_some());
        let fewest = updates.map(|figures| figures.energy_updates).min();
        if let Some(fewest) = fewest.filter(|fewest| *fewest < FEWEST_UPDATES) {
            evidence.barred.get_or_insert_with(|| {
                format!(
                    "the sensor gave {fewest} new values in a window; {FEWEST_UPDATES} are the fewest, so \
                     measure for longer"
                )
            });
        }
    }

    /// The least that could decide, where nothing can be estimated yet.
    fn fewest(&self) -> Option<Needed> {
        self.pairs.map(|_| Needed::Pairs(FEWEST_PAIRS as u64))
    }

    /// RowEvidence from sessions that know nothing of each other.
    fn by_sessions(
        &self,
        case: &CasePair<'_>,
        cost: Cost,
        policy: &Policy,
    ) -> Result<WeighedRow, String> {
        let baseline = session_costs(&case.baseline, cost)?;
        let candidate = session_costs(&case.candidate, cost)?;
        let sessions = baseline.len() + candidate.len();
        let calibrated = self.noise.and_then(|noise| noise.of(&case.id, cost));
        let known = known_sessions(
            sessions,
            calibrated.filter(|_| sessions < policy.sessions + 1),
        );
        let (prior, words) = prior(sessions, calibrated, cost, policy);
        let effect = Effect::sessions(&baseline, &candidate, prior)?;
        let invocations: usize = baseline
            .iter()
            .chain(&candidate)
            .map(|s| s.invocations)
            .sum();
        let barred = (invocations < FEWEST_INVOCATIONS).then(|| {
            "one invocation on each side is a single pair, which decides nothing".to_owned()
        });
        Ok(WeighedRow {
            evidence: RowEvidence {
                effect,
                plain: effect,
                units: 2.0 / (1.0 / baseline.len() as f64 + 1.0 / candidate.len() as f64),
                paired: false,
                lacking: (policy.sessions + 1).saturating_sub(known),
                prior: words,
                barred,
                doubtful: None,
            },
            data: RatioData::Sessions {
                baseline,
                candidate,
                prior,
            },
            notes: Vec::new(),
        })
    }
}

/// Sessions that the spread is known from, a calibration's counted as if they were here: both have
/// one degree of freedom a session beyond what the means take.
fn known_sessions(sessions: usize, calibrated: Option<NoisePrior>) -> usize {
    sessions + calibrated.map_or(0, |noise| noise.degrees as usize)
}

/// The prior of a comparison, and how it is named. From enough sessions on, the data speak alone.
fn prior(
    sessions: usize,
    calibrated: Option<NoisePrior>,
    cost: Cost,
    policy: &Policy,
) -> (Option<NoisePrior>, Option<String>) {
    if sessions > policy.sessions {
        return (None, None);
    }
    let (noise, kind) = match calibrated {
        Some(noise) => (noise, "calibrated"),
        None => (default_noise(cost), "default"),
    };
    let words = format!(
        "the {kind} noise ({:.2} % between sessions, {:.0} degrees of freedom)",
        100.0 * noise.session_sd,
        noise.degrees
    );
    (Some(noise), Some(words))
}

/// RowEvidence from invocations that took turns.
fn paired(case: &CasePair<'_>, cost: Cost, pairs: &[Pair]) -> Result<WeighedRow, String> {
    let by_number = |side: &[&SessionCase]| -> HashMap<u32, f64> {
        side.iter()
            .flat_map(|case| &case.invocations)
            .filter_map(|figures| Some((figures.invocation, figures.cost(cost)?)))
            .collect()
    };
    let (baseline, candidate) = (by_number(&case.baseline), by_number(&case.candidate));
    let usable = |cost: f64| cost > 0.0 && cost.is_finite();
    let ratios: Vec<f64> = pairs
        .iter()
        .filter_map(|pair| {
            Some((
                *baseline.get(&pair.baseline)?,
                *candidate.get(&pair.candidate)?,
            ))
        })
        .filter(|(baseline, candidate)| usable(*baseline) && usable(*candidate))
        .map(|(baseline, candidate)| candidate.ln() - baseline.ln())
        .collect();
    let count = ratios.len();
    let fewest = |reason| format!("{reason}; {FEWEST_PAIRS} are the fewest, ten are usual");
    let effect = Effect::paired_robustly(&ratios).map_err(fewest)?;
    let plain = Effect::paired(&ratios).map_err(fewest)?;
    let mut notes = Vec::new();
    if count < pairs.len() {
        notes.push(format!(
            "{} of {} pairs lack a figure and were left out on both sides",
            pairs.len() - count,
            pairs.len()
        ));
    }
    Ok(WeighedRow {
        evidence: RowEvidence {
            effect,
            plain,
            units: count as f64,
            paired: true,
            lacking: 0,
            prior: None,
            barred: (count < FEWEST_PAIRS)
                .then(|| format!("{count} pairs decide nothing; {FEWEST_PAIRS} are the fewest")),
            doubtful: None,
        },
        data: RatioData::Pairs(ratios),
        notes,
    })
}

/// The costs of a case, session by session.
fn session_costs(cases: &[&SessionCase], cost: Cost) -> Result<Vec<SessionCost>, String> {
    cases
        .iter()
        .map(|case| -> Vec<f64> {
            case.invocations
                .iter()
                .filter_map(|f| f.cost(cost))
                .collect()
        })
        .filter(|costs| !costs.is_empty())
        .map(|costs| SessionCost::of(&costs))
        .collect()
}
