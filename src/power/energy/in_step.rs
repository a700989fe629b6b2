//! Whether the power repeats in step with the rows of a log. A row may be a short look, and then rows that always meet
//! the same part of what repeats are off alike, however many there are.

use super::log_lag::powers;
use super::observation::{LoadGroup, Observation};
use crate::power::Series;
use crate::record::Trace;
use crate::stats::{self, Moments};
use crate::units::Seconds;

/// How far the rows' mean may be off at the most because of that, as a share of it: what the rows themselves show, or
/// what another sensor saw in the same window.
pub(super) fn in_step(
    series: &Series,
    trace: &Trace,
    observation: &Observation,
    period: Seconds,
) -> f64 {
    let whole = observation.groups.first().zip(observation.groups.last());
    let Some((begin, end)) = whole.map(|(first, last)| (first.start(), last.end())) else {
        return 0.0;
    };
    let rows = powers(series, begin, end);
    let watts: Vec<f64> = rows.iter().map(|(_, watts)| *watts).collect();
    repeating(&watts).max(folded(trace, &observation.groups, period))
}

/// What rows may be off that repeat themselves after so many: a square that is seen at as many phases is known to one
/// part in as many. Rows that stand still do not show whether they repeat.
fn repeating(watts: &[f64]) -> f64 {
    /// Least range of the rows that matters, as a share of their mean.
    const MOVES: f64 = 0.02;
    /// Rows that count as the same, as a share of their range, and how many of them must.
    const SAME: f64 = 0.1;
    const MOST: f64 = 0.9;
    const LONGEST: usize = 64;
    let mean = watts.iter().sum::<f64>() / watts.len().max(1) as f64;
    let least = watts.iter().copied().fold(f64::INFINITY, f64::min);
    let range = watts.iter().copied().fold(least, f64::max) - least;
    if mean <= 0.0 || range < MOVES * mean {
        return 0.0;
    }
    let repeats = |after: &usize| {
        let pairs = watts.iter().zip(&watts[*after..]);
        let same = pairs.filter(|(a, b)| (*a - *b).abs() <= SAME * range);
        same.count() as f64 >= MOST * (watts.len() - after) as f64
    };
    // After one row only: a slow drift, which repeats after any number.
    let mut numbers = 2..=LONGEST.min(watts.len() / 3);
    match numbers.find(repeats) {
        Some(number) if !repeats(&1) => range / number as f64 / mean,
        _ => 0.0,
    }
}

/// What another sensor's readings of the same windows, laid one over the other with the rows' period, differ from their
/// mean at the most: what rows see that always meet this part.
fn folded(trace: &Trace, groups: &[LoadGroup], period: Seconds) -> f64 {
    const MOST: f64 = 8.0;
    /// Fewer do not show the course of a power.
    const FEWEST_PARTS: usize = 3;
    const FEWEST: f64 = 4.0;
    /// So many standard errors of a part are chance.
    const CHANCE: f64 = 3.0;
    let inside = |at: f64| {
        let mut groups = groups.iter();
        groups.any(|group| at > group.start().get() && at <= group.end().get())
    };
    let said: Vec<(f64, f64)> = trace
        .powers()
        .into_iter()
        .map(|one| (f64::midpoint(one.from_s, one.to_s), one.watts))
        .filter(|(at, _)| inside(*at))
        .collect();
    let apart: Vec<f64> = said.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let apart = stats::median(&apart).unwrap_or(f64::INFINITY);
    // At most 8, so the casts are exact.
    let count = (1.01 * period.get() / apart).floor().min(MOST) as usize;
    if count < FEWEST_PARTS {
        return 0.0;
    }
    let mut parts: Vec<Vec<f64>> = vec![Vec::new(); count];
    for (at, watts) in said {
        let part = (at / period.get()).rem_euclid(1.0) * count as f64;
        parts[(part as usize).min(count - 1)].push(watts);
    }
    let all: Vec<f64> = parts.iter().flatten().copied().collect();
    let mean = Moments::of(&all).mean;
    if parts.iter().any(|part| (part.len() as f64) < FEWEST) || mean <= 0.0 {
        return 0.0;
    }
    let off = parts.iter().map(|part| {
        let moments = Moments::of(part);
        let chance = moments.standard_deviation().unwrap_or_default() / (part.len() as f64).sqrt();
        ((moments.mean - mean).abs() - CHANCE * chance).max(0.0)
    });
    off.fold(0.0, f64::max) / mean
}
