//! A straight line through values over time, and how well its slope is known.

use super::interval::Interval;
use super::moments::Moments;
use super::student::{two_sided, upper_tail};
use super::undefined::Undefined;

/// Fewest values of a line: two lie on every one, and three leave one degree of freedom.
const FEWEST: usize = 4;

/// The slope of a line of least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change of the value with one unit of time.
    pub slope: f64,
    /// Where the true slope lies.
    pub interval: Interval,
    /// How often values without a slope would show one so large, either way.
    pub p: f64,
}

impl Trend {
    /// Of values at times.
    ///
    /// # Examples
    /// ```
    /// use perwatt::stats::Trend;
    ///
    /// let trend = Trend::of(&[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 3.1, 4.9, 7.0, 9.0])?;
    /// assert!((trend.slope - 1.99).abs() < 0.01 && trend.p < 1e-4);
    /// # Ok::<(), perwatt::stats::Undefined>(())
    /// ```
    ///
    /// # Errors
    /// There are fewer than four values, or all are of one time.
    pub fn of(times: &[f64], values: &[f64]) -> Result<Self, Undefined> {
        let count = times.len().min(values.len());
        if count < FEWEST {
            return Err(Undefined::FewSamples {
                count,
                needed: FEWEST,
            });
        }
        let (at, of) = (Moments::of(times), Moments::of(values));
        if !(at.squares > 0.0 && at.squares.is_finite() && of.squares.is_finite()) {
            return Err(Undefined::NotFinite);
        }
        let products: f64 = times
            .iter()
            .zip(values)
            .map(|(t, v)| (t - at.mean) * (v - of.mean))
            .sum();
        let slope = products / at.squares;
        let left = (of.squares - slope * products).max(0.0);
        let degrees = (count - 2) as f64;
        let error = (left / degrees / at.squares).sqrt();
        Ok(Self {
            slope,
            interval: Interval::around(slope, two_sided(Interval::LEVEL, degrees) * error),
            p: (2.0 * upper_tail(slope.abs(), error, degrees)).min(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_least_squares() {
        // By hand: the products' sum is 1.3, the squares' 14.8.
        let trend = Trend::of(&[0.0, 1.0, 2.0, 3.0, 5.0], &[1.0, 1.2, 0.9, 1.5, 1.4]).unwrap();
        assert!((trend.slope - 1.3 / 14.8).abs() < 1e-6, "{trend:?}");
        assert!(trend.interval.contains(0.0) && trend.interval.contains(0.2));
        assert!(Trend::of(&[1.0; 5], &[1.0, 2.0, 3.0, 4.0, 5.0]).is_err());
        assert!(Trend::of(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).is_err());
    }
}
