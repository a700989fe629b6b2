//! What another tool measured, as a table: perwatt has summed nothing up, so the figures are the invocations' own.

use comfy_table::Cell;

use super::table::{fold, table, text};
use crate::record::{CaseResult, Outcome, Record, Sampling};
use crate::stats::{Interval, geometric_mean, invocations_interval};
use crate::units::{Seconds, percent};

/// The table of imported cases.
pub(super) fn imported(record: &Record, width: Option<u16>) -> String {
    let mut table = table(
        &["case", "value", "±95 %", "processes", "samples", "better"],
        1,
        width,
    );
    for case in &record.cases {
        let samplings: Vec<&Sampling> = samplings(case).collect();
        let medians: Vec<f64> = samplings
            .iter()
            .map(|sampling| sampling.median_ns)
            .collect();
        let Ok(cost) = geometric_mean(&medians) else {
            continue;
        };
        let samples: usize = samplings
            .iter()
            .map(|sampling| sampling.samples_ns.len())
            .sum();
        let (value, better) = match &case.measure {
            Some(measure) => (
                measure.show(measure.value(cost)),
                measure.better.to_string(),
            ),
            None => (Seconds::from_ns(cost).to_string(), "smaller".to_owned()),
        };
        let cells = [
            case.case.clone(),
            value,
            spread(&samplings, &medians, cost),
            medians.len().to_string(),
            samples.to_string(),
            better,
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
        "Imported from {tool}{host}; perwatt verified no output. value: mean of the processes' medians. \
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

/// Half of the interval as a share of the value.
fn spread(samplings: &[&Sampling], medians: &[f64], cost: f64) -> String {
    if medians.len() >= 3
        && let Ok(interval) = invocations_interval(medians, Interval::LEVEL)
    {
        return percent(interval.half_width() / cost);
    }
    let widest = samplings
        .iter()
        .filter_map(|sampling| sampling.half_width_ns.measured().copied())
        .fold(f64::NAN, f64::max);
    if widest.is_finite() {
        format!("({})", percent(widest / cost))
    } else {
        "–".to_owned()
    }
}
