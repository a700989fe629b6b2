//! The answer in one sentence.

use std::collections::BTreeMap;

use super::choices::NumberFormat;
use super::model::ModelOutput;
use super::quantity::{digits, scale};

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
    let (factor, unit) = scale(output.quantity, output.unit, q.p50);
    let text = if q.p95 / q.p5 < 1.001 {
        digits(q.p50 / factor)
    } else {
        format!(
            "{} ({} to {})",
            digits(q.p50 / factor),
            digits(q.p5 / factor),
            digits(q.p95 / factor)
        )
    };
    Some(format!("{text} {unit}").trim().to_owned())
}

/// The output of a format's useful work.
fn in_use(precision: NumberFormat) -> &'static str {
    match precision {
        NumberFormat::F32 => "in_use_f32",
        NumberFormat::Bf16 => "in_use_bf16",
        NumberFormat::Fp8 => "in_use_fp8",
    }
}
