//! The exit codes: a contract with scripts and CI, tested from outside.

use std::process::ExitCode;

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
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Regression => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Interrupted => 130,
        })
    }
}
