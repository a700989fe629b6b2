//! Numbers of the capital model as people read them: the quantity chooses the scale and the unit.

use super::distribution::Distribution;
use super::outputs::OutputQuantity;
use super::simulate::Quantiles;
use crate::units::{FlopPerDollar, FlopPerJoule, FlopPerSecond, Seconds, Watts, prefix};

/// What a value is divided by to be read, and the unit that goes with it.
pub fn scale(quantity: OutputQuantity, unit: &str, value: f64) -> (f64, String) {
    const HOUR: f64 = 3600.0;
    let si = |unit: &str, value: f64| {
        let (factor, prefix) = prefix(value);
        (factor, format!("{prefix}{unit}"))
    };
    match quantity {
        OutputQuantity::Count => {
            let (factor, name) = thousands(value);
            (factor, name.trim().to_owned())
        }
        OutputQuantity::Money => {
            let (factor, name) = thousands(value);
            (factor, format!("${name}"))
        }
        OutputQuantity::Price if (0.01..1e4).contains(&value) => (1.0, unit.to_owned()),
        OutputQuantity::Price if value < 0.01 => (1.0, unit.to_owned()),
        OutputQuantity::Price => si(unit, value),
        OutputQuantity::FlopRate => si(FlopPerSecond::UNIT, value),
        OutputQuantity::Power => si(Watts::UNIT, value),
        OutputQuantity::Energy => {
            let (factor, unit) = si("Wh", value / HOUR);
            (factor * HOUR, unit)
        }
        OutputQuantity::Mass => {
            // Emissions may be per something: kg/EFLOP.
            let per = unit.find('/').map_or("", |at| &unit[at..]);
            let (factor, name) = match value {
                v if v >= 1e9 => (1e9, "Mt"),
                v if v >= 1e6 => (1e6, "kt"),
                v if v >= 1e3 => (1e3, "t"),
                v if v >= 1.0 => (1.0, "kg"),
                v if v >= 1e-3 => (1e-3, "g"),
                _ => (1e-6, "mg"),
            };
            (factor, format!("{name}{per}"))
        }
        OutputQuantity::Time => match value {
            v if v < 90.0 => si(Seconds::UNIT, value),
            v if v < 90.0 * 60.0 => (60.0, "minutes".to_owned()),
            v if v < 48.0 * HOUR => (HOUR, "hours".to_owned()),
            v if v < 700.0 * 24.0 * HOUR => (24.0 * HOUR, "days".to_owned()),
            _ => {
                let (factor, name) = thousands(value / (8760.0 * HOUR));
                (
                    factor * 8760.0 * HOUR,
                    format!("{} years", name.trim()).trim().to_owned(),
                )
            }
        },
        OutputQuantity::FlopPerJoule => si(FlopPerJoule::UNIT, value),
        OutputQuantity::FlopPerDollar => si(FlopPerDollar::UNIT, value),
        // `mtok/s` would be read as millions.
        OutputQuantity::TokenRate if value < 1.0 => (1.0, "tok/s".to_owned()),
        OutputQuantity::TokenRate => si("tok/s", value),
        OutputQuantity::EnergyPerToken => si("J/token", value),
        OutputQuantity::AcceleratorHours => {
            let (factor, name) = thousands(value);
            (factor, format!("{} h", name.trim()).trim().to_owned())
        }
    }
}

/// Thousands as people say them.
fn thousands(value: f64) -> (f64, &'static str) {
    match value.abs() {
        v if v >= 9.995e14 => (1e15, " quadrillion"),
        v if v >= 9.995e11 => (1e12, " tn"),
        v if v >= 9.995e8 => (1e9, " bn"),
        v if v >= 9.995e5 => (1e6, " M"),
        v if v >= 9.995e4 => (1e3, " k"),
        _ => (1.0, ""),
    }
}

