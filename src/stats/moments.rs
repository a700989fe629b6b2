//! Mean and spread, once.

use super::undefined::Undefined;

/// Mean of some numbers and their squared deviations from it.
///
/// # Examples
/// ```
/// use perwatt::stats::Moments;
///
/// let moments = Moments::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
/// assert_eq!(moments.mean, 5.0);
/// assert!((moments.variance()? - 32.0 / 7.0).abs() < 1e-12);
/// // One number has no spread.
/// assert!(Moments::of(&[1.0]).variance().is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many numbers.
    pub count: usize,
    /// Their mean; 0 of none.
    pub mean: f64,
    /// Sum of their squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    /// The moments of some numbers.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len().max(1) as f64;
        // Deviations from the first value: equal values then have a spread of exactly zero, which a
        // mean that was rounded would spoil.
        let first = values.first().copied().unwrap_or(0.0);
        let offset = values.iter().map(|value| value - first).sum::<f64>() / count;
        let squares = values
            .iter()
            .map(|value| (value - first - offset).powi(2))
            .sum();
        Self {
            count: values.len(),
            mean: first + offset,
            squares,
        }
    }

    /// Degrees of freedom: one less than there are numbers.
    pub fn degrees(self) -> f64 {
        self.count.saturating_sub(1) as f64
    }

    /// The sample variance, Σ(x − mean)² ÷ (n − 1).
    ///
    /// # Errors
    /// Fewer than two numbers, or the result is not finite.
    pub fn variance(self) -> Result<f64, Undefined> {
        if self.count < 2 {
            return Err(Undefined::FewSamples {
                count: self.count,
                needed: 2,
            });
        }
        let variance = self.squares / self.degrees();
        if variance.is_finite() {
            Ok(variance)
        } else {
            Err(Undefined::NotFinite)
        }
    }

    /// The sample's standard deviation.
    ///
    /// # Errors
    /// As [`Moments::variance`].
    pub fn standard_deviation(self) -> Result<f64, Undefined> {
        self.variance().map(f64::sqrt)
    }

    /// Standard error of the mean of independent numbers: s ÷ √n.
    ///
    /// # Errors
    /// As [`Moments::variance`].
    pub fn standard_error(self) -> Result<f64, Undefined> {
        self.variance()
            .map(|variance| (variance / self.count as f64).sqrt())
    }
}

/// The geometric mean of positive numbers: the exponential of the mean logarithm.
///
/// # Examples
/// ```
/// use perwatt::stats::geometric_mean;
///
/// assert!((geometric_mean(&[1.0, 4.0])? - 2.0).abs() < 1e-12);
/// assert!(geometric_mean(&[1.0, 0.0]).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// There are no numbers, or one is not above zero and finite.
pub fn geometric_mean(values: &[f64]) -> Result<f64, Undefined> {
    if values.is_empty() {
        return Err(Undefined::NoValues);
    }
    for value in values {
        positive(*value)?;
    }
    // Logarithms of quotients are small, so that their rounding is too, and equal values are their own mean. Where
    // the quotients leave what an f64 holds, the values' own are taken.
    let mean_of = |unit: f64| {
        let logs: f64 = values.iter().map(|value| (value / unit).ln()).sum();
        unit * (logs / values.len() as f64).exp()
    };
    let near = mean_of(values[0]);
    // Of numbers at the very ends of what an f64 holds, rounding may lead beyond.
    let mean = if near > 0.0 && near.is_finite() {
        near
    } else {
        mean_of(1.0)
    };
    positive(mean)
}

/// A number that has a logarithm.
pub(super) fn positive(value: f64) -> Result<f64, Undefined> {
    if !value.is_finite() {
        Err(Undefined::NotFinite)
    } else if value > 0.0 {
        Ok(value)
    } else {
        Err(Undefined::NotPositive { value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_no_spread_at_all() {
        let moments = Moments::of(&[0.1; 7]);
        assert_eq!(moments.variance(), Ok(0.0));
        assert_eq!(moments.standard_error(), Ok(0.0));
    }

    #[test]
    fn numbers_beyond_all_bounds_are_no_mean() {
        assert!(geometric_mean(&[f64::INFINITY]).is_err());
        assert!(geometric_mean(&[f64::NAN, 1.0]).is_err());
        assert!(geometric_mean(&[]).is_err());
        assert!(geometric_mean(&[f64::MAX, f64::MAX]).is_ok_and(f64::is_finite));
        assert!(Moments::of(&[f64::MAX, -f64::MAX]).variance().is_err());
    }
}
