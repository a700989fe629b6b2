//! Which bound identical code stays within: what a gate can ask of a machine that varies as it does.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::moments::Moments;
use super::student::{normal_quantile, quantile};

/// Probability that the true spread is no larger than what is reckoned with.
const CONFIDENCE: f64 = 0.8;

/// What a bound is to hold for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    /// Pairs that the gate will have.
    pub pairs: u32,
    /// Level of its test of equivalence.
    pub alpha: f64,
    /// Probability with which this row should pass.
    pub chance: f64,
}

impl Holding {
    /// The bound of equivalence, as a log ratio, within which identical code passes, if pairs spread with a
    /// standard deviation that was learned with some degrees of freedom.
    pub fn bound(self, sd: f64, degrees: f64) -> f64 {
        let few = ChiSquared::new(degrees).map_or(f64::INFINITY, |chi| {
            (degrees / chi.inverse_cdf(1.0 - CONFIDENCE)).sqrt()
        });
        let count = f64::from(self.pairs);
        let error = few * sd / count.sqrt();
        let inside = normal_quantile(f64::midpoint(1.0, self.chance));
        (quantile(1.0 - self.alpha, count - 1.0) + inside) * error
    }
}

/// Standard deviation of pairs' log ratios, and its degrees of freedom; none of fewer than two.
pub fn spread_of(log_ratios: &[f64]) -> Option<(f64, f64)> {
    let moments = Moments::of(log_ratios);
    let sd = moments.standard_deviation().ok()?;
    Some((sd, moments.degrees()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_grows_with_the_spread_and_shrinks_with_pairs() {
        let holding = |pairs| Holding {
            pairs,
            alpha: 0.05,
            chance: 0.8,
        };
        // scipy: (t.ppf(.95, 9) + norm.ppf(.9)) · .017/√10 · √(9/chi2.ppf(.2, 9)).
        let bound = holding(10).bound(0.017, 9.0);
        assert!((bound - 0.021656494687748877).abs() < 1e-9, "{bound}");
        assert!(holding(40).bound(0.017, 9.0) < 0.55 * bound);
        assert!(holding(10).bound(0.017, 1.0) > 2.0 * bound);
    }
}
