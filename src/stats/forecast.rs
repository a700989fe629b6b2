//! How much more would decide: a forecast from the data themselves.
//!
//! The observed effect is not the true one, and a few pairs that lie far from the rest make a mean and a
//! robust centre see different spreads. So what is forecast is not one truth but many that the data allow
//! (the bootstrap; Efron and Tibshirani, 1993), each with the probability that so many units decide it. How
//! often that is right is simulated; see `docs/verdicts.md`.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

use super::effect::Effect;
use super::moments::Moments;
use super::student::{normal_below, quantile};

/// Truths that the data allow, drawn from them.
const DRAWS: usize = 200;

/// Truths in equal steps of probability, where an estimate and its error are all that is known.
const STEPS: usize = 40;

/// Fewest pairs that are drawn from one by one; fewer are too often all alike in a draw.
const FEWEST_TO_DRAW: usize = 6;

/// What is asked of the units to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenQuestion {
    /// The margin and the bound of equivalence, as log ratios.
    pub margin: f64,
    /// See `margin`.
    pub equivalence: f64,
    /// Level of the test against the margin, among all that are made.
    pub alpha_of_change: f64,
    /// Level of the test of equivalence.
    pub alpha_of_equivalence: f64,
    /// Probability with which the units should decide.
    pub power: f64,
}

/// Centre of the units and their standard deviation, by one estimate.
#[derive(Clone, Copy, Debug)]
struct PossibleTruth {
    centre: f64,
    spread: f64,
}

/// What the data allow to be true.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// By the estimate that finds changes, and by the plain mean, which must agree before anything passes.
    truths: Vec<[PossibleTruth; 2]>,
}

impl Forecast {
    /// From pairs' log ratios. None for fewer than two.
    pub fn of_pairs(log_ratios: &[f64]) -> Option<Self> {
        let count = log_ratios.len();
        if count < 2 {
            return None;
        }
        if count < FEWEST_TO_DRAW {
            let plain = Effect::paired(log_ratios).ok()?;
            return Some(Self::of_effect(&plain, (count as f64).sqrt()));
        }
        let unchanged = allows_no_change(&Effect::paired_robustly(log_ratios).ok()?);
        let mut random = Pcg64Mcg::seed_from_u64(count as u64);
        let mut draw = vec![0.0; count];
        let truth = |effect: Effect| PossibleTruth {
            centre: effect.log_ratio,
            spread: effect.standard_error * (count as f64).sqrt(),
        };
        // A draw from the data has their spread and not their source's.
        let short = (count as f64 / (count as f64 - 1.0)).sqrt();
        let truths = (0..DRAWS).filter_map(|_| {
            for value in &mut draw {
                *value = log_ratios[(random.next_u64() % count as u64) as usize];
            }
            let of_draw = [Effect::paired_robustly(&draw), Effect::paired(&draw)];
            let [robust, plain] = of_draw.map(|effect| effect.map(truth).ok());
            let centre = if unchanged { 0.0 } else { robust?.centre };
            // Pairs that lie far are taken to be the machine's: they widen the mean and do not move it.
            Some([robust?, plain?].map(|truth| PossibleTruth {
                centre,
                spread: short * truth.spread,
            }))
        });
        Some(Self {
            truths: truths.collect(),
        })
    }

    /// From an estimate whose error would be `scale` times as large for a single unit.
    pub fn of_effect(effect: &Effect, scale: f64) -> Self {
        let unchanged = allows_no_change(effect);
        let truths = (0..STEPS)
            .map(|step| {
                let probability = (step as f64 + 0.5) / STEPS as f64;
                let truth = PossibleTruth {
                    centre: if unchanged {
                        0.0
                    } else {
                        effect.log_ratio
                            + quantile(probability, effect.degrees) * effect.standard_error
                    },
                    spread: effect.standard_error * scale,
                };
                [truth; 2]
            })
            .collect();
        Self { truths }
    }

    /// The least number of units above `from` and up to `to` that decide with the asked probability. `error`
    /// gives the standard error of so many units as a share of a single one's, and its degrees of freedom.
    pub fn least(
        &self,
        from: u64,
        to: u64,
        question: OpenQuestion,
        error: impl Fn(u64) -> (f64, f64),
    ) -> Option<u64> {
        let enough = |units: u64| self.decided(question, error(units)) >= question.power;
        if to <= from || !enough(to) {
            return None;
        }
        let (mut low, mut high) = (from + 1, to);
        while low < high {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    }

    /// Probability that units with this error decide.
    fn decided(&self, question: OpenQuestion, (share, degrees): (f64, f64)) -> f64 {
        let change = quantile(1.0 - question.alpha_of_change, degrees);
        let equal = quantile(1.0 - question.alpha_of_equivalence, degrees);
        let above = |distance: f64, error: f64, critical: f64| match distance {
            _ if error > 0.0 => normal_below(distance / error - critical),
            distance if distance > 0.0 => 1.0,
            _ => 0.0,
        };
        let of_truth = |[robust, plain]: &[PossibleTruth; 2]| {
            let error = share * robust.spread;
            let worse = above(robust.centre - question.margin, error, change);
            let better = above(-robust.centre - question.margin, error, change);
            let passes = [robust, plain].map(|truth| {
                let error = share * truth.spread;
                let [low, high] = [-truth.centre, truth.centre];
                let within = above(question.equivalence + low, error, equal)
                    + above(question.equivalence + high, error, equal);
                (within - 1.0).max(0.0)
            });
            (worse + better + passes[0].min(passes[1])).min(1.0)
        };
        let all: Vec<f64> = self.truths.iter().map(of_truth).collect();
        Moments::of(&all).mean
    }
}

/// Whether the data allow that nothing changed. Then that is what is forecast: most candidates change nothing
/// in most cases, and a difference that is only noise would promise to be proven soon.
fn allows_no_change(effect: &Effect) -> bool {
    let interval = effect.interval(0.95);
    (interval.low..=interval.high).contains(&0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: OpenQuestion = OpenQuestion {
        margin: 0.01,
        equivalence: 0.02,
        alpha_of_change: 0.05,
        alpha_of_equivalence: 0.05,
        power: 0.8,
    };

    fn pairs(units: u64) -> (f64, f64) {
        ((units as f64).sqrt().recip(), units as f64 - 1.0)
    }

    #[test]
    fn quiet_pairs_need_few_and_noisy_ones_many() {
        let wobble =
            |size: f64| -> Vec<f64> { (0..10).map(|n| size * (f64::from(n % 5) - 2.0)).collect() };
        let needed = |size: f64| {
            let forecast = Forecast::of_pairs(&wobble(size)).unwrap();
            forecast.least(10, 100_000, QUESTION, pairs)
        };
        assert_eq!(needed(1e-4), Some(11));
        let (some, many) = (needed(0.02).unwrap(), needed(0.05).unwrap());
        assert!(some > 11 && many > 4 * some, "{some} {many}");
        assert_eq!(needed(100.0), None);
    }

    #[test]
    fn a_far_pair_counts_though_the_robust_centre_overlooks_it() {
        let mut far: Vec<f64> = (0..10).map(|n| 1e-4 * (f64::from(n % 5) - 2.0)).collect();
        far[3] = 0.15;
        let forecast = Forecast::of_pairs(&far).unwrap();
        assert!(
            forecast
                .least(10, 1000, QUESTION, pairs)
                .is_some_and(|n| n > 30)
        );
        assert!(Forecast::of_pairs(&far[..1]).is_none());
    }
}
