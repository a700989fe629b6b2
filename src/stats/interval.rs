//! The one form in which perwatt says where a value lies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::undefined::Undefined;

/// A two-sided interval.
///
/// # Examples
/// ```
/// use perwatt::stats::Interval;
///
/// // 2 GFLOP in 0.9 to 1.1 s; the ends change places with the quotient.
/// let seconds = Interval::new(0.9, 1.1);
/// let rate = seconds.quotient_of(2e9)?;
/// assert!((rate.low - 2e9 / 1.1).abs() < 1.0 && (rate.high - 2e9 / 0.9).abs() < 1.0);
///
/// // What may be zero divides nothing.
/// assert!(Interval::new(-0.1, 1.1).quotient_of(2e9).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Probability that such intervals hold the truth: 0.95.
    pub level: f64,
}

impl Interval {
    /// Probability of the intervals that perwatt states.
    pub const LEVEL: f64 = 0.95;

    /// Standard errors of a normal value in half of such an interval.
    pub const STANDARD_ERRORS: f64 = 1.96;

    /// An interval at the usual level.
    pub const fn new(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            level: Self::LEVEL,
        }
    }

    /// An interval at the usual level that reaches `half` to either side of `centre`.
    pub fn around(centre: f64, half: f64) -> Self {
        Self::new(centre - half, centre + half)
    }

    /// The interval, if both ends are numbers that a file can hold.
    ///
    /// # Errors
    /// An end is infinite or no number.
    pub fn finite(self) -> Result<Self, Undefined> {
        if self.low.is_finite() && self.high.is_finite() {
            Ok(self)
        } else {
            Err(Undefined::NotFinite)
        }
    }

    /// Half of its width.
    ///
    /// ```
    /// # use perwatt::stats::Interval;
    /// assert_eq!(Interval::new(1.0, 4.0).half_width(), 1.5);
    /// ```
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether a value lies inside.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The interval of the value times a factor that has no error.
    ///
    /// ```
    /// # use perwatt::stats::Interval;
    /// let negative = Interval::new(1.0, 2.0).scale(-1.0);
    /// assert_eq!((negative.low, negative.high), (-2.0, -1.0));
    /// ```
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        let (one, other) = (self.low * factor, self.high * factor);
        Self {
            low: one.min(other),
            high: one.max(other),
            ..self
        }
    }

    /// The interval of `work` ÷ value, for work above zero that has no error.
    ///
    /// # Errors
    /// The value may be zero or less: of a quotient whose divisor may be zero there is no upper end
    /// (Fieller, J. R. Statist. Soc. B 16, 1954). Or an end is beyond what a number holds.
    pub fn quotient_of(self, work: f64) -> Result<Self, Undefined> {
        if self.low <= 0.0 {
            return Err(Undefined::DivisorReachesZero {
                low: self.low,
                level: self.level,
            });
        }
        Self {
            low: work / self.high,
            high: work / self.low,
            ..self
        }
        .finite()
    }

    /// The interval of 1 ÷ value.
    ///
    /// # Errors
    /// As [`Interval::quotient_of`].
    pub fn reciprocal(self) -> Result<Self, Undefined> {
        self.quotient_of(1.0)
    }

    /// The interval of a number of which this is the interval of the logarithm.
    #[must_use]
    pub fn exp(self) -> Self {
        Self {
            low: self.low.exp(),
            high: self.high.exp(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divisor_that_may_be_zero_has_no_quotient() {
        for low in [0.0, -0.0, -1.0, f64::NEG_INFINITY] {
            let divisor = Interval::new(low, 1.0);
            assert!(divisor.quotient_of(1.0).is_err(), "{low}");
        }
        let tiny = Interval::new(f64::MIN_POSITIVE, 1.0);
        assert_eq!(tiny.quotient_of(1e300), Err(Undefined::NotFinite));
        assert!(tiny.reciprocal().is_ok());
    }

    #[test]
    fn turning_twice_gives_the_interval_back() {
        let interval = Interval::new(0.5, 4.0);
        let twice = interval.reciprocal().and_then(Interval::reciprocal);
        assert_eq!(twice, Ok(interval));
    }

    #[test]
    fn the_reason_says_how_far_the_divisor_reaches() {
        let why = Interval::new(-0.25, 1.0).reciprocal().unwrap_err();
        assert_eq!(
            why.to_string(),
            "the divisor's 95 % confidence interval reaches down to -0.250, so the quotient has no \
             upper end; more invocations narrow it"
        );
    }
}
