//! Language models, for what a token costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number_format::NumberFormat;
use crate::units::FlopPerToken;

/// A language model, for what a token costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LanguageModel {
    /// Its name.
    pub name: String,
    /// Parameters in memory.
    pub parameters: f64,
    /// Parameters that a token passes; fewer than `parameters` in a mixture of experts.
    pub active: f64,
    /// Parameters of the table of tokens at its input, which is looked up and not multiplied; as many stand at its
    /// output, which a prompt needs once.
    #[serde(default)]
    pub embedding: f64,
    /// Layers with attention.
    pub layers: f64,
    /// Width of attention: heads × head size.
    pub width: f64,
    /// Width of what passes from layer to layer, where it is not that of attention.
    #[serde(default)]
    pub hidden: Option<f64>,
    /// Bytes of keys and values that one token leaves behind, in 16-bit numbers.
    pub kv_bytes: f64,
    /// Whether all heads of a layer share what the cache holds, so that those who divide the heads each keep it whole.
    #[serde(default)]
    pub latent_cache: bool,
    /// Tokens of a sequence in training.
    pub sequence: f64,
    /// The format in which its weights are published, where it is not 16 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<NumberFormat>,
    /// Where this is from.
    pub source: String,
}

impl LanguageModel {
    /// Whether a token passes a part of the weights only.
    pub(super) fn is_mixture(&self) -> bool {
        self.active < self.parameters
    }

    /// FLOP to train on one token: 6·N + 12·L·d·S, of which causal attention does half of the second
    /// term (PaLM, appendix B).
    pub fn training_flop(&self) -> FlopPerToken {
        FlopPerToken(6.0 * self.active + 6.0 * self.layers * self.width * self.sequence)
    }

    /// FLOP to read one token of a prompt of this length: 2·N + 4·L·d·S, attention halved for causality, N without
    /// both tables of tokens.
    pub fn prefill_flop(&self, prompt: f64) -> FlopPerToken {
        let multiplied = self.active - 2.0 * self.embedding;
        FlopPerToken(2.0 * multiplied + 2.0 * self.layers * self.width * prompt)
    }

    /// FLOP to write one token after this many others: 2·N + 4·L·d·S, N without the table at the input.
    pub fn decode_flop(&self, before: f64) -> FlopPerToken {
        let multiplied = self.active - self.embedding;
        FlopPerToken(2.0 * multiplied + 4.0 * self.layers * self.width * before)
    }
}
