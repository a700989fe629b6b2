//! Which cards of one model are slower, or need more joules, than their peers.
//!
//! For each case the peers' own spread is the null distribution (`stats::Peers`); over all cases a card's standing is the
//! weighted median of its distances, whose null is again that of its peers, so that whatever the cases of a card have
//! in common is in it. A card is tested once, by the smaller of both p-values: twice the one over all cases, or
//! twice the least of its cases times their number, which holds under any dependence. Benjamini and Hochberg's list is
//! made of cards, which are independent; within a listed card Holm's procedure chooses the cases at the level that the
//! list leaves (Benjamini and Bogomolov, J. R. Statist. Soc. B 76, 2014).

use std::collections::HashSet;

use super::groups::{SlowGroup, slow_groups};
use super::place::CardPlace;
use crate::stats::{PeerStanding, Peers, Tail, TwoGroups, median};

/// Below so many spreads no p-value of a case is worth computing.
const NOTHING: f64 = 2.0;

/// A spread below is no knowledge: timers have steps, and records are rounded.
const LEAST_SPREAD: f64 = 1e-4;

/// Most of the cards that may be set aside as slowed down; where more are, that is what the model is like.
const MOST_SET_ASIDE: f64 = 0.3;

/// What one card says of one case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// The card, by its place among those of the model.
    pub(super) card: u32,
    /// ln of the cost.
    pub(super) cost: f64,
    /// Its standard error, where known.
    pub(super) own: Option<f64>,
}

/// Where a case's cards lie.
#[derive(Clone, Debug)]
pub(super) struct CaseStudy {
    /// All of them.
    pub(super) all: Peers,
    /// Two kinds, where there are two.
    pub(super) split: Option<TwoGroups>,
}

/// A case in which a card stands out.
#[derive(Clone, Copy, Debug)]
pub(super) struct CaseStanding {
    pub(super) case: usize,
    pub(super) standing: PeerStanding,
    pub(super) p: f64,
}

/// What is said of a card.
#[derive(Clone, Debug, Default)]
pub(super) struct CardStudy {
    /// Over all cases; none where it has too few peers.
    pub(super) overall: Option<PeerStanding>,
    /// Cases that it has with enough peers.
    pub(super) cases: usize,
    /// Of them those that stand out, the clearest first.
    pub(super) apart: Vec<CaseStanding>,
    /// The card's one p-value; none where it has too few peers.
    pub(super) p: Option<f64>,
}

/// What is said of a model.
#[derive(Clone, Debug, Default)]
pub(super) struct Study {
    pub(super) cards: Vec<CardStudy>,
    pub(super) cases: Vec<CaseStudy>,
    pub(super) split: Option<TwoGroups>,
    pub(super) groups: Vec<SlowGroup>,
    /// Each card over all cases: ln of the ratio to the median; NaN of a card without cases.
    pub(super) overall: Vec<f64>,
}

/// Studies the cards of one model.
pub(super) fn study(
    places: &[CardPlace],
    cases: &[Vec<Member>],
    level: f64,
    min_effect: f64,
) -> Study {
    let all: Vec<Peers> = cases
        .iter()
        .map(|members| peers_of(members.iter().map(|m| m.cost)))
        .collect();
    let (overall, own) = overall(places.len(), cases, &all);
    let groups = slow_groups(places, &overall, level, min_effect);
    let fits = fits(places, &groups);
    let split = TwoGroups::of(&chosen(&overall, |card| fits[card]));
    let side = |card: usize| split.is_some_and(|split| overall[card] > split.cut);
    let mut cards = vec![CardStudy::default(); places.len()];
    let mut studied = Vec::with_capacity(cases.len());
    let mut series = Vec::with_capacity(cases.len());
    for (members, all) in cases.iter().zip(&all) {
        let one = CaseSeries::of(members, &fits, split.is_some().then_some(&side));
        studied.push(CaseStudy {
            all: *all,
            split: one.split,
        });
        series.push(one);
    }
    let tail = Tail::of(
        &series
            .iter()
            .flat_map(CaseSeries::below)
            .collect::<Vec<f64>>(),
    );
    for (case, (one, members)) in series.iter().zip(cases).enumerate() {
        one.stand(case, members, tail, &mut cards);
    }
    let members: Vec<Member> = (0..places.len())
        .filter(|card| overall[*card].is_finite())
        .map(|card| Member {
            card: card as u32,
            cost: overall[card],
            own: own[card],
        })
        .collect();
    let one = CaseSeries::of(&members, &fits, split.is_some().then_some(&side));
    let tail = Tail::of(&one.below().collect::<Vec<f64>>());
    for (member, standing) in members.iter().zip(one.standings(&members, tail)) {
        cards[member.card as usize].overall = standing;
    }
    cards.iter_mut().for_each(CardStudy::conclude);
    Study {
        cards,
        cases: studied,
        split,
        groups,
        overall,
    }
}

