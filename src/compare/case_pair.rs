//! One case in all sessions of both sides that have it.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use super::metric::Cost;
use super::pairing::Side;
use super::prospect::{FixedRow, RowState};
use super::reason::Reason;
use super::session::{Absence, InvocationValues, SessionCase};
use super::verdict::Verdict;
use crate::record::Headline;

/// A case on both sides, in every session that has it.
pub(super) struct CasePair<'a> {
    pub(super) id: String,
    pub(super) baseline: Vec<&'a SessionCase>,
    pub(super) candidate: Vec<&'a SessionCase>,
}

impl CasePair<'_> {
    fn side(&self, side: Side) -> &[&SessionCase] {
        match side {
            Side::Baseline => &self.baseline,
            Side::Candidate => &self.candidate,
        }
    }

    /// Whether no session has figures or failed: nothing to say on either side.
    pub(super) fn absent_on_both(&self) -> bool {
        self.baseline.iter().chain(&self.candidate).all(|case| {
            case.absent
                .as_ref()
                .is_some_and(|absence| !absence.failed())
        })
    }

    /// The work by which the case is named.
    pub(super) fn headline(&self) -> Headline {
        self.candidate
            .first()
            .or(self.baseline.first())
            .map_or_else(Headline::of_nothing, |case| case.headline)
    }

    /// The WGSL file, the candidate's first.
    pub(super) fn shader(&self) -> Option<PathBuf> {
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

    /// The verdict where a side lacks the case.
    pub(super) fn absence(&self) -> Option<RowState> {
        let there = |side: Side| self.side(side).iter().any(|case| case.absent.is_none());
        let absences = |side: Side| {
            let cases = self.side(side).iter();
            cases.filter_map(|case| case.absent.as_ref())
        };
        let fixed = |side: Side, absence: Absence, only_in: Option<Side>| {
            Some(RowState::Fixed(FixedRow {
                failed: side == Side::Candidate && absence.failed(),
                only_in,
                ..FixedRow::new(Verdict::Missing, Reason::NoResult { side, absence })
            }))
        };
        if let Some(failed) = absences(Side::Candidate).find(|absence| absence.failed()) {
            let only_in = there(Side::Baseline).then_some(Side::Baseline);
            return fixed(Side::Candidate, failed.clone(), only_in);
        }
        let lacking = if !there(Side::Candidate) {
            Side::Candidate
        } else if !there(Side::Baseline) {
            Side::Baseline
        } else {
            return None;
        };
        let why = absences(lacking).next().cloned();
        fixed(
            lacking,
            why.unwrap_or(Absence::NotListed),
            Some(lacking.other()),
        )
    }

    /// The verdict where one side has no energy.
    pub(super) fn energy_absence(&self, baseline: &[f64], candidate: &[f64]) -> Option<RowState> {
        let side = match (baseline.is_empty(), candidate.is_empty()) {
            (false, true) => Side::Candidate,
            (true, false) => Side::Baseline,
            _ => return None,
        };
        let why = self.energy_missing();
        Some(RowState::Fixed(FixedRow {
            only_in: Some(side.other()),
            ..FixedRow::new(Verdict::Missing, Reason::NoEnergy { side, why })
        }))
    }

    /// Why there is no energy on a side.
    pub(super) fn energy_missing(&self) -> Option<String> {
        self.baseline
            .iter()
            .chain(&self.candidate)
            .find_map(|case| case.energy_missing.clone())
    }

    /// What the records say beside the figures.
    pub(super) fn notes(&self) -> Vec<String> {
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
