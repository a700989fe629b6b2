//! What slow cards cost a job that waits for the slowest of its cards at every step. MODELLED: cards are drawn from the
//! fleet at random, all work is shared alike, and nothing but the cards' own times makes a step longer.

/// The expected time of a step of a job on `job` cards drawn from these, as a multiple of the least; `ratios` are
/// the cards' own times in the same unit. None for a job that has no cards or more than there are.
pub(super) fn step_time(ratios: &[f64], job: usize) -> Option<f64> {
    let count = ratios.len();
    if job == 0 || job > count {
        return None;
    }
    let mut sorted = ratios.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    // From the slowest on: the chance that none of those before was drawn.
    let (mut none_so_far, mut expected) = (1.0, 0.0);
    for (at, ratio) in sorted.iter().enumerate() {
        // Of the cards that are left, this many; the job draws `job` of them.
        let left = (count - at) as f64;
        let drawn = (job as f64 / left).min(1.0);
        expected += none_so_far * drawn * ratio;
        none_so_far *= 1.0 - drawn;
        if none_so_far <= 0.0 {
            break;
        }
    }
    Some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_some_is_that_of_all_ways_to_draw() {
        // Two of {1, 1, 1.2, 1.5}: of six pairs three have 1.5, two have 1.2, one has neither.
        let expected = (3.0 * 1.5 + 2.0 * 1.2 + 1.0) / 6.0;
        let found = step_time(&[1.0, 1.5, 1.0, 1.2], 2).unwrap();
        assert!((found - expected).abs() < 1e-12);
        assert_eq!(step_time(&[1.0, 1.5], 2), Some(1.5));
        assert_eq!(step_time(&[1.0], 1), Some(1.0));
        assert_eq!(step_time(&[1.0], 2), None);
        assert_eq!(step_time(&[], 0), None);
    }
}
