//! Warnings by kind: a hundred cases that lack samples are one thing to know.

use super::{Outcome, Record, Warning};

impl Record {
    /// Every kind of warning of the session, its cases and their invocations once, as its first case has it, with the
    /// cases (`case@kernel`) that it is about; none for the session's own.
    pub fn warning_kinds(&self) -> Vec<(&Warning, Vec<String>)> {
        let mut kinds: Vec<(&Warning, Vec<String>)> = self
            .warnings
            .iter()
            .map(|warning| (warning, Vec::new()))
            .collect();
        for case in &self.cases {
            let measured = case
                .invocations
                .iter()
                .flat_map(|result| match &result.outcome {
                    Outcome::Measured { warnings, .. } => warnings.as_slice(),
                    Outcome::Skipped { .. } | Outcome::Failed { .. } => &[],
                });
            for warning in case.warnings.iter().chain(measured) {
                let kind = std::mem::discriminant(warning);
                match kinds
                    .iter_mut()
                    .find(|(known, _)| std::mem::discriminant(*known) == kind)
                {
                    Some((_, cases)) => cases.push(case.id()),
                    None => kinds.push((warning, vec![case.id()])),
                }
            }
        }
        for (_, cases) in &mut kinds {
            cases.dedup();
        }
        kinds
    }
}
