//! What the records of many GPUs say together, as the data of a page.

use super::model::{PageData, PageFleet, PageFleetCase, PageFleetModel, PageSuspect};
use super::provenance::made_by;
use crate::fleet::summary::{
    FleetItemWorth, FleetSummary, FleetWorth, LeftOut, ModelSummary, PeerRatio, PullItem,
};
use crate::units::{Seconds, number, percent};

/// Most cards of a picture; of more, every so-manieth.
const MOST_CARDS: usize = 5_000;

/// The page of a summary.
pub fn fleet_page(summary: &FleetSummary, worth: &FleetWorth) -> PageData {
    let cards: usize = summary.models.iter().map(|model| model.cards).sum();
    PageData {
        investment: None,
        title: format!("A fleet of {cards} cards"),
        made_by: made_by(),
        records: Vec::new(),
        comparison: None,
        history: Vec::new(),
        links: Vec::new(),
        fleet: Some(PageFleet {
            notes: summary.notes.clone(),
            pull: summary
                .pull
                .iter()
                .zip(&worth.items)
                .map(|(item, worth)| suspect(item, worth.as_ref()))
                .collect(),
            rules: vec![format!(
                "Of the slow cards listed, {} may be there by chance, more where like cards scatter widely; what lies within {} of its \
                 peers is not listed. Intervals are of 95 %, beyond what like cards differ by.",
                percent(summary.fdr),
                percent(summary.min_effect)
            )],
            models: summary.models.iter().map(model).collect(),
            after: after(summary, worth),
        }),
    }
}

fn more(ratio: &PeerRatio) -> String {
    let of = |ratio: f64| number(100.0 * (ratio - 1.0));
    format!(
        "{} % ({} to {})",
        of(ratio.ratio),
        of(ratio.low),
        of(ratio.high)
    )
}

fn suspect(item: &PullItem, worth: Option<&FleetItemWorth>) -> PageSuspect {
    let dollars = worth.and_then(|worth| worth.dollars_per_year);
    PageSuspect {
        what: item.what.name().to_owned(),
        name: item.name.clone(),
        device: item.device.clone(),
        worst: item.worst_case.as_ref().map_or("–".to_owned(), |worst| {
            format!("{}: {}", worst.case, more(&worst.effect))
        }),
        cost: item.cost.as_ref().map_or("–".to_owned(), more),
        cost_ratio: item.cost.map(|cost| cost.ratio),
        dollars: dollars.map_or("unknown".to_owned(), |[low, value, high]| {
            format!("{} ({} to {})", number(value), number(low), number(high))
        }),
        advice: item.advice.clone(),
        seen: item.seen.join("; "),
    }
}

fn model(model: &ModelSummary) -> PageFleetModel {
    let step = model.ratios.len().div_ceil(MOST_CARDS).max(1);
    let mut sentences = vec![format!("{}.", model.verdict)];
    sentences.extend(model.two_kinds.iter().map(|kinds| format!("{kinds}.")));
    sentences.extend(model.groups.iter().map(|group| {
        format!(
            "{} is slow as a whole ({} cards): {}.",
            group.name,
            group.cards,
            more(&group.effect)
        )
    }));
    let at_once = if model.at_once {
        ", measured at once with others"
    } else {
        ""
    };
    PageFleetModel {
        title: format!(
            "{} ({}{at_once}), {} cards",
            model.device, model.backend, model.cards
        ),
        sentences,
        ratios: model.ratios.iter().step_by(step).copied().collect(),
        listed: model
            .stragglers
            .iter()
            .map(|one| (one.card.place(), one.overall.ratio))
            .collect(),
        cases: model
            .cases
            .iter()
            .map(|case| {
                let share = |at: usize| percent(case.quantiles_ns[at] / case.median_ns - 1.0);
                PageFleetCase {
                    case: case.case.clone(),
                    cards: case.cards,
                    median: Seconds::from_ns(case.median_ns).to_string(),
                    spread: case.spread,
                    spread_words: percent(case.spread),
                    range: format!("{} to {}", share(1), share(4)),
                    two_kinds: case.two_kinds.clone(),
                }
            })
            .collect(),
    }
}

fn after(summary: &FleetSummary, worth: &FleetWorth) -> Vec<String> {
    let mut lines = Vec::new();
    for model in &summary.models {
        lines.extend(model.throttled.iter().map(|card| {
            format!(
                "{} slowed down in {} cases: {}.",
                card.card.place(),
                card.cases,
                card.reason
            )
        }));
        lines.extend(model.drifting.iter().map(|drift| {
            format!(
                "{} changes by {} in {:.0} days.",
                drift.card.place(),
                more(&drift.change),
                drift.days
            )
        }));
        lines.extend(model.synchronous.iter().map(|cost| {
            format!(
                "MODELLED: a job on {} cards of {} that waits for the slowest takes {} more for a step than without \
                 what is listed.",
                cost.job_cards,
                model.device,
                more(&cost.step_time)
            )
        }));
    }
    lines.extend(
        worth
            .basis
            .iter()
            .map(|basis| format!("MODELLED, assumed of {basis}.")),
    );
    lines.extend(summary.left_out.iter().map(LeftOut::sentence));
    lines.extend(summary.copies.iter().map(|copy| {
        format!(
            "{} is a copy of {} and was left out.",
            copy.file, copy.copy_of
        )
    }));
    lines
}
