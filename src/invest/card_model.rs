//! One language model on the machine that was measured, beside the cloud's price of the same tokens.

use schemars::JsonSchema;
use serde::Serialize;

use super::figure::Basis;
use super::model::Answer;
use super::number_format::ModelWeights;
use super::simulate::Quantiles;
use crate::record::Reading;

/// What a machine does with one language model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CardModel {
    /// The model.
    pub model: String,
    /// How its weights lie in memory.
    pub weights: ModelWeights,
    /// Tokens written a second, or why none are.
    pub tokens_per_s: Reading<Quantiles>,
    /// Tokens read a second.
    pub prompt_tokens_per_s: Reading<Quantiles>,
    /// Energy of a written token, the whole machine.
    pub energy_j_per_token: Reading<Quantiles>,
    /// Dollars of a million written tokens.
    pub dollars_per_mtoken: Reading<Quantiles>,
    /// Grams of CO2e of a million written tokens: those of the electricity of `energy_j_per_token`.
    pub carbon_g_per_mtoken: Reading<Quantiles>,
    /// The same with a share of idle hours and of making the machine.
    pub carbon_with_idle_g_per_mtoken: Reading<Quantiles>,
    /// What the rate rests on.
    pub basis: Option<Basis>,
    /// Dollars of a million tokens that owned H100s write in 16-bit weights, of the same priors.
    pub cloud_dollars_per_mtoken: Reading<Quantiles>,
}

impl CardModel {
    /// From the answer about the machine, and the one about a fleet of H100.
    pub fn new(own: Answer, cloud: &Answer) -> Self {
        let of = |answer: &Answer, key: &str| match answer.outputs.get(key) {
            Some(output) => output.quantiles.clone(),
            None => Reading::unmeasured(format!("no output is called {key}")),
        };
        let grams = |key: &str| match of(&own, key) {
            Reading::Measured(kilograms) => Reading::Measured(kilograms.times(1000.0)),
            absent => absent,
        };
        Self {
            tokens_per_s: of(&own, "decode_rate"),
            prompt_tokens_per_s: of(&own, "prefill_rate"),
            energy_j_per_token: of(&own, "decode_energy"),
            dollars_per_mtoken: of(&own, "decode_tokens"),
            carbon_g_per_mtoken: grams("decode_carbon"),
            carbon_with_idle_g_per_mtoken: grams("sci_decode"),
            basis: own.outputs.get("decode_rate").map(|output| output.basis),
            cloud_dollars_per_mtoken: of(cloud, "decode_tokens"),
            weights: own.weights,
            model: own.model,
        }
    }
}
