//! What to look at first: one list of cards and groups, with what to do.

use std::collections::BTreeSet;

use super::findings::{FleetSummary, ModelSummary, PullItem, PullKind, Straggler, StragglerSign};

/// The list, the most urgent first: wrong outputs, failures, then what costs most.
pub(super) fn pull(summary: &FleetSummary, top: usize) -> Vec<PullItem> {
    let mut items = failures(summary);
    let mut slow: Vec<PullItem> = summary.models.iter().flat_map(of_model).collect();
    let cost = |item: &PullItem| item.cost.map_or(0.0, |cost| cost.ratio);
    slow.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    items.extend(slow);
    items.truncate(top);
    items
}

/// One line a card, however many of its cases fail.
fn failures(summary: &FleetSummary) -> Vec<PullItem> {
    let mut seen = BTreeSet::new();
    let mut items: Vec<PullItem> = Vec::new();
    let wrong = summary
        .failed
        .iter()
        .filter(|failed| failed.failure == "verification");
    let others = summary
        .failed
        .iter()
        .filter(|failed| failed.failure != "verification");
    for failed in wrong.chain(others) {
        if !seen.insert(failed.card.clone()) {
            continue;
        }
        let cases = summary
            .failed
            .iter()
            .filter(|other| other.card == failed.card)
            .count();
        let (what, advice) = match failed.failure.as_str() {
            "verification" => (
                PullKind::WrongOutput,
                "take it out of service now, test its memory",
            ),
            _ => (PullKind::Fails, "read its log, run it again alone"),
        };
        items.push(PullItem {
            what,
            name: failed.card.place(),
            device: failed.card.device.clone(),
            cards: 1,
            worst_case: None,
            cost: None,
            advice: advice.to_owned(),
            seen: vec![format!(
                "{} in {} ({cases} in all), where {} records passed: {}",
                failed.failure, failed.case, failed.others_passed, failed.reason
            )],
        });
    }
    items
}

fn of_model(model: &ModelSummary) -> Vec<PullItem> {
    let groups = model.groups.iter().map(|group| PullItem {
        what: PullKind::SlowGroup,
        name: group.name.clone(),
        device: model.device.clone(),
        cards: group.cards,
        worst_case: None,
        cost: Some(group.effect),
        advice: "look at its cooling, power and network before any card".to_owned(),
        seen: vec![format!(
            "{} of its cards on {} machines",
            group.cards, group.nodes
        )],
    });
    let cards = model
        .stragglers
        .iter()
        // What the group explains is not the card's.
        .filter(|straggler| match group_effect(model, straggler) {
            Some(effect) => straggler.cost.low > effect,
            None => true,
        })
        .map(|straggler| of_card(straggler, PullKind::SlowCard));
    let slow: BTreeSet<_> = model.stragglers.iter().map(|one| &one.card).collect();
    let wasteful = model
        .wasteful
        .iter()
        // A slow card needs its idle power for longer; that is one thing to look at and not two.
        .filter(|straggler| !slow.contains(&straggler.card))
        .map(|straggler| of_card(straggler, PullKind::WastefulCard));
    groups.chain(cards).chain(wasteful).collect()
}

fn group_effect(model: &ModelSummary, straggler: &Straggler) -> Option<f64> {
    let name = straggler.group.as_ref()?;
    let group = model.groups.iter().find(|group| group.name == *name)?;
    Some(group.effect.high)
}

fn of_card(straggler: &Straggler, what: PullKind) -> PullItem {
    let hot = straggler
        .seen
        .iter()
        .any(|sign| matches!(sign, StragglerSign::SlowedDown { .. }));
    let driver = straggler
        .seen
        .iter()
        .any(|sign| matches!(sign, StragglerSign::OtherDriver { .. }));
    let advice = match (what, hot, driver) {
        (_, true, _) => "clean and cool it, measure again",
        (_, _, true) => "give it the others' driver, measure again",
        (PullKind::WastefulCard, ..) => "look at its fan, supply and power limit, measure again",
        _ => "measure again alone; if it stays, pull it",
    };
    PullItem {
        what,
        name: straggler.card.place(),
        device: straggler.card.device.clone(),
        cards: 1,
        worst_case: straggler.worst_case.clone(),
        cost: Some(straggler.cost),
        advice: advice.to_owned(),
        seen: straggler
            .seen
            .iter()
            .map(StragglerSign::to_string)
            .collect(),
    }
}
