//! The answer in one sentence.

use std::collections::BTreeMap;

use super::assume::Assumptions;
use super::catalog::catalog;
use super::distribution::Distribution;
use super::figure::Basis;
use super::model::{Answer, ModelInput, ModelOutput};
use super::number_format::{ModelWeights, NumberFormat};
use super::outputs::OutputQuantity;
use super::quantity::{digits, digits_alike, row_in_words, scale};
use super::scenario::RECORD_SCENARIO;
use super::title;

/// Dollars a euro: the ECB's mean reference rate of 2025. [A, to two digits]
pub const DOLLARS_PER_EURO: f64 = 1.13;

/// The outputs of which the sentence about a desk speaks.
const OF_A_DESK: [&str; 4] = ["decode_rate", "decode_tokens", "decode_carbon", "energy"];

/// What a sentence is about, beside the figures.
#[derive(Clone, Copy, Debug)]
pub struct SentenceSubject<'a> {
    scenario: &'a str,
    title: &'a str,
    accelerator: &'a str,
    precision: NumberFormat,
    model: &'a str,
    weights: ModelWeights,
    is_software: bool,
}

impl<'a> From<&'a Assumptions> for SentenceSubject<'a> {
    fn from(assumptions: &'a Assumptions) -> Self {
        Self {
            scenario: &assumptions.scenario,
            title: &assumptions.title,
            accelerator: &assumptions.accelerator,
            precision: assumptions.choices.precision,
            model: &assumptions.choices.model.name,
            weights: assumptions.choices.weights,
            is_software: assumptions.software,
        }
    }
}

impl<'a> From<&'a Answer> for SentenceSubject<'a> {
    fn from(answer: &'a Answer) -> Self {
        Self {
            scenario: &answer.scenario,
            title: &answer.title,
            accelerator: &answer.accelerator,
            precision: answer.precision,
            model: &answer.model,
            weights: answer.weights,
            is_software: answer.software,
        }
    }
}

/// Whether a sentence needs this output.
pub(super) fn is_in_a_sentence(key: &str) -> bool {
    OF_A_DESK.contains(&key)
}

/// What the sum buys, what that does and what it draws, each with its middle 90 %; of a desk, what it writes.
pub fn in_one_sentence(
    subject: &SentenceSubject<'_>,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> String {
    if let Some(written) = in_tokens(subject, outputs) {
        return written;
    }
    let figure = |key: &str| figure(outputs, key);
    let parts: Vec<String> = [
        Some(title::in_a_sentence(
            &how_many(outputs),
            subject.accelerator,
        )),
        figure(in_use(subject.precision)).map(|rate| format!("{rate} of useful work while in use")),
        figure("facility_power").map(|power| format!("{power} of facility")),
        figure("energy").map(|energy| format!("{energy} a year")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{}: {}.", subject.title, parts.join(", "))
}

/// What a machine on a desk writes of the language model that was asked about; nothing where that is not known.
pub fn in_tokens(
    subject: &SentenceSubject<'_>,
    outputs: &BTreeMap<&'static str, ModelOutput>,
) -> Option<String> {
    if subject.scenario != RECORD_SCENARIO {
        return None;
    }
    let rate = outputs.get("decode_rate")?.quantiles.measured()?;
    let [low, middle, high] = [rate.p5, rate.p50, rate.p95].map(digits);
    let rest = match subject.is_software {
        // What the computer around it costs and draws was neither measured nor listed.
        true => " on the CPU, by a software driver".to_owned(),
        false => worth(outputs) + &a_year(outputs),
    };
    Some(format!(
        "{}: {} writes {middle} ({low} to {high}) tok/s of {} in {} for one user{rest}.",
        subject.title,
        subject.accelerator,
        subject.model,
        subject.weights.name()
    ))
}

/// What a million tokens take, as far as that is known.
fn worth(outputs: &BTreeMap<&'static str, ModelOutput>) -> String {
    /// Grams in a kilogram.
    const GRAMS: f64 = 1000.0;
    let median = |key: &str| Some(outputs.get(key)?.quantiles.measured()?.p50);
    let euros = median("decode_tokens").map(|dollars| dollars / DOLLARS_PER_EURO);
    let grams = median("decode_carbon").map(|kilograms| kilograms * GRAMS);
    let parts: Vec<String> = [
        euros.map(|euros| format!("{} €/Mtoken", digits(euros))),
        grams.map(|grams| format!("{} g of CO2e/Mtoken", digits(grams))),
    ]
    .into_iter()
    .flatten()
    .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!(", at {}", parts.join(" and ")),
    }
}

/// A year's electricity, where the machine's power is known.
fn a_year(outputs: &BTreeMap<&'static str, ModelOutput>) -> String {
    let year = outputs.get("energy").and_then(|energy| {
        let year = energy.quantiles.measured()?;
        Some(row_in_words(energy.quantity, energy.unit, year))
    });
    year.map_or(String::new(), |([_, year, _], unit)| {
        format!("; {year} {unit} a year")
    })
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
