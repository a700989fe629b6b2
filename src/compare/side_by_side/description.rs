//! What stands side by side, and what of it was asked for.

use schemars::JsonSchema;
use serde::Serialize;

use crate::compare::environment::Aspect;
use crate::compare::metric::Metric;
use crate::compare::ratio::Ratio;
use crate::record::{CaseGlob, Reading};
use crate::stats::Interval;

/// What of the results is shown, and in which order.
#[derive(Clone, Debug, Default)]
pub struct DescriptionChoice {
    /// The figure; otherwise the rate that suits each case and, where energy was measured, its work per joule.
    pub metric: Option<Metric>,
    /// Only this kernel, instead of each case's best.
    pub kernel: Option<String>,
    /// Only cases that one of these globs matches.
    pub only: Vec<CaseGlob>,
    /// How rows are ordered inside a section.
    pub order: RowOrder,
}

/// How rows are ordered inside a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// As in the files.
    #[default]
    File,
    /// The largest ratio of the last column first.
    Ratio,
    /// By name.
    Name,
}

/// Results side by side.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Description {
    /// What was measured where. The first is what the others' ratios are of.
    pub columns: Vec<DescribedColumn>,
    /// What differs between the columns.
    pub differs: Vec<Aspect>,
    /// What is the same in all of them, in words.
    pub same: Vec<String>,
    /// Cases that at least two columns have, by what they show.
    pub sections: Vec<DescribedSection>,
    /// Cases that only one column has.
    pub alone: Vec<AloneCases>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// One column: sessions of one environment.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DescribedColumn {
    /// A letter, for tables.
    pub letter: String,
    /// What tells it from the other columns.
    pub label: String,
    /// The adapter.
    pub device: String,
    /// The driver and its version.
    pub driver: String,
    /// The graphics API.
    pub backend: String,
    /// Day of the first session, where the files say it.
    pub date: Option<String>,
    /// Sessions that its figures rest on.
    pub sessions: usize,
    /// Where they were read from.
    pub files: Vec<String>,
    /// What makes its figures something else than a GPU's verified measurement, in words.
    pub caveats: Vec<String>,
}

/// Cases of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DescribedSection {
    /// What the cases have in common.
    pub title: String,
    /// The figure.
    pub metric: Metric,
    /// Whether another tool measured it, which the columns say.
    #[serde(skip)]
    pub imported: bool,
    /// One per case.
    pub rows: Vec<DescribedRow>,
    /// For each column but the first: the geometric mean of its ratios over the cases of the section that it
    /// shares with the first, and their number.
    pub means: Vec<Option<SectionMean>>,
}

/// The geometric mean of a section's ratios.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SectionMean {
    /// This column ÷ the first.
    pub ratio: Ratio,
    /// Cases in the mean.
    pub cases: usize,
}

/// One case in all columns.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DescribedRow {
    /// Workload, dtype and shape.
    pub case: String,
    /// Unit of the values, without a prefix.
    pub unit: String,
    /// One per column, or why it has no value.
    pub cells: Vec<Reading<DescribedCell>>,
}

/// What one column achieves in a case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DescribedCell {
    /// The best verified kernel.
    pub kernel: String,
    /// Its value.
    pub value: f64,
    /// The value with its unit, for people.
    pub text: String,
    /// How well it is known, for people: `±5 %`, or the interval's ends.
    #[serde(skip)]
    pub spread: Option<String>,
    /// Where the true value lies, by invocations of one session or by several sessions.
    pub interval: Reading<Interval>,
    /// This column ÷ the first; of the first column there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Reading<Ratio>>,
    /// Whether the output was compared with a reference.
    pub verified: bool,
}

/// Cases that only one column has, and why another lacks them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AloneCases {
    /// Letter of the column that has them.
    pub column: String,
    /// Why the others have no value.
    pub reason: String,
    /// The cases.
    pub cases: Vec<String>,
}

impl RowOrder {
    /// As the command line names them.
    pub const ALL: [(&'static str, Self); 3] = [
        ("file", Self::File),
        ("ratio", Self::Ratio),
        ("name", Self::Name),
    ];
}
