//! Which of the given sessions may be compared, and what forbids comparing them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;

use super::case_pair::CasePair;
use super::days::{days_of, follows};
use super::environment::{Aspect, Difference, allowed};
use super::looks::Looks;
use super::metric::Cost;
use super::noise::Noise;
use super::pairing::{Pair, Side};
use super::policy::Policy;
use super::program::data_difference;
use super::reason::{Mismatch, Reason};
use super::session::{Session, SessionCase};
use super::sides::Sides;
use crate::record::{CaseName, Counts, ToolSetup};

/// The sessions that are held against each other.
pub(super) struct Comparable<'a> {
    pub(super) baseline: Vec<&'a Session>,
    pub(super) candidate: Vec<&'a Session>,
    pub(super) pairs: Option<&'a [Pair]>,
    /// How often the pairs are looked at.
    pub(super) looks: Looks,
    pub(super) noise: Option<&'a Noise>,
    /// The day of each session, by its identity.
    pub(super) days: HashMap<String, usize>,
    /// What forbids comparing at all.
    pub(super) mismatches: Vec<Mismatch>,
    pub(super) across: Vec<Aspect>,
    /// Benchmarks of another tool that a side has with several settings: the settings that tell them apart, by name.
    several: HashMap<String, BTreeSet<String>>,
    /// Whether both sides are the same session.
    pub(super) one_session: bool,
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
                looks,
            } => Self {
                looks,
                baseline: vec![baseline],
                candidate: vec![candidate],
                pairs: Some(pairs),
                noise: None,
                days: HashMap::new(),
                mismatches: Vec::new(),
                across,
                several: HashMap::new(),
                one_session: false,
                notes: Vec::new(),
            },
            Sides::Sessions {
                baseline,
                candidate,
                noise,
            } => {
                let mut chosen = Self {
                    looks: Looks::ONCE,
                    baseline: distinct(baseline, &[]),
                    candidate: distinct(candidate, &[]),
                    pairs: None,
                    noise,
                    days: HashMap::new(),
                    mismatches: Vec::new(),
                    across,
                    several: HashMap::new(),
                    one_session: false,
                    notes: Vec::new(),
                };
                chosen.drop_repeated(baseline.len(), candidate.len());
                chosen.keep_comparable();
                chosen.days = days_of(&chosen.baseline, &chosen.candidate);
                chosen
            }
        };
        chosen.several = several_settings(&chosen.baseline, &chosen.candidate);
        chosen.find_differences();
        chosen.check_noise();
        chosen
    }

    /// A session that stands on both sides would vouch for itself.
    fn drop_repeated(&mut self, baseline: usize, candidate: usize) {
        let twice = baseline - self.baseline.len() + candidate - self.candidate.len();
        if twice > 0 {
            self.notes.push(match twice {
                1 => "1 session was given twice and counts once".to_owned(),
                _ => format!("{twice} sessions were given twice and count once"),
            });
        }
        let others = distinct(&self.baseline, &self.candidate);
        if others.len() == self.baseline.len() {
            return;
        }
        if others.is_empty() {
            self.one_session = true;
        } else {
            self.notes
                .push("the candidate was also in the baseline and was left out there".to_owned());
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
                "{left} of {} baseline sessions come from a different environment and were left out",
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
        let mut found: Vec<Mismatch> = base
            .environment
            .differences(&candidate.environment, &self.across)
            .into_iter()
            .map(Mismatch::Sides)
            .collect();
        for (side, sessions) in [
            (Side::Baseline, &self.baseline),
            (Side::Candidate, &self.candidate),
        ] {
            let mixed = sessions
                .iter()
                .flat_map(|session| {
                    sessions[0]
                        .environment
                        .differences(&session.environment, &[])
                })
                .next();
            if let Some(difference) = mixed {
                found.push(Mismatch::Within { side, difference });
            }
        }
        self.mismatches = found;
    }

    /// A calibration of another place says nothing here.
    fn check_noise(&mut self) {
        let (Some(noise), Some(candidate)) = (self.noise, self.candidate.first()) else {
            return;
        };
        if !noise.fits(&candidate.environment, &self.across) {
            self.notes.push(
                "the noise calibration comes from a different environment and was not used"
                    .to_owned(),
            );
            self.noise = None;
        } else if !noise.names_its_sessions() {
            self.notes.push(
                "the noise calibration does not name its sessions, so the same ones might count twice, and \
                 was not used; make it anew with `perwatt calibrate-noise`"
                    .to_owned(),
            );
            self.noise = None;
        }
    }

    /// The name of the row that a case belongs to. One that each side has with one setting bears its plain name,
    /// whatever else their files hold; of several, those of like settings belong together.
    fn row_id<'c>(&self, case: &'c SessionCase) -> Cow<'c, str> {
        let Some(setup) = &case.setup else {
            return Cow::Borrowed(&case.id);
        };
        let none = BTreeSet::new();
        let keys = self.several.get(&setup.benchmark).unwrap_or(&none);
        let kernel = CaseName::split_kernel(&case.id).1.unwrap_or_default();
        Cow::Owned(CaseName::with_kernel(setup.name(keys), kernel))
    }

    /// Every case with its results on both sides, the baseline's first, in the records' order.
    pub(super) fn cases(&self) -> Vec<CasePair<'a>> {
        let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
        let mut pairs: Vec<CasePair<'a>> = Vec::new();
        for (side, sessions) in [
            (Side::Baseline, &self.baseline),
            (Side::Candidate, &self.candidate),
        ] {
            for session in sessions {
                for case in &session.cases {
                    let id = self.row_id(case);
                    let place = *places.entry(id).or_insert_with_key(|id| {
                        pairs.push(CasePair::new(id.to_string()));
                        pairs.len() - 1
                    });
                    pairs[place].add(side, session, case);
                }
            }
        }
        pairs
    }

    /// Whether stored sessions of one place ran the very same program and data. Pairs are measured to tell
    /// binaries, drivers or settings apart; there, only `perwatt ab` can know that nothing changed.
    pub(super) fn unchanged(&self, case: &CasePair<'_>) -> bool {
        let Some(reference) = self.candidate.first() else {
            return false;
        };
        let mut sessions = self.baseline.iter().chain(&self.candidate);
        self.pairs.is_none()
            && !self.one_session
            && !self.baseline.is_empty()
            && case.baseline.len() == self.baseline.len()
            && case.candidate.len() == self.candidate.len()
            && case.program().is_some()
            && sessions.all(|session| {
                let differences = session.environment.differences(&reference.environment, &[]);
                differences.is_empty()
            })
    }

    /// Why a case's values on the two sides do not measure the same thing.
    pub(super) fn incomparable(&self, case: &CasePair<'_>, cost: Cost) -> Option<Reason> {
        let mut found = self.mismatches.clone();
        let reference = case.candidate.first()?;
        for other in case.baseline.iter().chain(&case.candidate) {
            let different = case_differences(other, reference)
                .into_iter()
                .filter(|difference| !allowed(difference.aspect, &self.across));
            found.extend(different.map(Mismatch::Sides));
        }
        if cost == Cost::Energy && !allowed(Aspect::Power, &self.across) {
            found.extend(self.power_sources());
        }
        found.dedup();
        (!found.is_empty()).then_some(Reason::Incomparable(found))
    }

    /// The kinds of power sensors and their boundaries, where they are several.
    fn power_sources(&self) -> Option<Mismatch> {
        let sources: BTreeSet<Option<&String>> = self
            .baseline
            .iter()
            .chain(&self.candidate)
            .map(|session| session.environment.power.as_ref())
            .collect();
        let several = sources.len() > 1;
        let names = sources.into_iter().flatten().cloned().collect();
        several.then_some(Mismatch::PowerSources(names))
    }

    /// What to say where a change was found and every session of the candidate came after all of the baseline's: a change
    /// of the machine in between looks the same.
    pub(super) fn doubt_of_sequel(&self) -> Option<String> {
        let starts = |side: &[&Session]| side.iter().map(|s| s.started_s).collect::<Vec<_>>();
        let follows = follows(starts(&self.baseline), starts(&self.candidate));
        (self.pairs.is_none() && follows).then(|| {
            "every session of the candidate came after those of the baseline, so a change of the machine in between (an \
             update, a state that lasts for sessions) would look like one of the code; sessions of both in turns, or \
             `perwatt ab`, tell them apart"
                .to_owned()
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
    // A copy under another name is no further evidence either.
    let mut samples = HashSet::new();
    let mut is_new = |print: Option<u64>| print.is_none_or(|print| samples.insert(print));
    sessions
        .iter()
        .copied()
        .filter(|session| seen.insert(session.id.as_str()) && is_new(session.fingerprint))
        .collect()
}

/// Benchmarks that one of the sides has with several settings, and the settings in which any two differ.
fn several_settings(
    baseline: &[&Session],
    candidate: &[&Session],
) -> HashMap<String, BTreeSet<String>> {
    let mut by_name: HashMap<&str, [Vec<&ToolSetup>; 2]> = HashMap::new();
    for (side, sessions) in [baseline, candidate].into_iter().enumerate() {
        let cases = sessions.iter().flat_map(|session| &session.cases);
        for setup in cases.filter_map(|case| case.setup.as_ref()) {
            by_name.entry(&setup.benchmark).or_default()[side].push(setup);
        }
    }
    let differs = |side: &Vec<&ToolSetup>| side.iter().any(|one| one.difference(side[0]).is_some());
    by_name
        .into_iter()
        .filter(|(_, sides)| sides.iter().any(differs))
        .map(|(name, sides)| (name.to_owned(), differing(&sides.concat())))
        .collect()
}

/// The settings of which setups state different values.
fn differing(setups: &[&ToolSetup]) -> BTreeSet<String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in setups.iter().flat_map(|setup| &setup.settings) {
        values.entry(key).or_default().insert(value);
    }
    let several = values.into_iter().filter(|(_, values)| values.len() > 1);
    several.map(|(key, _)| key.to_owned()).collect()
}

/// How a case was run differently in another session.
fn case_differences(other: &SessionCase, reference: &SessionCase) -> Vec<Difference> {
    let described = |case: &SessionCase| {
        let clocks: Vec<&str> = case.clocks.iter().copied().collect();
        [
            (Aspect::Parameters, show_parameters(&case.parameters)),
            (Aspect::Clock, clocks.join(" and ")),
            (Aspect::Work, work(case)),
        ]
    };
    let data = data_difference(&other.data, &reference.data);
    let setups = other.setup.as_ref().zip(reference.setup.as_ref());
    let settings = setups.and_then(|(other, reference)| other.difference(reference));
    let settings = settings.map(|[baseline, candidate]| Difference {
        aspect: Aspect::Parameters,
        baseline,
        candidate,
    });
    // What another tool does not count is unknown and not nothing.
    let unknown = |case: &SessionCase| case.imported && case.counts == Counts::default();
    let one_kind = other.measure == reference.measure;
    let unknown_work = one_kind && (unknown(other) || unknown(reference));
    described(other)
        .into_iter()
        .zip(described(reference))
        .filter(|((_, baseline), (_, candidate))| baseline != candidate)
        .filter(|((aspect, _), _)| !(*aspect == Aspect::Work && unknown_work))
        .map(|((aspect, baseline), (_, candidate))| Difference {
            aspect,
            baseline,
            candidate,
        })
        .chain(data)
        .chain(settings)
        .collect()
}

/// What is counted of a case, in words.
fn work(case: &SessionCase) -> String {
    match &case.measure {
        None => format!("{} FLOP and {} B", case.counts.flop, case.counts.bytes),
        Some(measure) => format!("{} ({} is better)", measure.unit, measure.better),
    }
}

/// Parameters in words.
pub(super) fn show_parameters(parameters: &BTreeMap<String, impl Display>) -> String {
    if parameters.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    words.join(" ")
}
