//! What limits a rate: the units that compute and the memory that data goes through.
//!
//! A kernel and its workload declare which of them they use, and the record keeps it, so that a reader needs
//! neither the registry nor the names of kernels to judge a rate by the right roof.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something of the device whose rate has a roof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Resource {
    /// Ordinary units, f32 arithmetic.
    #[serde(rename = "flop/f32")]
    FlopF32,
    /// Ordinary units, f16 arithmetic.
    #[serde(rename = "flop/f16")]
    FlopF16,
    /// Matrix units, f32 throughout.
    #[serde(rename = "flop/coop-f32")]
    MatrixF32,
    /// Matrix units, f16 operands and f32 sums.
    #[serde(rename = "flop/coop-f16")]
    MatrixF16,
    /// Matrix units, f16 operands and sums.
    #[serde(rename = "flop/coop-f16acc16")]
    MatrixF16Acc16,
    /// Integer units, dot products of four signed bytes.
    #[serde(rename = "op/int8")]
    OpInt8,
    /// Memory that is read and written.
    #[serde(rename = "memory")]
    Memory,
    /// Memory that is read and hardly written, which is quicker where a write costs more than itself.
    #[serde(rename = "memory-read")]
    MemoryRead,
}

impl Resource {
    /// What it is called in a sentence or a table.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FlopF32 => "f32 arithmetic",
            Self::FlopF16 => "f16 arithmetic",
            Self::MatrixF32 => "matrix units, f32",
            Self::MatrixF16 => "matrix units, f16 → f32",
            Self::MatrixF16Acc16 => "matrix units, f16",
            Self::OpInt8 => "int8 dot products",
            Self::Memory => "memory, read and written",
            Self::MemoryRead => "memory, read",
        }
    }

    /// The written form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlopF32 => "flop/f32",
            Self::FlopF16 => "flop/f16",
            Self::MatrixF32 => "flop/coop-f32",
            Self::MatrixF16 => "flop/coop-f16",
            Self::MatrixF16Acc16 => "flop/coop-f16acc16",
            Self::OpInt8 => "op/int8",
            Self::Memory => "memory",
            Self::MemoryRead => "memory-read",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What limits the rate of a case with a kernel, and the roof that it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// The units that the kernel computes with.
    pub arithmetic: Resource,
    /// The memory that its data goes through; none for transfers, which cross the bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Resource>,
    /// The roof that the case measures, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measures: Option<Resource>,
}

impl Resources {
    /// The resources of a case in a file of version 1.0, which did not state them: until then they followed
    /// from names. Kernels on matrix units were called `coop…`, and four workloads hardly wrote.
    pub(super) fn of_version_1_0(workload: &str, dtype: &str, kernel: &str) -> Self {
        let matrix = match dtype {
            "f32" => Resource::MatrixF32,
            "f16acc16" => Resource::MatrixF16Acc16,
            _ => Resource::MatrixF16,
        };
        let arithmetic = match (workload, dtype) {
            ("peak-coop", _) => matrix,
            _ if kernel.starts_with("coop") => matrix,
            (_, "int8") => Resource::OpInt8,
            (_, "f16acc16") | ("peak-fma", "f16") => Resource::FlopF16,
            _ => Resource::FlopF32,
        };
        let memory = match workload {
            "transfer" => None,
            "read" | "gemv" | "attention-decode" | "llama-layer" => Some(Resource::MemoryRead),
            _ => Some(Resource::Memory),
        };
        let measures = match workload {
            "peak-fma" | "peak-coop" | "peak-dot4" => Some(arithmetic),
            "copy" | "triad" | "read" => memory,
            _ => None,
        };
        Self {
            arithmetic,
            memory,
            measures,
        }
    }
}
