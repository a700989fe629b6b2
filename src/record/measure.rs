//! What another tool measured, where it is no time of one execution: a rate, or an amount of something.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl Measure {
    /// What is counted in a unit as a tool writes it, and what its values are multiplied by.
    pub fn of(unit: &str, better: Better) -> (Self, f64) {
        let plain = unit.trim().to_lowercase().replace("_per_", "/");
        let known = UNITS.iter().find(|(written, ..)| *written == plain);
        let (unit, factor) = known.map_or((unit.trim(), 1.0), |(_, unit, factor)| (unit, *factor));
        let unit = unit.to_owned();
        (Self { unit, better }, factor)
    }

    /// The value of a cost; the cost of a value, too.
    pub fn value(&self, cost: f64) -> f64 {
        match self.better {
            Better::Smaller => cost,
            Better::Larger => 1e9 / cost,
        }
    }

    /// A value with its unit.
    pub fn show(&self, value: f64) -> String {
        if UNITS.iter().any(|(_, unit, _)| *unit == self.unit) {
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
        let cost = points.value(200.0);
        assert!((points.value(cost) - 200.0).abs() < 1e-9);
        let (bytes, _) = Measure::of("B/op", Better::Smaller);
        assert_eq!(bytes.show(bytes.value(48.0)), "48.00 B/op");
    }
}
