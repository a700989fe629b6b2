//! What one run measured, as a page for the terminal.

use std::collections::BTreeMap;

use super::imported::imported;
use super::table::{WIDEST, fold, table, text};
use crate::record::{
    CaseName, CaseResult, Estimate, GainUncertainty, Origin, Outcome, PowerSetup, Reading, Record,
    Status, Summary, Warning, WorkUnit,
};
use crate::units::{Seconds, Watts, number, percent};

/// A record as a page: one table, then what must be said beside it.
pub fn run(record: &Record, width: Option<u16>) -> String {
    let mut page = heading(record);
    let is_import = record.provenance.origin == Origin::Imported;
    if is_import {
        page += &imported(record, width);
    } else if record
        .cases
        .iter()
        .any(|case| case.summary.measured().is_some())
    {
        page += &results(record, width);
        page.push('\n');
        page += &legend(record, width);
    }
    page += &roofs(record);
    page += &without_figure(record, is_import, width);
    page += &without_power(record, width);
    page += &warnings(record, width);
    page
}

/// What ran where.
fn heading(record: &Record) -> String {
    let adapter = &record.adapter;
    format!(
        "{}  {} {}\n\n",
        adapter.label(),
        adapter.driver,
        adapter.driver_info
    )
}

/// The table of measured cases, a line with the workload's name above its own.
fn results(record: &Record, width: Option<u16>) -> String {
    // A narrow terminal has no room for columns of dashes; the legend says why there is no power.
    let narrow = width.is_some_and(|width| width < WIDEST) && record.power.measured().is_none();
    let shown = |column: &&Column| !(narrow && column.energy);
    let simulated = record.power.measured().is_some_and(|power| power.simulated);
    let header: Vec<String> = COLUMNS
        .iter()
        .filter(shown)
        .map(|column| match column.energy && simulated {
            true => column.simulated(),
            false => column.title.to_owned(),
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, 2, width);
    let mut workload = "";
    for case in &record.cases {
        if let Reading::Measured(summary) = &case.summary {
            if case.workload() != workload {
                workload = case.workload();
                table.add_row([workload]);
            }
            let cells = COLUMNS.iter().filter(shown);
            table.add_row(cells.map(|column| (column.cell)(case, summary)));
        }
    }
    text(&table)
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
        column("time", |_, summary| {
            Seconds::from_ns(summary.time_ns.value).to_string()
        }),
        column("±95 %", |case, summary| {
            uncertainty(case, &summary.time_ns)
        }),
        column("rate", |case, summary| rate(case, summary).0),
        column("roof", |_, summary| {
            or_dash(&summary.roofline_share, |e| percent(e.value))
        }),
        energy("power", |_, summary| {
            or_dash(&summary.power_w, |e| Watts(e.value).to_string())
        }),
        energy("rate/W", |case, summary| rate(case, summary).1),
        energy("±95 %", |_, summary| {
            or_dash(&summary.energy_j, |energy| {
                energy.relative_half_width().map_or_else(dash, percent)
            })
        }),
        column("error", |_, summary| match summary.worst_error_over_bound {
            worst if worst.abs() < 1e4 => format!("{worst:.2}"),
            worst => number(worst),
        }),
    ]
};

fn dash() -> String {
    "–".to_owned()
}

/// A measured value, or a dash.
fn or_dash<T>(reading: &Reading<T>, show: impl FnOnce(&T) -> String) -> String {
    reading.measured().map_or_else(dash, show)
}

/// The headline rate of a case, and the same for each watt.
fn rate(case: &CaseResult, summary: &Summary) -> (String, String) {
    let unit = case.headline().unit;
    let cell = |rate: Option<&Reading<Estimate>>, show: fn(WorkUnit, f64) -> String| {
        rate.map_or_else(dash, |rate| or_dash(rate, |e| show(unit, e.value)))
    };
    (
        cell(unit.rate(summary), WorkUnit::per_second),
        cell(unit.energy_efficiency(summary), WorkUnit::per_joule),
    )
}

