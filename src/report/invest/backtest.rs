//! The model compared with public clusters and runs.

use super::super::table::{fold, table, text};
use crate::invest::{Backtest, BacktestUse, PriorSet, digits_alike, scale_of_row};

/// The model compared with public clusters.
pub fn invest_backtests(all: &[Backtest], priors: PriorSet, width: Option<u16>) -> String {
    let header = [
        "case",
        "what",
        "reported",
        "model: 5, 50, 95 %",
        "",
        "off",
        "90 %",
        "",
    ];
    let mut table = table(&header, 2, width);
    for one in all {
        let (factor, unit) = scale_of_row(one.kind, one.unit, &one.model);
        let q = &one.model;
        let [reported, p5, p50, p95] =
            digits_alike([one.reported, q.p5, q.p50, q.p95].map(|value| value / factor));
        let usage = match one.usage {
            BacktestUse::HeldOut => "",
            BacktestUse::Used => "used",
            BacktestUse::Outside => "outside",
        };
        table.add_row([
            one.title.clone(),
            one.quantity.clone(),
            reported,
            format!("{p5} {p50} {p95}"),
            unit,
            format!("{:+.0} %", 100.0 * one.log_error.exp_m1()),
            if one.inside { "in" } else { "MISS" }.to_owned(),
            usage.to_owned(),
        ]);
    }
    let mut page = text(&table);
    let held: Vec<&Backtest> = all
        .iter()
        .filter(|one| one.usage == BacktestUse::HeldOut)
        .collect();
    let inside = held.iter().filter(|one| one.inside).count();
    let mean = held.iter().map(|one| one.log_error.abs()).sum::<f64>() / held.len().max(1) as f64;
    page.push('\n');
    let unmarked = match priors {
        PriorSet::Frozen => "Held out",
        PriorSet::November2026 => {
            "No case is held out from the priors of 2026-11, which were set with cases of this kind in view. Of those \
             that were from the frozen ones"
        }
    };
    page += &fold(
        &format!(
            "{unmarked}: {inside} of {} inside the middle 90 %; mean |ln(model ÷ reported)| {mean:.2}. `used`: a \
             prior was set with this case in view. `outside`: not what the model is about. `off`: the \
             median compared with the report.",
            held.len()
        ),
        "",
        width,
    );
    for one in all {
        let note = one
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(" {note}"));
        page += &fold(
            &format!("{}, {}: {}.{note}", one.title, one.quantity, one.source),
            "  ",
            width,
        );
    }
    page
}
