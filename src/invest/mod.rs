//! What a sum of money buys: accelerators, useful FLOP/s, watts, tokens and gases, and how well that is
//! known.
//!
//! Capital becomes accelerators, accelerators become work at the efficiency that a record measured, and
//! what no record can tell comes from published ranges, each with its source. `model` is a pure
//! function of [`Assumptions`] and a seed; `docs/invest.md` has the equations, the sources and how the
//! model does against public clusters.

mod assume;
mod backtest;
mod card_model;
mod catalog;
mod choices;
mod distribution;
mod equations;
mod evidence;
mod figure;
mod fit;
mod inputs;
mod language_model;
mod live;
mod model;
#[cfg(feature = "invest-module")]
pub mod module;
mod number_format;
mod outputs;
mod quantity;
mod scale;
mod scenario;
mod sensitivity;
mod sentence;
mod serving;
mod simulate;
mod sliders;
mod title;
mod unit_spelling;
mod what_if;
mod written;

pub use assume::{Assumptions, Changes};
pub use backtest::{
    Backtest, BacktestCollection, BacktestGroupResult, BacktestUse, backtest_groups, backtests,
};
pub use card_model::CardModel;
pub use catalog::{
    CatalogEntry, DataSheet, accelerators, countries, data_sheet, models, published_format,
};
pub use choices::{Choices, DecodePowerBasis, PowerBasis, PriorSet, RateBasis};
pub use distribution::Distribution;
pub use evidence::{Evidence, RecordFigure};
pub use figure::{Assumption, Basis};
pub use inputs::{INPUTS, InputKind, ReducibleBy, Size};
pub use language_model::LanguageModel;
pub use live::{LiveAnswer, LiveModel, LiveQuestion, LiveRow, LiveSection};
pub use model::{Answer, Causes, ModelInput, ModelOutput, model};
pub use number_format::{ModelWeights, NumberFormat};
pub use outputs::{OUTPUTS, OutputKind, OutputQuantity, Section};
pub use quantity::{digits, digits_alike, range, row_in_words, scale, scale_of_row};
pub use scale::{Changed, Scale, Worth};
pub use scenario::{DEFAULT_SCENARIO, RECORD_SCENARIO, Scenario};
pub use sensitivity::{GroupShare, Share};
pub use sentence::{DOLLARS_PER_EURO, SentenceSubject, as_of, in_one_sentence, in_tokens};
pub use simulate::{Draws, Quantiles};
pub use sliders::{SLIDERS, SliderKind};
pub use what_if::{Contrast, WhatIf, what_if};
