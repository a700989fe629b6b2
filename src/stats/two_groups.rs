//! Whether some values are of two kinds: two bins of silicon, two coolers, two versions of a driver.
//!
//! The best cut into a lower and an upper group is Fisher's (J. Am. Statist. Assoc. 53, 1958): the least sum of squares
//! within. Any values have one, so it counts only where the groups are large, far apart against their own spread, and
//! hardly a value lies between them.

use super::moments::Moments;
use super::samples::{median_of, scaled_mad};

/// Least share of the values that is a kind and not a few exceptions.
const LEAST_SHARE: f64 = 0.15;

/// Fewest values of a kind.
const FEWEST: usize = 4;

/// Least distance of the medians in spreads of the groups.
const APART: f64 = 5.0;

/// Most values in the middle third between the medians, as a share of all.
const BETWEEN: f64 = 0.03;

/// Values of two kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoGroups {
    /// Values below are of the lower group.
    pub cut: f64,
    /// Median of the lower group.
    pub lower: f64,
    /// Median of the upper group.
    pub upper: f64,
    /// Values in the lower group.
    pub lower_count: usize,
    /// Values in the upper group.
    pub upper_count: usize,
}

impl TwoGroups {
    /// Of some values, all finite; none where they are of one kind, as far as can be seen.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len();
        let least = FEWEST.max((LEAST_SHARE * count as f64).ceil() as usize);
        if count < 2 * least {
            return None;
        }
        let at = best_cut(&sorted, least);
        let (low, high) = sorted.split_at(at);
        let (lower, upper) = (median_of(low), median_of(high));
        let apart = upper - lower;
        // Rounded or few values may agree exactly; no time is known that well.
        let spread = f64::midpoint(scaled_mad(low), scaled_mad(high)).max(1e-6);
        let third = apart / 3.0;
        let between = sorted
            .iter()
            .filter(|value| (lower + third..upper - third).contains(*value))
            .count();
        (apart > APART * spread && between as f64 <= BETWEEN * count as f64).then_some(Self {
            cut: f64::midpoint(low[at - 1], high[0]),
            lower,
            upper,
            lower_count: low.len(),
            upper_count: high.len(),
        })
    }
}

/// The place where sorted values are best cut in two of at least `least` each.
fn best_cut(sorted: &[f64], least: usize) -> usize {
    let mean = Moments::of(sorted).mean;
    let total: f64 = sorted.iter().map(|value| value - mean).sum();
    let count = sorted.len();
    let (mut below, mut best) = (0.0, (f64::NEG_INFINITY, least));
    for at in 1..=count - least {
        below += sorted[at - 1] - mean;
        if at < least {
            continue;
        }
        // What the groups' means explain.
        let above = total - below;
        let explained = below * below / at as f64 + above * above / (count - at) as f64;
        if explained > best.0 {
            best = (explained, at);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::student::normal_quantile;

    fn normal(count: i32, centre: f64, spread: f64) -> Vec<f64> {
        (0..count)
            .map(|i| centre + spread * normal_quantile((f64::from(i) + 0.5) / f64::from(count)))
            .collect()
    }

    #[test]
    fn two_bins_are_seen_and_one_is_not() {
        let mut values = normal(60, 0.0, 0.01);
        assert_eq!(TwoGroups::of(&values), None);
        values.extend(normal(40, 0.08, 0.01));
        let found = TwoGroups::of(&values).unwrap();
        assert_eq!((found.lower_count, found.upper_count), (60, 40));
        assert!((found.upper - found.lower - 0.08).abs() < 0.003);
    }

    #[test]
    fn a_few_exceptions_and_an_even_spread_are_no_kind() {
        let mut values = normal(95, 0.0, 0.01);
        values.extend(normal(5, 0.2, 0.001));
        assert_eq!(TwoGroups::of(&values), None);
        let even: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(TwoGroups::of(&even), None);
        assert_eq!(TwoGroups::of(&[0.0; 50]), None);
        assert_eq!(TwoGroups::of(&[]), None);
    }
}
