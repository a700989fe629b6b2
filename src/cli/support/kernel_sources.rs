//! The WGSL of built-in kernels for a page: what this program expands, where the record is of this very program.

use crate::bench::build_provenance;
use crate::page::PageSource;
use crate::record::{CaseResult, Provenance, Reading, Record};
use crate::workload::{Kernel, find_case};

/// The sources of a kernel as it ran in a record.
///
/// # Errors
/// Another perwatt measured it, or it has no such kernel.
pub(in crate::cli) fn built_in_sources(
    record: &Record,
    case: &CaseResult,
) -> Result<Vec<PageSource>, String> {
    same_program(&record.provenance)?;
    let found = find_case(&case.case).map_err(|unknown| unknown.to_string())?;
    let kernel = Kernel {
        name: case.kernel.clone().into(),
        parameters: case.parameters.clone(),
    };
    let program = found
        .program(&kernel, 0)
        .map_err(|unsupported| unsupported.to_string())?;
    Ok(program
        .dispatches()
        .iter()
        .map(|dispatch| PageSource {
            name: format!("shaders/{}", dispatch.file),
            wgsl: dispatch.wgsl.clone(),
        })
        .collect())
}

/// Sees that a record is of this program, as far as a revision can tell.
fn same_program(then: &Provenance) -> Result<(), String> {
    let own = build_provenance();
    if !own.is_of_same_program(then) {
        return Err("this page was made by another perwatt, whose kernels may differ".to_owned());
    }
    let changed = |provenance: &Provenance| provenance.git_dirty == Reading::Measured(true);
    if changed(&own) || changed(then) {
        return Err(
            "built from a checkout with changes, so nothing tells which kernels ran".to_owned(),
        );
    }
    Ok(())
}
