//! What a scenario decides rather than draws: the number format, the language model, and what each rate is
//! computed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inputs::Size;
use super::language_model::LanguageModel;

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
}

impl NumberFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Fp8];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
        }
    }

    /// Bytes of one number.
    pub(super) fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::Bf16 => 2.0,
            Self::Fp8 => 1.0,
        }
    }
}

/// What a rate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RateBasis {
    /// A published utilisation of the data-sheet peak.
    Prior,
    /// A kernel that was measured on the same device.
    Kernel,
    /// The share of its roof that a kernel reached on another device.
    Share,
}

/// What is decided rather than drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// What the size is given as.
    pub size: Size,
    /// The format of training and inference.
    pub precision: NumberFormat,
    /// The language model whose tokens are counted.
    pub model: LanguageModel,
    /// What rates rest on, in the order of [`NumberFormat::ALL`].
    pub rate: [RateBasis; 3],
    /// What memory bandwidth rests on.
    pub bandwidth: RateBasis,
    /// Whether the device's power was measured.
    pub device_power: bool,
}
