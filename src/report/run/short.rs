//! Cases that are shorter than what it costs to start them.

use crate::record::{CaseResult, Outcome, Warning};

/// Whether a case's executions were hardly longer than the gap between two dispatches, in any invocation.
pub(super) fn is_short(case: &CaseResult) -> bool {
    case.invocations.iter().any(|result| match &result.outcome {
        Outcome::Measured { warnings, .. } => warnings
            .iter()
            .any(|warning| matches!(warning, Warning::ShortExecution { .. })),
        _ => false,
    })
}
