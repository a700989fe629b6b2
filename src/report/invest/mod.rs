//! What a sum buys, as a page for the terminal: quantiles with bars on one scale, then what makes them
//! uncertain, then the words without which the numbers would mislead.

mod at_scale;
mod backtest;
mod lists;
mod notes;
mod row;
mod sensitivity;
mod what_if;

use super::table::{fold, table, text};
use crate::invest::{Answer, OUTPUTS, RecordFigure, Section};

use notes::notes;
use row::{header, row};

pub use at_scale::at_scale;
pub use backtest::invest_backtests;
pub use lists::{invest_inputs, invest_list, invest_sources};
pub use what_if::invest_what_if;

/// The sections of the page before the words about what is estimated how.
const SECTIONS: [Section; 6] = [
    Section::Purchase,
    Section::Footprint,
    Section::Cost,
    Section::Accelerator,
    Section::Run,
    Section::Sci,
];

/// The answer as a page.
pub fn invest(answer: &Answer, findings: &[RecordFigure], width: Option<u16>) -> String {
    let mut page = heading(answer, width);
    page += &measured(findings, width);
    for section in SECTIONS {
        let rows = self::section(answer, section, width);
        if !rows.is_empty() {
            page += &rows;
            page.push('\n');
        }
    }
    page += &fold(
        &format!(
            "EU AI Act: 10^25 FLOP over all training of a model presume systemic risk (Article 51(2)). {} SCI \
             = (E·I + M) ÷ R: all electricity, location-based, and the hardware's share of its life.",
            answer.annex_xi_method
        ),
        "",
        width,
    );
    page.push('\n');
    page += &one_per_cent(answer, width);
    page += &sensitivity::causes(answer, width);
    page += &notes(&answer.notes, width);
    page + &fold(
        "--sources says where every input is from, --inputs what could be set, --json gives all.",
        "",
        width,
    )
}

fn heading(answer: &Answer, width: Option<u16>) -> String {
    let mut page = format!("{}\n", answer.title);
    page += &fold(
        &format!(
            "{} · {} · tokens of {} · {} draws, seed {}",
            answer.accelerator,
            answer.precision.name(),
            answer.model,
            answer.draws.count,
            answer.draws.seed
        ),
        "  ",
        width,
    );
    let from_record = answer
        .inputs
        .iter()
        .filter(|input| input.assumption.basis.is_from_record())
        .count();
    if from_record == 0 {
        page += "No record: nothing below was measured by perwatt.\n";
    }
    page.push('\n');
    page
}

/// What the record says by itself.
fn measured(findings: &[RecordFigure], width: Option<u16>) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut table = table(
        &["From the record", "case", "value", "95 %", "basis"],
        2,
        width,
    );
    for finding in findings {
        let relative = |end: f64| format!("{:+.0} %", 100.0 * (end / finding.value - 1.0));
        table.add_row([
            finding.what.clone(),
            finding.case.clone(),
            finding.text.clone(),
            format!("{} {}", relative(finding.low), relative(finding.high)),
            finding.basis.name().to_owned(),
        ]);
    }
    text(&table) + "\n"
}

/// A section's outputs under its title; nothing where it has none.
fn section(answer: &Answer, section: Section, width: Option<u16>) -> String {
    let mut page = String::new();
    for kind in OUTPUTS.iter().filter(|kind| kind.section == section) {
        let output = answer.outputs.get(kind.key);
        let Some((output, quantiles)) = output.and_then(|o| Some((o, o.quantiles.measured()?)))
        else {
            continue;
        };
        page += &row(
            kind.row_label,
            output.quantity,
            output.unit,
            *quantiles,
            Some(output.basis),
            width,
        );
    }
    if page.is_empty() {
        return page;
    }
    header(&title(section, answer), width) + &page
}

fn title(section: Section, answer: &Answer) -> String {
    let title = match section {
        Section::Purchase => "What it buys",
        Section::Footprint => "Power, energy and emissions",
        Section::Cost => "What work costs",
        Section::Accelerator => "One accelerator at work",
        Section::Run => return format!("One run of {} FLOP", power_of_ten(run_flop(answer))),
        Section::Sci => "SCI (ISO/IEC 21031)",
        Section::OnePerCent => "1 % saves per year",
        Section::JsonOnly => "",
    };
    title.to_owned()
}

/// What one per cent is worth.
fn one_per_cent(answer: &Answer, width: Option<u16>) -> String {
    section(answer, Section::OnePerCent, width)
        + &fold(
            "For the same work: 1 % more throughput needs 1 % fewer accelerators, with all that they cost \
             and draw. Do not add the two: a kernel that finishes sooner saves its joules too.",
            "",
            width,
        )
        + "\n"
}

fn run_flop(answer: &Answer) -> f64 {
    answer
        .inputs
        .iter()
        .find(|input| input.key == "run_flop")
        .map_or(1e25, |input| input.assumption.distribution.central())
}

fn power_of_ten(value: f64) -> String {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some(("1", exponent)) => format!("10^{exponent}"),
        Some((digits, exponent)) => format!("{digits}·10^{exponent}"),
        None => text,
    }
}
