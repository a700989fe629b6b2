//! Draws of the inputs, and what the outputs look like over all of them.
//!
//! Each input draws from a PCG stream of its own, chosen by its name. So an input that is added moves no
//! other input's draws, and two scenarios with one seed differ by what differs between them and not by
//! luck. Work is spread over threads by index; the result does not depend on how many there are.

use std::sync::Arc;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
#[cfg(not(target_family = "wasm"))]
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choices::Choices;
use super::distribution::Distribution;
use super::inputs::{INPUTS, Inputs};
use super::outputs::{OUTPUTS, Outputs};
use crate::error::{Error, Result};
use crate::record::stable_hash;

/// How many draws, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draws {
    /// Draws of every input.
    pub count: usize,
    /// Seed; the same seed gives the same figures everywhere.
    pub seed: u64,
}

impl Draws {
    /// Fewest that give a tail.
    pub const FEWEST: usize = 1_000;
    /// Most that fit a small machine's memory.
    pub const MOST: usize = 1_000_000;

    /// # Errors
    /// Too few or too many.
    pub(super) fn check(self) -> Result<()> {
        if (Self::FEWEST..=Self::MOST).contains(&self.count) {
            return Ok(());
        }
        Err(Error::usage(
            format!("--draws {}", self.count),
            format!("give {} to {}", Self::FEWEST, Self::MOST),
        ))
    }
}

impl Default for Draws {
    fn default() -> Self {
        Self {
            count: 100_000,
            seed: 1,
        }
    }
}

/// Where the middle 90 % of an output lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quantiles {
    /// 5 % of the draws lie below.
    pub p5: f64,
    /// Half of the draws lie below.
    pub p50: f64,
    /// 95 % of the draws lie below.
    pub p95: f64,
    /// Standard error of `p50` that comes from drawing.
    pub p50_error: f64,
}

impl Quantiles {
    /// In a unit that many times smaller.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            p5: self.p5 * factor,
            p50: self.p50 * factor,
            p95: self.p95 * factor,
            p50_error: self.p50_error * factor,
        }
    }

    /// Of these values; `None` where there are none or one is not finite.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let count = values.len() as f64;
        let last = values.len() - 1;
        // What would stand there in order, without the time that putting all in order takes.
        let mut at = |rank: f64| {
            let rank = (rank as usize).min(last);
            *values.select_nth_unstable_by(rank, f64::total_cmp).1
        };
        // The ranks of a binomial's standard deviation around the middle.
        let half = 0.5 * count.sqrt();
        Some(Self {
            p5: at(0.05 * count),
            p50: at(0.5 * count),
            p95: at(0.95 * count),
            p50_error: 0.5 * (at(0.5 * count + half) - at((0.5 * count - half).max(0.0))),
        })
    }
}

/// One input's draws, shared by all simulations that take them.
#[derive(Clone, Debug)]
pub(super) struct InputColumn {
    /// Values in the input's unit; empty where it is constant.
    pub(super) values: Arc<Vec<f64>>,
    /// The share of the probability below each value, as drawn.
    pub(super) levels: Arc<Vec<f64>>,
    /// The value where it is constant.
    pub(super) constant: f64,
}

impl InputColumn {
    /// The draws of one input; of one that is not known, nothing.
    pub(super) fn draw(
        key: &str,
        distribution: Option<Distribution>,
        draws: Draws,
        replica: u64,
    ) -> Self {
        let fixed = |constant| Self {
            values: Arc::default(),
            levels: Arc::default(),
            constant,
        };
        match distribution {
            None => fixed(f64::NAN),
            Some(distribution) if distribution.is_constant() => fixed(distribution.central()),
            Some(distribution) => {
                let levels = uniforms(key, draws, replica);
                let values = levels.iter().map(|u| distribution.quantile(*u)).collect();
                Self {
                    values: Arc::new(values),
                    levels: Arc::new(levels),
                    constant: f64::NAN,
                }
            }
        }
    }

    fn at(&self, draw: usize) -> f64 {
        self.values.get(draw).copied().unwrap_or(self.constant)
    }

    pub(super) fn varies(&self) -> bool {
        !self.values.is_empty()
    }
}

/// Draws every input. Another `replica` gives draws that are independent of those of the first.
pub(super) fn draw(
    distributions: &[Option<Distribution>],
    draws: Draws,
    replica: impl Fn(usize) -> u64 + Sync,
) -> Vec<InputColumn> {
    let jobs: Vec<_> = distributions.iter().zip(INPUTS).collect();
    in_parallel(jobs.len(), |job| {
        let (distribution, kind) = jobs[job];
        InputColumn::draw(kind.key, *distribution, draws, replica(job))
    })
}

/// Uniform numbers in (0, 1) from the stream of this name.
pub(super) fn uniforms(name: &str, draws: Draws, replica: u64) -> Vec<f64> {
    const HALF_STEP: f64 = 1.0 / (1_u64 << 54) as f64;
    let own = stable_hash(name.bytes());
    // Streams of one generator must not start from one state: they would be shifted copies.
    let state = u128::from(scrambled(draws.seed ^ own)) << 64
        | u128::from(scrambled(
            scrambled(draws.seed) ^ replica.rotate_left(32) ^ own,
        ));
    let mut random = Pcg64::new(state, u128::from(own));
    (0..draws.count)
        .map(|_| (random.next_u64() >> 11) as f64 * (2.0 * HALF_STEP) + HALF_STEP)
        .collect()
}

