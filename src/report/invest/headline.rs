//! The answer in one sentence, with the assumption that matters most beside it.

use super::super::table::fold;
use super::card::DOLLARS_PER_EURO;
use crate::invest::{Answer, CardModel, digits, in_one_sentence, row_in_words};
use crate::units::whole_percent;

/// The sentence, folded: what a sum buys, or what a machine writes.
pub(super) fn headline(answer: &Answer, models: &[CardModel], width: Option<u16>) -> String {
    let (what, about, output) = match in_tokens(answer, models) {
        Some(written) => (written, "the price of its work", "exaflop".to_owned()),
        None => (
            in_one_sentence(
                &answer.title,
                &answer.accelerator,
                answer.precision,
                &answer.outputs,
            ),
            "that work",
            format!("achieved_{}", answer.precision.name()),
        ),
    };
    let most = matters_most(answer, &output).map_or(String::new(), |(key, share)| {
        format!(
            " What matters most for {about}: {}, {} of the uncertainty.",
            in_words(answer, key),
            whole_percent(share)
        )
    });
    fold(&(what + &most), "", width)
}

/// What a machine writes of the first common model that it holds.
fn in_tokens(answer: &Answer, models: &[CardModel]) -> Option<String> {
    let (one, rate) = models
        .iter()
        .find_map(|one| Some((one, one.tokens_per_s.measured()?)))?;
    let [low, middle, high] = [rate.p5, rate.p50, rate.p95].map(digits);
    Some(format!(
        "{}: {} writes {middle} ({low} to {high}) tok/s of {} in {} for one user{}.",
        answer.title,
        answer.accelerator,
        one.model,
        one.weights.name(),
        match answer.software {
            // What the computer around it costs and draws was neither measured nor listed.
            true => " on the CPU, by a software driver".to_owned(),
            false => worth(one) + &a_year(answer),
        },
    ))
}

/// What a million tokens take, as far as that is known.
fn worth(one: &CardModel) -> String {
    let price = one.dollars_per_mtoken.measured();
    let grams = one.carbon_g_per_mtoken.measured();
    let parts: Vec<String> = [
        price.map(|q| format!("{} €/Mtoken", digits(q.p50 / DOLLARS_PER_EURO))),
        grams.map(|q| format!("{} g of CO2e/Mtoken", digits(q.p50))),
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
fn a_year(answer: &Answer) -> String {
    let Some(energy) = answer.outputs.get("energy") else {
        return String::new();
    };
    let Some(year) = energy.quantiles.measured() else {
        return String::new();
    };
    let ([_, year, _], unit) = row_in_words(energy.quantity, energy.unit, year);
    format!("; {year} {unit} a year")
}

/// An input as people say it, with its name for --set.
fn in_words(answer: &Answer, key: &str) -> String {
    let about = answer
        .inputs
        .iter()
        .find(|input| input.key == key)
        .map_or("", |input| input.about);
    let short = about.split(':').next().unwrap_or("");
    let mut rest = short.chars();
    match rest.next() {
        Some(first) => format!("{}{} ({key})", first.to_lowercase(), rest.as_str()),
        None => key.to_owned(),
    }
}

/// The input with the largest share of the variance of an output.
fn matters_most(answer: &Answer, output: &str) -> Option<(&'static str, f64)> {
    let causes = answer
        .causes
        .iter()
        .find(|causes| causes.output == output)?;
    causes
        .inputs
        .first()
        .map(|(key, share)| (*key, share.share))
}
