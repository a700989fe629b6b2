//! What the records of many GPUs say together, as the data of a page.

use super::model::{PageData, PageFleet, PageFleetCase, PageFleetModel, PageSuspect};
use super::provenance::made_by;
use crate::fleet::summary::{
    FleetItemWorth, FleetSummary, FleetWorth, LeftOut, ModelSummary, PullItem, RecordCopy,
};
use crate::units::{Seconds, counted, number, percent};

/// Most cards of a picture; of more, every so-manieth.
const MOST_CARDS: usize = 5_000;

/// The page of a summary.
pub fn fleet_page(summary: &FleetSummary, worth: &FleetWorth) -> PageData {
    let cards: usize = summary.models.iter().map(|model| model.cards).sum();
    PageData {
        investment: None,
        title: format!("A fleet of {}", counted(cards, "card")),
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
            rules: vec![summary.rule()],
            models: summary.models.iter().map(model).collect(),
            after: after(summary, worth),
        }),
    }
}

fn suspect(item: &PullItem, worth: Option<&FleetItemWorth>) -> PageSuspect {
    let dollars = worth.and_then(|worth| worth.dollars_per_year);
    PageSuspect {
        what: item.what.name().to_owned(),
        name: item.name.clone(),
        device: item.device.clone(),
        worst: item.worst_case.as_ref().map_or("–".to_owned(), |worst| {
            format!("{}: {}", worst.case, worst.effect)
        }),
        cost: item.cost.map_or("–".to_owned(), |cost| cost.to_string()),
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
    PageFleetModel {
        title: model.title(),
        sentences: model.sentences(),
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
        lines.extend(
            model
                .synchronous
                .iter()
                .map(|cost| format!("MODELLED: {}", cost.sentence(&model.device))),
        );
    }
    lines.extend(
        worth
            .basis
            .iter()
            .map(|basis| format!("MODELLED, assumed of {basis}.")),
    );
    lines.extend(summary.left_out.iter().map(LeftOut::sentence));
    lines.extend(summary.copies.iter().map(RecordCopy::sentence));
    lines
}
