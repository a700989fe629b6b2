//! Numbers that stand in files of other programs: with the digits that were measured, and with units that can have a
//! prefix.

use crate::units::si;

/// A value without the digits that are of sums and quotients and not of what was measured: the nearest one that
/// fifteen digits write.
///
/// ```
/// # use perwatt::record::fifteen_digits;
/// assert_eq!(fifteen_digits(1549999.9999999988).to_string(), "1550000");
/// ```
pub fn fifteen_digits(value: f64) -> f64 {
    // The largest numbers would be rounded up to infinity.
    let rounded = format!("{value:.14e}").parse().ok();
    rounded
        .filter(|near: &f64| near.is_finite())
        .unwrap_or(value)
}

/// A number of executions in each `unit`, second or joule: a prefix before the 1 of `1/s` would be read as one of the
/// number.
pub(super) fn executions_per(rate: f64, unit: &str) -> String {
    si(rate, &format!("/{unit}")).replacen(" /", " 1/", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits_lead_to_no_infinity_and_a_prefix_to_no_million_and_one() {
        assert!(fifteen_digits(f64::MAX).is_finite());
        assert!(fifteen_digits(f64::NAN).is_nan());
        assert_eq!(executions_per(5e6, "s"), "5.00 M/s");
        assert_eq!(executions_per(5.0, "J"), "5.00 1/J");
    }
}