impl CardStudy {
    fn conclude(&mut self) {
        self.apart.sort_by(|a, b| a.p.total_cmp(&b.p));
        let Some(overall) = &self.overall else { return };
        let overall = overall.p_above();
        self.p = Some(match self.cases {
            0 | 1 => overall,
            cases => {
                let least = self.apart.first().map_or(1.0, |one| one.p * cases as f64);
                (2.0 * overall.min(least)).min(1.0)
            }
        });
    }

    /// The cases that are chosen within a listed card, by Holm's procedure at a level.
    pub(super) fn chosen_cases(&self, level: f64, least: f64) -> Vec<CaseStanding> {
        let total = self.cases;
        self.apart
            .iter()
            .enumerate()
            .take_while(|(rank, one)| one.p * (total.saturating_sub(*rank)) as f64 <= level)
            .map(|(_, one)| *one)
            .filter(|one| one.standing.distance >= least)
            .collect()
    }
}

/// Cards from which the null is learnt: none of a slow group, and none that was slowed down, where those are few.
fn fits(places: &[CardPlace], groups: &[SlowGroup]) -> Vec<bool> {
    let of_groups: HashSet<usize> = groups
        .iter()
        .flat_map(|group| group.cards.clone())
        .collect();
    let throttled = places.iter().filter(|place| place.throttled).count();
    let aside = (throttled as f64) < MOST_SET_ASIDE * places.len() as f64;
    places
        .iter()
        .enumerate()
        .map(|(card, place)| !(of_groups.contains(&card) || aside && place.throttled))
        .collect()
}

fn chosen(values: &[f64], take: impl Fn(usize) -> bool) -> Vec<f64> {
    let of = |(at, value): (usize, &f64)| (value.is_finite() && take(at)).then_some(*value);
    values.iter().enumerate().filter_map(of).collect()
}

fn peers_of(values: impl Iterator<Item = f64>) -> Peers {
    let values: Vec<f64> = values.collect();
    let mut peers = Peers::of(&values);
    peers.spread = peers.spread.max(LEAST_SPREAD);
    peers
}

/// Of each card the weighted median of its distances from the cases' centres, and the median of its standard errors.
fn overall(count: usize, cases: &[Vec<Member>], peers: &[Peers]) -> (Vec<f64>, Vec<Option<f64>>) {
    let mut ends = vec![0_usize; count + 1];
    for member in cases.iter().flatten() {
        ends[member.card as usize + 1] += 1;
    }
    for card in 0..count {
        ends[card + 1] += ends[card];
    }
    let mut next = ends.clone();
    let mut distances = vec![(0.0_f64, 0.0_f32, f32::NAN); ends[count]];
    for (members, peers) in cases.iter().zip(peers) {
        for member in members {
            let place = &mut next[member.card as usize];
            let weight = (1.0 / peers.spread) as f32;
            let own = member.own.map_or(f32::NAN, |own| own as f32);
            distances[*place] = (member.cost - peers.centre, weight, own);
            *place += 1;
        }
    }
    (0..count)
        .map(|card| {
            let of_card = &mut distances[ends[card]..ends[card + 1]];
            let known = of_card.iter().map(|(_, _, own)| f64::from(*own));
            let known: Vec<f64> = known.filter(|own| own.is_finite()).collect();
            (weighted_median(of_card), median(&known).ok())
        })
        .unzip()
}

