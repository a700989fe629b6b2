//! The size of an effect on the logarithmic scale, how well it is known, and what that decides.
//!
//! Costs (time, energy) are compared as ratios, because machines slow down by factors; the logarithm
//! of a ratio is what averages and what a swap of the two sides merely negates. Every decision here is
//! a one-sided test of Student's t against a bound that is not zero: whether a difference *matters*,
//! not whether there is one. Equivalence is two such tests (TOST; Schuirmann, J. Pharmacokinet.
//! Biopharm. 15, 1987).

use super::interval::Interval;
use super::moments::Moments;
use super::samples::{median_of, scaled_mad};
use super::student::{quantile, two_sided, upper_tail};
use super::undefined::Undefined;

/// How many scaled median absolute deviations from the centre a pair counts in full.
const TUNING: f64 = 2.5;

/// Fewest pairs of which some can be outliers: of six, five may well be in one of two states by chance alone.
const FEWEST_FOR_WEIGHTS: usize = 8;

/// Largest share of the pairs that can be outliers. More than that are another state of the machine, and which of
/// two states has the majority is chance: it says nothing about the code.
const MOST_OUTLYING: f64 = 0.2;

/// An estimate of ln(candidate ÷ baseline) with Student's t around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The estimate.
    pub log_ratio: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error; above zero, not always whole.
    pub degrees: f64,
    /// What no repetition averages away (the step of a clock that rounds every reading alike): every
    /// bound moves outwards by this much.
    pub slack: f64,
}

/// Two sides in one test: how sure it must be and how often it should find what is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Probability of a false finding that is put up with, one-sided.
    pub alpha: f64,
    /// Probability with which a real effect is to be found.
    pub power: f64,
}

impl Effect {
    /// The mean of the pairs' log ratios, with the spread of the pairs as its error (a paired t-test).
    /// Whatever both partners of a pair share, a warm device or a slow machine, cancels in each (Student,
    /// Biometrika 6, 1908).
    ///
    /// # Examples
    /// ```
    /// use perwatt::stats::Effect;
    ///
    /// // Five pairs, the candidate some 3 % slower in each.
    /// let effect = Effect::paired(&[0.030, 0.028, 0.033, 0.031, 0.029])?;
    /// assert!(effect.p_above(1.01_f64.ln()) < 0.001);
    /// let ratio = effect.interval(0.95).exp();
    /// assert!(ratio.low > 1.02 && ratio.high < 1.04);
    /// # Ok::<(), perwatt::stats::Undefined>(())
    /// ```
    ///
    /// # Errors
    /// Fewer than two pairs, or a number that is not finite.
    pub fn paired(log_ratios: &[f64]) -> Result<Self, Undefined> {
        let count = log_ratios.len();
        if count < 2 {
            return Err(Undefined::FewPairs { count });
        }
        let moments = Moments::of(log_ratios);
        Ok(Self {
            log_ratio: moments.mean,
            standard_error: moments.standard_error()?,
            degrees: moments.degrees(),
            slack: 0.0,
        })
    }

    /// As [`Effect::paired`], with pairs that lie far from the rest weighed down: Huber's M-estimate with
    /// the median absolute deviation as scale, his small-sample correction of its variance, and the
    /// degrees of freedom of the pairs that count in full (Huber, Robust Statistics, §6.4). Where none
    /// lies far, this is the paired t-test; so it is for fewer than eight pairs, where half of them
    /// agree exactly, and where more than a fifth lie far ([`Effect::far_pairs`]).
    ///
    /// Machines have slow modes. With one invocation in twenty 4 % slower, ten pairs find +3 % among
    /// forty cases nine times in ten by this and two times in three by the mean. The price is small,
    /// but what a few pairs say is nearly lost, so this must never prove that nothing changed.
    ///
    /// # Errors
    /// As [`Effect::paired`].
    pub fn paired_robustly(log_ratios: &[f64]) -> Result<Self, Undefined> {
        let plain = Self::paired(log_ratios)?;
        match Centre::of(log_ratios) {
            Some(centre) if centre.has_few_far() => Ok(centre.effect(log_ratios)),
            _ => Ok(plain),
        }
    }

    /// The same of `pairs` pairs whose spread is believed to be `sd` before they show their own, as firmly as `degrees`
    /// degrees of freedom: three that happen to agree do not show that a machine is quiet. The belief is a floor, and a
    /// larger spread of the pairs stands.
    #[must_use]
    pub fn with_believed_spread(self, pairs: f64, sd: f64, degrees: f64) -> Self {
        let all = self.degrees + degrees;
        let own = self.standard_error.powi(2) * pairs;
        let pooled = (self.degrees * own + degrees * sd.powi(2)) / all;
        match pooled > own {
            true => Self {
                standard_error: (pooled / pairs).sqrt(),
                degrees: all,
                ..self
            },
            false => self,
        }
    }

