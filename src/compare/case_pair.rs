//! One case in all sessions of both sides that have it.

use std::collections::{BTreeMap, HashSet};

use super::metric::{Cost, Metric};
use super::pairing::Side;
use super::policy::Policy;
use super::prospect::{FixedRow, RowState};
use super::reason::Reason;
use super::session::{Absence, InvocationValues, Session, SessionCase};
use super::verdict::Verdict;
use crate::error::FilePlace;
use crate::record::{Headline, Measure};

/// A case on both sides, in every session that has it.
pub(super) struct CasePair<'a> {
    pub(super) id: String,
    pub(super) baseline: Vec<&'a SessionCase>,
    pub(super) candidate: Vec<&'a SessionCase>,
    /// The sessions of either side's cases, in their order.
    sessions: [Vec<&'a Session>; 2],
}

impl<'a> CasePair<'a> {
    /// One that no session has yet.
    pub(super) fn new(id: String) -> Self {
        Self {
            id,
            baseline: Vec::new(),
            candidate: Vec::new(),
            sessions: [Vec::new(), Vec::new()],
        }
    }

    /// The case in one more session of a side.
    pub(super) fn add(&mut self, side: Side, session: &'a Session, case: &'a SessionCase) {
        self.sessions[side as usize].push(session);
        match side {
            Side::Baseline => self.baseline.push(case),
            Side::Candidate => self.candidate.push(case),
        }
    }

    fn side(&self, side: Side) -> &[&'a SessionCase] {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }

    /// A side's cases with the sessions that have them.
    pub(super) fn by_session(
        &self,
        side: Side,
    ) -> impl Iterator<Item = (&'a Session, &'a SessionCase)> {
        let sessions = self.sessions[side as usize].iter().copied();
        sessions.zip(self.side(side).iter().copied())
    }
}

impl CasePair<'_> {
    /// Whether no session has figures or failed: nothing to say on either side.
    pub(super) fn absent_on_both(&self) -> bool {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .all(|case| case.absent.as_ref().is_some_and(Absence::is_silent))
    }

    /// What identifies the program and data of the case, where every session that has it agrees.
    pub(super) fn program(&self) -> Option<&str> {
        let mut cases = self.baseline.iter().chain(&self.candidate);
        let first = cases.next()?.program.as_deref()?;
        cases
            .all(|case| case.program.as_deref() == Some(first))
            .then_some(first)
    }

    /// The work by which the case is named.
    pub(super) fn headline(&self) -> Headline {
        self.candidate
            .first()
            .or(self.baseline.first())
            .map_or_else(Headline::of_nothing, |case| case.headline)
    }

    /// What the case was measured in, for another tool's figures.
    pub(super) fn measure(&self) -> Option<&Measure> {
        let mut cases = self.candidate.iter().chain(&self.baseline);
        cases.find_map(|case| case.measure.as_ref())
    }

    /// What a side was measured in.
    pub(super) fn measure_on(&self, side: Side) -> Option<&Measure> {
        let mut cases = self.side(side).iter();
        cases.find_map(|case| case.measure.as_ref())
    }

    /// The metrics that a policy judges of this case, each once.
    pub(super) fn metrics(&self, policy: &Policy) -> Vec<Metric> {
        let mut metrics = Vec::new();
        for metric in &policy.metrics {
            let own = metric.of(self.measure());
            if !metrics.contains(&own) {
                metrics.push(own);
            }
        }
        metrics
    }

    /// The WGSL file, the candidate's first; of a case that cannot be measured, where that is to be mended.
    pub(super) fn shader(&self) -> Option<FilePlace> {
        let mut cases = self.candidate.iter().chain(&self.baseline);
        cases.find_map(|case| case.shader.clone())
    }

    /// Values of the sessions that have the case.
    pub(super) fn values(&self) -> impl Iterator<Item = &InvocationValues> {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .filter(|case| case.absent.is_none())
            .flat_map(|case| &case.invocations)
    }

    /// All costs of a side.
    pub(super) fn costs(&self, side: Side, cost: Cost) -> Vec<f64> {
        self.side(side)
            .iter()
            .filter(|case| case.absent.is_none())
            .flat_map(|case| &case.invocations)
            .filter_map(|values| values.cost(cost))
            .collect()
    }

