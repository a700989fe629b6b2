//! Rules of the specifications that software drivers forgive, checked on naga's IR of a shader.
//!
//! A shader that breaks one of them can be right on every driver at hand and wrong on the first real GPU. The
//! rules:
//!
//! - a write to a component may write the whole vector (WGSL, "memory locations"; gpuweb 2112), so threads do
//!   not share a vector in workgroup or storage memory;
//! - a cooperative matrix lies at a multiple of 16 bytes, and so do its rows or columns
//!   (VUID-RuntimeSpirv-OpCooperativeMatrixLoadKHR-08986, and the same for stores);
//! - what one thread writes to workgroup memory, another reads only after a workgroup barrier; a subgroup
//!   barrier orders no workgroup memory on Vulkan (naga 30 translates it without that semantics);
//! - operations of a subgroup are reached by all of its threads or by none;
//! - no two threads write one element of workgroup or storage memory, be it the same value.
//!
//! Built-in kernels are held to the rules by a test. A custom kernel that breaks one is measured, with a warning:
//! the analysis is a proof of neither right nor wrong.

mod alignment;
mod divergence;
mod expression;
mod hazard;
mod order;
mod vector_store;

use std::collections::BTreeSet;

pub use hazard::Hazard;
use naga::Module;

use crate::workload::wgsl::WgslModule;

/// The hazards of a WGSL source, each once.
///
/// # Errors
/// naga's message where the source is no WGSL.
pub fn lint(wgsl: &str) -> Result<Vec<Hazard>, String> {
    Ok(lint_module(&WgslModule::parse(wgsl)?.module))
}

/// The hazards of a module, each once.
fn lint_module(module: &Module) -> Vec<Hazard> {
    let mut hazards = BTreeSet::new();
    let entries = module.entry_points.iter();
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(entries.clone().map(|entry| &entry.function)) {
        hazards.extend(vector_store::hazards(module, function));
        hazards.extend(alignment::hazards(module, function));
    }
    for entry in entries {
        hazards.extend(order::hazards(module, &entry.function));
        hazards.extend(divergence::hazards(module, entry));
    }
    hazards.into_iter().collect()
}

#[cfg(test)]
mod tests;
