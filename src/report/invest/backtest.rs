//! The model compared with public clusters and runs.

use std::collections::BTreeSet;

use super::super::table::{fold, table, text};
use crate::invest::{
    Backtest, BacktestCollection, BacktestGroupResult, BacktestUse, PriorSet, digits_alike,
    scale_of_row,
};
use crate::units::{whole_change, whole_percent};

/// The model compared with public clusters.
pub fn invest_backtests(
    all: &[Backtest],
    groups: &[BacktestGroupResult],
    priors: PriorSet,
    width: Option<u16>,
) -> String {
    let mut page = String::new();
    for collection in BacktestCollection::ALL {
        let of_it: Vec<&Backtest> = all
            .iter()
            .filter(|one| one.collection == collection)
            .collect();
        page += &comparison(&of_it, width);
        page.push('\n');
        page += &fold(&verdict(collection, &of_it, priors), "", width);
        page += &match collection {
            BacktestCollection::Clusters => sources(&of_it, width),
            _ => sources_once(&of_it, width),
        };
        page.push('\n');
    }
    page += &by_group(groups, width);
    page.push('\n');
    page + &fold(OF_A_GROUP, "", width)
}

/// What the columns of the table of kinds say.
const OF_A_GROUP: &str = "`inside`: reports within the model's middle 90 %. `median error`: of the larger ÷ the \
     smaller. `order`: pairs of machines that were asked the same, differ by 5 % or more and are in the right order. \
     `at first`: how many were inside when they were asked first, an answer that was refused counted as a miss.";

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
            BacktestUse::HeldOut | BacktestUse::Later | BacktestUse::New => "",
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

/// `3 of 5`.
fn share<'a>(all: impl Iterator<Item = &'a Backtest>, is_in: impl Fn(&Backtest) -> bool) -> String {
    let (mut inside, mut count) = (0, 0);
    for one in all {
        count += 1;
        inside += usize::from(is_in(one));
    }
    format!("{inside} of {count}")
}

/// How many of those of one use are inside.
fn inside(all: &[&Backtest], usage: BacktestUse) -> String {
    let of_it = all.iter().copied().filter(|one| one.usage == usage);
    share(of_it, |one| one.inside)
}

/// How the cases of a collection came out.
fn verdict(collection: BacktestCollection, all: &[&Backtest], priors: PriorSet) -> String {
    match collection {
        BacktestCollection::Clusters => of_clusters(all, priors),
        BacktestCollection::OddEven => {
            let fitted = match priors {
                PriorSet::Frozen => "not fitted either with these priors",
                PriorSet::November2026 => "fitted",
            };
            format!(
                "The 39 cases of November 2026: odd rows ({fitted}) {} inside, even rows {}.",
                inside(all, BacktestUse::Used),
                inside(all, BacktestUse::HeldOut)
            )
        }
        BacktestCollection::Desk => format!(
            "One user's machine: {} inside. The bands of the scenario `desk` were set with these figures in view.",
            inside(all, BacktestUse::Used)
        ),
        BacktestCollection::Later => format!(
            "Collected in November 2026: {} inside the middle 90 %. docs/invest.md says how many were inside before \
             anything was changed in view of them, and what was.",
            inside(all, BacktestUse::Later)
        ),
        BacktestCollection::New => format!(
            "New on 29 November 2026, and nothing fitted on them: {} inside when they were asked first, {} now.",
            share(all.iter().copied(), Backtest::inside_at_first),
            inside(all, BacktestUse::New)
        ),
    }
}

/// How the older cases came out.
fn of_clusters(all: &[&Backtest], priors: PriorSet) -> String {
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
        "{unmarked}: {} inside the middle 90 %; mean |ln(model ÷ reported)| {mean:.2}. `used`: a \
         prior was set with this case in view. `outside`: not what the model is about. `off`: the \
         median compared with the report.",
        inside(all, BacktestUse::HeldOut)
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

/// How each kind of cases came out.
fn by_group(groups: &[BacktestGroupResult], width: Option<u16>) -> String {
    let header = ["kind", "inside", "median error", "order", "at first"];
    let mut table = table(&header, 1, width);
    for group in groups {
        let order = match group.pairs {
            0 => String::new(),
            pairs => format!("{} of {pairs}", group.in_order),
        };
        let at_first = group
            .inside_at_first
            .map_or(String::new(), |inside| inside.to_string());
        table.add_row([
            group.name.clone(),
            format!("{} of {}", group.inside, group.cases),
            whole_percent(group.median_error),
            order,
            at_first,
        ]);
    }
    text(&table)
}

/// Where cases are from, each source once, with what is to be kept in mind.
fn sources_once(all: &[&Backtest], width: Option<u16>) -> String {
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
