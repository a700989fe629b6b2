//! The same question asked of ranks: which way and how far a pair typically moves, however wild a few
//! of them are.
//!
//! One invocation in a slow mode widens Student's interval for all; ranks hardly notice it. They pay
//! for that with a floor: with P pairs no p-value is below 2⁻ᴾ, so they cannot decide among many
//! cases and stand beside the verdict as a second opinion (Wilcoxon, Biometrics Bull. 1, 1945; Hodges
//! and Lehmann, Ann. Math. Statist. 34, 1963).

use statrs::distribution::{ContinuousCDF, Normal};

use super::samples::median_of;
use super::undefined::Undefined;

/// Up to so many values the distribution is counted out; beyond, it is normal for all purposes.
const EXACT: usize = 60;

/// The Hodges–Lehmann estimate of the centre: the median of the means of all pairs of values, each
/// with itself included.
///
/// # Examples
/// ```
/// use perwatt::stats::hodges_lehmann;
///
/// assert_eq!(hodges_lehmann(&[1.0, 2.0, 3.0])?, 2.0);
/// // A wild value hardly moves it.
/// assert!(hodges_lehmann(&[1.0, 2.0, 3.0, 2.0, 900.0])? < 3.0);
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// There are no values, or one is not finite.
pub fn hodges_lehmann(values: &[f64]) -> Result<f64, Undefined> {
    if values.is_empty() {
        return Err(Undefined::NoValues);
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Undefined::NotFinite);
    }
    let means: Vec<f64> = (0..values.len())
        .flat_map(|i| (i..values.len()).map(move |j| f64::midpoint(values[i], values[j])))
        .collect();
    Ok(median_of(&means))
}

/// One-sided p-value of Wilcoxon's signed-rank test of "the centre is at most `bound`": small where it
/// is above. Values on the bound are left out and ties share their ranks; the distribution is exact,
/// given the ties, for up to sixty values. One for no values or one that is not finite.
///
/// # Examples
/// ```
/// use perwatt::stats::signed_rank_above;
///
/// assert!(signed_rank_above(&[1.0; 10], 0.0) < 0.001);
/// assert!(signed_rank_above(&[-1.0; 10], 0.0) > 0.999);
/// ```
pub fn signed_rank_above(values: &[f64], bound: f64) -> f64 {
    let mut sized: Vec<(f64, bool)> = values
        .iter()
        .map(|value| value - bound)
        .filter(|distance| *distance != 0.0)
        .map(|distance| (distance.abs(), distance > 0.0))
        .collect();
    if sized.is_empty() || sized.iter().any(|(size, _)| !size.is_finite()) {
        return 1.0;
    }
    sized.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks = doubled_ranks(&sized);
    let above: usize = ranks
        .iter()
        .zip(&sized)
        .filter(|(_, (_, positive))| *positive)
        .map(|(rank, _)| rank)
        .sum();
    if ranks.len() <= EXACT {
        exact_tail(&ranks, above)
    } else {
        normal_tail(&ranks, above)
    }
}

/// Values that are ranked once, so that each of many groups of them can be held against its rest at the cost of its
/// own size.
#[derive(Clone, Debug)]
pub struct RankedValues {
    /// Twice the rank of each value, ties sharing theirs.
    doubled: Vec<usize>,
    /// Sum of the squares of the ranks' distances from their middle.
    squares: f64,
}

impl RankedValues {
    /// The values, all of them finite; none where one is not.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let sorted: Vec<(f64, bool)> = order.iter().map(|at| (values[*at], true)).collect();
        let mut doubled = vec![0; values.len()];
        for (at, rank) in order.iter().zip(doubled_ranks(&sorted)) {
            doubled[*at] = rank;
        }
        let middle = (values.len() as f64 + 1.0) / 2.0;
        let squares = doubled
            .iter()
            .map(|rank| (*rank as f64 / 2.0 - middle).powi(2))
            .sum();
        Some(Self { doubled, squares })
    }

    /// One-sided p-value of the Wilcoxon–Mann–Whitney test that a group, by the places of its values, is like the
    /// rest: small where it lies above. Ties share their ranks; normal with half a step for continuity, and never
    /// below what all orders of so small groups allow. One where the group or its rest is empty.
    ///
    /// # Examples
    /// ```
    /// use perwatt::stats::RankedValues;
    ///
    /// let values: Vec<f64> = (0..40).map(f64::from).collect();
    /// let ranked = RankedValues::of(&values).unwrap();
    /// assert!(ranked.sum_above(&[36, 37, 38, 39]) < 1e-3);
    /// assert!(ranked.sum_above(&[3, 21, 30]) > 0.1);
    /// ```
    pub fn sum_above(&self, group: &[usize]) -> f64 {
        let total = self.doubled.len() as f64;
        let m = group.len() as f64;
        let n = total - m;
        if group.is_empty() || n < 1.0 {
            return 1.0;
        }
        let sum: f64 = group.iter().map(|at| self.doubled[*at] as f64 / 2.0).sum();
        let mean = m * (total + 1.0) / 2.0;
        let variance = m * n / (total * (total - 1.0)) * self.squares;
        if variance <= 0.0 {
            return 1.0;
        }
        let p = Normal::standard().sf((sum - 0.5 - mean) / variance.sqrt());
        // All orders are equally likely, so no p-value is below one ÷ their number.
        let orders: f64 = (0..group.len())
            .map(|i| (total - i as f64) / (m - i as f64))
            .product();
        p.max(1.0 / orders)
    }
}

