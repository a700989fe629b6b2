//! The answer that a run was made for: what the device achieves, how well that is known, what could not be measured,
//! and the one next step.

use comfy_table::Cell;

use super::cases::{ShownKernels, measured, or_dash, rate};
use super::short::is_short;
use crate::record::{CaseName, CaseResult, EnergyTier, Reading, Record, Roof, Summary};
use crate::report::table::{dash, fold, spread, table, text};
use crate::units::{TokensPerSecond, number, percent};

/// A value this far from its ends, as a share, is too noisy to be compared.
const NOISY: f64 = 0.1;

/// What the device achieves.
pub(super) fn answer(record: &Record, width: Option<u16>) -> String {
    let with_energy = record.power.measured().is_some();
    let mut header = vec!["", "kernel", "rate", "±95 %", "of roof"];
    header.extend(with_energy.then(|| per_joule(record)));
    let mut table = table(&header, 2, width);
    for line in lines(record) {
        let mut cells = vec![line.what, line.kernel, line.rate, line.spread, line.share];
        cells.extend(with_energy.then_some(line.per_joule));
        table.add_row(cells.into_iter().map(Cell::new));
    }
    let mut page = match table.is_empty() {
        true => String::new(),
        false => text(&table),
    };
    if let Reading::Unmeasured(reason) = &record.power {
        page += &fold(
            &format!("Power: not measured: {}.", reason.unmeasured),
            "  ",
            width,
        );
    }
    page + &fold(&next_step(record), "  ", width)
}

/// The title of the column of work per joule, which says how far it can be trusted.
fn per_joule(record: &Record) -> &'static str {
    let simulated = record.has_simulated_sensor();
    match (simulated, record.plan.energy) {
        (true, _) => "SIMULATED /J",
        (false, Some(EnergyTier::Screening)) => "SCREENING /J",
        (false, _) => "per joule",
    }
}

/// One line of the answer.
struct AnswerLine {
    what: String,
    kernel: String,
    rate: String,
    spread: String,
    share: String,
    per_joule: String,
}

/// Roofs, the best matrix product of each dtype, and the layer of a language model.
fn lines(record: &Record) -> Vec<AnswerLine> {
    let mut lines: Vec<AnswerLine> = record
        .roofline
        .iter()
        .map(|roof| of_roof(record, roof))
        .collect();
    let best = measured(record, ShownKernels::Best);
    let mut dtypes: Vec<&str> = Vec::new();
    for (case, _) in best.iter().filter(|(case, _)| case.workload() == "matmul") {
        if !dtypes.contains(&case.dtype()) {
            dtypes.push(case.dtype());
        }
    }
    for dtype in dtypes {
        let of_dtype = best
            .iter()
            .filter(|(case, _)| case.workload() == "matmul" && case.dtype() == dtype);
        let flops =
            |summary: &Summary| summary.flop_per_s.measured().map_or(0.0, |rate| rate.value);
        // A product that is all launch says nothing of the device, unless there is no other.
        let quickest = of_dtype.max_by(|(a, of_a), (b, of_b)| {
            let key = |case: &CaseResult| !is_short(case);
            (key(a).cmp(&key(b))).then(flops(of_a).total_cmp(&flops(of_b)))
        });
        if let Some((case, summary)) = quickest {
            let shape = CaseName::parse_case(&case.case).map_or("", |name| name.shape);
            lines.push(AnswerLine {
                what: format!("matrix product {dtype}, {shape}"),
                ..of_case(case, summary)
            });
        }
    }
    for (case, summary) in best
        .iter()
        .filter(|(case, _)| case.workload() == "llama-layer")
    {
        lines.push(of_layer(case, summary));
    }
    lines
}

fn of_roof(record: &Record, roof: &Roof) -> AnswerLine {
    let case = record.cases.iter().find(|case| case.id() == roof.from);
    let summary = case.and_then(|case| Some((case, case.summary.measured()?)));
    AnswerLine {
        what: roof.resource.words().to_owned(),
        kernel: CaseName::split_kernel(&roof.from)
            .1
            .unwrap_or_default()
            .to_owned(),
        rate: roof
            .rate_per_s
            .text(|rate| roof.resource.unit().per_second(rate)),
        spread: spread(&roof.rate_per_s, |rate| {
            roof.resource.unit().per_second(rate)
        }),
        share: dash(),
        per_joule: summary.map_or_else(dash, |(case, summary)| rate(case, summary).1),
    }
}

fn of_case(case: &CaseResult, summary: &Summary) -> AnswerLine {
    let (rate, per_joule) = rate(case, summary);
    AnswerLine {
        what: case.case.clone(),
        kernel: case.kernel.clone(),
        rate,
        spread: spread_of_rate(case, summary),
        share: or_dash(&summary.roofline_share, |share| percent(share.value)),
        per_joule,
    }
}

/// How well the rate is known by which a case is named.
fn spread_of_rate(case: &CaseResult, summary: &Summary) -> String {
    let unit = case.headline().unit;
    let Some(rate) = unit.rate(summary) else {
        return dash();
    };
    or_dash(rate, |rate| spread(rate, |rate| unit.per_second(rate)))
}

/// A layer, which people ask for its tokens.
fn of_layer(case: &CaseResult, summary: &Summary) -> AnswerLine {
    let name = CaseName::parse_case(&case.case);
    let phase = match name.and_then(|name| name.shape.rsplit_once('-')) {
        Some((_, phase)) => format!(" {phase}"),
        None => String::new(),
    };
    AnswerLine {
        what: format!("one Llama layer {}{phase}", case.dtype()),
        rate: or_dash(&summary.tokens_per_s, |rate| {
            rate.text(|rate| TokensPerSecond(rate).to_string())
        }),
        spread: or_dash(&summary.tokens_per_s, |rate| {
            spread(rate, |rate| TokensPerSecond(rate).to_string())
        }),
        per_joule: or_dash(&summary.tokens_per_j, |rate| {
            rate.text(|rate| format!("{} tokens", number(rate)))
        }),
        ..of_case(case, summary)
    }
}

/// The one step that would help most.
fn next_step(record: &Record) -> String {
    let failed = record.cases.iter().filter(|case| case.has_failed()).count();
    let values = measured(record, ShownKernels::All);
    let noisy = values
        .iter()
        .filter(|(_, summary)| {
            summary
                .time_ns
                .relative_half_width()
                .is_none_or(|half| half > NOISY)
        })
        .count();
    let all = values.len();
    let step = if failed > 0 {
        format!(
            "{failed} of {} cases FAILED; see the reasons below",
            record.cases.len()
        )
    } else if record.invocations.len() < 3 {
        "run three invocations or more for intervals".to_owned()
    } else if noisy * 4 > all {
        format!(
            "{noisy} of {all} values are known to ±{} or worse; close other programs, or raise --budget",
            percent(NOISY)
        )
    } else if record.roofline.is_empty() {
        "add --case 'peak-fma/*', 'copy/*' and 'read/*' for shares of the roofline".to_owned()
    } else if record.power.measured().is_none() {
        "`perwatt power list` says which sensors would give work per joule".to_owned()
    } else {
        "`perwatt compare THIS OTHER` puts two devices side by side".to_owned()
    };
    format!("Next: {step}.")
}
