//! Machines and racks that are slow as a whole: there the card is not to blame, and pulling it mends nothing.
//!
//! Groups are the machines with several cards, and the machines whose names begin alike up to a break between
//! letters, digits and signs (`rack07-node03`: `rack07`). Each is held against all cards outside it by ranks, and the
//! p-values are Holm's.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::place::CardPlace;
use crate::stats::{Interval, Peers, RankedValues, Tail, holm};

/// Share of a group's cards that must themselves lie at half of the least effect or above.
const MOST_OF_IT: f64 = 0.8;

/// Fewest cards of machines whose names begin alike.
const FEWEST_OF_A_RACK: usize = 3;

/// Most breaks of a name at which a group may end.
const MOST_BREAKS: usize = 8;

/// A group of cards that is slow as a whole.
#[derive(Clone, Debug)]
pub(super) struct SlowGroup {
    /// The machine, or what the machines' names begin with.
    pub(super) name: String,
    /// How many machines it has.
    pub(super) nodes: usize,
    /// Its cards, by their places.
    pub(super) cards: Vec<usize>,
    /// ln of the ratio to all others.
    pub(super) effect: f64,
    /// Where the true one lies.
    pub(super) interval: Interval,
    /// Adjusted p-value.
    pub(super) p: f64,
}

/// The groups that are slow, the largest first.
pub(super) fn slow_groups(
    places: &[CardPlace],
    overall: &[f64],
    level: f64,
    min_effect: f64,
) -> Vec<SlowGroup> {
    let known: Vec<usize> = (0..places.len())
        .filter(|at| overall[*at].is_finite())
        .collect();
    if known.len() < Peers::FEWEST {
        return Vec::new();
    }
    let mut position = vec![0; places.len()];
    for (at, card) in known.iter().enumerate() {
        position[*card] = at;
    }
    let values: Vec<f64> = known.iter().map(|card| overall[*card]).collect();
    let Some(ranked) = RankedValues::of(&values) else {
        return Vec::new();
    };
    let candidates = candidates(places, &known);
    let p_values: Vec<f64> = candidates
        .values()
        .map(|cards| {
            let group: Vec<usize> = cards.iter().map(|card| position[*card]).collect();
            ranked.sum_above(&group)
        })
        .collect();
    // Of thousands of machines hardly any is left here, so only these are held against all other cards.
    let mut found: Vec<SlowGroup> = candidates
        .into_iter()
        .zip(holm(&p_values))
        .filter(|(_, p)| *p <= level)
        .filter_map(|((name, cards), p)| {
            slow_group(name, cards, p, places, &known, overall, min_effect)
        })
        .collect();
    found.sort_by(|a, b| b.cards.len().cmp(&a.cards.len()).then(a.name.cmp(&b.name)));
    let mut taken: HashSet<usize> = HashSet::new();
    found.retain(|group| {
        let free = group.cards.iter().all(|card| !taken.contains(card));
        taken.extend(&group.cards);
        free
    });
    found
}

/// Groups with their cards, none twice.
fn candidates(places: &[CardPlace], known: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let mut of_nodes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for card in known {
        of_nodes.entry(places[*card].node).or_default().push(*card);
    }
    let mut racks: BTreeMap<String, (usize, Vec<usize>)> = BTreeMap::new();
    for (node, cards) in &of_nodes {
        for beginning in beginnings(node) {
            let rack = racks.entry(beginning.to_owned()).or_default();
            rack.0 += 1;
            rack.1.extend(cards);
        }
    }
    let half = known.len() / 2;
    let racks = racks.into_iter().filter_map(|(name, (nodes, cards))| {
        let large = nodes > 1 && cards.len() >= FEWEST_OF_A_RACK && cards.len() <= half;
        large.then_some((name, cards))
    });
    let nodes = of_nodes
        .into_iter()
        .filter(|(_, cards)| cards.len() > 1 && cards.len() <= half)
        .map(|(node, cards)| (node.to_owned(), cards));
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    racks
        .chain(nodes)
        .filter(|(_, cards)| seen.insert(cards.clone()))
        .collect()
}

