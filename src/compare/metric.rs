//! What is compared, and which way is better.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{Better, Headline, Measure};
use crate::units::{Joules, Seconds, fine_percent};

/// A figure of a case. Time and throughput are one cost seen from two sides, and so are energy and
/// throughput per watt: the work of a case is a constant, so each pair shares its test.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Time of one execution.
    Time,
    /// Useful work a second.
    Throughput,
    /// Energy of one execution.
    Energy,
    /// Useful work per joule, which is throughput per watt.
    ThroughputPerWatt,
    /// Another tool's figure of which less is better and that is no time: bytes, say.
    #[serde(skip_deserializing)]
    Amount,
}

/// A figure that a compiler states of its code.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CodeMetric {
    /// Registers that do not fit and go to memory.
    SpilledRegisters,
    /// Memory of a thread's own.
    ScratchBytes,
    /// Subgroups that a SIMD can hold, to hide each other's waiting.
    SubgroupsPerSimd,
    /// Share of the hottest loop that is multiply-adds, dot products and matrix instructions.
    Arithmetic,
    /// Share of the hottest loop's multiply-adds that are issued in pairs.
    DualIssue,
    /// The compiler's estimate of cycles a subgroup.
    InverseThroughput,
}

impl CodeMetric {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::SpilledRegisters,
        Self::ScratchBytes,
        Self::SubgroupsPerSimd,
        Self::Arithmetic,
        Self::DualIssue,
        Self::InverseThroughput,
    ];

    /// As written in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::SpilledRegisters => "spilled-registers",
            Self::ScratchBytes => "scratch-bytes",
            Self::SubgroupsPerSimd => "subgroups-per-simd",
            Self::Arithmetic => "arithmetic",
            Self::DualIssue => "dual-issue",
            Self::InverseThroughput => "inverse-throughput",
        }
    }

    /// Which way it improves.
    pub fn better(self) -> Better {
        match self {
            Self::SpilledRegisters | Self::ScratchBytes | Self::InverseThroughput => {
                Better::Smaller
            }
            Self::SubgroupsPerSimd | Self::Arithmetic | Self::DualIssue => Better::Larger,
        }
    }

    /// Whether it is a count, of which one more or less matters.
    pub(super) fn counts(self) -> bool {
        matches!(
            self,
            Self::SpilledRegisters | Self::ScratchBytes | Self::SubgroupsPerSimd
        )
    }

    /// A value of this metric in words.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::SpilledRegisters | Self::SubgroupsPerSimd => format!("{value:.0}"),
            Self::ScratchBytes => format!("{value:.0} B"),
            Self::Arithmetic | Self::DualIssue => fine_percent(value),
            Self::InverseThroughput => format!("{value:.0} cycles"),
        }
    }
}

/// What a row compares: a figure that was measured, or one that a compiler states.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(untagged)]
pub enum AnyMetric {
    /// Measured, and so with noise.
    Measured(Metric),
    /// Stated by a compiler, and so without.
    Code(CodeMetric),
}

impl AnyMetric {
    /// Which way it improves.
    pub fn better(self) -> Better {
        match self {
            Self::Measured(metric) => metric.better(),
            Self::Code(metric) => metric.better(),
        }
    }
}

impl AnyMetric {
    /// The name of what is tested, which a cost and its rate share.
    pub(super) fn test(self) -> &'static str {
        match self {
            Self::Measured(metric) => match metric.cost() {
                Cost::Time => Metric::Time.name(),
                Cost::Energy => Metric::Energy.name(),
            },
            Self::Code(metric) => metric.name(),
        }
    }
}

impl fmt::Display for AnyMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Measured(metric) => metric.name(),
            Self::Code(metric) => metric.name(),
        })
    }
}

impl PartialEq<Metric> for AnyMetric {
    fn eq(&self, other: &Metric) -> bool {
        *self == Self::Measured(*other)
    }
}

/// What is measured and what a metric is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cost {
    /// Nanoseconds of one execution.
    Time,
    /// Joules of one execution.
    Energy,
}

impl Metric {
    /// Those that a policy names; an amount is judged in the place of a time.
    pub const ALL: [Self; 4] = [
        Self::Time,
        Self::Throughput,
        Self::Energy,
        Self::ThroughputPerWatt,
    ];

    /// As written in policies, files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Throughput => "throughput",
            Self::Energy => "energy",
            Self::ThroughputPerWatt => "throughput-per-watt",
            Self::Amount => "amount",
        }
    }

    /// Which way it improves.
    pub fn better(self) -> Better {
        match self {
            Self::Time | Self::Energy | Self::Amount => Better::Smaller,
            Self::Throughput | Self::ThroughputPerWatt => Better::Larger,
        }
    }

    /// The metric that stands for this one where a case was measured by another tool in a unit of its own.
    pub(super) fn of(self, measure: Option<&Measure>) -> Self {
        match (self.cost(), measure.map(|measure| measure.better)) {
            (Cost::Time, Some(Better::Larger)) => Self::Throughput,
            (Cost::Time, Some(Better::Smaller)) => Self::Amount,
            _ => self,
        }
    }

    /// The cost that decides it.
    pub(super) fn cost(self) -> Cost {
        match self {
            Self::Time | Self::Throughput | Self::Amount => Cost::Time,
            Self::Energy | Self::ThroughputPerWatt => Cost::Energy,
        }
    }

    /// The ratio of this metric where the cost has the log ratio `log_cost`.
    pub(super) fn ratio(self, log_cost: f64) -> f64 {
        match self.better() {
            Better::Smaller => log_cost.exp(),
            Better::Larger => (-log_cost).exp(),
        }
    }

    /// The metric's value in its unit (seconds, joules, work per second, work per joule) for a cost in
    /// nanoseconds or joules.
    pub(super) fn value(self, cost: f64, headline: Headline) -> f64 {
        let cost = match self.cost() {
            Cost::Time => Seconds::from_ns(cost).get(),
            Cost::Energy => cost,
        };
        match self.better() {
            Better::Smaller => cost,
            Better::Larger => headline.work / cost,
        }
    }

    /// A value of this metric in words.
    pub(super) fn show(self, value: f64, headline: Headline) -> String {
        match self {
            Self::Time | Self::Amount => Seconds(value).to_string(),
            Self::Energy => Joules(value).to_string(),
            Self::Throughput => headline.unit.per_second(value),
            Self::ThroughputPerWatt => headline.unit.per_joule(value),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
