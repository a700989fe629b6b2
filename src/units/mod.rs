//! Quantities that know their unit.
//!
//! A bare `f64` forgets whether it was joules or watt-hours, nanoseconds or seconds; a benchmark that
//! mixes two of them prints a number that looks right. Each quantity is a newtype, the products and
//! quotients that make sense between them are the only arithmetic offered, and each owns its
//! `Display`, so one quantity is written one way in every table. How numbers are written stands in
//! `number.rs`.

mod number;

use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use number::{
    bound_percent, change, change_range, counted, fine_percent, known_to, number, p_value, percent,
    prefix, si, whole_change, whole_percent,
};

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
    /// Floating-point operations per joule, which is the same as FLOP/s per watt.
    FlopPerJoule, "FLOP/J");
quantity!(
    /// Bytes per joule.
    BytesPerJoule, "B/J");
quantity!(
    /// Operations that are not on floating-point numbers, a second.
    OpPerSecond, "OP/s");
quantity!(
    /// Operations that are not on floating-point numbers, per joule.
    OpPerJoule, "OP/J");
quantity!(
    /// Arithmetic intensity of a case.
    FlopPerByte, "FLOP/B");

quantity!(
    /// Money, in US dollars of the year that the source of a figure states.
    Dollars, "$");
quantity!(
    /// Price of energy. Sources quote it a kilowatt-hour: [`DollarsPerJoule::per_kwh`].
    DollarsPerJoule, "$/J");
quantity!(
    /// Price of capacity.
    DollarsPerWatt, "$/W");
quantity!(
    /// What it costs to have something for a while.
    DollarsPerSecond, "$/s");
quantity!(
    /// Price of work.
    DollarsPerFlop, "$/FLOP");
quantity!(
    /// Price of a token.
    DollarsPerToken, "$/token");
quantity!(
    /// Greenhouse gases as the mass of CO₂ that warms as much over a century.
    KilogramsCo2e, "kg CO2e");
quantity!(
    /// Greenhouse gases of energy. Sources quote grams per kilowatt-hour: [`KilogramsPerJoule::g_per_kwh`].
    KilogramsPerJoule, "kg CO2e/J");
quantity!(
    /// Greenhouse gases of having something for a while.
    KilogramsPerSecond, "kg CO2e/s");
quantity!(
    /// Greenhouse gases of work.
    KilogramsPerFlop, "kg CO2e/FLOP");
quantity!(
    /// Greenhouse gases of a token.
    KilogramsPerToken, "kg CO2e/token");
quantity!(
    /// Tokens that a language model reads or writes.
    Tokens, "tokens");
quantity!(
    /// Tokens a second.
    TokensPerSecond, "tokens/s");
quantity!(
    /// Energy of a token.
    JoulesPerToken, "J/token");
quantity!(
    /// Work of a token.
    FlopPerToken, "FLOP/token");
quantity!(
    /// Work that money buys.
    FlopPerDollar, "FLOP/$");

/// Energy as meters and bills state it. It takes part in no arithmetic: a watt-hour that is added to
/// joules, or multiplied by seconds, is a mistake that the compiler refuses.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct WattHours(pub f64);

impl WattHours {
    /// The bare number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for WattHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&si(self.0, "Wh"))
    }
}

impl From<WattHours> for Joules {
    fn from(energy: WattHours) -> Self {
        Self(energy.0 * SECONDS_PER_HOUR)
    }
}

impl From<Joules> for WattHours {
    fn from(energy: Joules) -> Self {
        Self(energy.0 / SECONDS_PER_HOUR)
    }
}

const SECONDS_PER_HOUR: f64 = 3600.0;
const JOULES_PER_KWH: f64 = 3.6e6;

product!(DollarsPerJoule * Joules = Dollars);
product!(DollarsPerWatt * Watts = Dollars);
product!(DollarsPerSecond * Seconds = Dollars);
product!(DollarsPerFlop * Flop = Dollars);
product!(DollarsPerToken * Tokens = Dollars);
product!(FlopPerDollar * Dollars = Flop);
product!(KilogramsPerJoule * Joules = KilogramsCo2e);
product!(KilogramsPerSecond * Seconds = KilogramsCo2e);
product!(KilogramsPerFlop * Flop = KilogramsCo2e);
product!(KilogramsPerToken * Tokens = KilogramsCo2e);
product!(TokensPerSecond * Seconds = Tokens);
product!(JoulesPerToken * Tokens = Joules);
product!(FlopPerToken * Tokens = Flop);
product!(FlopPerToken * TokensPerSecond = FlopPerSecond);
product!(JoulesPerToken * TokensPerSecond = Watts);
product!(FlopPerJoule * Watts = FlopPerSecond);
product!(DollarsPerJoule * Watts = DollarsPerSecond);
product!(KilogramsPerJoule * Watts = KilogramsPerSecond);
product!(DollarsPerFlop * FlopPerSecond = DollarsPerSecond);
product!(DollarsPerToken * TokensPerSecond = DollarsPerSecond);
product!(KilogramsPerFlop * FlopPerSecond = KilogramsPerSecond);
product!(KilogramsPerToken * TokensPerSecond = KilogramsPerSecond);

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

    /// From hours.
    pub const fn from_hours(hours: f64) -> Self {
        Self(hours * SECONDS_PER_HOUR)
    }

    /// In hours.
    pub const fn hours(self) -> f64 {
        self.0 / SECONDS_PER_HOUR
    }

    /// From years of 8760 hours, the year of energy statistics.
    pub const fn from_years(years: f64) -> Self {
        Self::from_hours(years * 8760.0)
    }

    /// In years of 8760 hours.
    pub const fn years(self) -> f64 {
        self.hours() / 8760.0
    }
}

impl DollarsPerJoule {
    /// From dollars a kilowatt-hour.
    pub const fn per_kwh(dollars: f64) -> Self {
        Self(dollars / JOULES_PER_KWH)
    }
}

impl KilogramsPerJoule {
    /// From grams per kilowatt-hour.
    pub const fn g_per_kwh(grams: f64) -> Self {
        Self(grams * 1e-3 / JOULES_PER_KWH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_over_time_is_power() {
        let power: Watts = Joules(600.0) / Seconds(60.0);
        assert_eq!(power, Watts(10.0));
        assert_eq!(Flop(20.0) / Joules(4.0), FlopPerJoule(5.0));
    }

    #[test]
    fn a_watt_hour_is_3600_joules_and_prices_know_it() {
        assert_eq!(Joules::from(WattHours(1.0)), Joules(3600.0));
        assert_eq!(WattHours::from(Joules(7200.0)), WattHours(2.0));
        let bill: Dollars = DollarsPerJoule::per_kwh(0.08) * Joules::from(WattHours(1e6));
        assert!((bill.get() - 80.0).abs() < 1e-9);
        let carbon = KilogramsPerJoule::g_per_kwh(400.0) * Joules::from(WattHours(1e6));
        assert!((carbon.get() - 400.0).abs() < 1e-9);
        assert!((Seconds::from_years(1.0).get() - 31_536_000.0).abs() < 1e-6);
    }
}
