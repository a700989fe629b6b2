//! A value with its interval, and what becomes of both in a quotient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reading;
use crate::stats::{Interval, Undefined};
use crate::units::{known_to, percent};

/// A value with its interval; the unit stands in the name of the field that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The best single value.
    pub value: f64,
    /// Where the true value lies, or why that cannot be said.
    pub interval: Reading<Interval>,
}

impl Estimate {
    /// A value with its interval. A value that no file can hold is not measured, and an interval that none
    /// can hold is missing with its reason: one figure never costs the rest of the record.
    pub fn new(value: f64, interval: Result<Interval, Undefined>) -> Reading<Self> {
        Self::with(value, Reading::from(interval.and_then(Interval::finite)))
    }

    fn with(value: f64, interval: Reading<Interval>) -> Reading<Self> {
        if value.is_finite() {
            Reading::Measured(Self { value, interval })
        } else {
            Reading::unmeasured("the value is beyond what a number can hold")
        }
    }

    /// The value times a factor above zero that has no error.
    pub fn scale(&self, factor: f64) -> Reading<Self> {
        let interval = |known: &Interval| Reading::from(known.scale(factor).finite());
        Self::with(self.value * factor, self.interval.and_then(interval))
    }

    /// Work ÷ this value, for work that has no error. Where the value may be zero the quotient has no upper
    /// end, and its interval says so.
    pub fn quotient_of(&self, work: f64) -> Reading<Self> {
        let interval = |known: &Interval| Reading::from(known.quotient_of(work));
        Self::with(work / self.value, self.interval.and_then(interval))
    }

    /// The value as `show` writes it, with no digit finer than its interval.
    pub fn text(&self, show: impl FnOnce(f64) -> String) -> String {
        let text = show(self.value);
        match self.relative_half_width() {
            Some(share) => known_to(&text, share),
            None => text,
        }
    }

    /// The interval in words: `±5 %`, or its ends, since `±120 %` would reach below zero; why there is none.
    pub fn spread(&self, show: impl Fn(f64) -> String) -> Result<String, &str> {
        /// The half-width from which on an interval is given by its ends.
        const WIDE: f64 = 0.5;
        let interval = match &self.interval {
            Reading::Measured(interval) => interval,
            Reading::Unmeasured(reason) => return Err(&reason.unmeasured),
        };
        let share = interval.half_width() / self.value;
        if share.is_finite() && share < WIDE {
            return Ok(format!("±{}", percent(share)));
        }
        let end = |value: f64| known_to(&show(value), share.min(0.1));
        Ok(format!("{} to {}", end(interval.low), end(interval.high)))
    }

    /// Half of the interval as a share of the value, where there is an interval.
    pub fn relative_half_width(&self) -> Option<f64> {
        let interval = self.interval.measured()?;
        Some(interval.half_width() / self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_whose_divisor_may_be_zero_keeps_its_value() {
        let energy = Estimate {
            value: 2.0,
            interval: Reading::Measured(Interval::new(-1.0, 5.0)),
        };
        let rate = energy.quotient_of(10.0);
        let rate = rate.measured().unwrap();
        assert!((rate.value - 5.0).abs() < 1e-12);
        assert!(rate.interval.reason().unwrap().contains("no upper end"));
    }

    #[test]
    fn a_value_beyond_all_bounds_is_not_measured() {
        let none = Reading::unmeasured("one invocation");
        let tiny = Estimate {
            value: f64::MIN_POSITIVE,
            interval: none.clone(),
        };
        assert!(tiny.quotient_of(1e300).measured().is_none());
        assert_eq!(tiny.quotient_of(1.0).measured().unwrap().interval, none);
    }
}
