//! Cases with their figures, and the roofs that they are held to.

use std::borrow::Cow;
use std::collections::HashSet;

use super::figure::{figure, reading};
use super::marks;
use super::model::{PageCase, PageFigure, PagePeak, PageRoof, PageSheet};
use crate::invest::data_sheet;
use crate::record::{
    Better, CaseResult, Estimate, Reading, Record, Resource, Status, Summary, WorkUnit,
};
use crate::units::{Joules, Seconds, TokensPerSecond, Watts, number, percent};

/// The roofs of a session.
pub(super) fn roofs(record: &Record) -> Vec<PageRoof> {
    record
        .roofline
        .iter()
        .map(|roof| {
            let unit = roof.resource.unit();
            PageRoof {
                resource: roof.resource.name(),
                memory: matches!(roof.resource, Resource::Memory | Resource::MemoryRead),
                rate: figure(&roof.rate_per_s, |rate| unit.per_second(rate)),
                from: roof.from.clone(),
            }
        })
        .collect()
}

/// What the maker publishes of the device; a software driver's processor has none that matters.
pub(super) fn sheet(record: &Record) -> Option<PageSheet> {
    let sheet = data_sheet(&record.adapter.name).filter(|_| !record.adapter.is_software())?;
    Some(PageSheet {
        device: sheet.device,
        peaks: sheet
            .peaks
            .into_iter()
            .map(|(resource, value)| PagePeak {
                resource: resource.name(),
                memory: resource == Resource::Memory,
                value,
                text: resource.unit().per_second(value),
            })
            .collect(),
        source: sheet.source,
    })
}

/// The cases of a record.
pub(super) fn cases(record: &Record) -> Vec<PageCase> {
    let best: HashSet<usize> = record.best_kernels().into_iter().collect();
    record
        .cases
        .iter()
        .enumerate()
        .map(|(at, case)| page_case(record, case, best.contains(&at)))
        .collect()
}

/// The figures of a case; of one without an interval, those of its invocations.
fn summary_of(case: &CaseResult) -> Result<Cow<'_, Summary>, String> {
    case.figures().map(Cow::Borrowed).or_else(|reason| {
        let summed = case.figures_of_invocations().map(Cow::Owned);
        summed.ok_or_else(|| reason.to_owned())
    })
}

/// The marks of a case; where its joules are shown, those of its energy too.
fn marks_of(record: &Record, case: &CaseResult, has_energy: bool) -> Vec<&'static str> {
    let mut marks = marks::of_case(record, case);
    if has_energy {
        for mark in marks::of_energy(record, &marks::tiers(case)) {
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
    }
    marks
}

fn page_case(record: &Record, case: &CaseResult, best: bool) -> PageCase {
    let summary = summary_of(case);
    let of = |part: fn(&Summary) -> &Reading<Estimate>, show: &dyn Fn(f64) -> String| match &summary
    {
        Ok(summary) => reading(part(summary), show),
        Err(reason) => Reading::unmeasured(reason.clone()),
    };
    let resources = case.resources();
    let operations = WorkUnit::arithmetic(case.dtype());
    let counts = case.counts;
    let energy = of(|s| &s.energy_j, &|joules| Joules(joules).to_string());
    let marks = marks_of(record, case, energy.measured().is_some());
    let checked = !marks.contains(&marks::UNVERIFIED);
    let worst = summary.as_ref().ok().filter(|_| checked);
    let worst = worst.and_then(|summary| summary.worst_error_over_bound.measured());
    let error = worst.map(|worst| number(*worst));
    PageCase {
        id: case.id(),
        case: case.case.clone(),
        workload: case.workload().to_owned(),
        dtype: case.dtype().to_owned(),
        kernel: case.kernel.clone(),
        best,
        status: status_name(case, summary.is_ok()),
        reason: summary.as_ref().err().cloned(),
        unit: rate_unit(case),
        time: match &summary {
            Ok(summary) => time(case, summary),
            Err(reason) => Reading::unmeasured(reason.clone()),
        },
        rate: match &summary {
            Ok(summary) => rate(case, summary),
            Err(reason) => Reading::unmeasured(reason.clone()),
        },
        tokens: of(|s| &s.tokens_per_s, &|rate| {
            TokensPerSecond(rate).to_string()
        })
        .measured()
        .cloned(),
        intensity: (counts.flop > 0 && counts.bytes > 0)
            .then(|| counts.flop as f64 / counts.bytes as f64),
        op_rate: of(|s| &s.flop_per_s, &|rate| operations.per_second(rate)),
        roof_share: of(|s| &s.roofline_share, &percent),
        power: of(|s| &s.power_w, &|watts| Watts(watts).to_string()),
        per_joule: match &summary {
            Ok(summary) => per_joule(case, summary),
            Err(reason) => Reading::unmeasured(reason.clone()),
        },
        energy,
        arithmetic: resources.arithmetic.name(),
        measures: resources.measures.map(Resource::name),
        error,
        marks,
    }
}

fn status_name(case: &CaseResult, has_figures: bool) -> &'static str {
    match (&case.status, has_figures) {
        (Status::Measured, true) => "measured",
        (Status::Measured, false) => "no figure",
        (Status::Skipped { .. }, _) => "skipped",
        (Status::Failed { .. }, _) => "failed",
    }
}

/// Time of one execution; of another tool's case, the amount that it measured.
fn time(case: &CaseResult, summary: &Summary) -> Reading<PageFigure> {
    match &case.measure {
        Some(measure) if measure.better == Better::Larger => {
            Reading::unmeasured("another tool's rate, which is not a time of one execution")
        }
        Some(measure) => Reading::Measured(figure(&summary.time_ns, |value| measure.show(value))),
        None => Reading::Measured(figure(&summary.time_ns, |ns| {
            Seconds::from_ns(ns).to_string()
        })),
    }
}

fn rate(case: &CaseResult, summary: &Summary) -> Reading<PageFigure> {
    let unit = case.headline().unit;
    match unit.rate(summary) {
        Some(rate) => reading(rate, |rate| unit.per_second(rate)),
        None => match &case.measure {
            Some(measure) if measure.better == Better::Larger => {
                reading(&measure.estimate(&summary.time_ns), |rate| {
                    measure.show(rate)
                })
            }
            Some(_) => Reading::unmeasured("another tool's amount, which is not a rate"),
            None => reading(&summary.time_ns.quotient_of(1e9), |rate| {
                unit.per_second(rate)
            }),
        },
    }
}

fn per_joule(case: &CaseResult, summary: &Summary) -> Reading<PageFigure> {
    let unit = case.headline().unit;
    match unit.energy_efficiency(summary) {
        Some(efficiency) => reading(efficiency, |value| unit.per_joule(value)),
        None => reading(
            &summary.energy_j.and_then(|energy| energy.quotient_of(1.0)),
            |value| unit.per_joule(value),
        ),
    }
}

/// The unit of a case's rate.
fn rate_unit(case: &CaseResult) -> String {
    if let Some(measure) = &case.measure {
        return measure.unit.clone();
    }
    let unit = match case.headline().unit {
        WorkUnit::Bytes => "B/s",
        WorkUnit::Flop => "FLOP/s",
        WorkUnit::Op => "OP/s",
        WorkUnit::Executions => "1/s",
    };
    unit.to_owned()
}

impl PageCase {
    /// What another tool measured of it: a time or an amount, else a rate.
    pub(super) fn main_figure(&self) -> Option<&PageFigure> {
        self.time.measured().or(self.rate.measured())
    }
}
