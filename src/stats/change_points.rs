//! Where the level of a series changes: PELT (Killick, Fearnhead & Eckley, JASA 107, 2012) on a constant level with
//! a robust estimate of the noise.
//!
//! The cost of a stretch is its sum of squares about its mean, and each further level must earn a penalty that grows
//! with the logarithm of the number of values. The noise is estimated from the differences of neighbours, to which
//! a change of level adds one outlier and no more. The penalty's factor is chosen so that fewer than one in twenty
//! series without a change show one; the test below holds that.

use super::samples::median;
use super::student::two_sided;
use super::undefined::Undefined;

/// Fewest values that changes are looked for in.
const FEWEST_FOR_CHANGES: usize = 8;

/// Fewest values of one level: a single outlier is none.
const SHORTEST: usize = 3;

/// Penalty of a level, in variances of the noise and logarithms of the count.
const PENALTY: f64 = 4.0;

/// The noise of few values is itself badly known; so much more is asked of them.
const FEW: f64 = 8.0;

/// Noise below which values are taken to be equal, as a share where the values are logarithms.
const LEAST_NOISE: f64 = 1e-4;

/// A new level of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelChange {
    /// Place of its first value.
    pub first: usize,
    /// This level less the one before.
    pub step: f64,
    /// Half-width of the step's 95 % interval, the place taken as known.
    pub half_width: f64,
}

