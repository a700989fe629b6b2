//! The whole answer: assumptions in, quantiles and sensitivities out. Pure and seeded.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::assume::Assumptions;
use super::choices::{Choices, PowerBasis, PriorSet};
use super::distribution::Distribution;
use super::figure::{Assumption, Basis};
use super::inputs::{INPUTS, ReducibleBy, Size, position};
use super::number_format::{ModelWeights, NumberFormat};
use super::outputs::{OUTPUTS, OutputQuantity};
use super::sensitivity::{GroupShare, Share, first_order, of_group, scaled};
use super::serving::{accelerators_needed, cache_of_sequence, needed_to_train};
use super::simulate::{Draws, InputColumn, Quantiles, dependencies, draw, in_parallel, run};
use crate::error::{Error, Result};
use crate::record::Reading;

/// The outputs whose uncertainty is traced to the inputs, by their place among all.
fn traced(precision: NumberFormat) -> impl Iterator<Item = usize> {
    OUTPUTS
        .iter()
        .enumerate()
        .filter(move |(_, kind)| {
            kind.traced_as.is_some() && kind.format.is_none_or(|format| format == precision)
        })
        .map(|(at, _)| at)
}

/// What comes out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// The accelerator.
    pub accelerator: String,
    /// The format of training and inference.
    pub precision: NumberFormat,
    /// The language model whose tokens are counted.
    pub model: String,
    /// How its weights lie in memory.
    pub weights: ModelWeights,
    /// The set of priors.
    pub priors: PriorSet,
    /// The country whose electricity it is, where one was named.
    pub country: Option<String>,
    /// Whether the accelerator is a CPU behind a software driver.
    #[serde(skip)]
    pub software: bool,
    /// The draws.
    pub draws: Draws,
    /// What went in, as far as anything here depends on it.
    pub inputs: Vec<ModelInput>,
    /// What came out, by name.
    pub outputs: BTreeMap<&'static str, ModelOutput>,
    /// Which input matters, for some outputs.
    pub causes: Vec<Causes>,
    /// How Annex XI's energy figure was estimated.
    pub annex_xi_method: String,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModelInput {
    /// Its name.
    pub key: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Who could know it better.
    #[serde(rename = "knower")]
    pub reducible_by: ReducibleBy,
    /// What it is taken to be, and why.
    #[serde(flatten)]
    pub assumption: Assumption,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModelOutput {
    /// What it is.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What kind of quantity it is.
    pub quantity: OutputQuantity,
    /// Where its middle 90 % lies, or why that cannot be said.
    pub quantiles: Reading<Quantiles>,
    /// What it rests on: a measurement makes it MODELLED; without one it is PRIOR, or GIVEN where it follows from
    /// stated numbers alone.
    pub basis: Basis,
    /// The record's figures that it rests on.
    pub rests_on: Vec<&'static str>,
}

/// What makes one output uncertain.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Causes {
    /// The output.
    pub output: &'static str,
    /// Whether the shares are of the logarithm's variance.
    pub relative: bool,
    /// First-order share of each input, the largest first.
    pub inputs: Vec<(&'static str, Share)>,
    /// What would go if all that one party could know were known.
    pub groups: Vec<GroupShare>,
}

/// Runs the model.
///
/// # Errors
/// Too few or too many draws, or assumptions whose product no number holds.
pub fn model(assumptions: &Assumptions, draws: Draws) -> Result<Answer> {
    let simulation = Simulation::new(assumptions, draws)?;
    let outputs = simulation.outputs()?;
    Ok(Answer {
        scenario: assumptions.scenario.clone(),
        title: assumptions.title.clone(),
        accelerator: assumptions.accelerator.clone(),
        precision: assumptions.choices.precision,
        model: assumptions.choices.model.name.clone(),
        weights: assumptions.choices.weights,
        priors: assumptions.priors,
        country: assumptions.country.clone(),
        software: assumptions.software,
        draws,
        inputs: simulation.inputs(),
        causes: simulation.causes(),
        annex_xi_method: annex_xi_method(assumptions),
        notes: notes(assumptions, &outputs),
        outputs,
    })
}

/// One scenario's draws and what they led to.
pub(super) struct Simulation<'a> {
    assumptions: &'a Assumptions,
    draws: Draws,
    columns: Vec<InputColumn>,
    /// Every output of every draw; nothing of one that is not wanted.
    pub(super) results: Vec<Vec<f64>>,
    depends: Vec<Vec<bool>>,
}

impl<'a> Simulation<'a> {
    pub(super) fn new(assumptions: &'a Assumptions, draws: Draws) -> Result<Self> {
        Self::with_replicas(assumptions, draws, |_| 0)
    }