    /// How many pairs lie far from the rest, where they are too many to be outliers and so count in full.
    pub fn far_pairs(log_ratios: &[f64]) -> Option<usize> {
        let centre = Centre::of(log_ratios).filter(|centre| !centre.has_few_far())?;
        Some(centre.pairs - centre.near)
    }

    /// One-sided p-value of "the log ratio is at most `bound`": small where it is surely above.
    pub fn p_above(&self, bound: f64) -> f64 {
        upper_tail(
            self.log_ratio - self.slack - bound,
            self.standard_error,
            self.degrees,
        )
    }

    /// One-sided p-value of "the log ratio is at least `bound`": small where it is surely below.
    pub fn p_below(&self, bound: f64) -> f64 {
        upper_tail(
            bound - self.log_ratio - self.slack,
            self.standard_error,
            self.degrees,
        )
    }

    /// p-value of "the two sides differ by `bound` or more, one way or the other" (TOST): small where
    /// they are surely equivalent.
    pub fn p_equivalent(&self, bound: f64) -> f64 {
        self.p_below(bound).max(self.p_above(-bound))
    }

    /// Two-sided interval of the log ratio at probability `level`.
    pub fn interval(&self, level: f64) -> Interval {
        let half = self.slack
            + match self.standard_error {
                0.0 => 0.0,
                error => two_sided(level, self.degrees) * error,
            };
        Interval {
            level,
            ..Interval::around(self.log_ratio, half)
        }
    }

    /// Minimal detectable effect: the smallest true log ratio that a test against `margin` would find
    /// with the demanded power, δ + (t₁₋α + t_power)·se.
    pub fn detectable(&self, margin: f64, demand: Demand) -> f64 {
        margin + self.slack + self.reach(self.standard_error, self.degrees, demand)
    }

    /// (t₁₋α + t_power)·se.
    fn reach(&self, error: f64, degrees: f64, demand: Demand) -> f64 {
        if error == 0.0 {
            return 0.0;
        }
        (quantile(1.0 - demand.alpha, degrees) + quantile(demand.power, degrees)) * error
    }
}

/// Where most pairs lie.
struct Centre {
    at: f64,
    /// How far from there a pair counts in full.
    reach: f64,
    pairs: usize,
    /// Pairs within the reach.
    near: usize,
}

impl Centre {
    /// The centre of pairs; none of few, or where half of them agree exactly.
    fn of(log_ratios: &[f64]) -> Option<Self> {
        let reach = TUNING * scaled_mad(log_ratios);
        if log_ratios.len() < FEWEST_FOR_WEIGHTS || !(reach > 0.0 && reach.is_finite()) {
            return None;
        }
        let at = huber(log_ratios, median_of(log_ratios), reach);
        let near = log_ratios.iter().filter(|d| (*d - at).abs() <= reach);
        Some(Self {
            at,
            reach,
            pairs: log_ratios.len(),
            near: near.count(),
        })
    }

    /// Whether so few pairs lie far that they can be outliers.
    fn has_few_far(&self) -> bool {
        (self.pairs - self.near) as f64 <= MOST_OUTLYING * self.pairs as f64
    }

    /// The M-estimate.
    fn effect(&self, log_ratios: &[f64]) -> Effect {
        let (count, near) = (self.pairs as f64, self.near as f64);
        let pull = |d: &f64| (d - self.at).clamp(-self.reach, self.reach);
        let share = near / count;
        let correction = 1.0 + (1.0 - share) / near;
        let squares: f64 = log_ratios.iter().map(|d| pull(d).powi(2)).sum();
        let variance = squares / (count - 1.0) * (correction / share).powi(2);
        Effect {
            log_ratio: self.at,
            standard_error: (variance / count).sqrt(),
            degrees: (near - 1.0).max(1.0),
            slack: 0.0,
        }
    }
}

