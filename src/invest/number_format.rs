//! In what numbers a language model computes, and in what its weights lie in memory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number format for training and inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NumberFormat {
    /// 32 bits, on vector units.
    F32,
    /// 16 bits (bf16 or f16 with f32 accumulation), on matrix units.
    Bf16,
    /// 8 bits, on matrix units.
    Fp8,
    /// 4 bits with a scale for each 16 or 32, on matrix units; sums and cache are wider.
    Fp4,
}

impl NumberFormat {
    /// Bytes of a number in the cache of keys and values.
    pub(super) fn cache_bytes(self) -> f64 {
        match self {
            Self::Fp8 | Self::Fp4 => 1.0,
            Self::F32 | Self::Bf16 => 2.0,
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::F32, Self::Bf16, Self::Fp8, Self::Fp4];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Fp4 => "fp4",
        }
    }
}

/// How weights lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelWeights {
    /// 32 bits.
    F32,
    /// 16 bits, bf16 or f16.
    F16,
    /// 8 bits of floating point.
    Fp8,
    /// 4 bits of floating point with an 8-bit scale for each 16.
    Fp4,
    /// 8-bit integers with a scale for each 32.
    Q8,
    /// 4-bit integers with a scale for each 32.
    Q4,
}

impl ModelWeights {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::F32,
        Self::F16,
        Self::Fp8,
        Self::Fp4,
        Self::Q8,
        Self::Q4,
    ];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Fp8 => "fp8",
            Self::Fp4 => "fp4",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
        }
    }

    /// Bytes of one weight, scales included.
    pub(super) fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::F16 => 2.0,
            Self::Fp8 => 1.0,
            Self::Fp4 => 4.5 / 8.0,
            Self::Q8 => 8.5 / 8.0,
            Self::Q4 => 4.5 / 8.0,
        }
    }

    /// In what weights lie where nothing else is said. Arithmetic in f32 is no reason to store in f32.
    pub fn of(precision: NumberFormat) -> Self {
        match precision {
            NumberFormat::F32 | NumberFormat::Bf16 => Self::F16,
            NumberFormat::Fp8 => Self::Fp8,
            NumberFormat::Fp4 => Self::Fp4,
        }
    }
}