/// Twice the rank of each size, so that the mean rank of a tie is whole.
fn doubled_ranks(sorted: &[(f64, bool)]) -> Vec<usize> {
    let mut ranks = vec![0; sorted.len()];
    let mut start = 0;
    while start < sorted.len() {
        let size = sorted[start].0;
        let end = start
            + sorted[start..]
                .iter()
                .take_while(|(other, _)| other.total_cmp(&size).is_eq())
                .count();
        // The ranks start + 1 ..= end have the mean (start + 1 + end) ÷ 2.
        ranks[start..end].fill(start + 1 + end);
        start = end;
    }
    ranks
}

/// P(sum of the ranks with a positive sign ≥ `above`) where every sign is a coin.
fn exact_tail(ranks: &[usize], above: usize) -> f64 {
    let total: usize = ranks.iter().sum();
    let mut chance = vec![0.0; total + 1];
    chance[0] = 1.0;
    let mut reached = 0;
    for rank in ranks {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= *rank {
                chance[sum - rank]
            } else {
                0.0
            };
            chance[sum] = f64::midpoint(chance[sum], with);
        }
    }
    chance[above..].iter().sum::<f64>().min(1.0)
}

/// The same with the normal distribution of that mean and variance, half a step for continuity.
fn normal_tail(ranks: &[usize], above: usize) -> f64 {
    let mean = ranks.iter().sum::<usize>() as f64 / 2.0;
    let variance = ranks.iter().map(|r| (*r as f64).powi(2)).sum::<f64>() / 4.0;
    let z = (above as f64 - 1.0 - mean) / variance.sqrt();
    Normal::standard().sf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, wanted: f64) {
        assert!(
            (value - wanted).abs() < 1e-9 * wanted.abs().max(1e-9),
            "{value} is not {wanted}"
        );
    }

    const PAIRS: [f64; 10] = [
        0.012, 0.018, 0.009, 0.021, 0.015, 0.013, 0.017, 0.011, 0.019, 0.014,
    ];

    #[test]
    fn centre_and_tails_agree_with_scipy() {
        // numpy's median of the pairs' means; scipy 1.17's `wilcoxon(alternative="greater")`.
        close(hodges_lehmann(&PAIRS).unwrap(), 0.015);
        close(signed_rank_above(&PAIRS, 1.01_f64.ln()), 0.001953125);
        close(signed_rank_above(&PAIRS, 0.01437), 0.34765625);
        // By all 64 signs: ranks 1.5, 1.5, 3.5, 3.5, 5 and 6, of which 14.5 are above.
        close(
            signed_rank_above(&[1.0, -1.0, 2.0, 2.0, -3.0, 4.0], 0.0),
            0.25,
        );
        // A hundred values with ties, `method="approx", correction=True`.
        let many: Vec<f64> = (1..=100)
            .map(|i| f64::from(i * 37 % 101) / 100.0 - 0.4)
            .map(|x| (x * 1e6).round() / 1e6)
            .collect();
        close(signed_rank_above(&many, 0.0), 0.0005570071437655001);
    }

    #[test]
    fn one_wild_pair_moves_the_mean_and_not_the_ranks() {
        let mut wild = PAIRS;
        wild[3] = 5.0;
        let (calm, wild) = (hodges_lehmann(&PAIRS), hodges_lehmann(&wild));
        assert!((calm.unwrap() - wild.unwrap()).abs() < 0.001);
        assert!(hodges_lehmann(&[]).is_err());
        assert!(hodges_lehmann(&[f64::NAN]).is_err());
    }

    #[test]
    fn no_p_value_is_below_its_floor_and_swapped_signs_swap_the_tails() {
        close(signed_rank_above(&[1.0; 10], 0.0), 0.5_f64.powi(10));
        close(signed_rank_above(&[-1.0; 10], 0.0), 1.0);
        assert!(signed_rank_above(&[0.5; 4], 0.5) > 0.999);
        assert!(signed_rank_above(&[f64::NAN, 1.0], 0.0) > 0.999);
    }
}