/// The centre around which pulls of at most `reach` balance, by reweighting from `start`.
fn huber(values: &[f64], start: f64, reach: f64) -> f64 {
    const MOST_STEPS: u32 = 200;
    let mut centre = start;
    for _ in 0..MOST_STEPS {
        let (mut pull, mut weights) = (0.0, 0.0);
        for value in values {
            let distance = value - centre;
            let weight = (reach / distance.abs()).min(1.0);
            pull += weight * distance;
            weights += weight;
        }
        let step = pull / weights;
        centre += step;
        if step.abs() <= reach * f64::EPSILON {
            break;
        }
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs whose figures below are scipy 1.17's (`ttest_1samp`, `t.interval`).
    const PAIRS: [f64; 10] = [
        0.012, 0.018, 0.009, 0.021, 0.015, 0.013, 0.017, 0.011, 0.019, 0.014,
    ];

    fn close(value: f64, wanted: f64) {
        let tolerance = 1e-8 * wanted.abs().max(1e-6);
        assert!(
            (value - wanted).abs() < tolerance,
            "{value} is not {wanted}"
        );
    }

    #[test]
    fn paired_tests_agree_with_scipy() {
        let effect = Effect::paired(&PAIRS).unwrap();
        close(effect.log_ratio, 0.0149);
        close(effect.standard_error, 0.0012060035010083695);
        let interval = effect.interval(0.95);
        close(interval.low, 0.012171830541834204);
        close(interval.high, 0.017628169458165796);
        close(effect.p_above(1.01_f64.ln()), 0.0013299959855263047);
        close(effect.p_below(-1.01_f64.ln()), 0.9999999965108748);
        close(effect.p_equivalent(1.02_f64.ln()), 0.0014099649439719953);
    }

    #[test]
    fn far_pairs_are_weighed_down_and_near_ones_are_students() {
        // The same estimate written in numpy, and scipy's t.
        let mut wild = PAIRS;
        wild[3] = 0.4;
        let robust = Effect::paired_robustly(&wild).unwrap();
        close(robust.log_ratio, 0.01545772407097717);
        close(robust.standard_error, 0.0017839724605858804);
        close(robust.degrees, 8.0);
        close(robust.p_above(1.01_f64.ln()), 0.007476975176708678);
        let near = Effect::paired_robustly(&PAIRS).unwrap();
        let plain = Effect::paired(&PAIRS).unwrap();
        close(near.log_ratio, plain.log_ratio);
        close(near.standard_error, plain.standard_error);
        close(near.degrees, plain.degrees);
        let mirrored = Effect::paired_robustly(&wild.map(|d| -d)).unwrap();
        close(mirrored.log_ratio, -robust.log_ratio);
        for few in [&[0.1, 0.1, 5.0][..], &[0.1; 9]] {
            assert_eq!(Effect::paired_robustly(few), Effect::paired(few));
        }
    }

    #[test]
    fn two_states_are_no_outliers() {
        // Identical code on a machine with two states 5 % apart: most pairs happened to differ by it.
        let few = [0.0488, 0.0487, 0.0478, 0.0479, 0.0, -0.0478];
        let many = [
            0.0488, 0.0487, 0.0478, 0.0479, 0.0481, 0.048, 0.0482, 0.0, 0.001, -0.0478,
        ];
        for states in [&few[..], &many] {
            let effect = Effect::paired_robustly(states).unwrap();
            assert_eq!(effect, Effect::paired(states).unwrap());
            assert!(effect.p_above(1.01_f64.ln()) > 0.005, "{effect:?}");
        }
        assert_eq!(Effect::far_pairs(&few), None);
        assert_eq!(Effect::far_pairs(&many), Some(3));
        assert_eq!(Effect::far_pairs(&PAIRS), None);
    }

    #[test]
    fn detectable_effect_is_the_one_of_the_formula() {
        // δ = 1 %, a spread of 0.5 % and ten pairs, single and as one of forty (scipy's quantiles).
        let effect = Effect {
            log_ratio: 0.0,
            standard_error: 0.005 / 10_f64.sqrt(),
            degrees: 9.0,
            slack: 0.0,
        };
        let detectable = |alpha| {
            let demand = Demand { alpha, power: 0.8 };
            effect.detectable(1.01_f64.ln(), demand).exp_m1()
        };
        close(detectable(0.05), 0.014347472010576734);
        close(detectable(0.05 / 40.0), 0.018063387303608236);
    }

    #[test]
    fn no_spread_lets_the_distance_decide_and_a_tie_is_no_finding() {
        let effect = Effect::paired(&[0.03; 5]).unwrap();
        assert!(effect.standard_error.abs() < f64::MIN_POSITIVE);
        assert!(effect.p_above(0.01) < 1e-300 && effect.p_above(0.04) > 0.999);
        assert!(effect.p_above(effect.log_ratio) > 0.999);
        assert_eq!(effect.interval(0.95), Interval::new(0.03, 0.03));
        // A clock that steps by 2.5 % cannot have seen a difference beyond 1 %.
        let coarse = Effect {
            slack: 0.025,
            ..effect
        };
        assert!(coarse.p_above(0.01) > 0.999);
    }

    #[test]
    fn swapped_sides_mirror_every_figure() {
        let effect = Effect::paired(&PAIRS).unwrap();
        let swapped = Effect::paired(&PAIRS.map(|d| -d)).unwrap();
        close(swapped.p_below(-0.01), effect.p_above(0.01));
        close(swapped.p_equivalent(0.02), effect.p_equivalent(0.02));
        close(swapped.interval(0.9).low, -effect.interval(0.9).high);
    }

    #[test]
    fn one_pair_and_infinite_ratios_give_no_effect() {
        assert!(Effect::paired(&[]).is_err());
        assert!(Effect::paired(&[0.5]).is_err());
        assert!(Effect::paired(&[0.5, f64::INFINITY]).is_err());
        assert!(Effect::paired(&[0.5, f64::NAN]).is_err());
    }
}
