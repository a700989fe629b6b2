//! What must be said beside the figures: what the columns mean, what has no figure, and warnings.

use std::collections::BTreeMap;

use super::cases::ShownKernels;
use crate::record::{CaseResult, PowerSetup, Reading, Record, Status};
use crate::report::power::sensor_notes;
use crate::report::table::fold;
use crate::units::{Seconds, number, percent};

/// What the columns mean for this record.
pub(super) fn legend(record: &Record, kernels: ShownKernels, width: Option<u16>) -> String {
    let invocations = record.invocations.len().max(1);
    let spread = if invocations >= 3 {
        format!("±95 %: interval over {invocations} invocations.")
    } else {
        format!(
            "{invocations} invocation{}: (±) in brackets is the precision inside one invocation; \
             run three or more for an interval.",
            if invocations == 1 { "" } else { "s" }
        )
    };
    let energy = match &record.power {
        Reading::Unmeasured(_) => String::new(),
        Reading::Measured(power) => energy_legend(record, power),
    };
    let roof = if record.roofline.is_empty() {
        "roof –: the session measured no roof; add --case 'peak-fma/*', 'copy/*' and 'read/*'."
    } else {
        "roof: share of this session's own roofline."
    };
    let which = match kernels {
        ShownKernels::Best => "Fastest kernel of each case; --all-kernels shows all. ",
        ShownKernels::All => "",
    };
    fold(
        &format!(
            "{which}{spread} {roof} error: worst output error over its bound; 1 would fail.{energy}"
        ),
        "",
        width,
    )
}

/// Where power was read and how well that is known.
fn energy_legend(record: &Record, power: &PowerSetup) -> String {
    let tier = record
        .plan
        .energy
        .map_or_else(String::new, |tier| format!(" ({tier})"));
    let cost = power.sampler.measured().map_or_else(String::new, |cost| {
        let share = cost.cpu_share.measured().map_or_else(String::new, |share| {
            format!(", {} of one processor", percent(*share))
        });
        format!(" Read every {}{share}.", Seconds(cost.interval_s))
    });
    let notes = sensor_notes(power);
    format!(
        " Power{tier}: {} of the {}, {}, idle included; gain {} {}, {}.{cost}{notes}",
        power.source,
        power.boundary,
        power.provenance,
        number(power.gain.factor),
        power.gain.uncertainty,
        power.gain.from
    )
}

/// Which cases stand for ones that are too large for the adapter.
pub(super) fn smaller(record: &Record) -> String {
    let stands_for = |case: &CaseResult| {
        let other = case.instead_of.as_ref()?;
        Some(format!(
            "{} stands for {}: {}\n",
            case.case, other.case, other.reason
        ))
    };
    let mut lines: Vec<String> = record.cases.iter().filter_map(stands_for).collect();
    lines.dedup();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\nSmaller, by this adapter's limits:\n  {}",
        lines.join("  ")
    )
}

/// Why measured cases have no power, by reason, where the session has a sensor.
pub(super) fn without_power(record: &Record, width: Option<u16>) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in record
        .cases
        .iter()
        .filter(|_| record.power.measured().is_some())
    {
        let reason = case.summary.measured().and_then(|s| s.energy_j.reason());
        if let Some(reason) = reason {
            reasons.entry(reason).or_default().push(case.id());
        }
    }
    reasons
        .into_iter()
        .map(|(reason, cases)| {
            fold(
                &format!("No power for {}: {reason}", cases.join(", ")),
                "  ",
                width,
            )
        })
        .collect()
}

/// Cases that have no figure, by reason.
pub(super) fn without_figure(record: &Record, is_import: bool, width: Option<u16>) -> String {
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut page = String::new();
    for case in &record.cases {
        match &case.status {
            // Of another tool's cases the table above has what they say.
            Status::Measured if is_import => {}
            Status::Measured => {
                if let Some(reason) = case.summary.reason() {
                    page += &fold(
                        &format!("No figure for {}: {reason}", case.id()),
                        "  ",
                        width,
                    );
                }
            }
            Status::Skipped { reason } => skipped.entry(reason).or_default().push(case.id()),
            Status::Failed { reason, .. } => {
                page += &fold(&format!("FAILED {}: {reason}", case.id()), "  ", width);
            }
        }
    }
    for (reason, cases) in skipped {
        page += &fold(
            &format!("Skipped {}: {reason}", cases.join(", ")),
            "  ",
            width,
        );
    }
    page
}

/// Every kind of warning once, in the words of its first case, with the cases that it is about.
pub(super) fn warnings(record: &Record, width: Option<u16>) -> String {
    let mut page = String::new();
    for (warning, cases) in record.warning_kinds() {
        let about = cases
            .first()
            .map_or_else(String::new, |first| format!("{first}: "));
        let like = match cases.len() {
            0 | 1 => String::new(),
            2 => format!(" (Same for {}.)", cases[1]),
            more => format!(" (Same for {} and {} others.)", cases[1], more - 2),
        };
        page += &fold(&format!("Warning: {about}{warning}.{like}"), "  ", width);
    }
    page
}
