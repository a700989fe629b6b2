//! Student's t distribution, once.

use std::cell::RefCell;
use std::collections::HashMap;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// From so many degrees of freedom on, the normal distribution is nearer than statrs' Student is exact.
const NEARLY_NORMAL: f64 = 1e4;

/// Most quantiles that are kept.
const MOST_FOUND: usize = 4096;

thread_local! {
    /// Quantiles that were searched for. Each takes the search tens of microseconds, and all rows of a
    /// comparison ask for the same few.
    static FOUND: RefCell<HashMap<(u64, u64), f64>> = RefCell::new(HashMap::new());
}

/// Student's t with some degrees of freedom, not always whole; the normal distribution for very many.
pub(super) enum Student {
    /// So many degrees of freedom that only the normal is left.
    Normal(Normal),
    /// A number of degrees of freedom.
    T(StudentsT),
}

impl Student {
    /// The distribution; none without degrees of freedom.
    pub(super) fn new(degrees: f64) -> Option<Self> {
        if degrees >= NEARLY_NORMAL {
            return Some(Self::Normal(Normal::standard()));
        }
        StudentsT::new(0.0, 1.0, degrees).ok().map(Self::T)
    }

    /// P(T ≤ t).
    pub(super) fn below(&self, t: f64) -> f64 {
        match self {
            Self::Normal(normal) => normal.cdf(t),
            Self::T(student) => student.cdf(t),
        }
    }

    /// P(T > t).
    pub(super) fn above(&self, t: f64) -> f64 {
        match self {
            Self::Normal(normal) => normal.sf(t),
            Self::T(student) => student.sf(t),
        }
    }

    /// The t below which T lies with a probability.
    pub(super) fn quantile(&self, probability: f64) -> f64 {
        match self {
            Self::Normal(normal) => normal.inverse_cdf(probability),
            Self::T(student) => student.inverse_cdf(probability),
        }
    }
}

/// P(Z ≤ z) of the normal distribution.
pub(super) fn normal_below(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// The z below which the normal distribution lies with a probability.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The quantile of Student's t; infinite where there are no degrees of freedom.
pub(super) fn quantile(probability: f64, degrees: f64) -> f64 {
    let search =
        || Student::new(degrees).map_or(f64::INFINITY, |student| student.quantile(probability));
    let key = (probability.to_bits(), degrees.to_bits());
    FOUND.with_borrow_mut(|found| {
        if found.len() >= MOST_FOUND {
            found.clear();
        }
        *found.entry(key).or_insert_with(search)
    })
}

/// The factor of a two-sided interval at `level`.
pub(super) fn two_sided(level: f64, degrees: f64) -> f64 {
    quantile(0.5 + level / 2.0, degrees)
}

/// P(T > distance ÷ error). Without any spread the distance alone decides, and a tie is no finding.
pub(super) fn upper_tail(distance: f64, error: f64, degrees: f64) -> f64 {
    let t = distance / error;
    if !t.is_finite() || error <= 0.0 {
        return if distance > 0.0 { 0.0 } else { 1.0 };
    }
    // The distribution exists for every positive number of degrees of freedom.
    Student::new(degrees).map_or(1.0, |student| student.above(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, wanted: f64) {
        let tolerance = 1e-8 * wanted.abs().max(1e-6);
        assert!(
            (value - wanted).abs() < tolerance,
            "{value} is not {wanted}"
        );
    }

    #[test]
    fn quantiles_and_tails_agree_with_scipy_far_out() {
        for (probability, degrees, wanted) in [
            (1.0 - 0.05 / 40.0, 9.0, 4.145788828443257),
            (1.0 - 0.05 / 40.0, 4.0, 6.758252832704313),
            (0.95, 1.0, 6.313751514675037),
            (1.0 - 0.05 / 4000.0, 9.0, 7.878832460099199),
            (0.975, 2.5, 3.5746548420036817),
        ] {
            close(quantile(probability, degrees), wanted);
        }
        for (t, degrees, wanted) in [
            (3.0, 9.0, 0.007478181955207111),
            (12.0, 4.0, 0.0001382142742514865),
            (40.0, 9.0, 9.491499224669911e-12),
            (-2.0, 7.0, 0.957190335718512),
        ] {
            close(upper_tail(t, 1.0, degrees), wanted);
        }
    }

    #[test]
    fn many_degrees_are_the_normal_and_none_know_nothing() {
        close(quantile(0.975, f64::INFINITY), 1.959963984540054);
        assert!(quantile(0.975, 0.0).is_infinite());
        assert!(upper_tail(1.0, 1.0, 0.0) > 0.999);
    }
}
