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

/// Which set of priors stands where nothing better is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PriorSet {
    /// As they were before the first comparison with public clusters.
    #[serde(rename = "frozen")]
    Frozen,
    /// Fitted in November 2026 on one half of the public cases and tested once on the other.
    #[default]
    #[serde(rename = "2026-11")]
    November2026,
}

impl PriorSet {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Frozen, Self::November2026];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::November2026 => "2026-11",
        }
    }
}

/// What the power under load rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PowerBasis {
    /// The server's rated power and published shares of it.
    Prior,
    /// The device was measured.
    Device,
    /// The whole machine was measured.
    Machine,
}

/// What a rate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// What the size is given as.
    pub size: Size,
    /// The format of training and inference.
    pub precision: NumberFormat,
    /// The language model whose tokens are counted.
    pub model: LanguageModel,
    /// What rates rest on, in the order of [`NumberFormat::ALL`].
    pub rate: [RateBasis; 4],
    /// What memory bandwidth rests on.
    pub bandwidth: RateBasis,
    /// What power under load rests on.
    pub device_power: PowerBasis,
    /// Whether the device's power while it decodes was measured.
    pub decode_power: bool,
    /// Whether power while nothing runs was measured, with the same sensor.
    pub idle_power: bool,
    /// Whether a layer that reads a prompt was measured.
    pub prefill_layer: bool,
    /// How weights lie in memory when tokens are read and written.
    pub weights: ModelWeights,
}