/// The changes of level of a series, in its order.
///
/// # Errors
/// There are too few values, or one is no number.
pub fn change_points(values: &[f64]) -> Result<Vec<LevelChange>, Undefined> {
    if values.len() < FEWEST_FOR_CHANGES {
        return Err(Undefined::FewForChanges {
            count: values.len(),
            needed: FEWEST_FOR_CHANGES,
        });
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    let count = values.len() as f64;
    let noise = noise(values)?;
    let penalty = PENALTY * count.ln() * (1.0 + FEW / count) * noise * noise;
    let mut ends = pelt(values, penalty);
    ends.insert(0, 0);
    ends.push(values.len());
    Ok(ends
        .windows(3)
        .map(|ends| {
            step(
                &values[ends[0]..ends[1]],
                &values[ends[1]..ends[2]],
                ends[1],
            )
        })
        .collect())
}

/// Standard deviation of the noise, from the differences of neighbours.
fn noise(values: &[f64]) -> Result<f64, Undefined> {
    // Median of |N(0, 1)|, and the variance of a difference.
    const TO_STANDARD: f64 = 1.4826 * std::f64::consts::FRAC_1_SQRT_2;
    let differences: Vec<f64> = values
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    Ok((median(&differences)? * TO_STANDARD).max(LEAST_NOISE))
}

/// Places of the first values of all levels but the first.
fn pelt(values: &[f64], penalty: f64) -> Vec<usize> {
    let count = values.len();
    // About the first value, so that squares of large numbers cancel no digits.
    let mut sums = vec![(0.0, 0.0)];
    for value in values {
        let (sum, squares) = sums[sums.len() - 1];
        let centred = value - values[0];
        sums.push((sum + centred, squares + centred * centred));
    }
    let cost = |from: usize, to: usize| {
        let (sum, squares) = (sums[to].0 - sums[from].0, sums[to].1 - sums[from].1);
        squares - sum * sum / (to - from) as f64
    };
    let mut best = vec![(f64::INFINITY, 0); count + 1];
    best[0] = (-penalty, 0);
    let mut candidates: Vec<usize> = vec![0];
    for to in SHORTEST..=count {
        for from in &candidates {
            let total = best[*from].0 + cost(*from, to) + penalty;
            if total < best[to].0 {
                best[to] = (total, *from);
            }
        }
        // What cannot win now never will. With a shortest length a candidate may be dropped only once its
        // successor at this place may itself begin a level, so those that are too young stay.
        let bar = best[to].0;
        candidates.retain(|from| best[*from].0 + cost(*from, to) <= bar + penalty);
        let young = to + 1 - SHORTEST;
        if young > 0 && best[young].0.is_finite() {
            candidates.push(young);
        }
    }
    let mut places = Vec::new();
    let mut at = best[count].1;
    while at > 0 {
        places.push(at);
        at = best[at].1;
    }
    places.reverse();
    places
}

fn step(before: &[f64], after: &[f64], first: usize) -> LevelChange {
    let of = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, squares)
    };
    let ((low, squares_before), (high, squares_after)) = (of(before), of(after));
    let (n, m) = (before.len() as f64, after.len() as f64);
    let degrees = n + m - 2.0;
    let variance = (squares_before + squares_after) / degrees;
    LevelChange {
        first,
        step: high - low,
        half_width: two_sided(0.95, degrees) * (variance * (1.0 / n + 1.0 / m)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// Standard normal noise by the sum of twelve uniform numbers.
    fn noise_of(rng: &mut Pcg64Mcg, count: usize) -> Vec<f64> {
        (0..count)
            .map(|_| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0)
            .collect()
    }

    #[test]
    fn hardly_any_series_without_a_change_shows_one() {
        for count in [8, 10, 15, 20, 40, 80] {
            let mut rng = Pcg64Mcg::seed_from_u64(count as u64);
            let false_alarms = (0..400)
                .filter(|_| {
                    let series = noise_of(&mut rng, count);
                    !change_points(&series).unwrap().is_empty()
                })
                .count();
            assert!(
                false_alarms <= 20,
                "{false_alarms} of 400 at {count} values"
            );
        }
    }

    #[test]
    fn two_changes_are_found_where_they_are() {
        let mut rng = Pcg64Mcg::seed_from_u64(7);
        let mut found = 0;
        for _ in 0..100 {
            let mut series = noise_of(&mut rng, 60);
            for value in &mut series[20..40] {
                *value += 5.0;
            }
            let changes = change_points(&series).unwrap();
            let near = |at: usize| changes.iter().any(|change| change.first.abs_diff(at) <= 1);
            found += usize::from(changes.len() == 2 && near(20) && near(40));
        }
        assert!(found >= 95, "{found} of 100");
    }

    #[test]
    fn pruning_loses_nothing() {
        let mut rng = Pcg64Mcg::seed_from_u64(3);
        for _ in 0..50 {
            let mut series = noise_of(&mut rng, 24);
            for value in &mut series[9..] {
                *value += 2.0;
            }
            let by_pelt = change_points(&series).unwrap();
            let penalty =
                PENALTY * 24.0_f64.ln() * (1.0 + FEW / 24.0) * noise(&series).unwrap().powi(2);
            let first: Vec<usize> = by_pelt.iter().map(|change| change.first).collect();
            assert_eq!(first, without_pruning(&series, penalty));
        }
    }

    /// The same by trying every place.
    fn without_pruning(values: &[f64], penalty: f64) -> Vec<usize> {
        let cost = |stretch: &[f64]| {
            let mean = stretch.iter().sum::<f64>() / stretch.len() as f64;
            stretch.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        };
        let mut best: Vec<(f64, Vec<usize>)> = vec![(f64::INFINITY, vec![]); values.len() + 1];
        best[0] = (-penalty, vec![]);
        for to in SHORTEST..=values.len() {
            for from in 0..=to - SHORTEST {
                let total = best[from].0 + cost(&values[from..to]) + penalty;
                if total < best[to].0 {
                    let mut places = best[from].1.clone();
                    if from > 0 {
                        places.push(from);
                    }
                    best[to] = (total, places);
                }
            }
        }
        best[values.len()].1.clone()
    }

    #[test]
    fn a_single_outlier_and_equal_values_are_no_change() {
        let mut series = vec![1.0; 20];
        assert_eq!(change_points(&series), Ok(vec![]));
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        for (value, noise) in series.iter_mut().zip(noise_of(&mut rng, 20)) {
            *value += 0.01 * noise;
        }
        series[10] += 0.06;
        assert_eq!(change_points(&series), Ok(vec![]));
    }

    #[test]
    fn few_values_say_so() {
        assert!(
            change_points(&[1.0; 7])
                .unwrap_err()
                .to_string()
                .contains('8')
        );
    }
}
