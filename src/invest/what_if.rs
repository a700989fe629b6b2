//! What if: two devices under one sum, draw by draw.
//!
//! Both sides share the draws of what they have in common (the hall, the price of electricity, lifetimes),
//! so a ratio is about what differs. What belongs to a device is drawn for each by itself: that one
//! accelerator turns out dear says nothing about another's price.

use schemars::JsonSchema;
use serde::Serialize;

use super::assume::Assumptions;
use super::choices::RateBasis;
use super::figure::Basis;
use super::inputs::INPUTS;
use super::model::Simulation;
use super::outputs::{OUTPUTS, OutputQuantity};
use super::simulate::{Draws, Quantiles};
use crate::error::Result;

/// What is compared, with whether more is better.
const ROWS: [(&str, bool); 12] = [
    ("accelerators", true),
    ("capital_each", false),
    ("achieved_bf16", true),
    ("achieved_f32", true),
    ("mean_power", false),
    ("energy", false),
    ("flop_per_dollar", true),
    ("flop_per_joule", true),
    ("exaflop", false),
    ("decode_tokens", false),
    ("decode_energy", false),
    ("carbon", false),
];

/// Inputs that belong to a device, even where two devices have the same prior.
const OF_THE_DEVICE: [&str; 15] = [
    "price",
    "server_power",
    "load_share",
    "idle_share",
    "device_share",
    "device_power",
    "sensor_gain",
    "mfu_f32",
    "mfu_bf16",
    "mfu_fp8",
    "mfu_fp4",
    "mfu_prefill",
    "roof_attained",
    "bandwidth_share",
    "embodied",
];

/// One output on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Contrast {
    /// Its name.
    pub key: &'static str,
    /// What it is.
    pub label: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What kind of quantity it is.
    pub quantity: OutputQuantity,
    /// Whether more is better.
    pub more_is_better: bool,
    /// The first side.
    pub one: Quantiles,
    /// What the first side rests on.
    pub one_basis: Basis,
    /// The second side.
    pub other: Quantiles,
    /// What the second side rests on.
    pub other_basis: Basis,
    /// Second ÷ first, draw by draw.
    pub ratio: Quantiles,
    /// Share of the draws in which the second is better.
    pub other_is_better: f64,
}

/// Two sides of one question.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WhatIf {
    /// The first side's accelerator.
    pub one: String,
    /// The second side's.
    pub other: String,
    /// Outputs that both sides have.
    pub rows: Vec<Contrast>,
    /// What a reader must know of either side, where they differ.
    pub notes: Vec<String>,
}

/// Compares two sets of assumptions.
///
/// # Errors
/// As `super::model`.
pub fn what_if(one: &Assumptions, other: &Assumptions, draws: Draws) -> Result<WhatIf> {
    const OTHER: u64 = 2;
    let first = Simulation::new(one, draws)?;
    let other_device = one.accelerator != other.accelerator;
    let second = Simulation::with_replicas(other, draws, |input| {
        let own = other_device && OF_THE_DEVICE.contains(&INPUTS[input].key);
        let differs = one.values[input] != other.values[input];
        if own || differs { OTHER } else { 0 }
    })?;
    let rows = ROWS
        .iter()
        .filter_map(|(key, more_is_better)| {
            let (a, b) = (first.result(key), second.result(key));
            let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| b / a).collect();
            let kind = OUTPUTS.iter().find(|kind| kind.key == *key)?;
            let better = ratios
                .iter()
                .filter(|ratio| {
                    if *more_is_better {
                        **ratio > 1.0
                    } else {
                        **ratio < 1.0
                    }
                })
                .count();
            Some(Contrast {
                key: kind.key,
                label: kind.label,
                unit: kind.unit,
                quantity: kind.quantity,
                more_is_better: *more_is_better,
                one: Quantiles::of(a.to_vec())?,
                one_basis: first.basis_of(key),
                other: Quantiles::of(b.to_vec())?,
                other_basis: second.basis_of(key),
                other_is_better: better as f64 / ratios.len() as f64,
                ratio: Quantiles::of(ratios)?,
            })
        })
        .collect();
    let mut notes: Vec<String> = Vec::new();
    for note in one.notes.iter().chain(&other.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    // A measured rate against a published utilisation is a difference of software and of method as well.
    if one.choices.rate != other.choices.rate || one.choices.bandwidth != other.choices.bandwidth {
        notes.insert(
            0,
            format!(
                "The sides rest on different grounds: rates of {} on {}, of {} on {}. Their ratio is not one of \
                 hardware alone.",
                one.accelerator,
                grounds(one),
                other.accelerator,
                grounds(other)
            ),
        );
    }
    Ok(WhatIf {
        one: one.accelerator.clone(),
        other: other.accelerator.clone(),
        rows,
        notes,
    })
}

/// What a side's rates rest on, in words.
fn grounds(side: &Assumptions) -> &'static str {
    match side.choices.rate[side.choices.precision as usize] {
        RateBasis::Prior => "published utilisation",
        RateBasis::Kernel => "its own measured product",
        RateBasis::Share => "another device's measured share",
    }
}