/// The finaliser of SplitMix64: neighbouring numbers become unrelated ones.
fn scrambled(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Every output of every draw, one vector per output. `from_other` says which inputs come from `other`
/// instead.
pub(super) fn run(
    choices: &Choices,
    columns: &[InputColumn],
    other: Option<(&[InputColumn], &[bool])>,
    wanted: &[usize],
    count: usize,
) -> Vec<Vec<f64>> {
    const CHUNK: usize = 4096;
    let chunks = in_parallel(count.div_ceil(CHUNK), |chunk| {
        let range = chunk * CHUNK..count.min((chunk + 1) * CHUNK);
        let mut found = vec![Vec::with_capacity(range.len()); wanted.len()];
        let mut values = vec![0.0; columns.len()];
        for draw in range {
            for (input, value) in values.iter_mut().enumerate() {
                let source = match other {
                    Some((other, from_other)) if from_other[input] => other,
                    _ => columns,
                };
                *value = source[input].at(draw);
            }
            let outputs = Outputs::of(choices, &Inputs::from_values(&values)).values();
            for (found, wanted) in found.iter_mut().zip(wanted) {
                found.push(outputs[*wanted]);
            }
        }
        found
    });
    let mut all = vec![Vec::with_capacity(count); wanted.len()];
    for chunk in chunks {
        for (all, mut part) in all.iter_mut().zip(chunk) {
            all.append(&mut part);
        }
    }
    all
}

/// Which inputs each output depends on: those whose change by one per cent changes it in any of the
/// first draws. Found by trying, so that no list can be out of date. An unknown input is taken as 1 here.
pub(super) fn dependencies(
    choices: &Choices,
    columns: &[InputColumn],
    count: usize,
) -> Vec<Vec<bool>> {
    const TRIED: usize = 24;
    let mut depends = vec![vec![false; columns.len()]; OUTPUTS.len()];
    for draw in 0..TRIED.min(count) {
        let known = |value: f64| if value.is_nan() { 1.0 } else { value };
        let values: Vec<f64> = columns
            .iter()
            .map(|column| known(column.at(draw)))
            .collect();
        let before = Outputs::of(choices, &Inputs::from_values(&values)).values();
        for input in 0..columns.len() {
            let mut moved = values.clone();
            moved[input] = if values[input].abs() > 0.0 {
                values[input] * 1.01
            } else {
                0.01
            };
            let after = Outputs::of(choices, &Inputs::from_values(&moved)).values();
            for (output, depends) in depends.iter_mut().enumerate() {
                depends[input] |= before[output].total_cmp(&after[output]).is_ne();
            }
        }
    }
    depends
}

/// `job(0)`, `job(1)`, … in order, spread over the threads that there are.
#[cfg(not(target_family = "wasm"))]
pub(super) fn in_parallel<T: Send>(jobs: usize, job: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..jobs).into_par_iter().map(job).collect()
}

/// `job(0)`, `job(1)`, … in order, on the one thread that there is.
#[cfg(target_family = "wasm")]
pub(super) fn in_parallel<T: Send>(jobs: usize, job: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    (0..jobs).map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invest::{Changes, Scenario, model};

    #[test]
    fn streams_are_fixed_and_independent_of_each_other() {
        let draws = Draws { count: 3, seed: 1 };
        // Fixed for all time: a different number here is a different published figure.
        let first: Vec<u64> = uniforms("pue", draws, 0)
            .iter()
            .map(|u| u.to_bits())
            .collect();
        assert_eq!(first, PUE_OF_SEED_1);
        assert_ne!(uniforms("pue", draws, 0), uniforms("busy", draws, 0));
        assert_ne!(uniforms("pue", draws, 0), uniforms("pue", draws, 1));
        assert_ne!(
            uniforms("pue", draws, 0),
            uniforms("pue", Draws { count: 3, seed: 2 }, 0)
        );
    }

    const PUE_OF_SEED_1: [u64; 3] = [
        4_600_798_125_919_206_611,
        4_599_142_042_902_436_855,
        4_597_961_311_379_631_914,
    ];

    #[test]
    fn uniforms_stay_inside_and_have_the_right_mean() {
        let draws = Draws {
            count: 100_000,
            seed: 9,
        };
        let all = uniforms("x", draws, 0);
        assert!(all.iter().all(|u| *u > 0.0 && *u < 1.0));
        let mean = all.iter().sum::<f64>() / 1e5;
        // The standard error of the mean is 0.0009.
        assert!((mean - 0.5).abs() < 0.004, "{mean}");
    }

    #[test]
    fn quantiles_of_known_numbers() {
        let quantiles = Quantiles::of((0..1000).rev().map(f64::from).collect()).unwrap();
        assert_eq!(quantiles.p5.to_bits(), 50_f64.to_bits());
        assert_eq!(quantiles.p50.to_bits(), 500_f64.to_bits());
        assert_eq!(quantiles.p95.to_bits(), 950_f64.to_bits());
        assert!((quantiles.p50_error - 15.8).abs() < 1.0);
        assert!(Quantiles::of(vec![1.0, f64::NAN]).is_none());
        assert!(Quantiles::of(vec![]).is_none());
    }

    #[test]
    fn any_number_of_threads_gives_the_same_figures() {
        let assumptions = Scenario::open("article-155bn")
            .and_then(|scenario| scenario.assume(None, &Changes::default()))
            .unwrap();
        let draws = Draws {
            count: 9_000,
            seed: 5,
        };
        let figures = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let answer = pool.install(|| model(&assumptions, draws)).unwrap();
            serde_json::to_string(&answer).unwrap()
        };
        let one = figures(1);
        for threads in [2, 3, 8] {
            assert_eq!(figures(threads), one, "{threads} threads");
        }
    }
}