/// Half of the interval as a share of the value; in brackets where it is only the precision inside one
/// invocation.
fn uncertainty(case: &CaseResult, time: &Estimate) -> String {
    if let Some(share) = time.relative_half_width() {
        return percent(share);
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

/// What the columns mean for this record.
fn legend(record: &Record, width: Option<u16>) -> String {
    let invocations = record.invocations.len().max(1);
    let spread = if invocations >= 3 {
        format!("±95 %: interval over {invocations} invocations.")
    } else {
        format!(
            "{invocations} invocation{}: (±) in brackets is the precision inside one invocation; \
             run three or more for an interval.",
            if invocations == 1 { "" } else { "s" }
        )
    };
    let energy = match &record.power {
        Reading::Unmeasured(reason) => format!(" Power –: {}.", reason.unmeasured),
        Reading::Measured(power) => energy_legend(record, power),
    };
    let roof = if record.roofline.is_empty() {
        "roof –: the session measured no roof; add --case 'peak-fma/*', 'copy/*' and 'read/*'."
    } else {
        "roof: share of this session's own roofline."
    };
    fold(
        &format!("{spread} {roof} error: worst output error over its bound; 1 would fail.{energy}"),
        "",
        width,
    )
}

/// Where power was read and how well that is known.
fn energy_legend(record: &Record, power: &PowerSetup) -> String {
    let tier = record
        .plan
        .energy
        .map_or_else(String::new, |tier| format!(" ({tier})"));
    let off = match power.gain.uncertainty {
        GainUncertainty::Within(share) => format!("within ±{}", percent(share)),
        GainUncertainty::Standard(share) => format!("±{} standard", percent(share)),
    };
    let cost = power.sampler.measured().map_or_else(String::new, |cost| {
        let share = cost.cpu_share.measured().map_or_else(String::new, |share| {
            format!(", {} of one processor", percent(*share))
        });
        format!(" Read every {}{share}.", Seconds(cost.interval_s))
    });
    let notes: String = power.notes.iter().map(|note| format!(" {note}.")).collect();
    format!(
        " Power{tier}: {} of the {}, {}, idle included; gain {} {off}, {}.{cost}{notes}",
        power.source,
        power.boundary,
        power.provenance,
        number(power.gain.factor),
        power.gain.from
    )
}

/// Why measured cases have no power, by reason, where the session has a sensor.
fn without_power(record: &Record, width: Option<u16>) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in record
        .cases
        .iter()
        .filter(|_| record.power.measured().is_some())
    {
        let reason = case.summary.measured().and_then(|s| s.energy_j.reason());
        if let Some(reason) = reason {
            reasons.entry(reason).or_default().push(case.id());
        }
    }
    reasons
        .into_iter()
        .map(|(reason, cases)| {
            fold(
                &format!("No power for {}: {reason}", cases.join(", ")),
                "  ",
                width,
            )
        })
        .collect()
}

/// The roofs of the session.
fn roofs(record: &Record) -> String {
    let mut lines = String::new();
    for roof in &record.roofline {
        let rate = roof.resource.unit().per_second(roof.rate_per_s.value);
        lines += &format!("Roof {}: {rate} ({})\n", roof.resource, roof.from);
    }
    lines
}

/// Cases that have no figure, by reason.
fn without_figure(record: &Record, is_import: bool, width: Option<u16>) -> String {
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut page = String::new();
    for case in &record.cases {
        match &case.status {
            // Of another tool's cases the table above has what they say.
            Status::Measured if is_import => {}
            Status::Measured => {
                if let Some(reason) = case.summary.reason() {
                    page += &fold(
                        &format!("No figure for {}: {reason}", case.id()),
                        "  ",
                        width,
                    );
                }
            }
            Status::Skipped { reason } => skipped.entry(reason).or_default().push(case.id()),
            Status::Failed { reason, .. } => {
                page += &fold(&format!("FAILED {}: {reason}", case.id()), "  ", width);
            }
        }
    }
    for (reason, cases) in skipped {
        page += &fold(
            &format!("Skipped {}: {reason}", cases.join(", ")),
            "  ",
            width,
        );
    }
    page
}

/// Every kind of warning once, in the words of its first case, with the cases that it is about.
fn warnings(record: &Record, width: Option<u16>) -> String {
    let mut kinds: Vec<(&Warning, Vec<String>)> = Vec::new();
    for warning in &record.warnings {
        kinds.push((warning, Vec::new()));
    }
    for case in &record.cases {
        let measured = case
            .invocations
            .iter()
            .flat_map(|result| match &result.outcome {
                Outcome::Measured { warnings, .. } => warnings.as_slice(),
                _ => &[],
            });
        for warning in case.warnings.iter().chain(measured) {
            let kind = std::mem::discriminant(warning);
            match kinds
                .iter_mut()
                .find(|(known, _)| std::mem::discriminant(*known) == kind)
            {
                Some((_, cases)) => cases.push(case.id()),
                None => kinds.push((warning, vec![case.id()])),
            }
        }
    }
    let mut page = String::new();
    for (warning, mut cases) in kinds {
        cases.dedup();
        let about = cases
            .first()
            .map_or_else(String::new, |first| format!("{first}: "));
        let like = match cases.len() {
            0 | 1 => String::new(),
            2 => format!(" (The like for {}.)", cases[1]),
            more => format!(" (The like for {} and {} more.)", cases[1], more - 2),
        };
        page += &fold(&format!("Warning: {about}{warning}.{like}"), "  ", width);
    }
    page
}
