//! The answer in one sentence, with the assumption that matters most beside it.

use super::super::quantity::{digits, scale};
use super::super::table::fold;
use crate::invest::{Answer, NumberFormat};

/// The sentence, folded.
pub(super) fn headline(answer: &Answer, width: Option<u16>) -> String {
    let parts: Vec<String> = [
        Some(format!(
            "{} {}",
            figure(answer, "accelerators").unwrap_or_default(),
            answer.accelerator
        )),
        figure(answer, in_use(answer.precision))
            .map(|rate| format!("{rate} of useful work while in use")),
        figure(answer, "facility_power").map(|power| format!("{power} of facility")),
        figure(answer, "energy").map(|energy| format!("{energy} a year")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let what = format!("{}: {}.", answer.title, parts.join(", "));
    let most = matters_most(answer).map_or(String::new(), |(key, share)| {
        format!(
            " What matters most: {key}, {:.0} % of the uncertainty.",
            100.0 * share
        )
    });
    fold(&(what + &most), "", width)
}

/// A median with its middle 90 %.
fn figure(answer: &Answer, key: &str) -> Option<String> {
    let output = answer.outputs.get(key)?;
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

/// The input with the largest share of the variance of the year's useful work.
fn matters_most(answer: &Answer) -> Option<(&'static str, f64)> {
    let wanted = format!("achieved_{}", answer.precision.name());
    let causes = answer
        .causes
        .iter()
        .find(|causes| causes.output == wanted)?;
    causes
        .inputs
        .first()
        .map(|(key, share)| (*key, share.share))
}