    /// Variance of a side's mean log energy by what is stated of its windows, gains left out.
    pub(super) fn energy_variance(&self, side: Side) -> f64 {
        let windows = || {
            self.side(side)
                .iter()
                .filter(|case| case.absent.is_none())
                .flat_map(|case| &case.invocations)
                .filter(|values| values.energy_j.is_some())
        };
        let count = windows().count().max(1) as f64;
        let squares: f64 = windows().map(|f| f.energy_uncertainty.powi(2)).sum();
        squares / (count * count)
    }

    /// Whether a session of a side has results.
    fn measured_on(&self, side: Side) -> bool {
        self.side(side).iter().any(|case| case.absent.is_none())
    }

    /// Why a side has no result: its first failure, otherwise its first reason.
    fn absence_on(&self, side: Side) -> Absence {
        let absences = || {
            let cases = self.side(side).iter();
            cases.filter_map(|case| case.absent.as_ref())
        };
        absences()
            .find(|absence| absence.failed())
            .or(absences().next())
            .cloned()
            .unwrap_or(Absence::NotListed)
    }

    /// The verdict where a side has no result.
    ///
    /// One session of the candidate that failed is enough to be broken. The baseline has failed only where
    /// none of its sessions has a result: one that failed once in ten shows what should have come out.
    pub(super) fn absence(&self) -> Option<RowState> {
        let (base, candidate) = (
            self.absence_on(Side::Baseline),
            self.absence_on(Side::Candidate),
        );
        if let Absence::Renamed(from) = base {
            return fixed(Verdict::Unchanged, Reason::Renamed(from), None);
        }
        if base == Absence::Unchanged || candidate == Absence::Unchanged {
            return fixed(Verdict::Unchanged, Reason::Unchanged, None);
        }
        let there = [Side::Baseline, Side::Candidate].map(|side| self.measured_on(side));
        let lacks = |side, absence| Reason::NoResult { side, absence };
        match there {
            [false, false] if base.failed() => fixed(
                Verdict::Failing,
                Reason::FailsOnBoth {
                    baseline: base,
                    candidate,
                },
                None,
            ),
            [measured, _] if candidate.failed() => fixed(
                Verdict::Broken,
                lacks(Side::Candidate, candidate),
                measured.then_some(Side::Baseline),
            ),
            [true, true] => None,
            [false, true] => fixed(
                Verdict::New,
                lacks(Side::Baseline, base),
                Some(Side::Candidate),
            ),
            [_, false] => fixed(
                Verdict::Lost,
                lacks(Side::Candidate, candidate),
                Some(Side::Baseline),
            ),
        }
    }

    /// The verdict where one side has no energy.
    pub(super) fn energy_absence(&self, baseline: &[f64], candidate: &[f64]) -> Option<RowState> {
        let (verdict, side) = match (baseline.is_empty(), candidate.is_empty()) {
            (false, true) => (Verdict::Lost, Side::Candidate),
            (true, false) => (Verdict::New, Side::Baseline),
            _ => return None,
        };
        let why = self.energy_missing();
        fixed(verdict, Reason::NoEnergy { side, why }, Some(side.other()))
    }

    /// Why there is no energy on a side.
    pub(super) fn energy_missing(&self) -> Option<String> {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .find_map(|case| case.energy_missing.clone())
    }

    /// What the records say beside the figures. Where figures decide nothing, the baseline's concern nobody.
    pub(super) fn notes(&self) -> Vec<String> {
        // Notes that differ in their figures alone are one note, said often.
        let mut alike: BTreeMap<String, (&String, HashSet<&str>)> = BTreeMap::new();
        let baseline = match self.absence() {
            Some(_) => &[],
            None => self.baseline.as_slice(),
        };
        let cases = baseline.iter().chain(&self.candidate);
        for note in cases.flat_map(|case| &case.notes) {
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

/// A row that needs no test.
fn fixed(verdict: Verdict, reason: Reason, only_in: Option<Side>) -> Option<RowState> {
    Some(RowState::Fixed(FixedRow {
        only_in,
        ..FixedRow::new(verdict, reason)
    }))
}