/// Three significant digits, without an exponent where that can be read.
pub fn digits(value: f64) -> String {
    let size = value.abs();
    if size <= 0.0 {
        "0".to_owned()
    } else if is_exponential(value) {
        format!("{value:.1e}")
    } else if size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.095 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

/// The numbers of one row as people read them, all in one notation, and the unit that goes with them: 5, 50 and 95 %.
pub fn row_in_words(
    quantity: OutputQuantity,
    unit: &str,
    quantiles: &Quantiles,
) -> ([String; 3], String) {
    let (factor, unit) = scale_of_row(quantity, unit, quantiles);
    let values = [quantiles.p5, quantiles.p50, quantiles.p95];
    (digits_alike(values.map(|value| value / factor)), unit)
}

/// As [`scale`], for the numbers of one row: where the middle's scale would leave one of them an exponent, that of the
/// largest is tried.
pub fn scale_of_row(quantity: OutputQuantity, unit: &str, quantiles: &Quantiles) -> (f64, String) {
    let values = [quantiles.p5, quantiles.p50, quantiles.p95];
    let by_middle = scale(quantity, unit, quantiles.p50);
    let by_largest = scale(quantity, unit, quantiles.p95);
    let is_plain = |factor: f64| values.iter().all(|value| !is_exponential(value / factor));
    if is_plain(by_largest.0) && !is_plain(by_middle.0) {
        by_largest
    } else {
        by_middle
    }
}

/// Three significant digits of the numbers of one row, all in one notation.
pub fn digits_alike<const N: usize>(values: [f64; N]) -> [String; N] {
    if values.iter().any(|value| is_exponential(*value)) {
        return values.map(|value| match value.abs() <= 0.0 {
            true => "0".to_owned(),
            false => format!("{value:.1e}"),
        });
    }
    values.map(digits)
}

/// Whether a number cannot be read without an exponent.
fn is_exponential(value: f64) -> bool {
    value.abs() > 0.0 && !(0.000_5..99_999.5).contains(&value.abs())
}

/// What is known of an input.
pub fn range(distribution: Distribution) -> String {
    let n = plain;
    match distribution {
        Distribution::Constant { value } => n(value),
        Distribution::Uniform { low, high } => format!("{} .. {}", n(low), n(high)),
        Distribution::Triangular { low, value, high } => {
            format!("{} / {} / {}", n(low), n(value), n(high))
        }
        Distribution::Measured { value, low, high } => {
            format!("{} ({} to {})", n(value), n(low), n(high))
        }
    }
}

/// A number as it was given, as far as that can be read.
fn plain(value: f64) -> String {
    if (1e-3..1e7).contains(&value.abs()) || value.abs() <= 0.0 {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_notation() {
        for (quantity, unit, values, shown) in [
            (
                OutputQuantity::Money,
                "$",
                [80_908.0, 99_729.0, 131_000.0],
                "80.9 99.7 131 $ k",
            ),
            (
                OutputQuantity::Money,
                "$",
                [2325.0, 2989.0, 3880.0],
                "2325 2989 3880 $",
            ),
            (
                OutputQuantity::Price,
                "$/h",
                [0.000_3, 0.02, 0.5],
                "3.0e-4 2.0e-2 5.0e-1 $/h",
            ),
            (OutputQuantity::Money, "$", [0.0, 0.0, 0.0], "0 0 0 $"),
        ] {
            let [p5, p50, p95] = values;
            let p50_error = 0.0;
            let quantiles = Quantiles {
                p5,
                p50,
                p95,
                p50_error,
            };
            let (factor, unit) = scale_of_row(quantity, unit, &quantiles);
            let numbers = digits_alike(values.map(|value| value / factor)).join(" ");
            assert_eq!(format!("{numbers} {unit}"), shown);
        }
    }

    #[test]
    fn quantities_get_the_prefix_that_people_use() {
        for (quantity, unit, value, shown) in [
            (OutputQuantity::Money, "$", 155e9, "155 $ bn"),
            (OutputQuantity::Money, "$", 57_000.0, "57000 $"),
            (OutputQuantity::Price, "$/h", 1.7, "1.70 $/h"),
            (OutputQuantity::Energy, "J", 14e12 * 3600.0, "14.0 TWh"),
            (OutputQuantity::Mass, "kg", 5.1e9, "5.10 Mt"),
            (OutputQuantity::Mass, "kg/EFLOP", 0.0004, "400 mg/EFLOP"),
            (OutputQuantity::FlopRate, "FLOP/s", 1.04e21, "1.04 ZFLOP/s"),
            (OutputQuantity::Time, "s", 3.2 * 86400.0, "3.20 days"),
            (OutputQuantity::AcceleratorHours, "h", 8.1e6, "8.10 M h"),
            (OutputQuantity::Count, "accelerators", 1.58e6, "1.58 M"),
            (OutputQuantity::Count, "accelerators", 8.0, "8.00"),
        ] {
            let (factor, unit) = scale(quantity, unit, value);
            assert_eq!(format!("{} {unit}", digits(value / factor)).trim(), shown);
        }
    }
}
