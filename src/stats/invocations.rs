//! What several invocations say together.

use super::interval::Interval;
use super::moments::{Moments, geometric_mean};
use super::student::two_sided;
use super::undefined::Undefined;

/// Fewest invocations from which an interval is drawn.
const FEWEST_INVOCATIONS: usize = 3;

/// The two-sided Student's t interval of the mean of the logarithms of invocations' medians, turned
/// back. The invocation is the unit (Kalibera and Jones, ISMM 2013).
///
/// # Examples
/// ```
/// use perwatt::stats::invocations_interval;
///
/// let interval = invocations_interval(&[1.00, 1.02, 1.05], 0.95)?;
/// assert!((interval.low - 0.9626).abs() < 1e-4 && (interval.high - 1.0874).abs() < 1e-4);
/// assert!(invocations_interval(&[1.00, 1.02], 0.95).is_err());
/// # Ok::<(), perwatt::stats::Undefined>(())
/// ```
///
/// # Errors
/// Fewer than three invocations, a value that is not above zero, or a spread beyond all bounds.
pub fn invocations_interval(medians: &[f64], level: f64) -> Result<Interval, Undefined> {
    let count = medians.len();
    if count < FEWEST_INVOCATIONS {
        return Err(Undefined::FewInvocations { count });
    }
    let centre = geometric_mean(medians)?;
    let logs: Vec<f64> = medians.iter().map(|median| median.ln()).collect();
    let moments = Moments::of(&logs);
    let half = two_sided(level, moments.degrees()) * moments.standard_error()?;
    Interval {
        low: centre * (-half).exp(),
        high: centre * half.exp(),
        level,
    }
    .finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_is_that_of_student_on_logarithms() {
        // exp(mean(ln x) ± t·sd(ln x)/√3) for 1.00, 1.02, 1.05, where t(0.975, 2) has the closed form
        // 0.95·√(2/(1 − 0.95²)) = 4.302653.
        let Interval { low, high, .. } = invocations_interval(&[1.00, 1.02, 1.05], 0.95).unwrap();
        assert!((low - 0.962623057).abs() < 1e-8, "{low}");
        assert!((high - 1.087435202).abs() < 1e-8, "{high}");
    }

    #[test]
    fn equal_invocations_give_a_point_and_two_give_none() {
        assert_eq!(
            invocations_interval(&[2.0; 3], 0.95),
            Ok(Interval::new(2.0, 2.0))
        );
        assert!(invocations_interval(&[2.0; 2], 0.95).is_err());
        assert!(invocations_interval(&[0.0; 3], 0.95).is_err());
        assert!(invocations_interval(&[1e-300, 1.0, 1e300], 0.95).is_err());
    }
}
