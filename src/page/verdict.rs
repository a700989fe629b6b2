//! What a record says in three sentences and three figures, and what it could not measure.

use std::collections::BTreeMap;

use super::figure::{brief, typical_spread};
use super::imported;
use super::marks;
use super::model::{PageCase, PageFigure, PageHeadline, PageRoof, PageUnmeasured};
use crate::record::{Origin, Reading, Record, Resource};
use crate::units::counted;

/// The three sentences.
pub(super) fn sentences(record: &Record, cases: &[PageCase], roofs: &[PageRoof]) -> Vec<String> {
    if record.provenance.origin == Origin::Imported {
        return vec![
            imported::achieved(record, cases),
            efficiency(record, cases),
            imported::certainty(record, cases),
        ];
    }
    vec![
        achieved(record, cases, roofs),
        efficiency(record, cases),
        certainty(record, cases),
    ]
}

/// What the device achieves.
fn achieved(record: &Record, cases: &[PageCase], roofs: &[PageRoof]) -> String {
    let device = &record.adapter.name;
    let best = |memory: bool| largest(roofs.iter().filter(|roof| roof.memory == memory));
    let mut parts = Vec::new();
    if let Some(roof) = best(false) {
        let mut known = record.roofline.iter().map(|roof| roof.resource);
        let resource = known.find(|known| known.name() == roof.resource);
        parts.push(format!(
            "computes at up to {} ({}, {})",
            roof.rate.text,
            resource.map_or(roof.resource, Resource::words),
            brief(&roof.rate)
        ));
    }
    if let Some(roof) = best(true) {
        parts.push(format!(
            "moves up to {} ({})",
            roof.rate.text,
            brief(&roof.rate)
        ));
    }
    if let Some((case, rate)) = best_product(cases) {
        let share = case
            .roof_share
            .measured()
            .map_or_else(String::new, |share| format!(", {} of its roof", share.text));
        parts.push(format!(
            "reaches {} in {} with {} ({}{share})",
            rate.text,
            case.case,
            case.kernel,
            brief(rate)
        ));
    }
    match parts.as_slice() {
        [] => format!("{device}: no case of this file has a rate."),
        [one] => format!("{device} {one}."),
        [first @ .., last] => format!("{device} {} and {last}.", first.join(", ")),
    }
}

/// At what energy.
fn efficiency(record: &Record, cases: &[PageCase]) -> String {
    match most_per_joule(cases) {
        Some((case, figure)) => {
            let marked: String = case.marks.iter().map(|mark| format!("{mark}: ")).collect();
            let power = case
                .power
                .measured()
                .map_or_else(String::new, |power| format!(" at {}", power.text));
            format!(
                "{marked}it does up to {}{power} in {} ({}).",
                figure.text,
                case.id,
                brief(figure)
            )
        }
        None => format!("Energy was not measured: {}.", no_energy(record)),
    }
}

/// Why no case has an energy.
fn no_energy(record: &Record) -> String {
    if let Some(reason) = record.power.reason() {
        return reason.to_owned();
    }
    let reasons = record.cases.iter().filter_map(|case| {
        let summary = case.summary.measured()?;
        summary.energy_j.reason().map(str::to_owned)
    });
    reasons
        .into_iter()
        .next()
        .unwrap_or_else(|| "no case was measured".to_owned())
}

/// How well that is known.
fn certainty(record: &Record, cases: &[PageCase]) -> String {
    let of = |status: &str| cases.iter().filter(|case| case.status == status).count();
    let measured = of("measured");
    let unverified = cases
        .iter()
        .filter(|case| case.status == "measured" && case.marks.contains(&marks::UNVERIFIED))
        .count();
    let verified = match unverified {
        0 if measured == 0 => String::new(),
        0 => ", each verified against a reference before and after it was timed".to_owned(),
        count => format!(", {count} of them UNVERIFIED"),
    };
    let typical = typical_spread(cases.iter().filter_map(|case| case.time.measured()), "time");
    let lost = match (of("failed"), of("skipped") + of("no figure")) {
        (0, 0) => String::new(),
        (0, lost) => format!("; {lost} have no figure"),
        (failed, 0) => format!("; {failed} FAILED"),
        (failed, lost) => format!("; {failed} FAILED and {lost} more have no figure"),
    };
    format!(
        "{measured} of {} were measured in {}{verified}; {typical}{lost}.",
        counted(cases.len(), "kernel"),
        counted(record.invocations.len(), "invocation")
    )
}

