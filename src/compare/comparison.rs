//! The comparison itself: cases matched, evidence weighed, every row decided.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::environment::{Aspect, Difference, Environment, allowed};
use super::geomean::{self, Geomean};
use super::metric::{Cost, Figure, Metric};
use super::noise::{Noise, default_noise};
use super::pairing::{Pair, Side};
use super::policy::{Missing, Policy};
use super::session::{Figures, Sensor, Session, SessionCase};
use super::verdict::{
    Bounds, Decision, Evidence, Needed, OneSided, Ranks, Ratio, Row, Tests, Verdict,
};
use crate::record::Counts;
use crate::stats::{Effect, NoisePrior, SessionCost, benjamini_hochberg, geometric_mean, holm};

/// Fewest pairs that decide anything.
const FEWEST_PAIRS: usize = 3;

/// Fewest new values of a sensor in one window from which an energy is believed.
const FEWEST_UPDATES: u64 = 5;

/// Fewest invocations, both sides together, that decide anything: one against one is a single pair.
const FEWEST_INVOCATIONS: usize = 3;

/// How the two sides were measured.
#[derive(Clone, Copy, Debug)]
pub enum Design<'a> {
    /// Invocations that took turns.
    Paired {
        /// The baseline's session.
        baseline: &'a Session,
        /// The candidate's session.
        candidate: &'a Session,
        /// Which invocation ran beside which.
        pairs: &'a [Pair],
    },
    /// Sessions that know nothing of each other.
    Sessions {
        /// The baseline's.
        baseline: &'a [&'a Session],
        /// The candidate's.
        candidate: &'a [&'a Session],
        /// Calibrated noise of the device.
        noise: Option<&'a Noise>,
    },
}

/// What two sides say against each other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// `paired`, `sessions` or `codegen`.
    pub design: &'static str,
    /// Files of the baseline that were used.
    pub baseline: Vec<String>,
    /// Files of the candidate.
    pub candidate: Vec<String>,
    /// Where the baseline was measured.
    pub baseline_environment: Option<Environment>,
    /// Where the candidate was measured.
    pub candidate_environment: Option<Environment>,
    /// Probability that unchanged code gives any `REGRESSED`.
    pub alpha: f64,
    /// Hypotheses in the family that Holm's correction covers.
    pub family: usize,
    /// The rows, those that need attention first.
    pub rows: Vec<Row>,
    /// Geometric means over the common cases.
    pub geomeans: Vec<Geomean>,
    /// Cases that neither side could measure.
    pub absent_on_both: usize,
    /// What a reader must know of the whole.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Whether it is of compiled code, of which nothing is random.
    pub fn is_codegen(&self) -> bool {
        self.design == super::codegen::DESIGN
    }

    /// How many rows have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows
            .iter()
            .filter(|row| row.verdict == verdict)
            .count()
    }

    /// What a gate with this policy does.
    pub fn decision(&self, policy: &Policy) -> Decision {
        let gated = || self.rows.iter().filter(|row| row.gated);
        let failed = |row: &Row| match row.verdict {
            Verdict::Regressed => true,
            Verdict::Missing => row.failed || is_lost(row) && policy.missing == Missing::Fail,
            _ => false,
        };
        let open = |row: &Row| match row.verdict {
            Verdict::Inconclusive | Verdict::Incomparable => true,
            Verdict::Missing => is_lost(row) && policy.missing == Missing::Inconclusive,
            _ => false,
        };
        let decided = |row: &Row| matches!(row.verdict, Verdict::Pass | Verdict::Improved);
        if gated().any(failed) {
            Decision::Failed
        } else if gated().any(open) || !gated().any(decided) {
            // A gate in which nothing was judged has not passed anything.
            Decision::Undecided
        } else {
            Decision::Passed
        }
    }
}

/// Whether the baseline has what the candidate lacks; a new case is no loss.
fn is_lost(row: &Row) -> bool {
    row.only_in != Some(Side::Candidate)
}

