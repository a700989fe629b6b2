//! Warnings of a record, one of each kind.

use super::model::PageWarning;
use crate::record::Record;

/// Warnings of the session, its cases and their invocations.
pub(super) fn warnings(record: &Record) -> Vec<PageWarning> {
    record
        .warning_kinds()
        .into_iter()
        .map(|(warning, cases)| PageWarning {
            text: warning.to_string(),
            cases,
        })
        .collect()
}
