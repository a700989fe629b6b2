//! Warnings of a record, one of each kind: a hundred cases that lack samples are one thing to know.

use super::model::PageWarning;
use crate::record::{Outcome, Record, Warning};

/// Warnings of the session, its cases and their invocations.
pub(super) fn warnings(record: &Record) -> Vec<PageWarning> {
    let mut kinds: Vec<(&Warning, Vec<String>)> = record
        .warnings
        .iter()
        .map(|warning| (warning, Vec::new()))
        .collect();
    for case in &record.cases {
        let measured = case
            .invocations
            .iter()
            .flat_map(|invocation| match &invocation.outcome {
                Outcome::Measured { warnings, .. } => warnings.as_slice(),
                _ => &[],
            });
        for warning in case.warnings.iter().chain(measured) {
            let kind = std::mem::discriminant(warning);
            let known = kinds
                .iter_mut()
                .find(|(known, _)| std::mem::discriminant(*known) == kind);
            match known {
                Some((_, cases)) => cases.push(case.id()),
                None => kinds.push((warning, vec![case.id()])),
            }
        }
    }
    kinds
        .into_iter()
        .map(|(warning, mut cases)| {
            cases.dedup();
            PageWarning {
                text: warning.to_string(),
                cases,
            }
        })
        .collect()
}