/// The value on either side of which half of the weight lies; NaN of none.
fn weighted_median(values: &mut [(f64, f32, f32)]) -> f64 {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, weight, _)| f64::from(*weight)).sum();
    let mut below = 0.0;
    for (at, (value, weight, _)) in values.iter().enumerate() {
        below += f64::from(*weight);
        if 2.0 * below > total * (1.0 + 1e-9) {
            return *value;
        }
        if 2.0 * below > total * (1.0 - 1e-9) {
            return values
                .get(at + 1)
                .map_or(*value, |next| f64::midpoint(*value, next.0));
        }
    }
    f64::NAN
}

/// A case's figures with their peers, of one kind or of two.
struct CaseSeries {
    split: Option<TwoGroups>,
    /// Whether a card is of the upper kind.
    upper: Vec<bool>,
    peers: [Peers; 2],
    usual: Option<f64>,
    below: Vec<f64>,
}

impl CaseSeries {
    /// `side` says of which kind each card is, where that is known already.
    fn of(members: &[Member], fits: &[bool], side: Option<&dyn Fn(usize) -> bool>) -> Self {
        let fitting = |member: &&Member| fits[member.card as usize];
        let values: Vec<f64> = members.iter().filter(fitting).map(|m| m.cost).collect();
        let split = match side {
            Some(_) => None,
            None => TwoGroups::of(&values),
        };
        let upper: Vec<bool> = members
            .iter()
            .map(|member| match (side, split) {
                (Some(side), _) => side(member.card as usize),
                (None, Some(split)) => member.cost > split.cut,
                (None, None) => false,
            })
            .collect();
        let of_side = |wanted: bool| {
            let of = members.iter().zip(&upper);
            peers_of(
                of.filter(|(member, upper)| **upper == wanted && fits[member.card as usize])
                    .map(|(member, _)| member.cost),
            )
        };
        let peers = [of_side(false), of_side(true)];
        let own: Vec<f64> = members.iter().filter_map(|member| member.own).collect();
        let mut series = Self {
            split,
            upper,
            peers,
            usual: median(&own).ok(),
            below: Vec::new(),
        };
        series.below = (0..members.len())
            .filter(|at| fits[members[*at].card as usize])
            .filter_map(|at| {
                let standing = series.against(&members[at], series.upper[at], Tail::NORMAL)?;
                (standing.distance < 0.0).then(|| standing.distance / standing.scale)
            })
            .collect();
        series
    }

    fn below(&self) -> impl Iterator<Item = f64> {
        self.below.iter().copied()
    }

    fn against(&self, member: &Member, upper: bool, tail: Tail) -> Option<PeerStanding> {
        let peers = &self.peers[usize::from(upper)];
        (peers.count >= Peers::FEWEST)
            .then(|| peers.standing(member.cost, member.own, self.usual, tail))
    }

    /// Where each member stands, in their order; none of those that have too few peers.
    fn standings(&self, members: &[Member], tail: Tail) -> Vec<Option<PeerStanding>> {
        let of = members.iter().zip(&self.upper);
        of.map(|(member, upper)| self.against(member, *upper, tail))
            .collect()
    }

    /// Adds to each card where it stands in the case.
    fn stand(&self, case: usize, members: &[Member], tail: Tail, cards: &mut [CardStudy]) {
        for (member, standing) in members.iter().zip(self.standings(members, tail)) {
            let Some(standing) = standing else { continue };
            let card = &mut cards[member.card as usize];
            card.cases += 1;
            if standing.distance > NOTHING * standing.scale {
                let p = standing.p_above();
                card.apart.push(CaseStanding { case, standing, p });
            }
        }
    }
}
