//! Kernels: their parameters and their sources. A record keeps those of custom kernels; those of built-in ones come
//! from the program that makes the page, and only if they are the ones that ran.

use super::extras::BuiltInSources;
use super::model::{PageKernel, PageSource};
use crate::record::{CaseResult, Record};

/// The kernels of a record. Built-in ones are shown with their sources where they are the fastest of their case: the
/// others would double the page.
pub(super) fn kernels(record: &Record, built_in: Option<BuiltInSources>) -> Vec<PageKernel> {
    let best = record.best_kernels();
    record
        .cases
        .iter()
        .enumerate()
        .map(|(place, case)| {
            let sources = sources(record, case, built_in.filter(|_| best.contains(&place)));
            PageKernel {
                id: case.id(),
                parameters: case.parameters.clone(),
                parameters_from: case.parameters_from.clone(),
                no_source: sources.as_ref().err().cloned(),
                sources: sources.unwrap_or_default(),
            }
        })
        .collect()
}

/// The sources of a kernel, or why they are not shown.
fn sources(
    record: &Record,
    case: &CaseResult,
    built_in: Option<BuiltInSources>,
) -> Result<Vec<PageSource>, String> {
    let custom: Vec<PageSource> = case
        .custom
        .iter()
        .flat_map(|custom| &custom.dispatches)
        .map(|dispatch| PageSource {
            name: dispatch.shader.clone(),
            wgsl: dispatch.wgsl.clone(),
        })
        .collect();
    if !custom.is_empty() {
        return Ok(custom);
    }
    let reason = match built_in.map(|sources| sources(record, case)) {
        Some(Ok(sources)) => return Ok(sources),
        Some(Err(reason)) => format!(" ({reason})"),
        None => String::new(),
    };
    let revision = record
        .provenance
        .git_revision
        .measured()
        .map_or_else(String::new, |revision| format!(", revision {revision}"));
    Err(format!(
        "a built-in kernel, whose source the record does not keep: shaders/{}/{}* of perwatt {}{revision}{reason}",
        case.workload(),
        case.kernel,
        record.provenance.perwatt_version,
    ))
}
