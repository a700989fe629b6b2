//! A kernel or a whole workload that a user brought, as the record keeps it: complete, so that a reader
//! sees what ran and an interrupted run goes on without the files it came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user's file says of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnKernel {
    /// The file that declared it.
    pub file: String,
    /// Buffers beside those of the built-in case; all of them for a workload of the user's own.
    pub buffers: Vec<OwnBuffer>,
    /// What one execution dispatches, in order.
    pub dispatches: Vec<OwnDispatch>,
    /// Whether perwatt's own reference of the case checks the output; else the declared one does.
    pub built_in_case: bool,
}

/// One dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnDispatch {
    /// The shader's file.
    pub shader: String,
    /// Its WGSL.
    pub wgsl: String,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Names of buffers, by binding number of group 0.
    pub bind: Vec<String>,
}

/// One buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnBuffer {
    /// The name that `bind` uses.
    pub name: String,
    /// Type of its elements.
    pub dtype: OwnDtype,
    /// How many there are.
    pub elements: u64,
    /// What is in it.
    pub contents: OwnContents,
}

/// Types of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OwnDtype {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// Unsigned 32-bit integers.
    U32,
}

/// What is in a buffer before the first execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OwnContents {
    /// One number everywhere.
    Fill {
        /// The number.
        value: f64,
    },
    /// These numbers.
    Values {
        /// One an element.
        values: Vec<f64>,
    },
    /// The bytes of a file, little-endian.
    File {
        /// Its path.
        path: String,
    },
    /// Working memory.
    Scratch,
    /// An output, which must be as a file says: |output − expected| ≤ absolute + relative·|expected|.
    Expected {
        /// Path of the file, little-endian numbers of the buffer's type.
        path: String,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
    },
}