/// The three figures.
pub(super) fn headlines(
    record: &Record,
    cases: &[PageCase],
    roofs: &[PageRoof],
) -> Vec<PageHeadline> {
    let memory = largest(roofs.iter().filter(|roof| roof.memory));
    let mut memory = memory.map(|roof| (&roof.rate, roof.from.as_str()));
    let mut product = best_product(cases);
    let mut memory_marks = Vec::from_iter(record.is_all_simulated().then_some(marks::SIMULATED));
    let (mut no_product, mut no_memory) = (
        "no case that computes was measured; add --case 'matmul/*'",
        "no case that measures memory was run; add --case 'copy/*' --case 'read/*'",
    );
    if record.provenance.origin == Origin::Imported {
        product = imported::highest(cases, "FLOP/s");
        let moved = imported::highest(cases, "B/s");
        memory = moved.map(|(case, rate)| (rate, case.id.as_str()));
        memory_marks.push(marks::UNVERIFIED);
        (no_product, no_memory) = (
            "no value of the other tool's file is in FLOP/s",
            "no value of the other tool's file is in B/s",
        );
    }
    let joule = most_per_joule(cases);
    // Marks of a case's energy say nothing about its rate.
    let of_rate = |case: &PageCase| -> Vec<&'static str> {
        let unverified = case.marks.contains(&marks::UNVERIFIED);
        let simulated = record.is_all_simulated().then_some(marks::SIMULATED);
        let unverified = unverified.then_some(marks::UNVERIFIED);
        simulated.into_iter().chain(unverified).collect()
    };
    vec![
        PageHeadline {
            title: "Compute",
            figure: reading_of(product.map(|(_, rate)| rate), no_product),
            from: product.map_or_else(String::new, |(case, _)| case.id.clone()),
            marks: product.map_or_else(Vec::new, |(case, _)| of_rate(case)),
        },
        PageHeadline {
            title: "Memory",
            figure: reading_of(memory.map(|(rate, _)| rate), no_memory),
            from: memory.map_or_else(String::new, |(_, from)| from.to_owned()),
            marks: match memory {
                Some(_) => memory_marks,
                None => Vec::new(),
            },
        },
        PageHeadline {
            title: "Work per joule",
            figure: match joule {
                Some((_, figure)) => Reading::Measured(figure.clone()),
                None => Reading::unmeasured(no_energy(record)),
            },
            from: joule.map_or_else(String::new, |(case, _)| case.id.clone()),
            marks: joule.map_or_else(Vec::new, |(case, _)| case.marks.clone()),
        },
    ]
}

fn reading_of(figure: Option<&PageFigure>, otherwise: &str) -> Reading<PageFigure> {
    match figure {
        Some(figure) => Reading::Measured(figure.clone()),
        None => Reading::unmeasured(otherwise),
    }
}

/// The case of useful work with the highest rate of floating-point operations; where none has any, of others.
fn best_product(cases: &[PageCase]) -> Option<(&PageCase, &PageFigure)> {
    let of = |unit: &'static str| {
        highest(
            cases
                .iter()
                .filter(move |case| case.best && case.measures.is_none() && case.unit == unit)
                .filter_map(|case| Some((case, case.rate.measured()?))),
        )
    };
    of("FLOP/s").or_else(|| of("OP/s"))
}

