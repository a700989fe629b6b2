//! Cards that grow slower, or became slower at some date, against their own peers of the same day.
//!
//! A record is summed up as the median of its distances from the cases' centres. What moves all cards of a day, a
//! new driver or a warm hall, is taken off where enough cards were measured that day.

use std::collections::{BTreeMap, HashMap};

use super::observations::FleetObservations;
use crate::stats::{Interval, Trend, benjamini_hochberg, change_points, median};

/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

/// Fewest cards whose median of a day says how the day was.
const FEWEST_OF_A_DAY: usize = 5;

/// A card that drifts.
#[derive(Clone, Debug)]
pub(super) struct CardDrift {
    /// The card, by its number.
    pub(super) card: u32,
    /// Records that it rests on.
    pub(super) records: usize,
    /// Days from the first to the last.
    pub(super) days: f64,
    /// ln of the ratio from the first to the last record, by the line.
    pub(super) change: f64,
    /// Where the true one lies.
    pub(super) interval: Interval,
    /// Adjusted p-value.
    pub(super) q: f64,
    /// Milliseconds since 1970 of the first record after a step, and ln of the step, where there is one.
    pub(super) step: Option<(i64, f64)>,
}

/// Drifts of a model: those that matter, and how many cards have enough records.
pub(super) struct ModelDrift {
    pub(super) cards: Vec<CardDrift>,
    pub(super) examined: usize,
}

/// One record of a card.
#[derive(Clone, Copy)]
struct DatedRecord {
    card: u32,
    at_ms: i64,
    level: f64,
}

/// The cards of a model that drift by `least` or more from their first record to the last.
pub(super) fn drift(
    all: &FleetObservations,
    model: usize,
    centres: &[f64],
    level: f64,
    least: f64,
) -> ModelDrift {
    let records = records(all, model, centres);
    let mut of_cards: BTreeMap<u32, Vec<DatedRecord>> = BTreeMap::new();
    for record in records {
        of_cards.entry(record.card).or_default().push(record);
    }
    let mut tested = Vec::new();
    for (card, mut records) in of_cards {
        records.sort_by_key(|record| record.at_ms);
        tested.extend(of_card(card, &records));
    }
    let examined = tested.len();
    let adjusted = benjamini_hochberg(&tested.iter().map(|drift| drift.q).collect::<Vec<f64>>());
    let mut cards: Vec<CardDrift> = tested
        .into_iter()
        .zip(adjusted)
        .map(|(drift, q)| CardDrift { q, ..drift })
        .filter(|drift| drift.q <= level && drift.change.abs() >= least)
        .collect();
    cards.sort_by(|a, b| b.change.total_cmp(&a.change));
    ModelDrift { cards, examined }
}

fn of_card(card: u32, records: &[DatedRecord]) -> Option<CardDrift> {
    let (first, last) = (records.first()?.at_ms, records.last()?.at_ms);
    let days: Vec<f64> = records
        .iter()
        .map(|record| (record.at_ms - first) as f64 / DAY)
        .collect();
    let levels: Vec<f64> = records.iter().map(|record| record.level).collect();
    let trend = Trend::of(&days, &levels).ok()?;
    let span = (last - first) as f64 / DAY;
    let step = change_points(&levels).ok().and_then(|changes| {
        let largest = changes
            .into_iter()
            .max_by(|a, b| a.step.abs().total_cmp(&b.step.abs()))?;
        Some((records.get(largest.first)?.at_ms, largest.step))
    });
    Some(CardDrift {
        card,
        records: records.len(),
        days: span,
        change: trend.slope * span,
        interval: trend.interval.scale(span),
        q: trend.p,
        step,
    })
}

/// The records of cards that have several, each with its level against its day.
fn records(all: &FleetObservations, model: usize, centres: &[f64]) -> Vec<DatedRecord> {
    let mut distances: HashMap<(u32, u32), Vec<f64>> = HashMap::new();
    let several = with_several_records(all, model);
    if !several.contains(&true) {
        return Vec::new();
    }
    for ((_, observations), centre) in all.cases[model].iter().zip(centres) {
        for one in observations.iter().filter(|one| several[one.card as usize]) {
            distances
                .entry((one.card, one.session))
                .or_default()
                .push(one.cost - centre);
        }
    }
    let mut records: Vec<DatedRecord> = distances
        .into_iter()
        .filter_map(|((card, session), distances)| {
            Some(DatedRecord {
                card,
                at_ms: all.sessions[session as usize].started_ms?,
                level: median(&distances).ok()?,
            })
        })
        .collect();
    let day = |record: &DatedRecord| record.at_ms.div_euclid(DAY as i64);
    let mut of_days: HashMap<i64, Vec<f64>> = HashMap::new();
    for record in &records {
        of_days.entry(day(record)).or_default().push(record.level);
    }
    for record in &mut records {
        let of_day = &of_days[&day(record)];
        if of_day.len() >= FEWEST_OF_A_DAY {
            record.level -= median(of_day).unwrap_or(0.0);
        }
    }
    records
}

/// Of each card, whether it has several records.
fn with_several_records(all: &FleetObservations, model: usize) -> Vec<bool> {
    let mut first: Vec<Option<u32>> = vec![None; all.cards.len()];
    let mut several = vec![false; all.cards.len()];
    for one in all.cases[model]
        .iter()
        .flat_map(|(_, observations)| observations)
    {
        let card = one.card as usize;
        match first[card] {
            None => first[card] = Some(one.session),
            Some(session) => several[card] |= session != one.session,
        }
    }
    several
}
