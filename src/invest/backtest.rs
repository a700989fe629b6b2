//! The model against public clusters and runs. The cases are data, the comparison is made anew each time,
//! and a miss stays in the table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assume::{Assumptions, Changes};
use super::choices::PriorSet;
use super::distribution::Distribution;
use super::model::Simulation;
use super::number_format::{ModelWeights, NumberFormat};
use super::outputs::{OUTPUTS, OutputQuantity};
use super::scenario::Scenario;
use super::simulate::{Draws, Quantiles};
use crate::error::{Error, Result};

/// How a case may be used to test the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BacktestUse {
    /// No prior was derived from it or its like.
    HeldOut,
    /// A prior was: agreement shows nothing.
    Used,
    /// It lies outside what the model is about.
    Outside,
    /// It was collected after both sets of priors, and held against the model before anything was changed.
    Later,
}

/// A case as the data state it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestCase {
    title: String,
    quantity: String,
    accelerator: String,
    model: Option<String>,
    precision: Option<NumberFormat>,
    weights: Option<ModelWeights>,
    scenario: Option<String>,
    set: Vec<String>,
    output: String,
    reported: f64,
    r#use: BacktestUse,
    source: String,
    note: Option<String>,
}

/// Cases of one kind and one source, collected together: `[group.ID]`, and cases that name it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestGroup {
    name: String,
    source: String,
    #[serde(default)]
    set: Vec<String>,
    output: String,
    quantity: String,
    case: Vec<GroupedCase>,
}

/// A case of a group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupedCase {
    title: String,
    accelerator: String,
    reported: f64,
    #[serde(default)]
    set: Vec<String>,
    model: Option<String>,
    precision: Option<NumberFormat>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BacktestFile {
    case: Vec<BacktestCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LaterFile {
    group: Vec<BacktestGroup>,
}

impl BacktestGroup {
    /// Its cases as the older ones are stated.
    fn cases(self) -> impl Iterator<Item = (String, BacktestCase)> {
        let Self {
            name,
            source,
            set,
            output,
            quantity,
            case,
        } = self;
        case.into_iter().map(move |case| {
            let stated = BacktestCase {
                title: case.title,
                quantity: quantity.clone(),
                accelerator: case.accelerator,
                model: case.model,
                precision: case.precision,
                weights: None,
                scenario: None,
                set: set.iter().chain(&case.set).cloned().collect(),
                output: output.clone(),
                reported: case.reported,
                r#use: BacktestUse::Later,
                source: source.clone(),
                note: case.note,
            };
            (name.clone(), stated)
        })
    }
}

/// A case and what the model says of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Backtest {
    /// What kind of case it is, of those that were collected later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The cluster or the run.
    pub title: String,
    /// What is compared.
    pub quantity: String,
    /// What kind of quantity that is.
    pub kind: OutputQuantity,
    /// Its unit.
    pub unit: &'static str,
    /// What was reported.
    pub reported: f64,
    /// What the model says.
    pub model: Quantiles,
    /// ln(model's median ÷ reported).
    pub log_error: f64,
    /// Whether the report lies within the middle 90 %.
    pub inside: bool,
    /// How it may be used to test the model.
    pub usage: BacktestUse,
    /// Where the report is from.
    pub source: String,
    /// Why it differs, or what to keep in mind.
    pub note: Option<String>,
}

/// All cases.
///
/// # Errors
/// As `super::model`; none in a released perwatt.
pub fn backtests(draws: Draws, priors: PriorSet) -> Result<Vec<Backtest>> {
    let cases: BacktestFile = toml::from_str(include_str!("data/backtests.toml"))
        .map_err(|e| Error::usage("perwatt's own data", format!("backtests.toml: {e}")))?;
    let later: LaterFile = toml::from_str(include_str!("data/backtests-later.toml"))
        .map_err(|e| Error::usage("perwatt's own data", format!("backtests-later.toml: {e}")))?;
    let older = cases.case.into_iter().map(|case| (None, case));
    let later = later.group.into_iter().flat_map(BacktestGroup::cases);
    older
        .chain(later.map(|(group, case)| (Some(group), case)))
        .map(|(group, case)| compare(group, case, draws, priors))
        .collect()
}

fn compare(
    group: Option<String>,
    case: BacktestCase,
    draws: Draws,
    priors: PriorSet,
) -> Result<Backtest> {
    let changes = Changes {
        accelerator: Some(case.accelerator),
        model: case.model,
        precision: case.precision,
        weights: case.weights,
        priors,
        country: None,
        set: case.set,
    };
    let assumptions = Scenario::open(case.scenario.as_deref().unwrap_or("cluster-100k"))?
        .assume(None, &changes)?;
    let simulation = Simulation::new(&assumptions, draws)?;
    let unknown = || Error::usage("backtests.toml", format!("no output {:?}", case.output));
    let kind = OUTPUTS
        .iter()
        .find(|kind| kind.key == case.output)
        .ok_or_else(unknown)?;
    let note = case
        .note
        .as_deref()
        .map(|note| with_inputs(note, &assumptions))
        .transpose()?;
    let model = Quantiles::of(simulation.result(kind.key).to_vec()).ok_or_else(unknown)?;
    Ok(Backtest {
        group,
        title: case.title,
        quantity: case.quantity,
        kind: kind.quantity,
        unit: kind.unit,
        reported: case.reported,
        log_error: libm::log(model.p50 / case.reported),
        inside: (model.p5..=model.p95).contains(&case.reported),
        model,
        usage: case.r#use,
        source: case.source,
        note,
    })
}

/// A note with each `{KEY}` replaced by what the model takes that input to be, so that no note says a prior by heart.
fn with_inputs(note: &str, assumptions: &Assumptions) -> Result<String> {
    let mut filled = String::new();
    let mut rest = note;
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}').unwrap_or((after, ""));
        let (low, high) = assumptions
            .distribution(key)
            .map(Distribution::ends)
            .ok_or_else(|| Error::usage("backtests.toml", format!("no input {key:?} is known")))?;
        filled += before;
        filled += &if low < high {
            format!("{low} to {high}")
        } else {
            low.to_string()
        };
        rest = after;
    }
    Ok(filled + rest)
}
