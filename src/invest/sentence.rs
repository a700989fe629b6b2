//! The answer in one sentence.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::figure::Basis;
use super::model::{ModelInput, ModelOutput};
use super::number_format::NumberFormat;
use super::outputs::OutputQuantity;
use super::quantity::{digits_alike, row_in_words, scale};

/// What the sum buys, what that does and what it draws, each with its middle 90 %.
pub fn in_one_sentence(
    title: &str,
    accelerator: &str,
    precision: NumberFormat,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> String {
    let figure = |key: &str| figure(outputs, key);
    let parts: Vec<String> = [
        Some(format!(
            "{} {accelerator}",
            figure("accelerators").unwrap_or_default(),
        )),
        figure(in_use(precision)).map(|rate| format!("{rate} of useful work while in use")),
        figure("facility_power").map(|power| format!("{power} of facility")),
        figure("energy").map(|energy| format!("{energy} a year")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{title}: {}.", parts.join(", "))
}

/// A median with its middle 90 %.
fn figure(outputs: &BTreeMap<&'static str, ModelOutput>, key: &str) -> Option<String> {
    let output = outputs.get(key)?;
    let q = output.quantiles.measured()?;
    let ([p5, p50, p95], unit) = row_in_words(output.quantity, output.unit, q);
    let text = if q.p95 / q.p5 < 1.001 {
        p50
    } else {
        format!("{p50} ({p5} to {p95})")
    };
    Some(format!("{text} {unit}").trim().to_owned())
}

/// The figures of the world that age, each with its date: whoever quotes the answer quotes these with it.
pub fn as_of(inputs: &[ModelInput], country: Option<&str>) -> String {
    let stated = |key: &str| {
        let input = inputs.iter().find(|input| input.key == key)?;
        let when = match (&input.assumption.date, input.assumption.basis) {
            (Some(date), _) => format!(" ({date})"),
            (None, Basis::Given) => " (given)".to_owned(),
            (None, _) => String::new(),
        };
        Some(spread(input) + &when)
    };
    let place = country.unwrap_or("no --country; mostly the US");
    let sum = stated("budget").map(|sum| format!("sum {sum}"));
    let price = stated("price").map(|price| format!("accelerator {price}"));
    let power: Vec<String> = ["electricity_price", "carbon_intensity"]
        .into_iter()
        .filter_map(stated)
        .collect();
    let power = (!power.is_empty()).then(|| format!("electricity ({place}) {}", power.join(", ")));
    let parts: Vec<String> = [sum, price, power].into_iter().flatten().collect();
    format!("As of: {}", parts.join("; "))
}

/// What an input is taken to be: from the lowest to the highest, and what is most likely.
fn spread(input: &ModelInput) -> String {
    let distribution = input.assumption.distribution;
    let (low, high) = distribution.ends();
    let middle = distribution.central();
    let (factor, unit) = if input.unit == "$" {
        scale(OutputQuantity::Money, input.unit, middle)
    } else {
        (1.0, input.unit.to_owned())
    };
    let [low, middle, high] = digits_alike([low, middle, high].map(|number| number / factor));
    match distribution {
        Distribution::Constant { .. } => format!("{middle} {unit}"),
        Distribution::Uniform { .. } => format!("{low} to {high} {unit}"),
        Distribution::Triangular { .. } | Distribution::Measured { .. } => {
            format!("{low} to {high}, most likely {middle} {unit}")
        }
    }
}

/// The output of a format's useful work.
fn in_use(precision: NumberFormat) -> &'static str {
    match precision {
        NumberFormat::F32 => "in_use_f32",
        NumberFormat::Bf16 => "in_use_bf16",
        NumberFormat::Fp8 => "in_use_fp8",
        NumberFormat::Fp4 => "in_use_fp4",
    }
}
