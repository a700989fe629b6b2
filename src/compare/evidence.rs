//! What the values of a case say about its ratio: the effect, how well it is known, and what bars a verdict.

use std::collections::{HashMap, HashSet};
use std::f64::consts::SQRT_2;

use super::case_pair::CasePair;
use super::comparable::Comparable;
use super::decide::{Lacking, RowEvidence};
use super::looks::Looks;
use super::metric::{Cost, Metric};
use super::noise::default_noise;
use super::pairing::{Pair, Side};
use super::policy::Policy;
use super::prospect::{FixedRow, Prospect, RowState, SideValue, WeighedRow};
use super::ratio_data::RatioData;
use super::reason::{Bar, Doubt, Reason};
use super::session::{InvocationValues, Session, SessionCase, SessionSensor};
use super::verdict::{Needed, Verdict};
use crate::stats::{Effect, Undefined, geometric_mean};
use crate::units::percent;

/// Fewest pairs that decide anything.
const FEWEST_PAIRS: usize = 3;

/// Fewest pairs whose own spread is all that counts. Of four, all may differ alike by chance where a machine has two states.
const FEWEST_OF_THEIR_OWN: usize = 5;

/// Fewest new values of a sensor in one window from which an energy is believed.
const FEWEST_UPDATES: u64 = 5;

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
        let measured = case.measure().is_some();
        let value = |costs: &[f64], side: Side| {
            let mean = geometric_mean(costs).ok()?;
            SideValue::of(mean, metric, headline, case.measure_on(side), measured)
        };
        Some(Prospect {
            id: case.id.clone(),
            metric,
            shader: case.shader(),
            gated: policy.gates(&case.id),
            margin: policy.margin(&case.id, metric),
            equivalence: policy.equivalence(&case.id, metric),
            baseline: value(&base, Side::Baseline),
            candidate: value(&candidate, Side::Candidate),
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
            Some(pairs) => paired(case, cost, pairs, self.looks)?,
            None => self.by_sessions(case, cost, policy)?,
        };
        let evidence = &mut weighed.evidence;
        let values: Vec<&InvocationValues> = case.values().collect();
        let unstable = values.iter().filter(|values| values.unstable).count();
        let throttled = values.iter().filter(|values| values.throttled).count();
        let all = values.len();
        let many = |count: usize| count as f64 > policy.unstable_share * all as f64;
        if many(throttled) {
            evidence.doubtful = Some(Doubt::Throttled {
                invocations: throttled,
                all,
            });
        }
        if let Some(gaps) = self.gaps(case, cost, policy) {
            evidence.doubtful = Some(gaps);
        }
        if self.one_session {
            evidence.barred = Some(Bar::SameSession);
        }
        if unstable > 0 {
            if many(unstable) {
                evidence.doubtful = Some(Doubt::Unsteady {
                    invocations: unstable,
                    all,
                });
            }
            weighed.notes.push(format!(
                "{unstable} of {all} invocations never reached steady state"
            ));
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
        let mut cases = case.baseline.iter().chain(&case.candidate);
        // Of another tool's figures nobody asks a proof. It comes last: whatever else bars, bars a change for the worse too.
        if cases.any(|case| case.unverified && !case.imported) {
            weighed.evidence.barred.get_or_insert(Bar::Unverified);
        }
        Ok(weighed)
    }

    /// What has no figure though others of its side have one: beyond the share that is put up with, or of the
    /// candidate alone.
    fn gaps(&self, case: &CasePair<'_>, cost: Cost, policy: &Policy) -> Option<Doubt> {
        let has = |case: &&&SessionCase| {
            case.absent.is_none() && case.invocations.iter().any(|v| v.cost(cost).is_some())
        };
        let sides = [&case.baseline, &case.candidate];
        let (of, all, lacking) = match self.pairs {
            Some(pairs) => {
                let numbers = sides.map(|side| numbers_with(side, cost));
                let without = |held: &HashSet<u32>, of: fn(&Pair) -> u32| {
                    pairs
                        .iter()
                        .filter(|pair| !held.contains(&of(pair)))
                        .count()
                };
                let [base, new] = &numbers;
                let lacking = [
                    without(base, |pair| pair.baseline),
                    without(new, |pair| pair.candidate),
                ];
                ("pairs", pairs.len(), lacking)
            }
            None => {
                let sessions = [self.baseline.len(), self.candidate.len()];
                let with = sides.map(|side| side.iter().filter(has).count());
                let lacking = [0, 1].map(|side| sessions[side].saturating_sub(with[side]));
                // A case that came later is not in the oldest sessions, which says nothing against it.
                ("sessions", usize::MAX, [0, lacking[1]])
            }
        };
        let [baseline, candidate] = lacking;
        // A case that `--until-decided` has left alone lacks both figures alike.
        let stopped = self.looks.several() && baseline == candidate;
        let many = candidate.max(baseline) as f64 > policy.unstable_share * all as f64;
        if (baseline == 0 && candidate > 0) || (many && !stopped) {
            return Some(Doubt::Gaps {
                baseline,
                candidate,
                of,
            });
        }
        let gaps = |side: &[&SessionCase]| side.iter().map(|case| case.gaps).sum::<usize>();
        let inside = sides.map(|side| gaps(side));
        let of_candidate = case.candidate.iter().map(|case| case.invocations.len());
        let all = inside[1] + of_candidate.sum::<usize>();
        let many = inside[1] as f64 > policy.unstable_share * all as f64;
        (self.pairs.is_none() && many).then_some(Doubt::Gaps {
            baseline: inside[0],
            candidate: inside[1],
            of: "invocations",
        })
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
                "the energies come from different sensors, whose gains may differ by {}; \
                 `perwatt power calibrate` narrows that",
                percent(gains.exp_m1())
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
}

/// Numbers of the invocations that have a cost.
fn numbers_with(side: &[&SessionCase], cost: Cost) -> HashSet<u32> {
    side.iter()
        .filter(|case| case.absent.is_none())
        .flat_map(|case| &case.invocations)
        .filter(|values| values.cost(cost).is_some())
        .map(|values| values.invocation)
        .collect()
}

/// Evidence from interleaved invocations.
fn paired(
    case: &CasePair<'_>,
    cost: Cost,
    pairs: &[Pair],
    looks: Looks,
) -> Result<WeighedRow, String> {
    let ratios = log_ratios(&case.baseline, &case.candidate, cost, pairs);
    let count = ratios.len();
    let of = |effect: Result<Effect, Undefined>| effect.map_err(|undefined| undefined.to_string());
    let effect = of(Effect::paired_robustly(&ratios))?;
    let plain = of(Effect::paired(&ratios))?;
    let mut notes = Vec::new();
    if count < pairs.len() && looks.several() {
        notes.push(format!("after {count} of {} pairs", pairs.len()));
    } else if count < pairs.len() {
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
            lacking: Lacking::default(),
            prior: None,
            believed_sd: (count < FEWEST_OF_THEIR_OWN)
                .then(|| SQRT_2 * default_noise(cost).invocation_sd),
            far: Effect::far_pairs(&ratios),
            barred: (count < FEWEST_PAIRS).then_some(Bar::FewPairs {
                pairs: count,
                needed: FEWEST_PAIRS,
            }),
            doubtful: None,
            looks,
        },
        data: RatioData::Pairs(ratios),
        notes,
    })
}

/// Logarithms of candidate ÷ baseline, pair by pair, of the pairs that have both.
pub(super) fn log_ratios(
    baseline: &[&SessionCase],
    candidate: &[&SessionCase],
    cost: Cost,
    pairs: &[Pair],
) -> Vec<f64> {
    let by_number = |side: &[&SessionCase]| -> HashMap<u32, f64> {
        side.iter()
            .flat_map(|case| &case.invocations)
            .filter_map(|values| Some((values.invocation, values.cost(cost)?)))
            .collect()
    };
    let (baseline, candidate) = (by_number(baseline), by_number(candidate));
    let usable = |cost: f64| cost > 0.0 && cost.is_finite();
    pairs
        .iter()
        .filter_map(|pair| {
            Some((
                *baseline.get(&pair.baseline)?,
                *candidate.get(&pair.candidate)?,
            ))
        })
        .filter(|(baseline, candidate)| usable(*baseline) && usable(*candidate))
        .map(|(baseline, candidate)| candidate.ln() - baseline.ln())
        .collect()
}
