//! What one run measured, as a page for the terminal.

use std::collections::BTreeMap;

use comfy_table::Cell;

use super::table::{fold, table, text};
use crate::record::{CaseResult, Estimate, Outcome, Reading, Record, Status, Summary};
use crate::units::{BytesPerSecond, FlopPerSecond, Seconds, Watts, si};

/// A record as a page: one table, then what must be said beside it.
pub fn run(record: &Record, width: Option<u16>) -> String {
    let mut page = heading(record);
    if record
        .cases
        .iter()
        .any(|case| case.summary.measured().is_some())
    {
        page += &results(record, width);
        page.push('\n');
        page += &legend(record, width);
    }
    page += &roofs(record);
    page += &without_figure(record, width);
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

/// The table of measured cases.
fn results(record: &Record, width: Option<u16>) -> String {
    let header = [
        "case", "kernel", "time", "±95 %", "rate", "roof", "power", "rate/W", "error",
    ];
    let mut table = table(&header, 2, width);
    for case in &record.cases {
        if let Reading::Measured(summary) = &case.summary {
            table.add_row(row(case, summary));
        }
    }
    text(&table)
}

/// One line of the table.
fn row(case: &CaseResult, summary: &Summary) -> Vec<Cell> {
    let (rate, per_watt) = rate(summary);
    let dash = || "–".to_owned();
    let cells = [
        case.case.clone(),
        case.kernel.clone(),
        Seconds::from_ns(summary.time_ns.value).to_string(),
        uncertainty(case, &summary.time_ns),
        rate,
        summary
            .roofline_share
            .measured()
            .map_or_else(dash, |share| format!("{:.0} %", share.value * 100.0)),
        summary
            .power_w
            .measured()
            .map_or_else(dash, |power| Watts(power.value).to_string()),
        per_watt,
        format!("{:.2}", summary.worst_error_over_bound),
    ];
    cells.into_iter().map(Cell::new).collect()
}

/// The rate that people compare for a case, and the same for each watt.
fn rate(summary: &Summary) -> (String, String) {
    let dash = "–".to_owned();
    if let Some(rate) = summary.flop_per_s.measured() {
        let per_watt = summary
            .flop_per_j
            .measured()
            .map_or(dash, |e| si(e.value, "FLOP/J"));
        return (FlopPerSecond(rate.value).to_string(), per_watt);
    }
    if let Some(rate) = summary.bytes_per_s.measured() {
        let per_watt = summary
            .bytes_per_j
            .measured()
            .map_or(dash, |e| si(e.value, "B/J"));
        return (BytesPerSecond(rate.value).to_string(), per_watt);
    }
    (dash.clone(), dash)
}

/// Half of the interval as a share of the value; in brackets where it is only the precision inside one
/// invocation.
fn uncertainty(case: &CaseResult, time: &Estimate) -> String {
    let percent = |half: f64| {
        let percent = 100.0 * half / time.value;
        if percent >= 9.95 {
            format!("{percent:.0} %")
        } else {
            format!("{percent:.1} %")
        }
    };
    if let Some(interval) = time.interval.measured() {
        return percent((interval.high - interval.low) / 2.0);
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
        format!("({})", percent(widest))
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
    let energy = match record.power.reason() {
        Some(reason) => format!(" Power –: {reason}."),
        None => String::new(),
    };
    fold(
        &format!(
            "{spread} roof: share of this session's own roofline. error: worst output error over its \
             bound; 1 would fail.{energy}"
        ),
        "",
        width,
    )
}

/// The roofs of the session.
fn roofs(record: &Record) -> String {
    let mut lines = String::new();
    for roof in &record.roofline {
        let rate = if roof.resource == "memory" {
            BytesPerSecond(roof.rate_per_s).to_string()
        } else {
            FlopPerSecond(roof.rate_per_s).to_string()
        };
        lines += &format!("Roof {}: {rate} ({})\n", roof.resource, roof.from);
    }
    lines
}

/// Cases that have no figure, by reason.
fn without_figure(record: &Record, width: Option<u16>) -> String {
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut page = String::new();
    for case in &record.cases {
        match &case.status {
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

/// Every warning once, with the cases that it is about.
fn warnings(record: &Record, width: Option<u16>) -> String {
    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for warning in &record.warnings {
        by_text.entry(warning.to_string()).or_default();
    }
    for case in &record.cases {
        let mut texts: Vec<String> = case.warnings.iter().map(ToString::to_string).collect();
        for result in &case.invocations {
            if let Outcome::Measured { warnings, .. } = &result.outcome {
                texts.extend(warnings.iter().map(ToString::to_string));
            }
        }
        texts.sort_unstable();
        texts.dedup();
        for text in texts {
            by_text.entry(text).or_default().push(case.id());
        }
    }
    let mut page = String::new();
    for (text, mut cases) in by_text {
        cases.dedup();
        let about = match cases.len() {
            0 => String::new(),
            1..=3 => format!("{}: ", cases.join(", ")),
            more => format!("{} and {} more: ", cases[..2].join(", "), more - 2),
        };
        page += &fold(&format!("Warning: {about}{text}"), "  ", width);
    }
    page
}