/// What a name begins with, up to each break between letters, digits and signs but the last.
fn beginnings(name: &str) -> BTreeSet<&str> {
    let kind = |c: char| (c.is_alphabetic(), c.is_numeric());
    let mut breaks = Vec::new();
    let mut before = None;
    for (at, c) in name.char_indices() {
        if before.is_some_and(|before| before != kind(c)) {
            breaks.push(at);
        }
        before = Some(kind(c));
    }
    // More parts than a name has; a hostile one has thousands.
    breaks
        .into_iter()
        .take(MOST_BREAKS)
        .map(|at| name[..at].trim_end_matches(|c: char| !c.is_alphanumeric()))
        .filter(|beginning| beginning.ends_with(|c: char| c.is_numeric()) || beginning.len() > 1)
        .collect()
}

/// A group with its effect, where that is at least the least one and most of the cards share it.
fn slow_group(
    name: String,
    cards: Vec<usize>,
    p: f64,
    places: &[CardPlace],
    known: &[usize],
    overall: &[f64],
    min_effect: f64,
) -> Option<SlowGroup> {
    let mut inside = vec![false; places.len()];
    for card in &cards {
        inside[*card] = true;
    }
    let group: Vec<f64> = cards.iter().map(|card| overall[*card]).collect();
    let rest = known.iter().filter(|card| !inside[**card]);
    let rest: Vec<f64> = rest.map(|card| overall[*card]).collect();
    let (own, others) = (Peers::of(&group), Peers::of(&rest));
    let effect = own.centre - others.centre;
    let slow = group
        .iter()
        .filter(|value| **value - others.centre >= min_effect / 2.0);
    if effect < min_effect || (slow.count() as f64) < MOST_OF_IT * group.len() as f64 {
        return None;
    }
    let spread = Peers {
        spread: own.spread.max(others.spread),
        degrees: own.degrees.max(1.0),
        ..own
    };
    let middle = Peers {
        spread: 1.25 * spread.spread / (group.len() as f64).sqrt(),
        ..spread
    };
    let half = middle
        .standing(own.centre, None, None, Tail::NORMAL)
        .interval()
        .half_width();
    let nodes: BTreeSet<&str> = cards.iter().map(|card| places[*card].node).collect();
    Some(SlowGroup {
        name,
        nodes: nodes.len(),
        effect,
        interval: Interval::around(effect, half),
        cards,
        p,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_alike_up_to_their_breaks() {
        let of = |name| Vec::from_iter(beginnings(name));
        assert_eq!(of("rack07-node03"), ["rack", "rack07", "rack07-node"]);
        assert_eq!(of("r7n3"), ["r7", "r7n"]);
        assert!(beginnings("gpu").is_empty());
    }

    #[test]
    fn a_slow_rack_is_one_group_and_like_racks_are_none() {
        let nodes: Vec<String> = (0..64)
            .map(|at| format!("rack{:02}-n{:02}", at / 8, at % 8))
            .collect();
        let places: Vec<CardPlace> = nodes
            .iter()
            .map(|node| CardPlace {
                node,
                throttled: false,
            })
            .collect();
        let noise = |at: usize| (at * 37 % 64) as f64 * 3e-4;
        let alike: Vec<f64> = (0..64).map(noise).collect();
        assert!(slow_groups(&places, &alike, 0.05, 0.03).is_empty());
        let slow = |at: usize| if at / 8 == 5 { 0.08 } else { 0.0 };
        let overall: Vec<f64> = (0..64).map(|at| noise(at) + slow(at)).collect();
        let found = slow_groups(&places, &overall, 0.05, 0.03);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].name.as_str(), found[0].cards.len()),
            ("rack05", 8)
        );
        assert!(found[0].interval.contains(0.08), "{found:?}");
    }
}
