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
//! - operations of a subgroup are reached by all of its threads or by none.
//!
//! Built-in kernels are held to the rules by a test. A custom kernel that breaks one is measured, with a warning:
//! the analysis is a proof of neither right nor wrong.

mod alignment;
mod divergence;
mod expression;
mod order;
mod vector_store;

use std::collections::BTreeSet;
use std::fmt;

use naga::Module;

/// What may be wrong with a shader on some GPU.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hazard {
    /// A component of a vector in shared memory is written by itself.
    VectorComponent {
        /// The variable.
        variable: String,
    },
    /// A cooperative matrix is loaded or stored at a stride or an offset that is not known to be a multiple of 16
    /// bytes.
    MatrixAlignment {
        /// The variable.
        variable: String,
        /// `stride` or `offset`.
        what: &'static str,
        /// The largest power of two that is known to divide it.
        multiple_of_bytes: u64,
    },
    /// Workgroup memory is read by other threads than wrote it, with no barrier in between.
    Unordered {
        /// The variable.
        variable: String,
        /// Whether a subgroup barrier stands where a workgroup barrier is needed.
        subgroup_barrier: bool,
    },
    /// A subgroup operation is reached by some threads of a subgroup only.
    Divergent {
        /// The operation.
        operation: &'static str,
    },
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VectorComponent { variable } => write!(
                f,
                "{variable}: writes a component of a vector, which may overwrite the components that other \
                 threads write; use an array of numbers"
            ),
            Self::MatrixAlignment {
                variable,
                what,
                multiple_of_bytes,
            } => write!(
                f,
                "{variable}: the {what} of a cooperative matrix must be a multiple of 16 bytes and is known to be \
                 one of {multiple_of_bytes} only"
            ),
            Self::Unordered {
                variable,
                subgroup_barrier: true,
            } => write!(
                f,
                "{variable}: a subgroupBarrier orders no workgroup memory on Vulkan; use workgroupBarrier"
            ),
            Self::Unordered { variable, .. } => write!(
                f,
                "{variable}: is written and then read or written by other threads without a workgroupBarrier in \
                 between"
            ),
            Self::Divergent { operation } => write!(
                f,
                "{operation} is reached by some threads of a subgroup only; move it out of the condition"
            ),
        }
    }
}

/// The hazards of a WGSL source, each once.
///
/// # Errors
/// naga's message where the source is no WGSL.
pub fn lint(wgsl: &str) -> Result<Vec<Hazard>, String> {
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|e| e.emit_to_string(wgsl))?;
    Ok(lint_module(&module))
}

/// The hazards of a module, each once.
fn lint_module(module: &Module) -> Vec<Hazard> {
    let mut hazards = BTreeSet::new();
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(entries.clone()) {
        hazards.extend(vector_store::hazards(module, function));
        hazards.extend(alignment::hazards(module, function));
    }
    for entry in entries {
        hazards.extend(order::hazards(module, entry));
        hazards.extend(divergence::hazards(module, entry));
    }
    hazards.into_iter().collect()
}

#[cfg(test)]
mod tests;
