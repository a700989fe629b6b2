//! The list of what to look at first, as CSV.

use crate::error::{Error, Result};
use crate::escape::cell;
use crate::fleet::summary::{FleetSummary, FleetWorth};

/// The columns, in order; a version only adds some at the end.
const COLUMNS: [&str; 17] = [
    "rank",
    "what",
    "device",
    "card",
    "cards",
    "worst_case",
    "worst_ratio",
    "worst_low",
    "worst_high",
    "cost_ratio",
    "cost_low",
    "cost_high",
    "dollars_per_year",
    "gwh_per_year",
    "modelled",
    "advice",
    "seen",
];

/// The list as CSV.
///
/// # Errors
/// It cannot be written, which memory alone could cause.
pub fn fleet_csv(summary: &FleetSummary, worth: &FleetWorth) -> Result<String> {
    let failed = |e: csv::Error| Error::usage("--csv", format!("cannot be written: {e}"));
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record(COLUMNS).map_err(failed)?;
    for (rank, (item, worth)) in (1..).zip(summary.pull.iter().zip(&worth.items)) {
        let mut line: [String; COLUMNS.len()] = Default::default();
        line[0] = format!("{rank}");
        line[1] = item.what.name().to_owned();
        line[2] = cell(&item.device);
        line[3] = cell(&item.name);
        line[4] = item.cards.to_string();
        if let Some(worst) = &item.worst_case {
            line[5] = cell(&worst.case);
            let effect = &worst.effect;
            [line[6], line[7], line[8]] =
                [effect.ratio, effect.low, effect.high].map(|x| x.to_string());
        }
        if let Some(cost) = &item.cost {
            [line[9], line[10], line[11]] =
                [cost.ratio, cost.low, cost.high].map(|x| x.to_string());
        }
        if let Some(worth) = worth {
            let middle =
                |ends: Option<[f64; 3]>| ends.map_or(String::new(), |ends| ends[1].to_string());
            [line[12], line[13]] = [middle(worth.dollars_per_year), middle(worth.gwh_per_year)];
            line[14] = "dollars_per_year gwh_per_year".to_owned();
        }
        line[15] = cell(&item.advice);
        line[16] = cell(&item.seen.join("; "));
        lines.write_record(&line).map_err(failed)?;
    }
    let bytes = lines
        .into_inner()
        .map_err(|e| failed(e.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