    /// With other draws of some inputs: the number chooses among independent streams.
    pub(super) fn with_replicas(
        assumptions: &'a Assumptions,
        draws: Draws,
        replica: impl Fn(usize) -> u64 + Sync,
    ) -> Result<Self> {
        draws.check()?;
        let columns = draw(&distributions(assumptions), draws, replica);
        let all: Vec<usize> = (0..OUTPUTS.len()).collect();
        Ok(Self::of_columns(assumptions, draws, columns, &all))
    }

    /// The outputs at these places, of inputs that are drawn already.
    pub(super) fn of_columns(
        assumptions: &'a Assumptions,
        draws: Draws,
        columns: Vec<InputColumn>,
        wanted: &[usize],
    ) -> Self {
        let mut results = vec![Vec::new(); OUTPUTS.len()];
        let found = run(&assumptions.choices, &columns, None, wanted, draws.count);
        for (at, found) in wanted.iter().zip(found) {
            results[*at] = found;
        }
        let depends = dependencies(&assumptions.choices, &columns, draws.count);
        Self {
            assumptions,
            draws,
            columns,
            results,
            depends,
        }
    }

    /// The draws of one output.
    pub(super) fn result(&self, key: &str) -> &[f64] {
        OUTPUTS
            .iter()
            .position(|kind| kind.key == key)
            .map_or(&[], |at| &self.results[at])
    }

    /// What one output rests on.
    pub(super) fn basis_of(&self, key: &str) -> Basis {
        let at = OUTPUTS.iter().position(|kind| kind.key == key);
        at.map_or(Basis::Prior, |at| self.basis(at).0)
    }

