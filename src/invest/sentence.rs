//! The answer in one sentence.

use std::collections::BTreeMap;

use super::catalog::catalog;
use super::distribution::Distribution;
use super::figure::Basis;
use super::model::{ModelInput, ModelOutput};
use super::number_format::NumberFormat;
use super::outputs::OutputQuantity;
use super::quantity::{digits_alike, row_in_words, scale};
use super::title;

/// What the sum buys, what that does and what it draws, each with its middle 90 %.
pub fn in_one_sentence(
    title: &str,
    accelerator: &str,
    precision: NumberFormat,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> String {
    let figure = |key: &str| figure(outputs, key);
    let parts: Vec<String> = [
        Some(title::in_a_sentence(&how_many(outputs), accelerator)),
        figure(in_use(precision)).map(|rate| format!("{rate} of useful work while in use")),
        figure("facility_power").map(|power| format!("{power} of facility")),
        figure("energy").map(|energy| format!("{energy} a year")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{title}: {}.", parts.join(", "))
}

/// A number of accelerators: a known one as people say it.
fn how_many(outputs: &BTreeMap<&'static str, ModelOutput>) -> String {
    /// Above, numbers are said in thousands.
    const MOST_IN_FULL: f64 = 1e5;
    let known = outputs.get("accelerators").and_then(|output| {
        let q = output.quantiles.measured()?;
        let is_whole = q.p5.total_cmp(&q.p95).is_eq() && q.p50.fract().abs() < 1e-9;
        (is_whole && q.p50 >= 1.0 && q.p50 < MOST_IN_FULL).then_some(q.p50)
    });
    match known {
        Some(count) if count < 1.5 => "one".to_owned(),
        Some(count) => format!("{count:.0}"),
        None => figure(outputs, "accelerators").unwrap_or_default(),
    }
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
    let sum = stated("budget").map(|sum| format!("sum {sum}"));
    let price = stated("price").map(|price| format!("accelerator {price}"));
    let power = [("price", "electricity_price"), ("grid", "carbon_intensity")]
        .into_iter()
        .filter_map(|(what, key)| Some((what, whose(inputs, key, country), stated(key)?)))
        .collect();
    let power = electricity(power, country);
    let parts: Vec<String> = [sum, price, power].into_iter().flatten().collect();
    format!("As of: {}", parts.join("; "))
}

/// Price and grid of electricity, each with the country whose it is.
fn electricity(
    parts: Vec<(&str, Option<String>, String)>,
    country: Option<&str>,
) -> Option<String> {
    if parts.is_empty() {
        return None;
    }
    let place = country.unwrap_or("no --country; mostly the US");
    if parts.iter().all(|(_, lacking, _)| lacking.is_none()) {
        let figures: Vec<String> = parts.into_iter().map(|(_, _, figure)| figure).collect();
        return Some(format!("electricity ({place}) {}", figures.join(", ")));
    }
    let each: Vec<String> = parts
        .into_iter()
        .map(|(what, lacking, figure)| match lacking {
            Some(lacking) => format!("{what}: {lacking} {figure}"),
            None => format!("{what}: {place} {figure}"),
        })
        .collect();
    Some(format!("electricity, {}", each.join("; ")))
}

/// Whose figure an input is, where it is not that of the country that was asked about.
fn whose(inputs: &[ModelInput], key: &str, country: Option<&str>) -> Option<String> {
    let place = country?;
    let assumption = &inputs.iter().find(|input| input.key == key)?.assumption;
    if assumption.basis == Basis::Given && assumption.source == "--set" {
        return None;
    }
    let entries = &catalog().ok()?.countries;
    let entry = entries.values().find(|entry| entry.name == place)?;
    if entry.says(&assumption.source) {
        return None;
    }
    let others = match assumption.source.starts_with("Households") {
        true => "that of households in the United States and the EU",
        false => "that of the United States",
    };
    Some(format!("no source for {place}, {others}"))
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
