//! The words that must not be overlooked, and when they stand.

use super::model::PageMark;
use crate::invest::Evidence;
use crate::record::{CaseResult, EnergyTier, EnergyWindow, Origin, Outcome, Reading, Record};
pub(super) use crate::record::{SIMULATED, SOFTWARE_DRIVER, UNVERIFIED};
use crate::units::counted;

/// The energy was given a short window.
pub(super) const SCREENING: &str = "SCREENING";
/// Figures contradict each other.
pub(super) const CONTRADICTORY: &str = "CONTRADICTORY";
/// A kernel gave a wrong output, or none.
pub(super) const FAILED: &str = "FAILED";

/// Marks of what a model computes from a record.
pub(super) fn of_evidence(evidence: &Evidence) -> Vec<PageMark> {
    let mut marks = Vec::new();
    let mut mark = |word, why: &str| {
        marks.push(PageMark {
            word,
            why: why.to_owned(),
            of_energy: false,
        });
    };
    if evidence.software {
        mark(
            SOFTWARE_DRIVER,
            "the record is of a processor; no GPU was measured",
        );
    }
    if evidence.is_simulated() {
        mark(
            SIMULATED,
            "a part of the record was not measured on hardware",
        );
    }
    marks
}

/// Marks of a whole record.
pub(super) fn of_record(record: &Record) -> Vec<PageMark> {
    let mut marks = Vec::new();
    if let Some(power) = record.power.measured().filter(|power| power.simulated) {
        marks.push(PageMark {
            word: SIMULATED,
            why: format!(
                "power and energy are made up by {} and say nothing about any device",
                power.source
            ),
            of_energy: true,
        });
    }
    if windows(record).any(|window| window.tier == EnergyTier::Screening) {
        marks.push(PageMark {
            word: SCREENING,
            why: "energy windows were short: good for a look, not for publishing; run with --energy publishable"
                .to_owned(),
            of_energy: true,
        });
    }
    let mut mark = |word, why: String| {
        marks.push(PageMark {
            word,
            why,
            of_energy: false,
        });
    };
    if record.is_all_simulated() {
        mark(
            SIMULATED,
            "nothing here was measured on hardware".to_owned(),
        );
    }
    if record.adapter.is_software() {
        mark(
            SOFTWARE_DRIVER,
            "the processor did this work; no GPU was measured".to_owned(),
        );
    }
    let unverified = record
        .cases
        .iter()
        .filter(|case| record.is_unverified(case));
    match unverified.count() {
        0 => {}
        _ if record.provenance.origin == Origin::Imported => mark(
            UNVERIFIED,
            "another tool's figures: perwatt did not check the outputs".to_owned(),
        ),
        count => mark(
            UNVERIFIED,
            format!(
                "the outputs of {} were compared with nothing",
                counted(count, "case")
            ),
        ),
    }
    let failed = |case: &&CaseResult| case.has_failed();
    match record.cases.iter().filter(failed).count() {
        0 => {}
        count => {
            let all = record.cases.len();
            mark(
                FAILED,
                match record.provenance.origin {
                    Origin::Imported => format!("{count} of {all} cases failed in the other tool"),
                    _ => format!("{count} of {all} kernels gave no right output"),
                },
            );
        }
    }
    match record.contradictions().as_slice() {
        [] => {}
        [first, more @ ..] => mark(
            CONTRADICTORY,
            match more.len() {
                0 => format!("this file contradicts itself: {first}"),
                more => format!("this file contradicts itself: {first} (and {more} more like it)"),
            },
        ),
    }
    marks
}

/// Marks of a case's figures.
pub(super) fn of_case(record: &Record, case: &CaseResult) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if record.is_all_simulated() {
        marks.push(SIMULATED);
    }
    if record.is_unverified(case) {
        marks.push(UNVERIFIED);
    }
    if case.has_failed() {
        marks.push(FAILED);
    }
    marks
}

/// Marks of a case's energy.
pub(super) fn of_energy(record: &Record, tiers: &[EnergyTier]) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if record.is_simulated(true) {
        marks.push(SIMULATED);
    }
    if tiers.contains(&EnergyTier::Screening) {
        marks.push(SCREENING);
    }
    marks
}

/// Tiers of a case's energy windows.
pub(super) fn tiers(case: &CaseResult) -> Vec<EnergyTier> {
    case_windows(case).map(|window| window.tier).collect()
}

fn windows(record: &Record) -> impl Iterator<Item = &EnergyWindow> {
    record.cases.iter().flat_map(case_windows)
}

fn case_windows(case: &CaseResult) -> impl Iterator<Item = &EnergyWindow> {
    case.invocations
        .iter()
        .filter_map(|invocation| match &invocation.outcome {
            Outcome::Measured { energy, .. } => match energy.as_ref() {
                Reading::Measured(window) => Some(window),
                Reading::Unmeasured(_) => None,
            },
            _ => None,
        })
}