    /// The outputs that were wanted.
    pub(super) fn outputs(&self) -> Result<BTreeMap<&'static str, ModelOutput>> {
        let quantiles = in_parallel(OUTPUTS.len(), |at| Quantiles::of(self.results[at].clone()));
        let mut found = BTreeMap::new();
        let wanted = |at: &(usize, _)| !self.results[at.0].is_empty();
        for (at, kind) in OUTPUTS.iter().enumerate().filter(wanted) {
            let quantiles = match quantiles[at] {
                Some(quantiles) => Reading::Measured(quantiles),
                // A model that some draws' fleet does not hold is not said to run.
                None if self.results[at].iter().any(|value| value.is_nan()) => {
                    Reading::unmeasured(self.missing(at))
                }
                None => {
                    return Err(Error::usage(
                        format!("scenario {}", self.assumptions.scenario),
                        format!(
                            "the {} is more than a number can hold; make the sum or the extremes of an \
                             input smaller",
                            kind.label
                        ),
                    ));
                }
            };
            let (basis, rests_on) = self.basis(at);
            found.insert(
                kind.key,
                ModelOutput {
                    label: kind.label,
                    unit: kind.unit,
                    quantity: kind.quantity,
                    quantiles,
                    basis,
                    rests_on,
                },
            );
        }
        Ok(found)
    }

    /// Why an output has no value.
    fn missing(&self, output: usize) -> String {
        let unknown: Vec<&str> = INPUTS
            .iter()
            .enumerate()
            .filter(|(input, _)| {
                self.assumptions.values[*input].is_none() && self.depends[output][*input]
            })
            .map(|(_, kind)| kind.key)
            .collect();
        match unknown.first() {
            Some(key) => format!(
                "No {key} is known of {}; --set {key}=… gives it",
                self.assumptions.accelerator
            ),
            None => self.too_large(OUTPUTS[output].key),
        }
    }

    /// What it would take to hold the model, for an output about its tokens.
    fn too_large(&self, output: &str) -> String {
        let of = |key: &str| self.assumptions.central(key).unwrap_or(f64::NAN);
        let Choices {
            model,
            weights,
            precision,
            ..
        } = &self.assumptions.choices;
        let memory = of("memory") * 1e9;
        if memory.is_nan() {
            return format!(
                "Neither a list nor the record says how much memory {} has, so no model is known to fit; --set \
                 memory=GB does",
                self.assumptions.accelerator
            );
        }
        let (needed, how) = if output.contains("train") {
            let how = "training it, at 16 bytes a parameter,".to_owned();
            (needed_to_train(model, memory), how)
        } else {
            let cache = cache_of_sequence(model, precision.cache_bytes(), of("context"));
            let bytes = model.parameters * weights.bytes() + cache;
            let how = format!(
                "holding its weights in {} and one sequence's cache",
                weights.name()
            );
            (accelerators_needed(bytes, memory * of("memory_share")), how)
        };
        let there = Quantiles::of(self.result("accelerators").to_vec());
        let there = there.map_or(f64::NAN, |quantiles| quantiles.p50.floor().max(1.0));
        // The middle of what is assumed fits, and something that is as likely does not.
        let when = if needed <= there {
            " in some draws"
        } else {
            ""
        };
        format!(
            "{} does not fit{when}: {how} needs {needed} of {} (there: {there})",
            model.name, self.assumptions.accelerator,
        )
    }

    /// What an output rests on.
    fn basis(&self, output: usize) -> (Basis, Vec<&'static str>) {
        let mut simulated = false;
        let mut rests_on = Vec::new();
        for (input, value) in self.assumptions.values.iter().enumerate() {
            let Some(value) = value else { continue };
            if value.basis.is_from_record() && self.depends[output][input] {
                simulated |= value.basis == Basis::Simulated;
                rests_on.push(INPUTS[input].key);
            }
        }
        let basis = match (simulated, rests_on.is_empty()) {
            (true, _) => Basis::Simulated,
            (false, false) => Basis::Modelled,
            (false, true) if self.is_given(output) => Basis::Given,
            (false, true) => Basis::Prior,
        };
        (basis, rests_on)
    }

    /// Whether an output follows from stated numbers and nothing else.
    fn is_given(&self, output: usize) -> bool {
        let values = self.assumptions.values.iter().zip(&self.depends[output]);
        let mut bases = values.filter_map(|(value, depends)| {
            let value = value.as_ref().filter(|_| *depends)?;
            Some(value.basis)
        });
        let first = bases.next();
        first == Some(Basis::Given) && bases.all(|basis| basis == Basis::Given)
    }

    /// The inputs on which anything depends.
    fn inputs(&self) -> Vec<ModelInput> {
        (0..INPUTS.len())
            .filter(|input| self.depends.iter().any(|output| output[*input]))
            .filter_map(|input| self.assumptions.input(input))
            .collect()
    }

    fn causes(&self) -> Vec<Causes> {
        let traced: Vec<usize> = traced(self.assumptions.choices.precision)
            .filter(|at| self.results[*at].iter().all(|value| value.is_finite()))
            .collect();
        let sharing = self.with_groups_frozen(&traced);
        traced
            .iter()
            .enumerate()
            .map(|(n, at)| {
                let output = scaled(&self.results[*at]);
                let groups = ReducibleBy::ALL.iter().zip(&sharing);
                Causes {
                    output: OUTPUTS[*at].key,
                    relative: self.results[*at].iter().all(|value| *value > 0.0),
                    inputs: self.shares_of_inputs(&output),
                    groups: groups
                        .map(|(reducible_by, sharing)| GroupShare {
                            reducible_by: *reducible_by,
                            share: of_group(&output, &scaled(&sharing[n])),
                        })
                        .collect(),
                }
            })
            .collect()
    }

    /// For each party, these outputs with everything redrawn but what that party could know.
    fn with_groups_frozen(&self, outputs: &[usize]) -> Vec<Vec<Vec<f64>>> {
        let other = draw(&distributions(self.assumptions), self.draws, |_| 1);
        let (choices, count) = (&self.assumptions.choices, self.draws.count);
        ReducibleBy::ALL
            .iter()
            .map(|party| {
                let redrawn: Vec<bool> = INPUTS
                    .iter()
                    .map(|kind| kind.reducible_by != *party)
                    .collect();
                let from = Some((other.as_slice(), redrawn.as_slice()));
                run(choices, &self.columns, from, outputs, count)
            })
            .collect()
    }

    /// First-order share of each input in an output, the largest first.
    fn shares_of_inputs(&self, output: &[f64]) -> Vec<(&'static str, Share)> {
        let share = |input: usize| first_order(&self.columns[input], output);
        let mut shares: Vec<(&'static str, Share)> = in_parallel(self.columns.len(), share)
            .into_iter()
            .zip(INPUTS)
            // What cannot be told from zero counts as zero.
            .filter(|(share, _)| share.share > 0.002 && share.share > 2.0 * share.error)
            .map(|(share, kind)| match kind.key {
                "size" => (self.assumptions.choices.size.key(), share),
                key => (key, share),
            })
            .collect();
        shares.sort_by(|a, b| b.1.share.total_cmp(&a.1.share));
        shares
    }
}

impl Assumptions {
    /// What an input is taken to be.
    pub(super) fn distribution(&self, key: &str) -> Option<Distribution> {
        Some(self.values[position(key)?].as_ref()?.distribution)
    }

    /// The middle of what an input is taken to be.
    pub(super) fn central(&self, key: &str) -> Option<f64> {
        self.distribution(key).map(Distribution::central)
    }

    /// Every input that is known, whether or not anything depends on it.
    pub fn all_inputs(&self) -> Vec<ModelInput> {
        (0..INPUTS.len())
            .filter_map(|input| self.input(input))
            .collect()
    }

