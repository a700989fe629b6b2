//! Cases that went and cases that came: which of them is the same under another name.
//!
//! Rows are matched by case and kernel. A kernel that was renamed is then lost and new at once, and neither is
//! what its author did.

use std::collections::HashMap;

use super::case_pair::CasePair;
use super::row::{Successor, VerdictRow};
use super::verdict::Verdict;
use crate::record::CaseName;

/// Explains lost and new rows by each other.
pub(super) fn explain(rows: &mut [VerdictRow], cases: &[CasePair<'_>]) {
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
    let programs: HashMap<&str, &str> = cases
        .iter()
        .filter_map(|case| Some((case.id.as_str(), case.program()?)))
        .collect();
    // The first new row of each metric with a program, and of each with a case.
    let (mut of_program, mut of_case) = (HashMap::new(), HashMap::new());
    for found in &new {
        let metric = rows[found.0].metric;
        if let Some(program) = programs.get(found.1.as_str()) {
            let key = (metric, *program);
            of_program.entry(key).or_insert(found);
        }
        let case = CaseName::split_kernel(&found.1).0;
        of_case.entry((metric, case)).or_insert(found);
    }
    for (lost_at, lost_id) in &lost {
        let metric = rows[*lost_at].metric;
        let program = programs.get(lost_id.as_str());
        let renamed = program.and_then(|program| of_program.get(&(metric, *program)));
        let (found, same_program) = match renamed {
            Some(found) => (*found, true),
            None => match of_case.get(&(metric, CaseName::split_kernel(lost_id).0)) {
                Some(found) => (*found, false),
                None => continue,
            },
        };
        let (new_at, new_id) = found;
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
