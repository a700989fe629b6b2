//! The one rate that stands for a case, by one rule for every table, comparison and export.
//!
//! A case moves bytes and computes; people compare the one that limits it. Below four operations per byte
//! that is memory on every device of today. Operations on integers are no floating-point operations and are
//! not called so. A case that counts neither is compared by its executions.

use super::digits::executions_per;
use super::{CaseResult, Counts, Estimate, Reading, Resource, Summary};
use crate::units::{
    BytesPerJoule, BytesPerSecond, FlopPerJoule, FlopPerSecond, OpPerJoule, OpPerSecond,
};

/// Below so many operations per byte a case is named by its bytes.
const MEMORY_BOUND: u64 = 4;

/// What the headline rate of a case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkUnit {
    /// Bytes that must cross the memory bus.
    Bytes,
    /// Floating-point operations.
    Flop,
    /// Operations on integers.
    Op,
    /// Executions of a case that counts neither.
    Executions,
}

/// The work by which a case is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headline {
    /// What is counted.
    pub unit: WorkUnit,
    /// How much of it one execution does.
    pub work: f64,
}

impl Headline {
    /// The headline of a case that counts no work.
    pub fn of_nothing() -> Self {
        Self::of("", Counts::default())
    }

    /// The headline of a case with this dtype and these counts.
    pub fn of(dtype: &str, counts: Counts) -> Self {
        let Counts { flop, bytes, .. } = counts;
        let (unit, work) = if bytes > 0 && flop < bytes.saturating_mul(MEMORY_BOUND) {
            (WorkUnit::Bytes, bytes)
        } else if flop > 0 {
            (WorkUnit::arithmetic(dtype), flop)
        } else {
            (WorkUnit::Executions, 1)
        };
        Self {
            unit,
            work: work as f64,
        }
    }
}

impl WorkUnit {
    /// What a dtype's operations are called.
    pub fn arithmetic(dtype: &str) -> Self {
        match dtype {
            "int8" => Self::Op,
            _ => Self::Flop,
        }
    }

    /// A rate with its unit.
    pub fn per_second(self, rate: f64) -> String {
        match self {
            Self::Bytes => BytesPerSecond(rate).to_string(),
            Self::Flop => FlopPerSecond(rate).to_string(),
            Self::Op => OpPerSecond(rate).to_string(),
            Self::Executions => executions_per(rate, "s"),
        }
    }

    /// Work per joule with its unit.
    pub fn per_joule(self, rate: f64) -> String {
        match self {
            Self::Bytes => BytesPerJoule(rate).to_string(),
            Self::Flop => FlopPerJoule(rate).to_string(),
            Self::Op => OpPerJoule(rate).to_string(),
            Self::Executions => executions_per(rate, "J"),
        }
    }

    /// The summary's rate in this unit, where it has one.
    pub fn rate(self, summary: &Summary) -> Option<&Reading<Estimate>> {
        match self {
            Self::Bytes => Some(&summary.bytes_per_s),
            Self::Flop | Self::Op => Some(&summary.flop_per_s),
            Self::Executions => None,
        }
    }

    /// The summary's work per joule in this unit, where it has one.
    pub fn energy_efficiency(self, summary: &Summary) -> Option<&Reading<Estimate>> {
        match self {
            Self::Bytes => Some(&summary.bytes_per_j),
            Self::Flop | Self::Op => Some(&summary.flop_per_j),
            Self::Executions => None,
        }
    }
}

impl Resource {
    /// What its rate counts.
    pub fn unit(self) -> WorkUnit {
        match self {
            Self::Memory | Self::MemoryRead => WorkUnit::Bytes,
            Self::OpInt8 => WorkUnit::Op,
            Self::FlopF32
            | Self::FlopF16
            | Self::MatrixF32
            | Self::MatrixF16
            | Self::MatrixF16Acc16 => WorkUnit::Flop,
        }
    }
}

impl CaseResult {
    /// The work by which this case is named.
    pub fn headline(&self) -> Headline {
        Headline::of(self.dtype(), self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(dtype: &str, flop: u64, bytes: u64) -> WorkUnit {
        let counts = Counts {
            flop,
            bytes,
            tokens: None,
        };
        Headline::of(dtype, counts).unit
    }

    #[test]
    fn memory_names_what_it_limits_and_integers_do_no_flop() {
        // triad: two operations for twelve bytes.
        assert_eq!(unit("f32", 2, 12), WorkUnit::Bytes);
        assert_eq!(unit("f32", 4, 1), WorkUnit::Flop);
        assert_eq!(unit("int8", 4, 1), WorkUnit::Op);
        assert_eq!(unit("f32", 5, 0), WorkUnit::Flop);
        assert_eq!(unit("none", 0, 0), WorkUnit::Executions);
        assert_eq!(unit("f32", u64::MAX, u64::MAX), WorkUnit::Flop);
    }

    #[test]
    fn every_roof_has_its_unit() {
        for (resource, unit) in [
            (Resource::FlopF32, "FLOP/s"),
            (Resource::MatrixF16, "FLOP/s"),
            (Resource::OpInt8, "OP/s"),
            (Resource::Memory, "B/s"),
            (Resource::MemoryRead, "B/s"),
        ] {
            let rate = resource.unit().per_second(2e9);
            assert_eq!(rate, format!("2.00 G{unit}"), "{resource}");
        }
    }
}
