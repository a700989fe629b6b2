//! Many tests at once.

/// Holm's adjusted p-values, in the order given: rejecting what is below α keeps the probability of
/// *any* false rejection at α, whatever the tests have in common (Holm, Scand. J. Statist. 6, 1979).
///
/// # Examples
/// ```
/// use perwatt::stats::holm;
///
/// assert_eq!(holm(&[0.01, 0.5]), [0.02, 0.5]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; count];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p_values[index] * (count - rank) as f64);
        adjusted[index] = largest.min(1.0);
    }
    adjusted
}

/// Benjamini and Hochberg's adjusted p-values, in the order given: of what is listed below q, at most
/// the share q is expected to be there by chance (J. R. Statist. Soc. B 57, 1995). A list to look into
/// may hold such; a gate may not.
///
/// # Examples
/// ```
/// use perwatt::stats::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[0.5, 0.01]), [0.5, 0.02]);
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let mut adjusted = vec![1.0; count];
    let mut smallest: f64 = 1.0;
    for (place, index) in order.into_iter().enumerate() {
        let rank = (count - place) as f64;
        smallest = smallest.min(p_values[index] * count as f64 / rank);
        adjusted[index] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_is_step_down() {
        // By hand: sorted, 4 × 0.005, 3 × 0.01, 2 × 0.03 and 1 × 0.04, none below the one before it.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, wanted) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((value - wanted).abs() < 1e-12, "{adjusted:?}");
        }
    }

    #[test]
    fn benjamini_and_hochberg_agree_with_scipy() {
        // scipy 1.17's `false_discovery_control`.
        let p = [
            0.205, 0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.212, 0.216,
        ];
        let wanted = [
            0.216,
            0.01,
            0.04,
            0.084,
            0.084,
            0.084,
            0.1,
            0.1057142857142857,
            0.216,
            0.216,
        ];
        for (value, wanted) in benjamini_hochberg(&p).iter().zip(wanted) {
            assert!((value - wanted).abs() < 1e-12, "{value} is not {wanted}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn none_one_and_ties() {
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.5; 3]), [1.0; 3]);
    }
}
