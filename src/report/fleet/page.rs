//! The summary for a terminal: what to look at first, then each model, then what did not enter.

use super::super::table::{counted, fold, table, text};
use crate::escape;
use crate::fleet::summary::{FleetItemWorth, FleetSummary, FleetWorth, ModelSummary, PullKind};
use crate::invest::digits;
use crate::units::{Joules, Seconds, percent};

/// Cases that are shown of a model; JSON has all.
const CASES: usize = 12;

/// Single lines that are shown of a list; JSON has all.
const LINES: usize = 20;

/// The summary.
pub fn fleet(summary: &FleetSummary, worth: &FleetWorth, width: Option<u16>) -> String {
    let mut page = String::new();
    for note in &summary.notes {
        page += &fold(&format!("note: {note}."), "  ", width);
    }
    page += &first(summary, worth, width);
    for model in &summary.models {
        page += &self::model(model, width);
    }
    page += &jobs(summary, worth, width);
    page + &left_out(summary, width)
}

/// What to look at first.
fn first(summary: &FleetSummary, worth: &FleetWorth, width: Option<u16>) -> String {
    if summary.pull.is_empty() {
        return match summary.models.iter().any(|model| model.enough_cards) {
            true => "Nothing to pull: no card stands out from its peers.\n".to_owned(),
            false => "Nothing can be said of single cards; each model below says why.\n".to_owned(),
        };
    }
    let mut page = format!(
        "What to look at first ({}):\n\n",
        counted(summary.pull.len(), "line")
    );
    page += &pull_table(summary, worth, width);
    page += "\n";
    for item in &summary.pull {
        let seen = match item.seen.is_empty() {
            true => String::new(),
            false => format!(" ({})", item.seen.join("; ")),
        };
        page += &fold(
            &escape::line(&format!("  {}: {}{seen}.", item.name, item.advice)),
            "    ",
            width,
        );
    }
    page + &fold(
        &format!(
            "{} Dollars and MWh are MODELLED: what these cards' own excess costs in a year.",
            summary.rule()
        ),
        "",
        width,
    )
}

fn pull_table(summary: &FleetSummary, worth: &FleetWorth, width: Option<u16>) -> String {
    let mut table = table(
        &[
            "what",
            "card",
            "clearest case",
            "there",
            "costs",
            "$/year",
            "MWh/year",
        ],
        3,
        width,
    );
    for (item, worth) in summary.pull.iter().zip(&worth.items) {
        let case = item.worst_case.as_ref();
        let cards = match item.what {
            PullKind::SlowGroup => format!("{} ({})", item.name, counted(item.cards, "card")),
            _ => item.name.clone(),
        };
        let of = |of: &dyn Fn(&FleetItemWorth) -> Option<[f64; 3]>, unit: f64| match worth {
            Some(worth) => amount(of(worth), unit),
            None => "–".to_owned(),
        };
        table.add_row([
            item.what.name().to_owned(),
            escape::line(&cards),
            escape::line(case.map_or("–", |case| &case.case)),
            case.map_or("–".to_owned(), |case| case.effect.to_string()),
            item.cost.map_or("–".to_owned(), |cost| cost.to_string()),
            of(&|worth| worth.dollars_per_year, 1.0),
            of(&|worth| worth.gwh_per_year, 1e-3),
        ]);
    }
    text(&table)
}

/// A year's amount with its interval.
fn amount(ends: Option<[f64; 3]>, unit: f64) -> String {
    match ends {
        Some([low, value, high]) => format!(
            "{} ({} to {})",
            digits(value / unit),
            digits(low / unit),
            digits(high / unit)
        ),
        None => "unknown".to_owned(),
    }
}

fn model(model: &ModelSummary, width: Option<u16>) -> String {
    let mut page = format!("\n{}\n", escape::line(&model.title()));
    for sentence in model.sentences() {
        page += &fold(&escape::line(&format!("  {sentence}")), "    ", width);
    }
    page + "\n" + &cases(model, width)
}

/// Where the cards lie, the widest spread first.
fn cases(model: &ModelSummary, width: Option<u16>) -> String {
    let mut table = table(
        &[
            "case",
            "cards",
            "median",
            "spread",
            "5 to 95 %",
            "joules",
            "spread",
        ],
        1,
        width,
    );
    let mut order: Vec<_> = model.cases.iter().collect();
    order.sort_by(|a, b| b.spread.total_cmp(&a.spread));
    for case in order.iter().take(CASES) {
        let share = |at: usize| percent(case.quantiles_ns[at] / case.median_ns - 1.0);
        table.add_row([
            escape::line(&case.case),
            case.cards.to_string(),
            Seconds::from_ns(case.median_ns).to_string(),
            percent(case.spread),
            format!("{} to {}", share(1), share(4)),
            case.median_j.map_or("not measured".to_owned(), |joules| {
                Joules(joules).to_string()
            }),
            case.spread_j.map_or("–".to_owned(), percent),
        ]);
    }
    let more = match order.len().saturating_sub(CASES) {
        0 => String::new(),
        more => format!("and {more} more cases of a narrower spread; --json has all\n"),
    };
    let kinds: Vec<String> = order
        .iter()
        .filter_map(|case| Some(format!("  {}: {}.", case.case, case.two_kinds.as_ref()?)))
        .take(LINES)
        .map(|line| fold(&escape::line(&line), "    ", width))
        .collect();
    text(&table) + &more + &kinds.concat()
}

/// What slow cards cost through jobs that wait for them.
fn jobs(summary: &FleetSummary, worth: &FleetWorth, width: Option<u16>) -> String {
    let mut page = String::new();
    for model in &summary.models {
        for cost in &model.synchronous {
            let line = format!("  {}", cost.sentence(&model.device));
            page += &fold(&escape::line(&line), "    ", width);
        }
    }
    for job in &worth.jobs {
        let line = format!(
            "  all {} of {} in jobs of {}: $ {} and {} GWh a year",
            counted(job.cards, "card"),
            job.device,
            job.job_cards,
            amount(job.worth.dollars_per_year, 1.0),
            amount(job.worth.gwh_per_year, 1.0)
        );
        page += &fold(&escape::line(&line), "    ", width);
    }
    if page.is_empty() {
        return page;
    }
    let mut page = format!(
        "\nMODELLED: jobs that wait for the slowest of their cards, drawn at random:\n{page}"
    );
    for basis in &worth.basis {
        page += &fold(
            &escape::line(&format!("  Assumed of {basis}.")),
            "    ",
            width,
        );
    }
    page
}

fn left_out(summary: &FleetSummary, width: Option<u16>) -> String {
    let mut page = String::new();
    for one in &summary.left_out {
        let line = format!("  {}", one.sentence());
        page += &fold(&escape::line(&line), "    ", width);
    }
    for copy in summary.copies.iter().take(LINES) {
        let line = format!("  {}", copy.sentence());
        page += &fold(&escape::line(&line), "    ", width);
    }
    if summary.copies.len() > LINES {
        page += &format!("  and {} more copies\n", summary.copies.len() - LINES);
    }
    match page.is_empty() {
        true => page,
        false => format!("\nNot in the figures above:\n{page}"),
    }
}
