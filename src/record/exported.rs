//! The figures of a case under the names that every export gives them.
//!
//! Each value and interval is the one that the record's own summary states, so that two files never show two
//! intervals of one measurement.

use std::borrow::Cow;

use super::{Better, CaseResult, EnergyWindow, Measure, Outcome, Reading, Status, WorkUnit};
use crate::stats::{Interval, geometric_mean, invocations_interval};
use crate::units::Seconds;

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
    let metered = invocations(case)
        .filter(|(_, energy)| energy.is_some())
        .count();
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

/// Time and bandwidth of a case whose record sums nothing up.
fn times(case: &CaseResult) -> Vec<ExportedFigure> {
    let medians: Vec<f64> = invocations(case).map(|(median_ns, _)| median_ns).collect();
    let Ok(value) = geometric_mean(&medians) else {
        return Vec::new();
    };
    if let Some(measure) = &case.measure {
        return vec![foreign(measure, &medians, value)];
    }
    let time = ExportedFigure {
        metric: "time",
        unit: Cow::Borrowed("ns"),
        better: Better::Smaller,
        value,
        interval: invocations_interval(&medians, Interval::LEVEL).ok(),
        invocations: medians.len(),
    };
    let rate = (case.counts.bytes > 0).then(|| {
        let work = case.counts.bytes as f64 / Seconds::from_ns(1.0).get();
        ExportedFigure {
            metric: "bytes_per_s",
            unit: Cow::Borrowed("B/s"),
            better: Better::Larger,
            value: work / value,
            interval: time.interval.and_then(|time| time.quotient_of(work).ok()),
            invocations: time.invocations,
        }
    });
    [Some(time), rate].into_iter().flatten().collect()
}

/// Another tool's figure in its own unit.
fn foreign(measure: &Measure, medians: &[f64], cost: f64) -> ExportedFigure {
    let interval = invocations_interval(medians, Interval::LEVEL).ok();
    let (better, interval) = match measure.better {
        Better::Smaller => (Better::Smaller, interval),
        Better::Larger => (
            Better::Larger,
            interval.and_then(|cost| cost.quotient_of(1e9).ok()),
        ),
    };
    ExportedFigure {
        metric: "value",
        unit: Cow::Owned(measure.unit.clone()),
        better,
        value: measure.value(cost),
        interval,
        invocations: medians.len(),
    }
}

/// Median and energy window of each invocation that measured the case.
fn invocations(case: &CaseResult) -> impl Iterator<Item = (f64, Option<&EnergyWindow>)> {
    case.invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured {
                sampling, energy, ..
            } => Some((sampling.median_ns, energy.measured())),
            _ => None,
        })
}
