//! The summary for a terminal: what to look at first, then each model, then what did not enter.

use super::super::table::{counted, fold, table, text};
use crate::escape;
use crate::fleet::summary::{
    FleetItemWorth, FleetSummary, FleetWorth, ModelSummary, PeerRatio, PullKind, Straggler,
};
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
            case.map_or("–".to_owned(), |case| more(&case.effect)),
            item.cost.as_ref().map_or("–".to_owned(), more),
            of(&|worth| worth.dollars_per_year, 1.0),
            of(&|worth| worth.gwh_per_year, 1e-3),
        ]);
    }
    let mut page = format!(
        "What to look at first ({}):\n\n",
        counted(summary.pull.len(), "line")
    );
    page += &text(&table);
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
            "Costs: how much more a card needs for the same work than its peers, with a 95 % interval beyond what like \
             cards differ by. Of the slow cards listed, {} may be there by chance, more where like cards scatter widely. Dollars and \
             MWh are MODELLED: what these cards' own excess costs in a year.",
            percent(summary.fdr)
        ),
        "",
        width,
    )
}

/// `+8.1 % (6.0 to 10)`.
fn more(ratio: &PeerRatio) -> String {
    let of = |ratio: f64| digits(100.0 * (ratio - 1.0));
    format!(
        "{}{} % ({} to {})",
        if ratio.ratio < 1.0 { "" } else { "+" },
        of(ratio.ratio),
        of(ratio.low),
        of(ratio.high)
    )
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
    let at_once = match model.at_once {
        true => ", measured at once with other GPUs of its machine",
        false => "",
    };
    let title = format!(
        "{} ({}{at_once}): {}, {}",
        model.device,
        model.backend,
        counted(model.cards, "card"),
        counted(model.records, "record")
    );
    let mut page = format!("\n{}\n", escape::line(&title));
    let mut say = |line: &str| page += &fold(&escape::line(&format!("  {line}.")), "    ", width);
    say(&model.verdict);
    if let Some(kinds) = &model.two_kinds {
        say(kinds);
    }
    for group in &model.groups {
        say(&format!(
            "{} is slow as a whole: {} on {}, {}",
            group.name,
            counted(group.cards, "card"),
            counted(group.nodes, "machine"),
            more(&group.effect)
        ));
    }
    for straggler in model.stragglers.iter().take(LINES) {
        say(&standing(straggler, "slower"));
    }
    for straggler in model.wasteful.iter().take(LINES) {
        say(&standing(straggler, "more joules"));
    }
    for card in model.throttled.iter().take(LINES) {
        say(&format!(
            "{} slowed down in {}: {}; over all cases {} of the median time",
            card.card.place(),
            counted(card.cases, "case"),
            card.reason,
            percent(card.ratio)
        ));
    }
    for drift in model.drifting.iter().take(LINES) {
        let step = drift.step.as_ref().map_or(String::new(), |step| {
            format!(
                ", as a step on {} of {}",
                step.date,
                percent(step.ratio - 1.0)
            )
        });
        say(&format!(
            "{} changes: {} in {:.0} days against its peers{step}, from {}",
            drift.card.place(),
            more(&drift.change),
            drift.days,
            counted(drift.records, "record")
        ));
    }
    page + "\n" + &cases(model, width)
}

fn standing(straggler: &Straggler, what: &str) -> String {
    let clear = match straggler.overall_is_clear {
        true => format!("{what} over all cases, {}", more(&straggler.overall)),
        false => format!(
            "{what} in {} of {}",
            straggler.clear_cases,
            counted(straggler.cases, "case")
        ),
    };
    let worst = straggler
        .worst_case
        .as_ref()
        .map_or(String::new(), |worst| {
            format!(", clearest in {}: {}", worst.case, more(&worst.effect))
        });
    let seen = match straggler.seen.is_empty() {
        true => String::new(),
        false => format!(" ({})", straggler.seen.join("; ")),
    };
    format!(
        "{}: {clear}{worst}, q = {:.1e}{seen}",
        straggler.card.place(),
        straggler.q
    )
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
            let line = format!(
                "  a job on {} of {}: each step {} of what it would be without what is listed",
                counted(cost.job_cards, "card"),
                model.device,
                more(&cost.step_time)
            );
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
        let line = format!(
            "  {} is a copy of {} and was left out.",
            copy.file, copy.copy_of
        );
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
