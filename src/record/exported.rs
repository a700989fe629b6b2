//! The figures of a case under the names that every export gives them.
//!
//! Each value and interval is the one that the record's own summary states, so that two files never show two
//! intervals of one measurement.

use std::borrow::Cow;

use super::{Better, CaseResult, EnergyWindow, Estimate, Outcome, Reading, Status, WorkUnit};
use crate::stats::Interval;

/// One figure of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedFigure {
    /// `time`, `flop_per_s`, `bytes_per_s`, `energy`, `flop_per_j`, `bytes_per_j`, or `value` of another tool's.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Cow<'static, str>,
    /// Which way it improves.
    pub better: Better,
    /// The figure.
    pub value: f64,
    /// Where the true value lies, where that is known.
    pub interval: Option<Interval>,
    /// Invocations that it rests on.
    pub invocations: usize,
}

impl ExportedFigure {
    /// Whether it follows from readings of power.
    pub fn rests_on_power(&self) -> bool {
        matches!(self.metric, "energy" | "flop_per_j" | "bytes_per_j")
    }
}

impl CaseResult {
    /// Its figures; none of a case that was not measured.
    pub fn exported(&self) -> Vec<ExportedFigure> {
        values(self)
    }
}

/// The figures of a case: its record's own summary. Only where the record says that there is none, as of
/// another tool's times, they are computed from the invocations.
fn values(case: &CaseResult) -> Vec<ExportedFigure> {
    if case.status != Status::Measured {
        return Vec::new();
    }
    let Reading::Measured(summary) = &case.summary else {
        return times(case);
    };
    let timed = summary.invocations as usize;
    let metered = windows(case).flatten().count();
    let arithmetic = WorkUnit::arithmetic(case.dtype());
    let (per_second, per_joule) = match arithmetic {
        WorkUnit::Op => ("OP/s", "OP/J"),
        _ => ("FLOP/s", "FLOP/J"),
    };
    let (smaller, larger) = (Better::Smaller, Better::Larger);
    let time = Reading::Measured(summary.time_ns.clone());
    [
        ("time", "ns", smaller, &time, timed),
        ("flop_per_s", per_second, larger, &summary.flop_per_s, timed),
        ("bytes_per_s", "B/s", larger, &summary.bytes_per_s, timed),
        ("energy", "J", smaller, &summary.energy_j, metered),
        (
            "flop_per_j",
            per_joule,
            larger,
            &summary.flop_per_j,
            metered,
        ),
        ("bytes_per_j", "B/J", larger, &summary.bytes_per_j, metered),
    ]
    .into_iter()
    .filter_map(|(metric, unit, better, estimate, invocations)| {
        let estimate = estimate.measured()?;
        Some(ExportedFigure {
            metric,
            unit: Cow::Borrowed(unit),
            better,
            value: estimate.value,
            interval: estimate.interval.measured().copied(),
            invocations,
        })
    })
    .collect()
}

/// Time and bandwidth of a case whose record sums nothing up; of another tool's value, that.
fn times(case: &CaseResult) -> Vec<ExportedFigure> {
    let Some(summary) = case.figures_of_invocations() else {
        return Vec::new();
    };
    let figure = |metric, unit: &str, better, estimate: &Reading<Estimate>| {
        let estimate = estimate.measured()?;
        Some(ExportedFigure {
            metric,
            unit: Cow::Owned(unit.to_owned()),
            better,
            value: estimate.value,
            interval: estimate.interval.measured().copied(),
            invocations: summary.invocations as usize,
        })
    };
    let figures = match &case.measure {
        Some(measure) => {
            let value = measure.estimate(&summary.time_ns);
            [figure("value", &measure.unit, measure.better, &value), None]
        }
        None => {
            let time = Reading::Measured(summary.time_ns.clone());
            let rate = &summary.bytes_per_s;
            [
                figure("time", "ns", Better::Smaller, &time),
                figure("bytes_per_s", "B/s", Better::Larger, rate),
            ]
        }
    };
    figures.into_iter().flatten().collect()
}

/// The energy window of each invocation that measured the case.
fn windows(case: &CaseResult) -> impl Iterator<Item = Option<&EnergyWindow>> {
    case.invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => Some(energy.measured()),
            _ => None,
        })
}
