//! Logs that have a row only where the value changed, as a house's history is exported: between two rows the value stood,
//! and was known no better than the change that makes a row.

use super::order::LogRow;
use crate::stats;
use crate::units::Watts;

/// Most rows that are made of a log, whatever its times are.
const MOST: f64 = 1e6;

/// Whether a log's rows stand where the value changed.
pub(super) fn is_of_changes(header: &[String]) -> bool {
    let named = |wanted: &str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    named("state") && (named("last_changed") || named("last_updated"))
}

/// The rows with the values that stood between them, as often as quick changes came.
pub(super) fn held(
    rows: Vec<LogRow>,
    resolution: &mut Watts,
    notes: &mut Vec<String>,
) -> Vec<LogRow> {
    /// Share of the steps that are quicker than what a meter takes from one change to the next.
    const QUICK: f64 = 0.25;
    let mut steps: Vec<f64> = rows.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    steps.sort_by(f64::total_cmp);
    let Some(quick) = stats::quantile_of_sorted(&steps, QUICK).filter(|step| *step > 0.0) else {
        return rows;
    };
    let step = quick.max(steps.iter().sum::<f64>() / MOST);
    let change = rows
        .windows(2)
        .map(|pair| (pair[1].1 - pair[0].1).get().abs())
        .filter(|change| *change > 0.0)
        .fold(f64::INFINITY, f64::min);
    if change.is_finite() {
        *resolution = Watts(change.max(resolution.get()));
    }
    let mut all = Vec::new();
    for pair in rows.windows(2) {
        let (from, watts) = pair[0];
        let to = pair[1].0;
        // Made-up rows end a moment before the next change.
        let between = ((to - from) / step).ceil() as u64;
        all.extend((0..between.max(1)).map(|n| (from + n as f64 * step, watts)));
    }
    all.extend(rows.last());
    notes.push(format!(
        "its rows stand where the value changed, so each value was held until the next, and is known to {resolution}; \
         after the last row nothing is known, so the history must reach to the change after the load"
    ));
    all
}
