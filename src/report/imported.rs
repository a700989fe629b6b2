//! What another tool measured, as a table: perwatt has summed nothing up, so the figures are the invocations' own.

use comfy_table::Cell;

use super::table::{fold, spread, table, text};
use crate::record::{Better, CaseResult, Outcome, Reading, Record, Sampling};
use crate::units::{Seconds, percent};

/// The table of imported cases.
pub(super) fn imported(record: &Record, width: Option<u16>) -> String {
    let mut table = table(
        &["case", "value", "±95 %", "processes", "samples", "better"],
        1,
        width,
    );
    for case in &record.cases {
        let Some(summary) = case.figures_of_invocations() else {
            continue;
        };
        let samples: usize = samplings(case)
            .map(|sampling| sampling.samples_ns.len())
            .sum();
        let (estimate, better) = match &case.measure {
            Some(measure) => (measure.estimate(&summary.time_ns), measure.better),
            None => (Reading::Measured(summary.time_ns.clone()), Better::Smaller),
        };
        let Reading::Measured(estimate) = estimate else {
            continue;
        };
        let show = |value: f64| match &case.measure {
            Some(measure) => measure.show(value),
            None => Seconds::from_ns(value).to_string(),
        };
        let cells = [
            case.case.clone(),
            show(estimate.value),
            match &estimate.interval {
                Reading::Measured(_) => spread(&estimate, show),
                Reading::Unmeasured(_) => inside_one(case, summary.time_ns.value),
            },
            summary.invocations.to_string(),
            samples.to_string(),
            better.to_string(),
        ];
        table.add_row(cells.map(Cell::new));
    }
    let tool = &record.adapter.driver;
    let host = record
        .host
        .described
        .as_ref()
        .map_or_else(String::new, |host| format!(" on {host}"));
    let legend = format!(
        "Imported from {tool}{host}; perwatt verified no output. value: geometric mean of the processes' medians. \
         ±95 %: interval over three processes or more; in brackets, the precision inside one."
    );
    text(&table) + "\n" + &fold(&legend, "", width)
}

fn samplings(case: &CaseResult) -> impl Iterator<Item = &Sampling> {
    case.invocations
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { sampling, .. } => Some(sampling),
            _ => None,
        })
}

/// The precision inside one process as a share of its cost, in brackets.
fn inside_one(case: &CaseResult, cost: f64) -> String {
    let widest = samplings(case)
        .filter_map(|sampling| sampling.half_width_ns.measured().copied())
        .fold(f64::NAN, f64::max);
    if widest.is_finite() {
        format!("({})", percent(widest / cost))
    } else {
        "–".to_owned()
    }
}
