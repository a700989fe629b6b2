//! The model compared with public clusters and runs.

use std::collections::BTreeSet;

use super::super::table::{fold, table, text};
use crate::invest::{Backtest, BacktestUse, PriorSet, digits_alike, scale_of_row};
use crate::units::{whole_change, whole_percent};

/// The model compared with public clusters.
pub fn invest_backtests(all: &[Backtest], priors: PriorSet, width: Option<u16>) -> String {
    let (later, older): (Vec<&Backtest>, Vec<&Backtest>) =
        all.iter().partition(|one| one.usage == BacktestUse::Later);
    let mut page = comparison(&older, width);
    page.push('\n');
    page += &fold(&verdict(&older, priors), "", width);
    page += &sources(&older, width);
    page.push('\n');
    page += &comparison(&later, width);
    page.push('\n');
    page += &by_group(&later, width);
    page.push('\n');
    page += &fold(
        &format!(
            "Collected in November 2026: {} of {} inside the middle 90 %. docs/invest.md says how many were inside \
             before anything was changed in view of them, and what was.",
            inside(&later),
            later.len()
        ),
        "",
        width,
    );
    page + &later_sources(&later, width)
}

/// A row a case.
fn comparison(all: &[&Backtest], width: Option<u16>) -> String {
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
            BacktestUse::HeldOut | BacktestUse::Later => "",
            BacktestUse::Used => "used",
            BacktestUse::Outside => "outside",
        };
        table.add_row([
            one.title.clone(),
            one.quantity.clone(),
            reported,
            format!("{p5} {p50} {p95}"),
            unit,
            whole_change(one.log_error.exp()),
            if one.inside { "in" } else { "MISS" }.to_owned(),
            usage.to_owned(),
        ]);
    }
    text(&table)
}

fn inside(all: &[&Backtest]) -> usize {
    all.iter().filter(|one| one.inside).count()
}

/// How the older cases came out.
fn verdict(all: &[&Backtest], priors: PriorSet) -> String {
    let held: Vec<&Backtest> = all
        .iter()
        .copied()
        .filter(|one| one.usage == BacktestUse::HeldOut)
        .collect();
    let mean = held.iter().map(|one| one.log_error.abs()).sum::<f64>() / held.len().max(1) as f64;
    let unmarked = match priors {
        PriorSet::Frozen => "Held out",
        PriorSet::November2026 => {
            "No case is held out from the priors of 2026-11, which were set with cases of this kind in view. Of those \
             that were from the frozen ones"
        }
    };
    format!(
        "{unmarked}: {} of {} inside the middle 90 %; mean |ln(model ÷ reported)| {mean:.2}. `used`: a \
         prior was set with this case in view. `outside`: not what the model is about. `off`: the \
         median compared with the report.",
        inside(&held),
        held.len()
    )
}

fn sources(all: &[&Backtest], width: Option<u16>) -> String {
    let lines = all.iter().map(|one| {
        let note = one
            .note
            .as_ref()
            .map_or(String::new(), |note| format!(" {note}"));
        let line = format!("{}, {}: {}.{note}", one.title, one.quantity, one.source);
        fold(&line, "  ", width)
    });
    lines.collect()
}

/// How each kind of the later cases came out.
fn by_group(all: &[&Backtest], width: Option<u16>) -> String {
    let mut table = table(&["kind", "inside", "median error"], 1, width);
    let mut names: Vec<&String> = Vec::new();
    for name in all.iter().filter_map(|one| one.group.as_ref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let group: Vec<&Backtest> = all
            .iter()
            .copied()
            .filter(|one| one.group.as_ref() == Some(name))
            .collect();
        let mut errors: Vec<f64> = group.iter().map(|one| one.log_error.abs()).collect();
        errors.sort_by(f64::total_cmp);
        let median = errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN);
        table.add_row([
            name.clone(),
            format!("{} of {}", inside(&group), group.len()),
            whole_percent(median.exp_m1()),
        ]);
    }
    text(&table)
}

/// Where the later cases are from, each source once, with what is to be kept in mind.
fn later_sources(all: &[&Backtest], width: Option<u16>) -> String {
    let mut said = BTreeSet::new();
    let mut lines = String::new();
    for one in all {
        let group = one.group.as_deref().unwrap_or_default();
        if said.insert((group, one.source.as_str())) {
            lines += &fold(&format!("{group}: {}.", one.source), "  ", width);
        }
        if let Some(note) = &one.note {
            lines += &fold(&format!("{}: {note}", one.title), "  ", width);
        }
    }
    lines
}
