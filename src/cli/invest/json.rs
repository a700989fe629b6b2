//! What `perwatt invest --json` prints: one envelope around the form that was asked for, whose schema
//! `perwatt schema invest` prints.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::cli::support::output::print_json;
use crate::invest::{
    Answer, Backtest, BacktestGroupResult, CardModel, CatalogEntry, ModelInput, RecordFigure,
    WhatIf,
};

/// What JSON of this command is called, and its version: a minor step adds fields, a major one changes them.
const SCHEMA: &str = "perwatt-invest";
const SCHEMA_VERSION: &str = "1.3.0";

/// What `perwatt invest --json` prints.
#[derive(Serialize, JsonSchema)]
struct Envelope<'a> {
    /// Always `perwatt-invest`.
    schema: &'static str,
    /// Of this form; a minor step adds fields, a major one changes them.
    schema_version: &'static str,
    #[serde(flatten)]
    content: InvestJson<'a>,
}

/// The forms.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::cli) enum InvestJson<'a> {
    /// The answer to a question.
    Answer {
        /// A desk's common models, where a record is asked about its own machine.
        #[serde(skip_serializing_if = "<[CardModel]>::is_empty")]
        models: &'a [CardModel],
        /// The scenario, its inputs and its figures.
        answer: &'a Answer,
        /// What the record shows, and what of it is used.
        record: &'a [RecordFigure],
        /// The other accelerator, of `--against`.
        #[serde(skip_serializing_if = "Option::is_none")]
        against: Option<&'a WhatIf>,
    },
    /// `--sources`.
    Sources {
        /// The inputs of the answer.
        sources: &'a [ModelInput],
    },
    /// `--inputs`.
    Inputs {
        /// Every input that can be set.
        inputs: &'a [ModelInput],
    },
    /// `--backtest`.
    Backtests {
        /// Public clusters and runs beside the model.
        backtests: &'a [Backtest],
        /// How each kind of them came out.
        groups: &'a [BacktestGroupResult],
    },
    /// `--list`.
    Lists {
        /// For `--accelerator`.
        accelerators: Vec<CatalogEntry>,
        /// For `--country`.
        countries: Vec<CatalogEntry>,
        /// For `--model`.
        models: Vec<CatalogEntry>,
        /// For `--scenario`.
        scenarios: Vec<CatalogEntry>,
    },
}

impl InvestJson<'_> {
    /// Prints it in its envelope.
    pub(in crate::cli) fn print(self) -> anyhow::Result<()> {
        print_json(&Envelope {
            schema: SCHEMA,
            schema_version: SCHEMA_VERSION,
            content: self,
        })
    }
}

/// The JSON Schema of what this command prints.
pub(in crate::cli) fn invest_schema() -> serde_json::Value {
    let settings = SchemaSettings::default().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Envelope<'_>>()
        .to_value()
}
