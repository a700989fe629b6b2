//! What a scenario decides rather than draws: the number format, the language model, and what each rate is
//! computed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inputs::Size;
use super::language_model::LanguageModel;
use super::number_format::{ModelWeights, NumberFormat};

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

/// What the device's power while it writes tokens rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecodePowerBasis {
    /// Published shares of its limit.
    Prior,
    /// A layer that writes tokens was measured, or somebody said what a step takes.
    Step,
    /// A kernel that reads memory was measured: that is what a step takes while it reads.
    Reading,
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
    /// What the device's power while it writes tokens rests on.
    pub decode_power: DecodePowerBasis,
    /// Whether power while nothing runs was measured, with the same sensor.
    pub idle_power: bool,
    /// Whether a layer that reads a prompt was measured.
    pub prefill_layer: bool,
    /// How weights lie in memory when tokens are read and written.
    pub weights: ModelWeights,
}
