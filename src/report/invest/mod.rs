//! What a sum buys, as a page for the terminal: quantiles with bars on one scale, then what makes them
//! uncertain, then the words without which the numbers would mislead.

mod at_scale;
mod backtest;
mod card;
mod headline;
mod lists;
mod notes;
mod row;
mod sensitivity;
mod what_if;

use super::table::{fold, table, text};
use crate::invest::{Answer, CardModel, OUTPUTS, OutputKind, RecordFigure, Section, as_of};
use crate::units::whole_change;

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

/// How much of the answer a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageExtent {
    /// What a reader takes in at a glance.
    Short,
    /// All of it.
    Full,
}

/// What a record said that was given.
#[derive(Clone, Copy, Debug)]
pub struct GivenRecord<'a> {
    /// What it is, in words.
    pub about: &'a str,
    /// What it says of the model's inputs.
    pub findings: &'a [RecordFigure],
}

/// The answer as a page.
pub fn invest(
    answer: &Answer,
    record: Option<GivenRecord<'_>>,
    models: &[CardModel],
    extent: PageExtent,
    width: Option<u16>,
) -> String {
    let mut page = heading(answer, record, width);
    page += &measured(record.map_or(&[], |record| record.findings), width);
    page += &card::card(models, answer, width);
    for section in SECTIONS {
        if section == Section::Run && is_too_small_to_train(answer, models) {
            continue;
        }
        let rows = self::section(answer, section, extent, width);
        if !rows.is_empty() {
            page += &rows;
            if extent == PageExtent::Full {
                page.push('\n');
            }
        }
    }
    if extent == PageExtent::Full {
        page += &fold(&about_the_run(answer), "", width);
        page.push('\n');
        page += &one_per_cent(answer, width);
        page += &sensitivity::causes(answer, width);
    } else {
        page.push('\n');
    }
    page += &notes(&answer.notes, width);
    page + &fold(
        "--full shows every row and what makes it uncertain, --sources where every input is from, --inputs \
         what could be set, --json all.",
        "",
        width,
    )
}

/// What stands beside a run and a year's electricity in law and in statistics.
fn about_the_run(answer: &Answer) -> String {
    format!(
        "EU AI Act (Regulation (EU) 2024/1689, in force 1 August 2024): more than 10^25 FLOP over all training \
         of a model presume systemic risk (Article 51(2)); duties of general-purpose models apply since 2 August \
         2025, fines since 2 August 2026; stand-alone high-risk systems from 2 December 2027 (Digital Omnibus, \
         adopted 29 June 2026): these have no threshold of compute. {} SCI = (E·I + M) ÷ R: all electricity, \
         location-based, and the hardware's share of its life. All data centres drew 415 TWh in 2024 and would \
         draw 945 in 2030 (IEA, Energy and AI, April 2025).",
        answer.annex_xi_method
    )
}

fn heading(answer: &Answer, record: Option<GivenRecord<'_>>, width: Option<u16>) -> String {
    let mut page = headline::headline(answer, width);
    page += &fold(
        &format!(
            "{} · {} · tokens of {} in {} · priors {} · {} draws, seed {}",
            answer.accelerator,
            answer.precision.name(),
            answer.model,
            answer.weights.name(),
            answer.priors.name(),
            answer.draws.count,
            answer.draws.seed
        ),
        "  ",
        width,
    );
    let as_of = as_of(&answer.inputs, answer.country.as_deref());
    page += &fold(&format!("{as_of}."), "  ", width);
    let rests_on_record = answer
        .inputs
        .iter()
        .any(|input| input.assumption.basis.is_from_record());
    page += &match record {
        _ if rests_on_record => String::new(),
        None => "No record: nothing below was measured by perwatt.\n".to_owned(),
        Some(GivenRecord {
            about,
            findings: [],
        }) => fold(
            &format!(
                "Nothing of the record is used below: {about}, and none of that is a matrix product, a \
                 matrix-vector product, a stream or a layer that the model knows; the notes say what it lacks."
            ),
            "  ",
            width,
        ),
        Some(GivenRecord { about, .. }) => fold(
            &format!("Nothing of the record is used below ({about}); the notes say why."),
            "  ",
            width,
        ),
    };
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
        let relative = |end: f64| whole_change(end / finding.value);
        table.add_row([
            finding.what.clone(),
            finding.case.clone(),
            finding.text.clone(),
            format!("{} {}", relative(finding.low), relative(finding.high)),
            match finding.not_used {
                Some(_) => "not used".to_owned(),
                None => finding.basis.name().to_owned(),
            },
        ]);
    }
    text(&table) + "\n"
}

/// A section's outputs under its title; nothing where it has none.
fn section(answer: &Answer, section: Section, extent: PageExtent, width: Option<u16>) -> String {
    let mut page = String::new();
    let shown =
        |kind: &OutputKind| extent == PageExtent::Full || kind.is_at_a_glance(answer.precision);
    for kind in OUTPUTS
        .iter()
        .filter(|kind| kind.section == section && shown(kind))
    {
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
    header(&section.title(run_flop(answer)), width) + &page
}

/// Whether a desk's device does not hold the training of the model that it is asked about: a run of 10^25 FLOP on it is
/// no figure for anybody.
fn is_too_small_to_train(answer: &Answer, models: &[CardModel]) -> bool {
    let training = answer.outputs.get("train_rate");
    !models.is_empty() && training.is_some_and(|output| output.quantiles.measured().is_none())
}

/// What one per cent is worth.
fn one_per_cent(answer: &Answer, width: Option<u16>) -> String {
    section(answer, Section::OnePerCent, PageExtent::Full, width)
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