/// Compares.
pub fn compare(design: Design<'_>, policy: &Policy) -> Comparison {
    let sides = Sides::choose(design, policy);
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
        let size = |row: &Row| row.ratio.map_or(0.0, |ratio| ratio.value.ln().abs());
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
            "paired"
        } else {
            "sessions"
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
fn idle_rules(policy: &Policy, rows: &[Row]) -> Vec<String> {
    policy
        .cases
        .iter()
        .filter(|rule| !rows.iter().any(|row| rule.fits(&row.case)))
        .map(|rule| format!("the policy's glob {:?} fits no case here", rule.glob))
        .collect()
}

/// The sessions that are held against each other.
struct Sides<'a> {
    baseline: Vec<&'a Session>,
    candidate: Vec<&'a Session>,
    pairs: Option<&'a [Pair]>,
    noise: Option<&'a Noise>,
    /// What forbids comparing at all.
    differences: Vec<String>,
    across: Vec<Aspect>,
    notes: Vec<String>,
}

impl<'a> Sides<'a> {
    /// Picks, of what is given, the sessions that may be compared.
    fn choose(design: Design<'a>, policy: &Policy) -> Self {
        let across = policy.across.clone();
        let mut sides = match design {
            Design::Paired {
                baseline,
                candidate,
                pairs,
            } => Self {
                baseline: vec![baseline],
                candidate: vec![candidate],
                pairs: Some(pairs),
                noise: None,
                differences: Vec::new(),
                across,
                notes: Vec::new(),
            },
            Design::Sessions {
                baseline,
                candidate,
                noise,
            } => {
                let mut sides = Self {
                    baseline: distinct(baseline, &[]),
                    candidate: distinct(candidate, &[]),
                    pairs: None,
                    noise,
                    differences: Vec::new(),
                    across,
                    notes: Vec::new(),
                };
                sides.drop_repeated(baseline.len(), candidate.len());
                sides.keep_comparable();
                sides
            }
        };
        sides.find_differences();
        sides.check_noise();
        sides
    }

    /// A session that stands on both sides would vouch for itself.
    fn drop_repeated(&mut self, baseline: usize, candidate: usize) {
        let twice = baseline - self.baseline.len() + candidate - self.candidate.len();
        if twice > 0 {
            self.notes.push(format!(
                "{twice} session(s) were given twice and count once"
            ));
        }
        let others = distinct(&self.baseline, &self.candidate);
        if others.len() == self.baseline.len() {
            return;
        }
        if others.is_empty() {
            self.notes.push(
                "both sides are the same session, which says nothing about a change".to_owned(),
            );
        } else {
            self.notes
                .push("the candidate was among the baseline and was left out there".to_owned());
            self.baseline = others;
        }
    }

    /// Leaves baselines of other environments out, if any of the candidate's own is there.
    fn keep_comparable(&mut self) {
        let Some(reference) = self.candidate.first() else {
            return;
        };
        let fits = |session: &&Session| {
            session
                .environment
                .differences(&reference.environment, &self.across)
                .is_empty()
        };
        let kept: Vec<&Session> = self.baseline.iter().copied().filter(fits).collect();
        let left = self.baseline.len() - kept.len();
        if left > 0 && !kept.is_empty() {
            self.notes.push(format!(
                "{left} of {} baseline sessions come from another environment and were left out",
                self.baseline.len()
            ));
            self.baseline = kept;
        }
    }

    /// What differs between the sides, or within one.
    fn find_differences(&mut self) {
        let (Some(base), Some(candidate)) = (self.baseline.first(), self.candidate.first()) else {
            return;
        };
        let mut found: Vec<String> = base
            .environment
            .differences(&candidate.environment, &self.across)
            .iter()
            .map(Difference::to_string)
            .collect();
        for (side, sessions) in [("baseline", &self.baseline), ("candidate", &self.candidate)] {
            let mixed = sessions
                .iter()
                .flat_map(|session| {
                    sessions[0]
                        .environment
                        .differences(&session.environment, &[])
                })
                .next();
            if let Some(difference) = mixed {
                found.push(format!("the {side} mixes environments ({difference})"));
            }
        }
        self.differences = found;
    }

