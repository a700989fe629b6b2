//! What the samples of one invocation say: their median, how precisely it is known, and where steady
//! state begins.

use super::interval::Interval;
use super::moments::Moments;
use super::student::two_sided;
use super::undefined::Undefined;

/// Batches of the batch-means method; ten leave nine degrees of freedom and make each batch long
/// enough to be nearly independent of its neighbours.
const BATCHES: usize = 10;

/// Fewest samples that are cut into batches.
const FEWEST_FOR_BATCHES: usize = 2 * BATCHES;

/// Factor that makes the median absolute deviation of a normal distribution its standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The median: the middle value, or the mean of the two in the middle.
///
/// # Examples
/// ```
/// use perwatt::stats::median;
///
/// assert_eq!(median(&[3.0, 1.0, 100.0])?, 3.0);
/// assert!(median(&[]).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// There is no value.
pub fn median(values: &[f64]) -> Result<f64, Undefined> {
    if values.is_empty() {
        return Err(Undefined::NoValues);
    }
    Ok(median_of(values))
}

/// The median of values of which there is at least one; zero of none.
pub(super) fn median_of(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut sorted = values.to_vec();
    let middle = sorted.len() / 2;
    let (below, upper, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halved first: the sum of two large numbers may overflow.
    lower / 2.0 + upper / 2.0
}

/// The median absolute deviation from the median, scaled to a normal distribution's standard deviation.
pub(super) fn scaled_mad(values: &[f64]) -> f64 {
    let centre = median_of(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    MAD_TO_SIGMA * median_of(&deviations)
}

/// How many values lie more than five scaled median absolute deviations from the median. They are
/// counted, never removed.
///
/// # Examples
/// ```
/// use perwatt::stats::outliers;
///
/// assert_eq!(outliers(&[1.0, 1.1, 0.9, 1.05, 0.95, 9.0]), 1);
/// ```
pub fn outliers(values: &[f64]) -> usize {
    let centre = median_of(values);
    let limit = 5.0 * scaled_mad(values);
    values
        .iter()
        .filter(|value| (**value - centre).abs() > limit)
        .count()
}

/// Half-width of the 95 % interval of the median, by ten batch medians and Student's t, which holds
/// under autocorrelation where an interval from single samples does not (the method of batch means:
/// Schmeiser, Oper. Res. 30, 1982).
///
/// # Examples
/// ```
/// use perwatt::stats::half_width;
///
/// let steady: Vec<f64> = (0..40).map(|n| 10.0 + f64::from(n % 2)).collect();
/// assert_eq!(half_width(&steady)?, 0.0);
/// assert!(half_width(&steady[..10]).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// Fewer than twenty samples.
pub fn half_width(samples: &[f64]) -> Result<f64, Undefined> {
    let count = samples.len();
    if count < FEWEST_FOR_BATCHES {
        return Err(Undefined::FewSamples {
            count,
            needed: FEWEST_FOR_BATCHES,
        });
    }
    let medians = Moments::of(&block_medians(samples, BATCHES));
    Ok(two_sided(Interval::LEVEL, medians.degrees()) * medians.standard_error()?)
}

/// Number of independent samples that would tell as much: n ÷ (1 + 2 Σ ρ), the autocorrelations summed
/// by Geyer's initial positive sequence (Geyer, Practical Markov Chain Monte Carlo, 1992).
///
/// # Examples
/// ```
/// use perwatt::stats::effective_sample_size;
///
/// // A hundred samples that stay for ten say what a few would.
/// let steps: Vec<f64> = (0..100).map(|n| f64::from(n / 10)).collect();
/// assert!(effective_sample_size(&steps) < 20.0);
/// ```
pub fn effective_sample_size(samples: &[f64]) -> f64 {
    let count = samples.len();
    if count < 4 {
        return count as f64;
    }
    let mean = Moments::of(samples).mean;
    let centred: Vec<f64> = samples.iter().map(|sample| sample - mean).collect();
    let variance: f64 = centred.iter().map(|c| c * c).sum();
    // Samples that never differ say all there is to say.
    if variance <= 0.0 {
        return count as f64;
    }
    let correlation = |lag: usize| {
        let products: f64 = centred
            .iter()
            .zip(&centred[lag..])
            .map(|(a, b)| a * b)
            .sum();
        products / variance
    };
    let mut time = -1.0;
    for pair in 0..count / 2 {
        let sum = correlation(2 * pair) + correlation(2 * pair + 1);
        if sum <= 0.0 {
            break;
        }
        time += 2.0 * sum;
    }
    (count as f64 / time.max(1.0)).clamp(1.0, count as f64)
}

/// Index at which steady state begins: the first eighth of the series after which neither a step nor a
/// slope is left. At most half of the series may be given up.
///
/// # Examples
/// ```
/// use perwatt::stats::steady_start;
///
/// let warming: Vec<f64> = (0..128).map(|n| if n < 40 { 2.0 } else { 1.0 }).collect();
/// assert!(steady_start(&warming)? > 0);
/// let drifting: Vec<f64> = (1..=64).map(f64::from).collect();
/// assert!(steady_start(&drifting).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// There is still a step or a slope after half of the series; the message says which.
pub fn steady_start(samples: &[f64]) -> Result<usize, Undefined> {
    const FEWEST: usize = 16;
    let count = samples.len();
    if count < FEWEST {
        // Too few to tell; the batches are long then, and a first one that is slow shows as such.
        return Ok(0);
    }
    let mut change = 0.0;
    for eighth in 0..=4 {
        let start = count * eighth / 8;
        match drift(&samples[start..]) {
            None => return Ok(start),
            Some(left) => change = left,
        }
    }
    Err(Undefined::Unsteady { change })
}

/// How far the second half of a series is off the first, as a share; `None` where it is not. The halves' medians are compared against the precision that
/// their own batches show, and against a floor below which a step does not matter.
fn drift(samples: &[f64]) -> Option<f64> {
    const MATTERS: f64 = 0.005;
    let (early, late) = samples.split_at(samples.len() / 2);
    let centre = median_of(samples);
    let step = median_of(late) - median_of(early);
    let spread = block_error(early).hypot(block_error(late));
    let limit = (4.0 * spread).max(MATTERS * centre.abs());
    (step.abs() > limit).then(|| step / centre)
}

/// Standard error of a series' median by four blocks.
fn block_error(samples: &[f64]) -> f64 {
    const BLOCKS: usize = 4;
    let medians = Moments::of(&block_medians(samples, BLOCKS));
    // Blocks beyond all bounds hide every step.
    medians.standard_error().unwrap_or(f64::INFINITY)
}

/// Medians of a series cut into blocks of nearly equal length.
fn block_medians(samples: &[f64], blocks: usize) -> Vec<f64> {
    let count = samples.len();
    (0..blocks)
        .map(|block| median_of(&samples[block * count / blocks..(block + 1) * count / blocks]))
        .collect()
}

/// A quantile of values that are sorted, between neighbours; none of no values.
///
/// # Examples
/// ```
/// use perwatt::stats::quantile_of_sorted;
///
/// assert_eq!(quantile_of_sorted(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
/// assert_eq!(quantile_of_sorted(&[], 0.5), None);
/// ```
pub fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    Some(sorted[low] + (sorted[high] - sorted[low]) * place.fract())
}
