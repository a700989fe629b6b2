//! Cases that went and cases that came: which of them is the same under another name.
//!
//! Rows are matched by case and kernel. A kernel that was renamed is then lost and new at once, and neither is
//! what its author did.

use super::comparable::Comparable;
use super::row::{Successor, VerdictRow};
use super::verdict::Verdict;
use crate::record::CaseName;

/// Explains lost and new rows by each other.
pub(super) fn explain(rows: &mut [VerdictRow], sides: &Comparable<'_>) {
    let of = |verdict: Verdict| -> Vec<(usize, String)> {
        let rows = rows.iter().enumerate();
        rows.filter(|(_, row)| row.verdict == verdict)
            .map(|(at, row)| (at, row.case.clone()))
            .collect()
    };
    let (lost, new) = (of(Verdict::Lost), of(Verdict::New));
    if lost.is_empty() || new.is_empty() {
        return;
    }
    for (lost_at, lost_id) in &lost {
        let metric = rows[*lost_at].metric;
        let same_program = |id: &str| {
            let old = sides.program(lost_id);
            old.is_some() && old == sides.program(id)
        };
        let same_case =
            |id: &str| CaseName::split_kernel(id).0 == CaseName::split_kernel(lost_id).0;
        let new = || new.iter().filter(|(at, _)| rows[*at].metric == metric);
        let found = new()
            .find(|(_, id)| same_program(id))
            .map(|found| (found, true))
            .or_else(|| new().find(|(_, id)| same_case(id)).map(|f| (f, false)));
        let Some(((new_at, new_id), same_program)) = found else {
            continue;
        };
        let (gone, came) = if same_program {
            (
                format!("renamed to {new_id}; the program is the same"),
                format!("renamed from {lost_id}; the program is the same"),
            )
        } else {
            (
                format!("{new_id} is measured for this case instead"),
                format!("measured in place of {lost_id}"),
            )
        };
        rows[*lost_at].notes.push(gone);
        rows[*lost_at].successor = Some(Successor {
            case: new_id.clone(),
            same_program,
        });
        let new_at = *new_at;
        rows[new_at].notes.push(came);
    }
}
