//! What a sum of money buys: accelerators, useful FLOP/s, watts, tokens and gases, and how well that is
//! known.
//!
//! Capital becomes accelerators, accelerators become work at the efficiency that a record measured, and
//! what no record can tell comes from published ranges, each with its source. [`model`] is a pure
//! function of [`Assumptions`] and a seed; `docs/invest.md` has the equations, the sources and how the
//! model does against public clusters.

mod backtest;
mod catalog;
mod distribution;
mod equations;
mod evidence;
mod figure;
mod inputs;
mod model;
mod scale;
mod scenario;
mod sensitivity;
mod simulate;
mod versus;

pub use backtest::{Backtest, Standing, backtests};
pub use catalog::{accelerators, countries, models};
pub use distribution::Distribution;
pub use equations::{
    Choices, LanguageModel, OUTPUTS, OutputKind, Outputs, Precision, Quantity, Rests, Size,
    evaluate,
};
pub use evidence::{Evidence, Finding};
pub use figure::{Assumption, Basis};
pub use inputs::{INPUTS, InputKind, Inputs, Knower};
pub use model::{Answer, Causes, Input, Output, model};
pub use scale::{Changed, Scale, Worth};
pub use scenario::{Assumptions, Changes, DEFAULT_SCENARIO, Listed, RECORD_SCENARIO, Scenario};
pub use sensitivity::{GroupShare, Share};
pub use simulate::{Draws, Quantiles};
pub use versus::{Contrast, Versus, versus};
