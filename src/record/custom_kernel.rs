//! A custom kernel, brought by the user alone or with a workload, as the record keeps it: complete, so
//! that a reader sees what ran and an interrupted run resumes without the file that declared it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a workload file says about one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomKernel {
    /// The file that declared it.
    pub file: String,
    /// Buffers in addition to those of the built-in case; all buffers of a custom workload.
    pub buffers: Vec<CustomBuffer>,
    /// What one execution dispatches, in order.
    pub dispatches: Vec<CustomDispatch>,
    /// Whether the case is built in, so that its f64 reference checks the output; otherwise the declared
    /// file of expected numbers does.
    pub built_in_case: bool,
}

/// One dispatch of a custom kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomDispatch {
    /// The shader's file.
    pub shader: String,
    /// Its WGSL.
    pub wgsl: String,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Names of buffers, by binding number of group 0.
    pub bind: Vec<String>,
}

/// One buffer of a custom kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomBuffer {
    /// The name that `bind` uses.
    pub name: String,
    /// Type of its elements.
    pub dtype: CustomDtype,
    /// How many there are.
    pub elements: u64,
    /// What is in it.
    pub contents: CustomContents,
}

/// Element types of a custom kernel's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CustomDtype {
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
pub enum CustomContents {
    /// One number everywhere.
    Fill {
        /// The number.
        value: f64,
    },
    /// These numbers.
    Values {
        /// One per element.
        values: Vec<f64>,
    },
    /// The bytes of a file, little-endian.
    File {
        /// Its path.
        path: String,
        /// SHA-256 of its bytes in hexadecimal; files before version 1.2 do not state it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
    /// Working memory.
    Scratch,
    /// An output, compared with the numbers in a file: |output − expected| ≤ absolute + relative·|expected|.
    Expected {
        /// Path of the file, little-endian numbers of the buffer's type.
        path: String,
        /// Absolute tolerance.
        absolute: f64,
        /// Relative tolerance.
        relative: f64,
        /// SHA-256 of the file's bytes in hexadecimal; files before version 1.2 do not state it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
}
