//! Kernels: their parameters, and their sources where the record keeps them.

use super::model::{PageKernel, PageSource};
use crate::record::{CaseResult, Record};

/// The kernels of a record.
pub(super) fn kernels(record: &Record) -> Vec<PageKernel> {
    record
        .cases
        .iter()
        .map(|case| kernel(record, case))
        .collect()
}

fn kernel(record: &Record, case: &CaseResult) -> PageKernel {
    let sources: Vec<PageSource> = case
        .custom
        .iter()
        .flat_map(|custom| &custom.dispatches)
        .map(|dispatch| PageSource {
            name: dispatch.shader.clone(),
            wgsl: dispatch.wgsl.clone(),
        })
        .collect();
    let revision = record
        .provenance
        .git_revision
        .measured()
        .map_or_else(String::new, |revision| format!(", revision {revision}"));
    PageKernel {
        id: case.id(),
        parameters: case.parameters.clone(),
        parameters_from: case.parameters_from.clone(),
        no_source: sources.is_empty().then(|| {
            format!(
                "a built-in kernel, whose source the record does not keep: shaders/{}/{}* of perwatt {}{revision}",
                case.workload(),
                case.kernel,
                record.provenance.perwatt_version,
            )
        }),
        sources,
    }
}
