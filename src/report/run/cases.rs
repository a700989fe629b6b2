//! The table of measured cases.

use super::short::is_short;
use crate::record::{CaseName, CaseResult, Estimate, Outcome, Reading, Record, Summary, WorkUnit};
use crate::report::table::{cell, dash, spread, table, text};
use crate::units::{Seconds, Watts, number, percent};

/// Which kernels of a case are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownKernels {
    /// The fastest.
    Best,
    /// Every kernel that was measured.
    All,
}

/// The table of measured cases, a line with the workload's name above its own. What is too short to be a speed comes
/// last.
pub(super) fn results(record: &Record, kernels: ShownKernels, width: Option<u16>) -> String {
    let shown: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| !column.energy || record.power.measured().is_some())
        .collect();
    let simulated = record.has_simulated_sensor();
    let header: Vec<String> = shown
        .iter()
        .map(|column| match column.energy && simulated {
            true => column.simulated(),
            false => column.title.to_owned(),
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, 2, width);
    let (long, short): (Vec<Measured<'_>>, Vec<Measured<'_>>) = measured(record, kernels)
        .into_iter()
        .partition(|(case, _)| !is_short(case));
    let parts = [("", long), ("too short to be a speed", short)];
    for (title, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
        if !title.is_empty() {
            table.add_row([*title]);
        }
        let mut workload = "";
        for (case, summary) in part {
            if case.workload() != workload {
                workload = case.workload();
                table.add_row([cell(workload)]);
            }
            table.add_row(
                shown
                    .iter()
                    .map(|column| cell((column.cell)(case, summary))),
            );
        }
    }
    text(&table)
}

/// A case with its figures.
type Measured<'a> = (&'a CaseResult, &'a Summary);

/// The cases that have figures: with every kernel, or with the one that stands for it.
pub(super) fn measured(record: &Record, kernels: ShownKernels) -> Vec<Measured<'_>> {
    let shown: Vec<&CaseResult> = match kernels {
        ShownKernels::All => record.cases.iter().collect(),
        ShownKernels::Best => {
            let best = record.best_kernels();
            best.into_iter().map(|at| &record.cases[at]).collect()
        }
    };
    shown
        .into_iter()
        .filter_map(|case| Some((case, case.figures().ok()?)))
        .collect()
}

/// A column of the table.
struct Column {
    title: &'static str,
    /// Whether it needs a power sensor.
    energy: bool,
    cell: fn(&CaseResult, &Summary) -> String,
}

impl Column {
    /// Its title where power is made up.
    fn simulated(&self) -> String {
        match self.title {
            "power" => "SIMULATED W".to_owned(),
            "rate/W" => "SIMULATED /W".to_owned(),
            title => title.to_owned(),
        }
    }
}

/// The columns, in order.
const COLUMNS: [Column; 10] = {
    const fn column(title: &'static str, cell: fn(&CaseResult, &Summary) -> String) -> Column {
        Column {
            title,
            energy: false,
            cell,
        }
    }
    const fn energy(title: &'static str, cell: fn(&CaseResult, &Summary) -> String) -> Column {
        Column {
            title,
            energy: true,
            cell,
        }
    }
    [
        column("case", |case, _| {
            let (_, rest) = CaseName::split_workload(&case.case);
            format!("  {rest}")
        }),
        column("kernel", |case, _| case.kernel.clone()),
        column("time", |_, summary| summary.time_ns.text(show_ns)),
        column("±95 %", |case, summary| {
            uncertainty(case, &summary.time_ns)
        }),
        column("rate", |case, summary| rate(case, summary).0),
        column("roof", |_, summary| {
            or_dash(&summary.roofline_share, |e| percent(e.value))
        }),
        energy("power", |_, summary| {
            or_dash(&summary.power_w, |e| {
                e.text(|watts| Watts(watts).to_string())
            })
        }),
        energy("rate/W", |case, summary| rate(case, summary).1),
        energy("±95 %", |case, summary| {
            let unit = case.headline().unit;
            let efficiency = unit.energy_efficiency(summary);
            efficiency.map_or_else(dash, |efficiency| {
                or_dash(efficiency, |e| spread(e, |value| unit.per_joule(value)))
            })
        }),
        column("error", |case, summary| {
            match summary.worst_error_over_bound.measured() {
                // Earlier files say zero where nothing was compared.
                _ if case.is_unchecked() => dash(),
                None => dash(),
                Some(worst) if worst.abs() < 1e4 => format!("{worst:.2}"),
                Some(worst) => number(*worst),
            }
        }),
    ]
};

/// A measured value, or a dash.
pub(super) fn or_dash<T>(reading: &Reading<T>, show: impl FnOnce(&T) -> String) -> String {
    reading.measured().map_or_else(dash, show)
}

/// The headline rate of a case, and the same for each watt.
pub(super) fn rate(case: &CaseResult, summary: &Summary) -> (String, String) {
    let unit = case.headline().unit;
    let cell = |rate: Option<&Reading<Estimate>>, show: fn(WorkUnit, f64) -> String| {
        rate.map_or_else(dash, |rate| {
            or_dash(rate, |e| e.text(|value| show(unit, value)))
        })
    };
    (
        cell(unit.rate(summary), WorkUnit::per_second),
        cell(unit.energy_efficiency(summary), WorkUnit::per_joule),
    )
}

/// A time in nanoseconds, in words.
fn show_ns(ns: f64) -> String {
    Seconds::from_ns(ns).to_string()
}

/// Half of the interval as a share of the value; in brackets where it is only the precision inside one
/// invocation.
fn uncertainty(case: &CaseResult, time: &Estimate) -> String {
    if time.interval.measured().is_some() {
        return spread(time, show_ns);
    }
    let widest = case
        .invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { sampling, .. } => sampling.half_width_ns.measured().copied(),
            _ => None,
        })
        .fold(f64::NAN, f64::max);
    if widest.is_finite() {
        format!("({})", percent(widest / time.value))
    } else {
        "–".to_owned()
    }
}
