//! A calibration as a page for the terminal.

use comfy_table::Cell;

use super::table::{fold, table, text};
use crate::compare::{Noise, Spread};
use crate::stats::{Demand, Effect, NoisePrior};
use crate::units::{change, fine_percent};

/// The noise of each case and what it lets a comparison detect.
pub fn noise(noise: &Noise, width: Option<u16>) -> String {
    let header = [
        "case",
        "metric",
        "between sessions",
        "within one",
        "detectable 1 vs 1",
    ];
    let mut table = table(&header, 2, width);
    for (id, case) in &noise.cases {
        for (metric, spread) in [("time", case.time), ("energy", case.energy)] {
            let Some(spread) = spread else { continue };
            let cells = [
                id.clone(),
                metric.to_owned(),
                fine_percent(spread.session_sd),
                fine_percent(spread.invocation_sd),
                visible(spread),
            ];
            table.add_row(cells.into_iter().map(Cell::new));
        }
    }
    text(&table)
        + &fold(
            &format!(
                "{} sessions on {}. Spreads are standard deviations. The last column is the change that \
                 a comparison of one session with another would detect with probability 0.8, for a \
                 single case and without a margin.",
                noise.sessions, noise.environment.device
            ),
            "",
            width,
        )
}

/// The smallest visible change of one session against another.
fn visible(spread: Spread) -> String {
    let prior = NoisePrior::from(spread);
    let effect = Effect {
        log_ratio: 0.0,
        standard_error: prior.session_sd * 2_f64.sqrt(),
        degrees: prior.degrees,
        slack: 0.0,
    };
    let demand = Demand {
        alpha: 0.05,
        power: 0.8,
    };
    change(effect.detectable(0.0, demand).exp())
}
