//! How a number is written, whatever it measures: three significant digits, SI prefixes, per cent.
//!
//! Tables, messages and the reasons of verdicts write their numbers here, so that one figure reads the same wherever
//! it stands. The investment model has digits of its own, in `invest::quantity`.

/// SI prefixes with their factors, the largest first.
const PREFIXES: [(f64, &str); 13] = [
    (1e24, "Y"),
    (1e21, "Z"),
    (1e18, "E"),
    (1e15, "P"),
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
];

/// From this change in per cent on, a factor says more.
const FACTOR: f64 = 1e4;

/// The factor and symbol of the SI prefix that leaves one to three digits before the point.
///
/// ```
/// # use perwatt::units::prefix;
/// assert_eq!(prefix(1.234e9), (1e9, "G"));
/// assert_eq!(prefix(999.6e6), (1e9, "G"));
/// ```
pub fn prefix(value: f64) -> (f64, &'static str) {
    if value == 0.0 || !value.is_finite() {
        return (1.0, "");
    }
    // 999.6 rounds to four digits, so the choice is made on the rounded number.
    let magnitude = rounded_up(value);
    PREFIXES
        .into_iter()
        .find(|(factor, _)| magnitude >= *factor)
        .unwrap_or((1e-12, "p"))
}

/// Writes a value with its unit and an SI prefix, three significant digits.
///
/// ```
/// # use perwatt::units::si;
/// assert_eq!(si(1.234e9, "B/s"), "1.23 GB/s");
/// assert_eq!(si(0.25, "tokens/s"), "0.25 tokens/s");
/// ```
pub fn si(value: f64, unit: &str) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{} {unit}", written(value, 0));
    }
    // A thousandth of a token with an m before it is read as a million of them.
    if value.abs() < 1.0 && unit.starts_with("tok") {
        return format!("{} {unit}", number(value));
    }
    let (factor, prefix) = prefix(value);
    let digits = value / factor;
    if digits.abs() < 0.005 {
        return format!("{digits:.2e} {prefix}{unit}");
    }
    format!("{} {prefix}{unit}", three_digits(digits))
}

/// A number of things, in the plural where there are several.
pub fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// A value in words with no digit finer than the interval around it, whose half-width is this share of the value;
/// at least one digit stays.
///
/// ```
/// # use perwatt::units::{known_to, si};
/// assert_eq!(known_to(&si(24.04e9, "FLOP/s"), 0.25), "24 GFLOP/s");
/// assert_eq!(known_to(&si(24.04e9, "FLOP/s"), 0.01), "24.0 GFLOP/s");
/// assert_eq!(known_to("2.98 ms", 7.65), "3 ms");
/// ```
pub fn known_to(text: &str, share: f64) -> String {
    let (digits, unit) = text.split_once(' ').unwrap_or((text, ""));
    let Ok(value) = digits.parse::<f64>() else {
        return text.to_owned();
    };
    let half_width = (value * share).abs();
    if !(half_width > 0.0 && half_width.is_finite()) || digits.contains(['e', 'E']) {
        return text.to_owned();
    }
    // The place of the first digit of a third of the half-width, so that rounding takes less than a fifth of it; and
    // at most that of the value's own first digit.
    let place = (half_width / 3.0)
        .log10()
        .floor()
        .min(value.abs().log10().floor()) as i32;
    let decimals = digits.split_once('.').map_or(0, |(_, after)| after.len());
    let shown = match usize::try_from(-place) {
        Ok(known) => format!("{value:.*}", known.min(decimals)),
        Err(_) => {
            let step = 10_f64.powi(place);
            format!("{:.0}", (value / step).round() * step)
        }
    };
    match unit {
        "" => shown,
        unit => format!("{shown} {unit}"),
    }
}

/// A number without a unit, four significant digits, as a power of ten where it is very large or small.
///
/// ```
/// # use perwatt::units::number;
/// assert_eq!(number(0.9433582359120742), "0.9434");
/// assert_eq!(number(1e308), "1.000e308");
/// ```
pub fn number(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => written(value, 0),
        0.0 => "0".to_owned(),
        size if !(1e-3..1e7).contains(&size) => format!("{value:.3e}"),
        size => {
            // At most three digits before the fourth; whole numbers stay whole.
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    }
}

/// A number with so many digits behind the point; one that is unreadable so is a power of ten, and one that
/// is beyond all numbers is said in words.
fn written(value: f64, digits: usize) -> String {
    if value.is_nan() {
        "no number".to_owned()
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "below −" } else { "over " };
        format!("{sign}1e308")
    } else if value.abs() >= 1e7 {
        format!("{value:.2e}")
    } else {
        format!("{value:.digits$}")
    }
}

/// A share in per cent, no finer than a tenth: `1.2 %`, `12 %`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let digits = usize::from(percent.abs() < 9.95);
    format!("{} %", written(percent, digits))
}