    fn input(&self, at: usize) -> Option<ModelInput> {
        let kind = &INPUTS[at];
        let size = self.choices.size;
        let is_size = kind.key == "size";
        Some(ModelInput {
            key: if is_size { size.key() } else { kind.key },
            unit: if is_size { size.unit() } else { kind.unit },
            about: if is_size {
                "How much there is of it"
            } else {
                kind.about
            },
            reducible_by: kind.reducible_by,
            assumption: self.values[at].clone()?,
        })
    }
}

pub(super) fn distributions(assumptions: &Assumptions) -> Vec<Option<Distribution>> {
    assumptions
        .values
        .iter()
        .map(|value| value.as_ref().map(|value| value.distribution))
        .collect()
}

/// How the energy of a run was estimated, in the words of Annex XI's alternative.
fn annex_xi_method(assumptions: &Assumptions) -> String {
    let device = match assumptions.choices.device_power {
        PowerBasis::Device => {
            "the device's power from the record, and the rest of the server from priors"
        }
        PowerBasis::Machine => "the machine's power at the wall from the record",
        PowerBasis::Prior => "the server's rated power × the published share under training load",
    };
    format!(
        "Estimated from the computational resources used (Annex XI, section 1, point 2(e)): FLOP ÷ \
         (useful FLOP/s of one accelerator × goodput) gives accelerator-hours; × ({device}) × (1 + \
         network) × PUE gives energy. It covers the final run, not trials or data."
    )
}

pub(super) fn notes(
    assumptions: &Assumptions,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> Vec<String> {
    let mut notes = assumptions.notes.clone();
    let count = outputs
        .get("accelerators")
        .and_then(|output| output.quantiles.measured());
    if let Some(count) = count
        && count.p50 < 0.95
    {
        notes.push(format!(
            "This buys {} of an accelerator: figures are that share of one.{}",
            share_of_one(count.p50),
            meant_sum(assumptions)
        ));
    }
    notes.extend(absent_tokens(outputs));
    notes.extend(breaches(outputs));
    notes
}

/// Pairs of outputs of which the first cannot be larger than the second.
const BOUNDED: [(&str, &str); 5] = [
    ("in_use_f32", "peak_f32"),
    ("in_use_bf16", "peak_bf16"),
    ("in_use_fp8", "peak_fp8"),
    ("in_use_fp4", "peak_fp4"),
    ("mean_power", "facility_power"),
];

/// Outputs whose absence means that there are no tokens.
const TOKENS: [&str; 2] = ["decode_rate", "train_rate"];

/// Whether the notes speak of this output.
pub(super) fn is_noted(key: &str) -> bool {
    let bounded = BOUNDED
        .iter()
        .any(|(less, more)| [*less, *more].contains(&key));
    bounded || TOKENS.contains(&key) || key == "accelerators"
}

/// A share of one accelerator, which may be very small.
fn share_of_one(share: f64) -> String {
    if share >= 0.01 {
        format!("{share:.2}")
    } else {
        format!("{share:.1e}")
    }
}

/// What whoever gave a few dollars may have meant.
fn meant_sum(assumptions: &Assumptions) -> String {
    /// A sum that buys no computer. [A]
    const FEW_DOLLARS: f64 = 1000.0;
    let sum = assumptions.central("size").filter(|sum| *sum < FEW_DOLLARS);
    match (assumptions.choices.size, sum) {
        (Size::Budget, Some(sum)) => format!(" A budget is in dollars: did you mean {sum}bn?"),
        _ => String::new(),
    }
}

/// Outputs that cannot be larger than others, and are: a fault of an input, named.
fn breaches(outputs: &BTreeMap<&'static str, ModelOutput>) -> Vec<String> {
    let median = |key: &str| Some(outputs.get(key)?.quantiles.measured()?.p50);
    BOUNDED
    .iter()
    .filter_map(|(less, more)| {
        let (value, most) = (median(less)?, median(more)?);
        let labels = [less, more].map(|key| outputs.get(*key).map_or("", |output| output.label));
        (value > 1.001 * most).then(|| {
            format!(
                "IMPOSSIBLE: `{}` is above `{}`; an input is wrong, do not use either (--inputs shows them).",
                labels[0], labels[1]
            )
        })
    })
    .collect()
}

/// Why there are no tokens, where there are none.
fn absent_tokens(outputs: &BTreeMap<&'static str, ModelOutput>) -> Vec<String> {
    let mut reasons: Vec<String> = TOKENS
        .iter()
        .filter_map(|key| {
            let reason = outputs.get(key)?.quantiles.reason()?;
            Some(format!("{reason}."))
        })
        .collect();
    reasons.dedup();
    reasons
}
