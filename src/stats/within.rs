//! What the samples of one invocation say: their median, how precisely it is known, and where steady
//! state begins.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Batches of the batch-means method; ten leave nine degrees of freedom and make each batch long
/// enough to be nearly independent of its neighbours.
const BATCHES: usize = 10;

/// Fewest samples that are cut into batches.
const FEWEST_FOR_BATCHES: usize = 2 * BATCHES;

/// Factor that makes the median absolute deviation of a normal distribution its standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The median; NaN for none.
pub fn median(values: &[f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
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
    let centre = median(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    MAD_TO_SIGMA * median(&deviations)
}

/// How many values lie more than five scaled median absolute deviations from the median. They are
/// counted, never removed.
pub fn outliers(values: &[f64]) -> usize {
    let centre = median(values);
    let limit = 5.0 * scaled_mad(values);
    values
        .iter()
        .filter(|value| (**value - centre).abs() > limit)
        .count()
}

/// Half-width of the 95 % interval of the median, by ten batch medians and Student's t, which holds
/// under autocorrelation where an interval from single samples does not.
///
/// # Errors
/// Fewer than twenty samples.
pub fn half_width(samples: &[f64]) -> Result<f64, String> {
    let count = samples.len();
    if count < FEWEST_FOR_BATCHES {
        return Err(format!(
            "{count} samples are too few for an interval; {FEWEST_FOR_BATCHES} are needed"
        ));
    }
    let medians: Vec<f64> = (0..BATCHES)
        .map(|batch| median(&samples[batch * count / BATCHES..(batch + 1) * count / BATCHES]))
        .collect();
    let mean = medians.iter().sum::<f64>() / BATCHES as f64;
    let degrees = (BATCHES - 1) as f64;
    let variance = medians.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / degrees;
    let t = StudentsT::new(0.0, 1.0, degrees)
        .map_err(|e| e.to_string())?
        .inverse_cdf(0.975);
    Ok(t * (variance / BATCHES as f64).sqrt())
}

/// Number of independent samples that would tell as much: n ÷ (1 + 2 Σ ρ), the autocorrelations summed
/// by Geyer's initial positive sequence (Geyer, Practical Markov Chain Monte Carlo, 1992).
pub fn effective_sample_size(samples: &[f64]) -> f64 {
    let count = samples.len();
    if count < 4 {
        return count as f64;
    }
    let mean = samples.iter().sum::<f64>() / count as f64;
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
/// # Errors
/// There is still a step or a slope after half of the series; the message says which.
pub fn steady_start(samples: &[f64]) -> Result<usize, String> {
    const FEWEST: usize = 16;
    let count = samples.len();
    if count < FEWEST {
        // Too few to tell; the batches are long then, and a first one that is slow shows as such.
        return Ok(0);
    }
    let mut trouble = String::new();
    for eighth in 0..=4 {
        let start = count * eighth / 8;
        match drift(&samples[start..]) {
            None => return Ok(start),
            Some(reason) => trouble = reason,
        }
    }
    Err(trouble)
}

/// What still moves in a series, or `None`. The halves' medians are compared against the precision that
/// their own batches show, and against a floor below which a step does not matter.
fn drift(samples: &[f64]) -> Option<String> {
    const MATTERS: f64 = 0.005;
    let (early, late) = samples.split_at(samples.len() / 2);
    let centre = median(samples);
    let step = median(late) - median(early);
    let spread = (block_error(early).powi(2) + block_error(late).powi(2)).sqrt();
    let limit = (4.0 * spread).max(MATTERS * centre.abs());
    (step.abs() > limit).then(|| {
        format!(
            "the second half of the samples is {:+.1} % off the first",
            100.0 * step / centre
        )
    })
}

/// Standard error of a series' median by four blocks.
fn block_error(samples: &[f64]) -> f64 {
    const BLOCKS: usize = 4;
    let count = samples.len();
    let medians: Vec<f64> = (0..BLOCKS)
        .map(|block| median(&samples[block * count / BLOCKS..(block + 1) * count / BLOCKS]))
        .collect();
    let mean = medians.iter().sum::<f64>() / BLOCKS as f64;
    let variance = medians.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (BLOCKS - 1) as f64;
    (variance / BLOCKS as f64).sqrt()
}
