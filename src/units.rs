//! Quantities that know their unit.
//!
//! A bare `f64` forgets whether it was joules or watt-hours, nanoseconds or seconds; a benchmark that
//! mixes two of them prints a number that looks right. Each quantity is a newtype, the products and
//! quotients that make sense between them are the only arithmetic offered, and each owns its
//! `Display`, so one quantity is written one way in every table.

use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares a quantity: a transparent `f64` newtype in a base unit, shown with SI prefixes.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// The unit's symbol, without a prefix.
            pub const UNIT: &'static str = $unit;

            /// The bare number, in the base unit.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = si(self.0, $unit);
                f.pad(&text)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Div for $name {
            type Output = f64;
            fn div(self, other: Self) -> f64 {
                self.0 / other.0
            }
        }
    };
}

/// Declares `a × b = c` with both orders and both quotients.
macro_rules! product {
    ($a:ident * $b:ident = $c:ident) => {
        impl Mul<$b> for $a {
            type Output = $c;
            fn mul(self, other: $b) -> $c {
                $c(self.0 * other.0)
            }
        }
        impl Mul<$a> for $b {
            type Output = $c;
            fn mul(self, other: $a) -> $c {
                $c(self.0 * other.0)
            }
        }
        impl Div<$b> for $c {
            type Output = $a;
            fn div(self, other: $b) -> $a {
                $a(self.0 / other.0)
            }
        }
        impl Div<$a> for $c {
            type Output = $b;
            fn div(self, other: $a) -> $b {
                $b(self.0 / other.0)
            }
        }
    };
}

quantity!(
    /// Time.
    Seconds, "s");
quantity!(
    /// Energy.
    Joules, "J");
quantity!(
    /// Power.
    Watts, "W");
quantity!(
    /// Floating-point operations; a fused multiply-add counts as two.
    Flop, "FLOP");
quantity!(
    /// Bytes; prefixes are decimal (1 GB = 10⁹ B), as in every memory data sheet.
    Bytes, "B");
quantity!(
    /// Floating-point operations a second.
    FlopPerSecond, "FLOP/s");
quantity!(
    /// Bytes a second.
    BytesPerSecond, "B/s");
quantity!(
    /// Floating-point operations a joule, which is the same as FLOP/s a watt.
    FlopPerJoule, "FLOP/J");
quantity!(
    /// Bytes a joule.
    BytesPerJoule, "B/J");
quantity!(
    /// Arithmetic intensity of a case.
    FlopPerByte, "FLOP/B");

product!(Watts * Seconds = Joules);
product!(FlopPerSecond * Seconds = Flop);
product!(BytesPerSecond * Seconds = Bytes);
product!(FlopPerJoule * Joules = Flop);
product!(BytesPerJoule * Joules = Bytes);
product!(FlopPerByte * Bytes = Flop);

impl Seconds {
    /// From nanoseconds, the unit of result files.
    pub fn from_ns(ns: f64) -> Self {
        Self(ns * 1e-9)
    }

    /// In nanoseconds.
    pub fn ns(self) -> f64 {
        self.0 * 1e9
    }
}

/// Writes `value` with the SI prefix that leaves one to three digits before the point, and three
/// significant digits: `si(1.234e9, "B/s")` is `1.23 GB/s`.
pub fn si(value: f64, unit: &str) -> String {
    const PREFIXES: [(&str, f64); 11] = [
        ("E", 1e18),
        ("P", 1e15),
        ("T", 1e12),
        ("G", 1e9),
        ("M", 1e6),
        ("k", 1e3),
        ("", 1.0),
        ("m", 1e-3),
        ("µ", 1e-6),
        ("n", 1e-9),
        ("p", 1e-12),
    ];
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}");
    }
    // 999.6 rounds to four digits, so the choice is made on the rounded number.
    let magnitude = value.abs() * (1.0 + 5e-4);
    let (prefix, scale) = PREFIXES
        .into_iter()
        .find(|(_, scale)| magnitude >= *scale)
        .unwrap_or(("p", 1e-12));
    let scaled = value / scale;
    let digits = if scaled.abs() * (1.0 + 5e-4) >= 100.0 {
        0
    } else if scaled.abs() * (1.0 + 5e-4) >= 10.0 {
        1
    } else {
        2
    };
    format!("{scaled:.digits$} {prefix}{unit}")
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
    fn energy_over_time_is_power() {
        let power: Watts = Joules(600.0) / Seconds(60.0);
        assert_eq!(power, Watts(10.0));
        assert_eq!(Flop(20.0) / Joules(4.0), FlopPerJoule(5.0));
    }
}
