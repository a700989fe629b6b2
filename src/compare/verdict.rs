//! What a row, and a gate of rows, can come out as.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a row says. The order is that of attention.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Surely worse by more than the margin.
    Regressed,
    /// The candidate was tried and gives no right output, which the baseline did or never had to.
    Broken,
    /// The baseline has a result and the candidate has none.
    Lost,
    /// The two sides do not measure the same thing.
    Incomparable,
    /// The data decide nothing yet.
    Inconclusive,
    /// Surely better by more than the margin.
    Improved,
    /// Tried and failed on the baseline as well, so no fault of the candidate.
    Failing,
    /// Only the candidate has a result.
    New,
    /// The very same program and data on both sides.
    Unchanged,
    /// Surely equivalent.
    Pass,
}

impl Verdict {
    /// All, in the order of attention.
    pub const ALL: [Self; 10] = [
        Self::Regressed,
        Self::Broken,
        Self::Lost,
        Self::Incomparable,
        Self::Inconclusive,
        Self::Improved,
        Self::Failing,
        Self::New,
        Self::Unchanged,
        Self::Pass,
    ];

    /// As tables and files show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "REGRESSED",
            Self::Broken => "BROKEN",
            Self::Lost => "LOST",
            Self::Incomparable => "INCOMPARABLE",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Improved => "IMPROVED",
            Self::Failing => "FAILING",
            Self::New => "NEW",
            Self::Unchanged => "UNCHANGED",
            Self::Pass => "PASS",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a gate does with all its rows together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nothing regressed, and every row that was judged is known well enough.
    Passed,
    /// A regression, or a case of the candidate that failed.
    Failed,
    /// Neither can be said.
    Undecided,
}

/// How much more would decide a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// Pairs in all.
    Pairs(u64),
    /// Sessions beyond those that are there, before the spread between sessions counts as known.
    MoreSessions(u64),
    /// Days beyond those of the sessions that are there, before the spread between days counts as known.
    MoreDays(u64),
    /// Sessions of the candidate in all.
    CandidateSessions(u64),
    /// Sessions on each side.
    SessionsASide(u64),
}
