//! The exit codes: a contract with scripts and CI, tested from outside.

use std::process::ExitCode;

#[cfg(feature = "bench")]
use crate::record::{CaseResult, Record, Status};

/// What the exit code says; a contract, tested from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or the gate passed.
    Done,
    /// A regression, or a case failed.
    Regression,
    /// Usage or input error.
    Usage,
    /// Inconclusive or incomparable.
    Inconclusive,
    /// Stopped by Ctrl-C or a request to terminate, as shells expect it.
    Interrupted,
    /// The exit code of a command that perwatt ran for its user.
    Passed(u8),
}

impl Exit {
    /// The number.
    pub(super) fn code(self) -> i32 {
        i32::from(self.number())
    }

    /// What a record says: a failed case makes the run fail, and a run that measured nothing decides nothing.
    #[cfg(feature = "bench")]
    pub(super) fn of_record(record: &Record) -> Self {
        if record.cases.iter().any(CaseResult::has_failed) {
            return Self::Regression;
        }
        let measured = |case: &CaseResult| case.status == Status::Measured;
        match record.cases.iter().any(measured) {
            true => Self::Done,
            false => Self::Inconclusive,
        }
    }

    /// The worse of two runs, for a command that makes several.
    #[cfg(feature = "bench")]
    pub(super) fn worse(self, other: Self) -> Self {
        let gravity = |exit| match exit {
            Self::Done => 0,
            Self::Inconclusive => 1,
            Self::Regression => 2,
            Self::Usage | Self::Interrupted | Self::Passed(_) => 3,
        };
        match gravity(other) > gravity(self) {
            true => other,
            false => self,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Regression => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Interrupted => 130,
            Self::Passed(code) => code,
        }
    }

    /// What a number of the contract means; a number that is none is an error.
    #[cfg(feature = "bench")]
    pub(super) fn of_number(number: u8) -> Self {
        [
            Self::Done,
            Self::Regression,
            Self::Inconclusive,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|exit| exit.number() == number)
        .unwrap_or(Self::Usage)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
