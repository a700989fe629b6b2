//! What several invocations say together.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewest invocations from which an interval is drawn.
const FEWEST_INVOCATIONS: usize = 3;

/// The geometric mean of positive numbers; `None` for none, or if one is not positive.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    if values.is_empty()
        || values
            .iter()
            .any(|value| !(*value > 0.0 && value.is_finite()))
    {
        return None;
    }
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    Some((logs / values.len() as f64).exp())
}

/// The two-sided Student's t interval of the mean of the logarithms of invocations' medians, turned
/// back: (low, high) at probability `level`.
///
/// # Errors
/// Fewer than three invocations, or a value that is not positive.
pub fn invocations_interval(medians: &[f64], level: f64) -> Result<(f64, f64), String> {
    let count = medians.len();
    if count < FEWEST_INVOCATIONS {
        return Err(format!(
            "{count} invocation{} give{} a median and its precision; three or more give an interval",
            if count == 1 { "" } else { "s" },
            if count == 1 { "s" } else { "" }
        ));
    }
    let centre = geometric_mean(medians).ok_or("a time that is not above zero has no ratio")?;
    let degrees = (count - 1) as f64;
    let variance = medians
        .iter()
        .map(|m| (m / centre).ln().powi(2))
        .sum::<f64>()
        / degrees;
    let t = StudentsT::new(0.0, 1.0, degrees)
        .map_err(|e| e.to_string())?
        .inverse_cdf(0.5 + level / 2.0);
    let half = t * (variance / count as f64).sqrt();
    Ok((centre * (-half).exp(), centre * half.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_is_that_of_student_on_logarithms() {
        // exp(mean(ln x) ± t·sd(ln x)/√3) for 1.00, 1.02, 1.05, where t(0.975, 2) has the closed form
        // 0.95·√(2/(1 − 0.95²)) = 4.302653.
        let (low, high) = invocations_interval(&[1.00, 1.02, 1.05], 0.95).unwrap();
        assert!((low - 0.962623057).abs() < 1e-8, "{low}");
        assert!((high - 1.087435202).abs() < 1e-8, "{high}");
    }

    #[test]
    fn equal_invocations_give_a_point_and_two_give_none() {
        assert_eq!(invocations_interval(&[2.0; 3], 0.95), Ok((2.0, 2.0)));
        assert!(invocations_interval(&[2.0; 2], 0.95).is_err());
        assert!(invocations_interval(&[0.0; 3], 0.95).is_err());
    }
}
