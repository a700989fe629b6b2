//! Long series made short enough to send and to draw, without losing what stands out.

/// So many points of a series are drawn: more than a screen has columns.
pub(super) const MOST_POINTS: usize = 600;

/// Fewest points that are worth a line.
const LEAST_POINTS: usize = 24;

/// Points of all series of a page together; a point is some twenty bytes of the file.
const MOST_OF_PAGE: usize = 36_000;

/// How many points each of so many series gets.
pub(super) fn share(series: usize) -> usize {
    (MOST_OF_PAGE / series.max(1)).clamp(LEAST_POINTS, MOST_POINTS)
}

/// Which points of a series to keep: all, or of every stretch the lowest and the highest, so that no outlier and no
/// step is lost. The first and the last stay.
pub(super) fn kept(values: &[f64], most: usize) -> Vec<usize> {
    let count = values.len();
    if count <= most.max(4) {
        return (0..count).collect();
    }
    let stretches = (most.max(4) - 2) / 2;
    let mut kept = vec![0];
    for stretch in 0..stretches {
        let from = stretch * count / stretches;
        let to = (stretch + 1) * count / stretches;
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        kept.extend((from..to).min_by(by_value));
        kept.extend((from..to).max_by(by_value));
    }
    kept.push(count - 1);
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// A number with five significant digits: finer than a screen shows, and a third of the file.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_is_kept() {
        let mut values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 7)).collect();
        values[4321] = 99.0;
        values[8765] = -99.0;
        let kept = kept(&values, 100);
        assert!(kept.len() <= 100, "{}", kept.len());
        for outstanding in [0, 4321, 8765, 9999] {
            assert!(kept.contains(&outstanding), "{outstanding}");
        }
    }

    #[test]
    fn a_short_series_stays_whole() {
        assert_eq!(kept(&[1.0, 2.0, 3.0], 24), [0, 1, 2]);
        assert_eq!(kept(&[], 24), Vec::<usize>::new());
    }

    #[test]
    fn five_digits_are_left() {
        assert_eq!(rounded(123_456.789).to_bits(), 123_460.0_f64.to_bits());
        assert_eq!(rounded(0.0).to_bits(), 0.0_f64.to_bits());
    }
}
