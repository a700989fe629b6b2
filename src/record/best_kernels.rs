//! The kernel that stands for a case where one row is shown of it, by one rule for tables and pages.

use std::collections::BTreeMap;

use super::{CaseName, CaseResult, Outcome, Reading, Record, Status, Summary};

impl CaseResult {
    /// What its invocations say together, or why nothing is said. A kernel that failed has no figure, whatever its
    /// file says.
    ///
    /// # Errors
    /// The reason.
    pub fn figures(&self) -> Result<&Summary, &str> {
        match (&self.status, &self.summary) {
            (Status::Measured, Reading::Measured(summary)) => Ok(summary),
            (Status::Measured, Reading::Unmeasured(reason)) => Err(&reason.unmeasured),
            (Status::Skipped { reason } | Status::Failed { reason, .. }, _) => Err(reason),
        }
    }

    /// Whether an output was compared with nothing.
    pub fn is_unchecked(&self) -> bool {
        self.invocations.iter().any(|result| match &result.outcome {
            Outcome::Measured {
                verified_before,
                verified_after,
                ..
            } => verified_before.checked == 0 || verified_after.checked == 0,
            Outcome::Skipped { .. } | Outcome::Failed { .. } => false,
        })
    }
}

impl Record {
    /// Places of the kernels that stand for their cases, in the order of the file: of those that were checked the
    /// fastest, and of others only where none was.
    pub fn best_kernels(&self) -> Vec<usize> {
        let mut best: BTreeMap<String, (bool, f64, usize)> = BTreeMap::new();
        for (at, case) in self.cases.iter().enumerate() {
            let Ok(figures) = case.figures() else {
                continue;
            };
            let rival = (case.is_unchecked(), figures.time_ns.value, at);
            let id = case.id();
            best.entry(CaseName::row(&id).to_owned())
                .and_modify(|known| {
                    if (rival.0, rival.1) < (known.0, known.1) {
                        *known = rival;
                    }
                })
                .or_insert(rival);
        }
        let mut places: Vec<usize> = best.into_values().map(|(_, _, at)| at).collect();
        places.sort_unstable();
        places
    }
}
