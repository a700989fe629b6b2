//! Machines and racks that are slow as a whole: there the card is not to blame, and pulling it mends nothing.
//!
//! Groups are the machines with several cards, and the machines whose names begin alike up to a break between
//! letters, digits and signs (`rack07-node03`: `rack07`). Each is held against all cards outside it by ranks, and the
//! p-values are Holm's.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::place::CardPlace;
use crate::stats::{Interval, Peers, Tail, holm, median, rank_sum_above};

/// Share of a group's cards that must themselves lie at half of the least effect or above.
const MOST_OF_IT: f64 = 0.8;

/// Fewest cards of machines whose names begin alike.
const FEWEST_OF_A_RACK: usize = 3;

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
    let candidates = candidates(places, &known);
    let tested: Vec<SlowGroup> = candidates
        .into_iter()
        .filter_map(|(name, cards)| tested(name, cards, places, &known, overall))
        .collect();
    let adjusted = holm(&tested.iter().map(|group| group.p).collect::<Vec<f64>>());
    let mut found: Vec<SlowGroup> = tested
        .into_iter()
        .zip(adjusted)
        .map(|(group, p)| SlowGroup { p, ..group })
        .filter(|group| group.p <= level && group.effect >= min_effect)
        .filter(|group| {
            let rest = rest_of(&group.cards, &known, overall);
            let centre = median(&rest).unwrap_or(0.0);
            let slow = group
                .cards
                .iter()
                .filter(|card| overall[**card] - centre >= min_effect / 2.0);
            slow.count() as f64 >= MOST_OF_IT * group.cards.len() as f64
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
    breaks
        .into_iter()
        .map(|at| name[..at].trim_end_matches(|c: char| !c.is_alphanumeric()))
        .filter(|beginning| beginning.ends_with(|c: char| c.is_numeric()) || beginning.len() > 1)
        .collect()
}

fn rest_of(cards: &[usize], known: &[usize], overall: &[f64]) -> Vec<f64> {
    let inside: HashSet<&usize> = cards.iter().collect();
    known
        .iter()
        .filter(|card| !inside.contains(card))
        .map(|card| overall[*card])
        .collect()
}

fn tested(
    name: String,
    cards: Vec<usize>,
    places: &[CardPlace],
    known: &[usize],
    overall: &[f64],
) -> Option<SlowGroup> {
    let group: Vec<f64> = cards.iter().map(|card| overall[*card]).collect();
    let rest = rest_of(&cards, known, overall);
    if rest.len() < Peers::FEWEST / 2 {
        return None;
    }
    let (own, others) = (Peers::of(&group), Peers::of(&rest));
    let effect = own.centre - others.centre;
    // What lies above nothing needs no ranks.
    let p = if effect > 0.0 {
        rank_sum_above(&group, &rest)
    } else {
        1.0
    };
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