    /// A calibration of another place says nothing here.
    fn check_noise(&mut self) {
        let (Some(noise), Some(candidate)) = (self.noise, self.candidate.first()) else {
            return;
        };
        if !noise.fits(&candidate.environment, &self.across) {
            self.notes.push(
                "the noise calibration comes from another environment and was not used".to_owned(),
            );
            self.noise = None;
        }
    }

    /// Every case, the baseline's first, in the records' order.
    fn ids(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.baseline
            .iter()
            .chain(&self.candidate)
            .flat_map(|session| &session.cases)
            .filter(|case| seen.insert(case.id.as_str()))
            .map(|case| case.id.clone())
            .collect()
    }

    /// A case on both sides.
    fn case(&self, id: &str) -> CasePair<'a> {
        let find = |sessions: &[&'a Session]| -> Vec<&'a SessionCase> {
            sessions
                .iter()
                .filter_map(|session| session.cases.iter().find(|case| case.id == id))
                .collect()
        };
        CasePair {
            id: id.to_owned(),
            baseline: find(&self.baseline),
            candidate: find(&self.candidate),
        }
    }

    /// What a metric of a case amounts to before the family is known; `None` where neither side has it.
    fn prospect(&self, case: &CasePair<'_>, metric: Metric, policy: &Policy) -> Option<Prospect> {
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
            State::Fixed(Fixed::new(Verdict::Incomparable, reason))
        } else {
            match self.evidence(case, cost, policy) {
                Ok(data) => State::Weighed(data),
                Err(reason) => State::Fixed(Fixed {
                    needed: self.fewest(),
                    ..Fixed::new(Verdict::Inconclusive, reason)
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

    /// Why a case's figures on the two sides do not measure the same thing.
    fn incomparable(&self, case: &CasePair<'_>, cost: Cost) -> Option<String> {
        let mut found = self.differences.clone();
        let reference = case.candidate.first()?;
        for other in case.baseline.iter().chain(&case.candidate) {
            let rows = [
                (
                    Aspect::Parameters,
                    other.parameters != reference.parameters,
                    [&other.parameters, &reference.parameters].map(show_parameters),
                ),
                (
                    Aspect::Clock,
                    other.clocks != reference.clocks,
                    [&other.clocks, &reference.clocks]
                        .map(|c| c.iter().copied().collect::<Vec<_>>().join(" and ")),
                ),
                (
                    Aspect::Work,
                    (other.counts.flop, other.counts.bytes)
                        != (reference.counts.flop, reference.counts.bytes),
                    [other, reference]
                        .map(|c| format!("{} FLOP and {} B", c.counts.flop, c.counts.bytes)),
                ),
            ];
            for (aspect, differs, [baseline, candidate]) in rows {
                if differs && !allowed(aspect, &self.across) {
                    found.push(
                        Difference {
                            aspect,
                            baseline,
                            candidate,
                        }
                        .to_string(),
                    );
                }
            }
        }
        if cost == Cost::Energy && !allowed(Aspect::Power, &self.across) {
            let source = |session: &&Session| session.environment.power.clone();
            let sources: HashSet<Option<String>> = self
                .baseline
                .iter()
                .chain(&self.candidate)
                .map(source)
                .collect();
            if sources.len() > 1 {
                let mut names: Vec<String> = sources.into_iter().flatten().collect();
                names.sort_unstable();
                found.push(format!("another power: {}", names.join(" against ")));
            }
        }
        found.dedup();
        (!found.is_empty()).then(|| {
            format!(
                "{}; --across says that such a difference is the question",
                found.join("; ")
            )
        })
    }

    /// What the figures of a case say.
    fn evidence(
        &self,
        case: &CasePair<'_>,
        cost: Cost,
        policy: &Policy,
    ) -> Result<Weighed, String> {
        let mut weighed = match self.pairs {
            Some(pairs) => paired(case, cost, pairs)?,
            None => self.by_sessions(case, cost, policy)?,
        };
        let evidence = &mut weighed.evidence;
        let figures: Vec<&Figures> = case.figures().collect();
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
    fn weigh_sensors(&self, case: &CasePair<'_>, weighed: &mut Weighed) {
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
        let sensors = |sessions: &[&'a Session]| -> Vec<&'a Sensor> {
            sessions
                .iter()
                .filter_map(|s| s.sensor.as_ref().ok())
                .collect()
        };
        let (base, candidate) = (sensors(&self.baseline), sensors(&self.candidate));
        let all = || base.iter().chain(&candidate);
        let identities: HashSet<&str> = all().map(|sensor| sensor.identity.as_str()).collect();
        if identities.len() > 1 {
            let widest = |side: &[&Sensor]| side.iter().map(|s| s.gain).fold(0.0, f64::max);
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

    /// Whether a cost's numbers are made up on either side.
    fn simulated(&self, cost: Cost) -> bool {
        self.baseline.iter().chain(&self.candidate).any(|session| {
            let sensor = session.sensor.as_ref().is_ok_and(|sensor| sensor.simulated);
            session.simulated || cost == Cost::Energy && sensor
        })
    }

    /// The least that could decide, where nothing can be estimated yet.
    fn fewest(&self) -> Option<Needed> {
        self.pairs.map(|_| Needed::Pairs(FEWEST_PAIRS as u64))
    }

    /// Evidence from sessions that know nothing of each other.
    fn by_sessions(
        &self,
        case: &CasePair<'_>,
        cost: Cost,
        policy: &Policy,
    ) -> Result<Weighed, String> {
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
        Ok(Weighed {
            evidence: Evidence {
                effect,
                plain: effect,
                units: 2.0 / (1.0 / baseline.len() as f64 + 1.0 / candidate.len() as f64),
                paired: false,
                lacking: (policy.sessions + 1).saturating_sub(known),
                prior: words,
                barred,
                doubtful: None,
            },
            data: Data::Sessions {
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

/// Evidence from invocations that took turns.
fn paired(case: &CasePair<'_>, cost: Cost, pairs: &[Pair]) -> Result<Weighed, String> {
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
    Ok(Weighed {
        evidence: Evidence {
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
        data: Data::Pairs(ratios),
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

/// Sessions, each once, without those of `others`.
fn distinct<'a>(sessions: &[&'a Session], others: &[&Session]) -> Vec<&'a Session> {
    let mut seen: HashSet<&str> = others.iter().map(|session| session.id.as_str()).collect();
    sessions
        .iter()
        .copied()
        .filter(|session| seen.insert(session.id.as_str()))
        .collect()
}

/// Parameters in words.
fn show_parameters(parameters: &BTreeMap<String, u32>) -> String {
    if parameters.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    words.join(" ")
}

/// A case on both sides, in every session that has it.
struct CasePair<'a> {
    id: String,
    baseline: Vec<&'a SessionCase>,
    candidate: Vec<&'a SessionCase>,
}

impl CasePair<'_> {
    fn side(&self, side: Side) -> &[&SessionCase] {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }

    /// Whether no session has figures or failed: nothing to say on either side.
    fn absent_on_both(&self) -> bool {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .all(|case| case.absent.as_ref().is_some_and(|absent| !absent.failed))
    }

    /// Work of one execution.
    fn counts(&self) -> Counts {
        self.candidate
            .first()
            .or(self.baseline.first())
            .map(|case| case.counts)
            .unwrap_or_default()
    }

    /// The WGSL file, the candidate's first.
    fn shader(&self) -> Option<PathBuf> {
        let mut cases = self.candidate.iter().chain(&self.baseline);
        cases.find_map(|case| case.shader.clone())
    }

    /// Figures of the sessions that have the case.
    fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .filter(|case| case.absent.is_none())
            .flat_map(|case| &case.invocations)
    }

    /// All costs of a side.
    fn costs(&self, side: Side, cost: Cost) -> Vec<f64> {
        self.side(side)
            .iter()
            .filter(|case| case.absent.is_none())
            .flat_map(|case| &case.invocations)
            .filter_map(|figures| figures.cost(cost))
            .collect()
    }

    /// Variance of a side's mean log energy by what is stated of its windows, gains left out.
    fn energy_variance(&self, side: Side) -> f64 {
        let windows = || {
            self.side(side)
                .iter()
                .filter(|case| case.absent.is_none())
                .flat_map(|case| &case.invocations)
                .filter(|figures| figures.energy_j.is_some())
        };
        let count = windows().count().max(1) as f64;
        let squares: f64 = windows().map(|f| f.energy_uncertainty.powi(2)).sum();
        squares / (count * count)
    }

    /// The verdict where a side lacks the case.
    fn absence(&self) -> Option<State> {
        let failed = |side: Side| {
            self.side(side)
                .iter()
                .filter_map(|case| case.absent.as_ref())
                .find(|absent| absent.failed)
                .map(|absent| absent.reason.clone())
        };
        let there = |side: Side| self.side(side).iter().any(|case| case.absent.is_none());
        let fixed = |reason: String, failed: bool, only_in: Option<Side>| {
            Some(State::Fixed(Fixed {
                failed,
                only_in,
                ..Fixed::new(Verdict::Missing, reason)
            }))
        };
        if let Some(reason) = failed(Side::Candidate) {
            let only_in = there(Side::Baseline).then_some(Side::Baseline);
            return fixed(format!("the candidate: {reason}"), true, only_in);
        }
        let why = |side: Side| {
            self.side(side)
                .iter()
                .find_map(|case| case.absent.as_ref())
                .map_or_else(|| "it is not in the file".to_owned(), |a| a.reason.clone())
        };
        match (there(Side::Baseline), there(Side::Candidate)) {
            (_, false) => fixed(
                format!("the candidate has no figure: {}", why(Side::Candidate)),
                false,
                Some(Side::Baseline),
            ),
            (false, true) => fixed(
                format!("the baseline has no figure: {}", why(Side::Baseline)),
                false,
                Some(Side::Candidate),
            ),
            (true, true) => None,
        }
    }

    /// The verdict where one side has no energy.
    fn cost_absence(&self, cost: Cost, baseline: &[f64], candidate: &[f64]) -> Option<State> {
        let (lacking, only_in) = match (baseline.is_empty(), candidate.is_empty()) {
            (false, true) => ("candidate", Side::Baseline),
            (true, false) => ("baseline", Side::Candidate),
            _ => return None,
        };
        let what = match cost {
            Cost::Time => "time",
            Cost::Energy => "energy",
        };
        let why = self
            .energy_missing()
            .unwrap_or_else(|| "no reason given".to_owned());
        Some(State::Fixed(Fixed {
            only_in: Some(only_in),
            ..Fixed::new(
                Verdict::Missing,
                format!("the {lacking} has no {what}: {why}"),
            )
        }))
    }

    /// Why there is no energy on a side.
    fn energy_missing(&self) -> Option<String> {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .find_map(|case| case.energy_missing.clone())
    }

    /// What the records say beside the figures.
    fn notes(&self) -> Vec<String> {
        // Notes that differ in their figures alone are one note, said often.
        let mut alike: BTreeMap<String, (&String, HashSet<&str>)> = BTreeMap::new();
        for note in self
            .baseline
            .iter()
            .chain(&self.candidate)
            .flat_map(|case| &case.notes)
        {
            let shape = note.replace(|c: char| c.is_ascii_digit() || c == '.', "");
            let (_, said) = alike.entry(shape).or_insert_with(|| (note, HashSet::new()));
            said.insert(note);
        }
        alike
            .into_values()
            .map(|(note, said)| match said.len() {
                1 => note.clone(),
                many => format!("{note} (and {} more like it)", many - 1),
            })
            .collect()
    }
}

/// A row before the family is known.
struct Prospect {
    id: String,
    metric: Metric,
    counts: Counts,
    shader: Option<PathBuf>,
    gated: bool,
    margin: f64,
    equivalence: f64,
    baseline: Option<f64>,
    candidate: Option<f64>,
    notes: Vec<String>,
    simulated: bool,
    state: State,
    /// Position in the family; rows of one cost with one margin share theirs.
    hypothesis: Option<usize>,
}

/// What a row rests on.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every row is weighed, so a box would save nothing"
)]
enum State {
    /// A verdict that needs no test.
    Fixed(Fixed),
    /// Figures on both sides.
    Weighed(Weighed),
}

struct Fixed {
    verdict: Verdict,
    reason: String,
    failed: bool,
    only_in: Option<Side>,
    needed: Option<Needed>,
}

impl Fixed {
    fn new(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            reason,
            failed: false,
            only_in: None,
            needed: None,
        }
    }
}

/// Figures on both sides and what they amount to.
struct Weighed {
    evidence: Evidence,
    data: Data,
    notes: Vec<String>,
}

/// What the geometric mean is made of.
enum Data {
    Pairs(Vec<f64>),
    Sessions {
        baseline: Vec<SessionCost>,
        candidate: Vec<SessionCost>,
        prior: Option<NoisePrior>,
    },
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
fn judge(prospects: &[Prospect], family: usize, policy: &Policy) -> Vec<Row> {
    let mut worse = vec![1.0; family];
    let mut better = vec![1.0; family];
    for prospect in prospects {
        if let (Some(place), State::Weighed(weighed)) = (prospect.hypothesis, &prospect.state)
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
) -> Row {
    let metric = prospect.metric;
    let text = |value: Option<f64>| value.map(|value| metric.show(value, prospect.counts));
    let mut row = Row {
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
        ..Row::of(
            Verdict::Inconclusive,
            prospect.id.clone(),
            Figure::Measured(metric),
            metric.better(),
        )
    };
    match &prospect.state {
        State::Fixed(fixed) => {
            row.verdict = fixed.verdict;
            row.reason.clone_from(&fixed.reason);
            row.failed = fixed.failed;
            row.only_in = fixed.only_in;
            row.needed = fixed.needed;
        }
        State::Weighed(weighed) => {
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
            if let (Data::Pairs(ratios), None) = (&weighed.data, &evidence.barred) {
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

/// Geometric means over the cases that every pair, or every session, has.
fn geomeans(prospects: &[Prospect], policy: &Policy, sides: &Sides<'_>) -> Vec<Geomean> {
    policy
        .metrics
        .iter()
        .filter_map(|metric| {
            let of_metric = || prospects.iter().filter(|p| p.metric == *metric);
            let weighed: Vec<&Weighed> = of_metric()
                .filter_map(|prospect| match &prospect.state {
                    State::Weighed(weighed) if weighed.evidence.barred.is_none() => Some(weighed),
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

type Mean = (Option<Effect>, usize, Option<String>);

/// The geometric mean over cases that have every pair.
fn geomean_of_pairs(weighed: &[&Weighed], pairs: usize) -> Mean {
    let complete: Vec<Vec<f64>> = weighed
        .iter()
        .filter_map(|weighed| match &weighed.data {
            Data::Pairs(ratios) if ratios.len() == pairs => Some(ratios.clone()),
            _ => None,
        })
        .collect();
    (geomean::paired(&complete), complete.len(), None)
}

/// The geometric mean over cases that every session has.
fn geomean_of_sessions(weighed: &[&Weighed], of_baseline: usize, of_candidate: usize) -> Mean {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut widest: Option<NoisePrior> = None;
    let mut words = None;
    for weighed in weighed {
        if let Data::Sessions {
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
                words.clone_from(&weighed.evidence.prior);
            }
        }
    }
    (geomean::sessions(&left, &right, widest), left.len(), words)
}
