//! The answer in one sentence.

use std::collections::BTreeMap;

use super::choices::NumberFormat;
use super::model::ModelOutput;
use super::quantity::row_in_words;

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

/// The output of a format's useful work.
fn in_use(precision: NumberFormat) -> &'static str {
    match precision {
        NumberFormat::F32 => "in_use_f32",
        NumberFormat::Bf16 => "in_use_bf16",
        NumberFormat::Fp8 => "in_use_fp8",
        NumberFormat::Fp4 => "in_use_fp4",
    }
}
