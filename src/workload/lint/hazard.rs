//! What the rules find, in words.

use std::fmt;

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
    /// All threads of a subgroup write one element.
    SameElement {
        /// The variable.
        variable: String,
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
                "{variable}: is written and then read at another index without a workgroupBarrier in between; that is a \
                 race unless the same thread does both"
            ),
            Self::SameElement { variable } => write!(
                f,
                "{variable}: all threads of a subgroup write the same element, which is a race even where they write \
                 the same value; let one of them write it"
            ),
            Self::Divergent { operation } => write!(
                f,
                "{operation} is reached by some threads of a subgroup only; move it out of the condition"
            ),
        }
    }
}
