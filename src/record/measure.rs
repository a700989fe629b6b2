//! What another tool measured, where it is not a time of one execution: a rate, or an amount of something.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digits::{executions_per, fifteen_digits};
use super::{Estimate, Reading};
use crate::stats::{Undefined, median};
use crate::units::si;

/// Which way a value improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Less is better.
    Smaller,
    /// More is better.
    Larger,
}

impl fmt::Display for Better {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smaller => "smaller",
            Self::Larger => "larger",
        })
    }
}

/// What the samples of an imported case are. Everything that judges works on costs, of which less is better:
/// where less of the value is better, `samples_ns` and what follows from it hold the value itself; where more is
/// better, they hold 10⁹ ÷ value, which is nanoseconds per unit of a rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// Unit of the value, without a prefix where it is one that perwatt knows.
    pub unit: String,
    /// Which way it improves.
    pub better: Better,
}

/// Units as tools write them, what they are without a prefix, and what a value is multiplied by.
const UNITS: [(&str, &str, f64); 27] = [
    ("flops", "FLOP/s", 1.0),
    ("flop/s", "FLOP/s", 1.0),
    ("mflops", "FLOP/s", 1e6),
    ("gflops", "FLOP/s", 1e9),
    ("gflop/s", "FLOP/s", 1e9),
    ("tflops", "FLOP/s", 1e12),
    ("tflop/s", "FLOP/s", 1e12),
    ("giops", "OP/s", 1e9),
    ("gops", "OP/s", 1e9),
    ("tops", "OP/s", 1e12),
    ("tiops", "OP/s", 1e12),
    ("b/s", "B/s", 1.0),
    ("mb/s", "B/s", 1e6),
    ("mbps", "B/s", 1e6),
    ("mbytes/sec", "B/s", 1e6),
    ("gb/s", "B/s", 1e9),
    ("gbps", "B/s", 1e9),
    ("gbytes/sec", "B/s", 1e9),
    ("tb/s", "B/s", 1e12),
    ("mib/s", "B/s", 1_048_576.0),
    ("gib/s", "B/s", 1_073_741_824.0),
    ("t/s", "tok/s", 1.0),
    ("tok/s", "tok/s", 1.0),
    ("tokens/s", "tok/s", 1.0),
    ("ops/s", "1/s", 1.0),
    ("ops/sec", "1/s", 1.0),
    ("1/s", "1/s", 1.0),
];

/// Units that have prefixes.
const BASES: [&str; 5] = ["s", "J", "W", "Hz", "B"];

