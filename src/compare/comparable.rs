//! Which of the given sessions may be compared, and what forbids comparing them.

use std::collections::{BTreeMap, HashSet};

use super::case_pair::CasePair;
use super::environment::{Aspect, Difference, allowed};
use super::metric::Cost;
use super::noise::Noise;
use super::pairing::Pair;
use super::policy::Policy;
use super::session::{Session, SessionCase};
use super::sides::Sides;

/// The sessions that are held against each other.
pub(super) struct Comparable<'a> {
    pub(super) baseline: Vec<&'a Session>,
    pub(super) candidate: Vec<&'a Session>,
    pub(super) pairs: Option<&'a [Pair]>,
    pub(super) noise: Option<&'a Noise>,
    /// What forbids comparing at all.
    pub(super) differences: Vec<String>,
    pub(super) across: Vec<Aspect>,
    pub(super) notes: Vec<String>,
}

impl<'a> Comparable<'a> {
    /// Picks, of what is given, the sessions that may be compared.
    pub(super) fn choose(sides: Sides<'a>, policy: &Policy) -> Self {
        let across = policy.across.clone();
        let mut chosen = match sides {
            Sides::Paired {
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
            Sides::Sessions {
                baseline,
                candidate,
                noise,
            } => {
                let mut chosen = Self {
                    baseline: distinct(baseline, &[]),
                    candidate: distinct(candidate, &[]),
                    pairs: None,
                    noise,
                    differences: Vec::new(),
                    across,
                    notes: Vec::new(),
                };
                chosen.drop_repeated(baseline.len(), candidate.len());
                chosen.keep_comparable();
                chosen
            }
        };
        chosen.find_differences();
        chosen.check_noise();
        chosen
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
    pub(super) fn ids(&self) -> Vec<String> {
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
    pub(super) fn case(&self, id: &str) -> CasePair<'a> {
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
    /// Why a case's figures on the two sides do not measure the same thing.
    pub(super) fn incomparable(&self, case: &CasePair<'_>, cost: Cost) -> Option<String> {
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

    /// Whether a cost's numbers are made up on either side.
    pub(super) fn simulated(&self, cost: Cost) -> bool {
        self.baseline.iter().chain(&self.candidate).any(|session| {
            let sensor = session.sensor.as_ref().is_ok_and(|sensor| sensor.simulated);
            session.simulated || cost == Cost::Energy && sensor
        })
    }
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