/// The case with the most operations per joule; where none has any, with the most bytes. Useful work goes before what
/// only measures a roof.
fn most_per_joule(cases: &[PageCase]) -> Option<(&PageCase, &PageFigure)> {
    let of = |unit: &'static str, useful: bool| {
        highest(
            cases
                .iter()
                .filter(move |case| case.unit == unit && (case.measures.is_none() || !useful))
                .filter_map(|case| Some((case, case.per_joule.measured()?))),
        )
    };
    [true, false].into_iter().find_map(|useful| {
        ["FLOP/s", "OP/s", "B/s"]
            .into_iter()
            .find_map(|unit| of(unit, useful))
    })
}

fn highest<'a>(
    figures: impl Iterator<Item = (&'a PageCase, &'a PageFigure)>,
) -> Option<(&'a PageCase, &'a PageFigure)> {
    figures.max_by(|(_, one), (_, other)| one.value.total_cmp(&other.value))
}

fn largest<'a>(roofs: impl Iterator<Item = &'a PageRoof>) -> Option<&'a PageRoof> {
    roofs.max_by(|one, other| one.rate.value.total_cmp(&other.rate.value))
}

/// What has no figure, by reason: failures first.
pub(super) fn unmeasured(record: &Record, cases: &[PageCase]) -> Vec<PageUnmeasured> {
    let mut by_reason: BTreeMap<(bool, &str, &str), Vec<String>> = BTreeMap::new();
    for case in cases {
        if let Some(reason) = &case.reason {
            let key = (case.status != "failed", case.status, reason.as_str());
            by_reason.entry(key).or_default().push(case.id.clone());
        }
    }
    let mut list: Vec<PageUnmeasured> = by_reason
        .into_iter()
        .map(|((_, status, why), cases)| PageUnmeasured {
            what: status.to_owned(),
            cases,
            why: why.to_owned(),
            failed: status == "failed",
        })
        .collect();
    if let Some(reason) = record.power.reason() {
        list.push(whole("power and energy", reason));
    } else {
        list.extend(without_energy(cases));
    }
    if let Some(reason) = record.clock.reason() {
        list.push(whole("the clock", reason));
    }
    if record.roofline.is_empty() {
        let why = match record.provenance.origin {
            Origin::Imported => "another tool's file holds none; `perwatt run` measures one",
            _ => "the session measured no roof; add --case 'peak-fma/*', 'copy/*' and 'read/*'",
        };
        list.push(whole("the device's own roofline", why));
    }
    list
}

/// Measured cases without an energy, by reason.
fn without_energy(cases: &[PageCase]) -> Vec<PageUnmeasured> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.status == "measured") {
        if let Some(reason) = case.energy.reason() {
            by_reason.entry(reason).or_default().push(case.id.clone());
        }
    }
    by_reason
        .into_iter()
        .map(|(why, cases)| PageUnmeasured {
            what: "energy".to_owned(),
            cases,
            why: why.to_owned(),
            failed: false,
        })
        .collect()
}

fn whole(what: &str, why: &str) -> PageUnmeasured {
    PageUnmeasured {
        what: what.to_owned(),
        cases: Vec::new(),
        why: why.to_owned(),
        failed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::cases::{cases, roofs};
    use std::path::Path;

    #[test]
    fn a_record_is_three_sentences_and_three_figures() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("results/2026-11-24-llvmpipe-vulkan-quick.json");
        let record = crate::record::load(file).unwrap();
        let (cases, roofs) = (cases(&record), roofs(&record));
        let sentences = sentences(&record, &cases, &roofs);
        assert_eq!(sentences.len(), 3);
        assert!(sentences[0].contains("149 GFLOP/s"), "{sentences:?}");
        assert!(
            sentences[1].starts_with("Energy was not measured: a software"),
            "{sentences:?}"
        );
        assert!(sentences[2].contains("46 kernels"), "{sentences:?}");
        let headlines = headlines(&record, &cases, &roofs);
        assert_eq!(headlines.len(), 3);
        assert!(headlines[2].figure.reason().is_some());
        assert!(
            unmeasured(&record, &cases)
                .iter()
                .any(|u| u.what == "power and energy")
        );
    }
}