/// Prefixes, and what a value is multiplied by without them. Of two signs that look like µ, tools write either.
const PREFIXES: [(&str, f64); 14] = [
    ("", 1.0),
    ("p", 1e-12),
    ("n", 1e-9),
    ("u", 1e-6),
    ("\u{b5}", 1e-6),
    ("\u{3bc}", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("Ki", 1_024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
];

/// The base of a unit with a prefix, and what its values are multiplied by.
fn without_prefix(unit: &str) -> Option<(&'static str, f64)> {
    BASES.iter().find_map(|base| {
        let prefix = unit.strip_suffix(base)?;
        let (_, factor) = PREFIXES.iter().find(|(known, _)| *known == prefix)?;
        Some((*base, *factor))
    })
}

impl Measure {
    /// What is counted in a unit as a tool writes it, and what its values are multiplied by.
    pub fn of(unit: &str, better: Better) -> (Self, f64) {
        let unit = unit.trim();
        let plain = unit.to_lowercase().replace("_per_", "/");
        let rate = UNITS.iter().find(|(written, ..)| *written == plain);
        let known = rate.map(|(_, unit, factor)| (*unit, *factor));
        let (unit, factor) = known.or(without_prefix(unit)).unwrap_or((unit, 1.0));
        let unit = unit.to_owned();
        (Self { unit, better }, factor)
    }

    /// Whether it is nothing but a time, of which less is better.
    pub fn is_time(&self) -> bool {
        self.unit == "s" && self.better == Better::Smaller
    }

    /// The value of a cost, as exact as the file had it: what the way through the cost takes is the sixteenth digit.
    pub fn value(&self, cost: f64) -> f64 {
        match self.better {
            Better::Smaller => cost,
            Better::Larger => fifteen_digits(1e9 / cost),
        }
    }

    /// The estimate of the value, of that of its cost.
    pub fn estimate(&self, cost: &Estimate) -> Reading<Estimate> {
        match self.better {
            Better::Smaller => Reading::Measured(cost.clone()),
            Better::Larger => cost.quotient_of(1e9).map(|rate| Estimate {
                value: self.value(cost.value),
                interval: rate.interval.clone(),
            }),
        }
    }

    /// The cost of a value.
    pub fn cost(&self, value: f64) -> f64 {
        match self.better {
            Better::Smaller => value,
            Better::Larger => 1e9 / value,
        }
    }

    /// The cost of the median value: of an even number of rates, the mean of the two in the middle, and not of
    /// their costs.
    ///
    /// # Errors
    /// There is no value.
    pub fn median_cost(&self, costs: &[f64]) -> Result<f64, Undefined> {
        let values: Vec<f64> = costs.iter().map(|cost| self.value(*cost)).collect();
        Ok(self.cost(median(&values)?))
    }

    /// A value with its unit.
    pub fn show(&self, value: f64) -> String {
        if self.unit == "1/s" {
            return executions_per(value, "s");
        }
        if BASES.contains(&self.unit.as_str())
            || UNITS.iter().any(|(_, unit, _)| *unit == self.unit)
        {
            si(value, &self.unit)
        } else {
            format!("{} {}", significant(value), self.unit)
        }
    }
}

/// Four significant digits.
fn significant(value: f64) -> String {
    let digits = value.abs().log10().floor();
    if (-4.0..9.0).contains(&digits) {
        let after = (3.0 - digits).max(0.0) as usize;
        format!("{value:.after$}")
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_tools_lose_their_prefix_and_others_stay() {
        let (measure, factor) = Measure::of("GFLOPS", Better::Larger);
        assert_eq!((measure.unit.as_str(), factor), ("FLOP/s", 1e9));
        assert_eq!(measure.show(9362.42 * factor), "9.36 TFLOP/s");
        let (points, factor) = Measure::of("points", Better::Larger);
        assert_eq!(points.show(12_345.6 * factor), "12346 points");
        let cost = points.cost(200.0);
        assert!((points.value(cost) - 200.0).abs() < 1e-9);
        let (bytes, _) = Measure::of("B/op", Better::Smaller);
        assert_eq!(bytes.show(bytes.value(48.0)), "48.00 B/op");
    }

    #[test]
    fn prefixes_are_those_of_their_unit_and_times_are_times() {
        for (unit, base, wanted) in [
            ("ms", "s", 1e-3),
            ("\u{3bc}s", "s", 1e-6),
            ("MiB", "B", 1_048_576.0),
            ("mW", "W", 1e-3),
            ("GHz", "Hz", 1e9),
            ("fps", "fps", 1.0),
            ("items", "items", 1.0),
        ] {
            let (measure, factor) = Measure::of(unit, Better::Smaller);
            assert_eq!((measure.unit.as_str(), factor), (base, wanted), "{unit}");
            assert_eq!(measure.is_time(), base == "s");
        }
    }

    /// Rates of 10 and 30 have the median 20; by way of times it would be the harmonic mean, 15.
    #[test]
    fn the_median_of_rates_is_one_of_rates_and_gives_back_what_the_file_had() {
        let (rate, _) = Measure::of("tok/s", Better::Larger);
        let costs: Vec<f64> = [10.0, 30.0].map(|value| rate.cost(value)).to_vec();
        let median = rate.value(rate.median_cost(&costs).unwrap());
        assert!((median - 20.0).abs() < 1e-12);
        for value in [1.55e6, 3_210.206_886_942_17, 0.1, 101.147_719_406_197] {
            assert_eq!(rate.value(rate.cost(value)).to_bits(), value.to_bits());
        }
    }
}
