//! Which input matters.
//!
//! First-order Sobol' indices: the share of an output's variance that would go if one input were known.
//! They are estimated from the draws that exist already ("given data": E. Plischke, E. Borgonovo,
//! C. L. Smith, European Journal of Operational Research 226, 2013): draws are put into bins of equal
//! probability of the input, and the variance of the bins' means is compared with the whole, less what
//! chance alone would give. For a group of inputs, the correlation between two runs that share exactly
//! that group (pick and freeze: A. Janon et al., ESAIM: Probability and Statistics 18, 2014).
//!
//! Outputs are products of positive numbers, so variances are those of the logarithm, that is of
//! relative uncertainty, unless a draw is zero.

use schemars::JsonSchema;
use serde::Serialize;

use super::inputs::ReducibleBy;
use super::simulate::InputColumn;

/// Bins of equal probability. Inside a bin the conditional mean is taken as constant, which costs about
/// 1/BINS² of an index.
const BINS: usize = 50;

/// Parts of the draws from whose disagreement the error is estimated.
const PARTS: usize = 10;

/// A share of variance, with the standard error that comes from drawing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// The share; 0.3 is 30 %.
    pub share: f64,
    /// Its standard error.
    pub error: f64,
}

/// The share of variance that one group of inputs explains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GroupShare {
    /// Who could know the group's inputs.
    #[serde(rename = "knower")]
    pub reducible_by: ReducibleBy,
    /// The share of the variance that would go if they did.
    pub share: Share,
}

/// Relative where all are positive, absolute otherwise.
pub(super) fn scaled(values: &[f64]) -> Vec<f64> {
    if values.iter().all(|value| *value > 0.0) {
        values.iter().map(|value| libm::log(*value)).collect()
    } else {
        values.to_vec()
    }
}

/// The first-order index of the input with these draws.
pub(super) fn first_order(column: &InputColumn, output: &[f64]) -> Share {
    if !column.varies() || is_flat(output) {
        return Share {
            share: 0.0,
            error: 0.0,
        };
    }
    by_parts(output.len(), |from, to| {
        binned(&column.levels[from..to], &output[from..to])
    })
}

/// The index of a group: how two runs agree that share its inputs and nothing else.
pub(super) fn of_group(output: &[f64], sharing: &[f64]) -> Share {
    if is_flat(output) {
        return Share {
            share: 0.0,
            error: 0.0,
        };
    }
    by_parts(output.len(), |from, to| {
        correlation(&output[from..to], &sharing[from..to])
    })
}

/// The estimate over everything, with the error that its parts show.
fn by_parts(count: usize, estimate: impl Fn(usize, usize) -> f64) -> Share {
    let size = count / PARTS;
    let parts: Vec<f64> = (0..PARTS)
        .map(|part| estimate(part * size, (part + 1) * size))
        .collect();
    let mean = parts.iter().sum::<f64>() / PARTS as f64;
    let variance = parts.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>() / (PARTS - 1) as f64;
    Share {
        share: estimate(0, count).clamp(0.0, 1.0),
        error: (variance / PARTS as f64).sqrt(),
    }
}

/// Between-bin variance ÷ whole variance, less what chance gives: ε² of an analysis of variance.
fn binned(levels: &[f64], output: &[f64]) -> f64 {
    let mean = output.iter().sum::<f64>() / output.len() as f64;
    let mut sums = [0.0; BINS];
    let mut counts = [0.0; BINS];
    let mut total = 0.0;
    for (level, value) in levels.iter().zip(output) {
        let bin = ((level * BINS as f64) as usize).min(BINS - 1);
        let off = value - mean;
        sums[bin] += off;
        counts[bin] += 1.0;
        total += off * off;
    }
    let between: f64 = sums
        .iter()
        .zip(&counts)
        .filter(|(_, count)| **count > 0.0)
        .map(|(sum, count)| sum * sum / count)
        .sum();
    let degrees = (BINS - 1) as f64;
    let within = (total - between) / (output.len() - BINS) as f64;
    (between - degrees * within) / total
}

/// Janon's estimator: both runs give the mean and the variance.
fn correlation(one: &[f64], two: &[f64]) -> f64 {
    let count = one.len() as f64;
    let mean = (one.iter().sum::<f64>() + two.iter().sum::<f64>()) / (2.0 * count);
    let (mut shared, mut whole) = (0.0, 0.0);
    for (a, b) in one.iter().zip(two) {
        let (a, b) = (a - mean, b - mean);
        shared += a * b;
        whole += 0.5 * (a * a + b * b);
    }
    shared / whole
}

/// Whether nothing varies beyond rounding.
fn is_flat(output: &[f64]) -> bool {
    let (low, high) = output
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    high - low <= 1e-12 * high.abs().max(low.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::invest::simulate::{Draws, uniforms};

    fn column(name: &str) -> InputColumn {
        let draws = Draws {
            count: 100_000,
            seed: 3,
        };
        let levels = uniforms(name, draws, 0);
        InputColumn {
            values: Arc::new(levels.clone()),
            levels: Arc::new(levels),
            constant: f64::NAN,
        }
    }

    #[test]
    fn indices_of_a_sum_are_its_parts_variances() {
        // Var(3a + 1b) with a, b uniform: shares 9/10 and 1/10; c plays no part.
        let (a, b, c) = (column("a"), column("b"), column("c"));
        let output: Vec<f64> = a
            .levels
            .iter()
            .zip(b.levels.iter())
            .map(|(a, b)| 3.0 * a + b)
            .collect();
        for (column, truth) in [(&a, 0.9), (&b, 0.1), (&c, 0.0)] {
            let got = first_order(column, &output);
            assert!((got.share - truth).abs() < 0.004, "{got:?} {truth}");
            assert!(got.error < 0.01, "{got:?}");
        }
    }

    #[test]
    fn indices_of_the_ishigami_function() {
        // sin(a) + 7 sin²(b) + 0.1 c⁴ sin(a) on (−π, π): 0.3139, 0.4424, 0 (Ishigami and Homma 1990).
        let columns = [column("a"), column("b"), column("c")];
        let angle = |u: f64| std::f64::consts::PI * (2.0 * u - 1.0);
        let output: Vec<f64> = (0..100_000)
            .map(|n| {
                let [a, b, c] = [0, 1, 2].map(|i: usize| angle(columns[i].levels[n]));
                a.sin() + 7.0 * b.sin().powi(2) + 0.1 * c.powi(4) * a.sin()
            })
            .collect();
        for (column, truth) in columns.iter().zip([0.3139, 0.4424, 0.0]) {
            let got = first_order(column, &output);
            assert!((got.share - truth).abs() < 0.01, "{got:?} {truth}");
        }
    }

    #[test]
    fn a_group_explains_what_its_inputs_do_together() {
        let (a, b, b2) = (column("a"), column("b"), column("other b"));
        let sum = |a: &InputColumn, b: &InputColumn| -> Vec<f64> {
            a.levels
                .iter()
                .zip(b.levels.iter())
                .map(|(a, b)| 3.0 * a + b)
                .collect()
        };
        let got = of_group(&sum(&a, &b), &sum(&a, &b2));
        assert!((got.share - 0.9).abs() < 0.01, "{got:?}");
        assert!(of_group(&[1.0; 1000], &[1.0; 1000]).share.abs() < 1e-12);
    }
}
