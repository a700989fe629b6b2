//! What the values of a case say about its ratio: the effect, how well it is known, and what bars a verdict.

use std::collections::{HashMap, HashSet};

use super::case_pair::CasePair;
use super::comparable::Comparable;
use super::decide::RowEvidence;
use super::metric::{Cost, Metric};
use super::noise::{NoiseAssumption, default_noise};
use super::pairing::{Pair, Side};
use super::policy::Policy;
use super::prospect::{FixedRow, Prospect, RatioData, RowState, WeighedRow};
use super::reason::{Bar, Doubt, Reason};
use super::session::{InvocationValues, Session, SessionCase, SessionSensor};
use super::verdict::{Needed, Verdict};
use crate::stats::{Effect, NoisePrior, SessionCost, Undefined, geometric_mean};

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
        first: bool,
        policy: &Policy,
    ) -> Option<Prospect> {
        let cost = metric.cost();
        let (base, candidate) = (
            case.costs(Side::Baseline, cost),
            case.costs(Side::Candidate, cost),
        );
        let nothing = base.is_empty() && candidate.is_empty();
        // A case that failed everywhere is told once, with its first metric.
        let state = if let Some(absence) = case.absence().filter(|_| first || !nothing) {
            absence
        } else if nothing {
            return None;
        } else if let Some(absence) = case.energy_absence(&base, &candidate) {
            absence
        } else if let Some(reason) = self.incomparable(case, cost) {
            RowState::Fixed(FixedRow::new(Verdict::Incomparable, reason))
        } else {
            match self.evidence(case, cost, policy) {
                Ok(data) => RowState::Weighed(data),
                Err(why) => RowState::Fixed(self.no_estimate(why)),
            }
        };
        let headline = case.headline();
        let measure = case.measure().filter(|_| cost == Cost::Time).cloned();
        let value = |costs: &[f64]| {
            geometric_mean(costs)
                .ok()
                .map(|cost| match &measure {
                    Some(measure) => measure.value(cost),
                    None => metric.value(cost, headline),
                })
                // A time that is hardly above zero gives a rate beyond all numbers.
                .filter(|value| value.is_finite())
        };
        Some(Prospect {
            id: case.id.clone(),
            metric,
            headline,
            measure: measure.clone(),
            shader: case.shader(),
            gated: policy.gates(&case.id),
            margin: policy.margin(&case.id, metric),
            equivalence: policy.equivalence(&case.id, metric),
            baseline: value(&base),
            candidate: value(&candidate),
            notes: case.notes(),
            simulated: self.simulated(cost),
            unchanged: self.unchanged(case),
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
        let values: Vec<&InvocationValues> = case.values().collect();
        let unstable = values.iter().filter(|values| values.unstable).count();
        let throttled = values.iter().filter(|values| values.throttled).count();
        let all = values.len();
        if throttled > 0 {
            evidence.barred.get_or_insert(Bar::Throttled {
                invocations: throttled,
                all,
            });
        }
        if unstable > 0 {
            if unstable as f64 > policy.unstable_share * all as f64 {
                evidence.doubtful = Some(Doubt::Unsteady {
                    invocations: unstable,
                    all,
                });
            }
            weighed.notes.push(format!(
                "{unstable} of {all} invocations never reached steady state"
            ));
        }
        let mut cases = case.baseline.iter().chain(&case.candidate);
        if cases.any(|case| case.unverified) {
            evidence.barred = Some(Bar::Unverified);
        }
        match cost {
            Cost::Time => {
                let step = values.iter().map(|f| f.step).sum::<f64>() / all.max(1) as f64;
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
        let updates = case.values().filter(|f| f.energy_j.is_some());
        let fewest = updates.map(|values| values.energy_updates).min();
        if let Some(fewest) = fewest.filter(|fewest| *fewest < FEWEST_UPDATES) {
            evidence.barred.get_or_insert(Bar::FewUpdates {
                updates: fewest,
                needed: FEWEST_UPDATES,
            });
        }
    }

    /// A row whose values allow no estimate yet.
    fn no_estimate(&self, why: String) -> FixedRow {
        let fewest_pairs = self.pairs.map(|_| FEWEST_PAIRS);
        FixedRow {
            needed: fewest_pairs.map(|pairs| Needed::Pairs(pairs as u64)),
            ..FixedRow::new(
                Verdict::Inconclusive,
                Reason::NoEstimate { why, fewest_pairs },
            )
        }
    }

    /// Evidence from sessions that know nothing of each other.
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
        let (prior, assumption) = prior(sessions, calibrated, cost, policy);
        let effect = Effect::sessions(&baseline, &candidate, prior)
            .map_err(|undefined| undefined.to_string())?;
        let invocations: usize = baseline
            .iter()
            .chain(&candidate)
            .map(|s| s.invocations)
            .sum();
        let barred = (invocations < FEWEST_INVOCATIONS).then_some(Bar::SinglePair);
        Ok(WeighedRow {
            evidence: RowEvidence {
                effect,
                plain: effect,
                units: 2.0 / (1.0 / baseline.len() as f64 + 1.0 / candidate.len() as f64),
                paired: false,
                lacking: (policy.sessions + 1).saturating_sub(known),
                prior: assumption,
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
) -> (Option<NoisePrior>, Option<NoiseAssumption>) {
    if sessions > policy.sessions {
        return (None, None);
    }
    let noise = calibrated.unwrap_or_else(|| default_noise(cost));
    let assumption = NoiseAssumption {
        calibrated: calibrated.is_some(),
        session_sd: noise.session_sd,
        degrees: noise.degrees,
    };
    (Some(noise), Some(assumption))
}

/// Evidence from interleaved invocations.
fn paired(case: &CasePair<'_>, cost: Cost, pairs: &[Pair]) -> Result<WeighedRow, String> {
    let by_number = |side: &[&SessionCase]| -> HashMap<u32, f64> {
        side.iter()
            .flat_map(|case| &case.invocations)
            .filter_map(|values| Some((values.invocation, values.cost(cost)?)))
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
    let of = |effect: Result<Effect, Undefined>| effect.map_err(|undefined| undefined.to_string());
    let effect = of(Effect::paired_robustly(&ratios))?;
    let plain = of(Effect::paired(&ratios))?;
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
            barred: (count < FEWEST_PAIRS).then_some(Bar::FewPairs {
                pairs: count,
                needed: FEWEST_PAIRS,
            }),
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
        .map(|costs| SessionCost::of(&costs).map_err(|undefined| undefined.to_string()))
        .collect()
}