/// A share in per cent, three significant digits and none beyond a hundredth: `0.04 %`, `1.23 %`, `45.0 %`.
pub fn fine_percent(share: f64) -> String {
    format!("{} %", three_digits(100.0 * share))
}

/// A share in whole per cent, for what a model knows no better: `45 %`.
pub fn whole_percent(share: f64) -> String {
    format!("{} %", written(100.0 * share, 0))
}

/// A ratio as a change in whole per cent with its sign, for what a model knows no better: `−9 %`, `+3 %`.
pub fn whole_change(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    let size = written(percent.abs(), 0);
    match (size == "0", percent < 0.0) {
        (true, _) => "0 %".to_owned(),
        (false, true) => format!("−{size} %"),
        (false, false) => format!("+{size} %"),
    }
}

/// A bound in per cent as it was given: to a hundredth, without zeros at the end.
pub fn bound_percent(bound: f64) -> String {
    format!("{} %", (100.0 * bound * 100.0).round() / 100.0)
}

/// A ratio as a change in per cent with its sign, to a tenth, and to a hundredth below one per cent:
/// `−87.3 %`, `+0.04 %`. Beyond a hundredfold it is a factor.
///
/// ```
/// # use perwatt::units::change;
/// assert_eq!(change(0.127), "−87.3 %");
/// assert_eq!(change(1.0123), "+1.2 %");
/// ```
pub fn change(ratio: f64) -> String {
    match bare_change(ratio) {
        factor if factor.starts_with('×') => factor,
        percent => format!("{percent} %"),
    }
}

/// Both ends of an interval of a ratio as changes in per cent: `−1.2 to +3.4 %`.
pub fn change_range(low: f64, high: f64) -> String {
    format!("{} to {}", bare_change(low), change(high))
}

/// A change in per cent without the sign of per cent.
fn bare_change(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    if percent >= FACTOR || !percent.is_finite() {
        return match ratio.is_finite() {
            true => format!("×{ratio:.2e}"),
            false => format!("×({})", written(ratio, 0)),
        };
    }
    let digits = match rounded_up(percent) {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    let size = format!("{:.digits$}", percent.abs());
    // Without this, −0.001 would show as "−0.00".
    let zero = size.chars().all(|c| matches!(c, '0' | '.'));
    match (zero, percent < 0.0) {
        (true, _) => size,
        (false, true) => format!("−{size}"),
        (false, false) => format!("+{size}"),
    }
}

/// A p-value with as many digits as matter.
pub fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "p < 0.0001".to_owned()
    } else if p < 0.01 {
        format!("p = {p:.4}")
    } else {
        format!("p = {p:.3}")
    }
}

/// Three significant digits of a number that is not small.
fn three_digits(value: f64) -> String {
    let digits = match rounded_up(value) {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    written(value, digits)
}

/// The size of a number with half of its third digit on top, so that it is judged as it is shown.
fn rounded_up(value: f64) -> f64 {
    value.abs() * (1.0 + 5e-4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_keep_three_significant_digits() {
        for (value, text) in [
            (1.234e9, "1.23 GB/s"),
            (999.6e6, "1.00 GB/s"),
            (99.96e6, "100 MB/s"),
            (12.34, "12.3 B/s"),
            (0.0, "0 B/s"),
            (-2.5e3, "-2.50 kB/s"),
            (3e-7, "300 nB/s"),
        ] {
            assert_eq!(si(value, "B/s"), text);
        }
    }

    #[test]
    fn a_change_reads_the_same_everywhere() {
        for (ratio, text) in [
            (1.0, "0.00 %"),
            (0.99999, "0.00 %"),
            (1.0004, "+0.04 %"),
            (0.127, "−87.3 %"),
            (1.0123, "+1.2 %"),
            (1.0999, "+10.0 %"),
            (1.09999, "+10.0 %"),
            (2.5, "+150 %"),
            (250.0, "×2.50e2"),
        ] {
            assert_eq!(change(ratio), text, "{ratio}");
        }
        assert_eq!(change_range(0.988, 1.034), "−1.2 to +3.4 %");
    }

    #[test]
    fn shares_are_no_finer_than_a_tenth() {
        assert_eq!(percent(0.0123), "1.2 %");
        assert_eq!(percent(0.0996), "10 %");
        assert_eq!(percent(0.95), "95 %");
        assert_eq!(fine_percent(0.0123), "1.23 %");
        assert_eq!(fine_percent(0.45), "45.0 %");
        assert_eq!(bound_percent(0.005), "0.5 %");
        assert_eq!(whole_percent(0.0123), "1 %");
        for (ratio, text) in [(0.912, "−9 %"), (1.028, "+3 %"), (0.999, "0 %")] {
            assert_eq!(whole_change(ratio), text);
        }
    }
}
