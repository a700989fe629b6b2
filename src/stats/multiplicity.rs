//! Many tests at once.

/// Holm's adjusted p-values, in the order given: rejecting what is below α keeps the probability of
/// *any* false rejection at α, whatever the tests have in common (Holm, Scand. J. Statist. 6, 1979).
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
    fn none_one_and_ties() {
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.5; 3]), [1.0; 3]);
    }
}
