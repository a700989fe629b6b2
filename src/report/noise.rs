//! A calibration as a page for the terminal.

use super::table::{cell, fold, table, text};
use crate::compare::{Noise, Spread};
use crate::stats::{Demand, Effect, NoisePrior, SessionCost};
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
                match spread.invocations > 1.0 {
                    true => fine_percent(spread.invocation_sd),
                    false => "unknown".to_owned(),
                },
                visible(spread),
            ];
            table.add_row(cells.into_iter().map(cell));
        }
    }
    text(&table)
        + &fold(
            &format!(
                "{} sessions on {}. Spreads are standard deviations. The last column is the change that \
                 a comparison of one session with another of the same day would detect with probability 0.8, for a \
                 single case and without a margin.",
                noise.sessions, noise.environment.device
            ),
            "",
            width,
        )
}

/// The smallest visible change of one session against another of the same day.
fn visible(spread: Spread) -> String {
    let prior = NoisePrior::from(spread);
    let invocations = vec![1.0; prior.invocations.round().max(1.0) as usize];
    let demand = Demand {
        alpha: 0.05,
        power: 0.8,
    };
    SessionCost::of(&invocations)
        .and_then(|session| Effect::sessions(&[session], &[session], Some(prior)))
        .map_or_else(
            |undefined| undefined.to_string(),
            |effect| change(effect.detectable(0.0, demand).exp()),
        )
}
