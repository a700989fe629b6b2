//! What can be named and set, and where each input is from.

use super::super::table::{fold, table, text};
use crate::invest::{Answer, Assumption, CatalogEntry, ModelInput, ReducibleBy, Size, range};

/// Where every input is from.
pub fn invest_sources(answer: &Answer, width: Option<u16>) -> String {
    let mut page = String::new();
    for input in &answer.inputs {
        let Assumption {
            basis,
            source,
            date,
            distribution,
        } = &input.assumption;
        let date = date
            .as_ref()
            .map_or(String::new(), |date| format!(" ({date})"));
        page += &fold(
            &format!(
                "{} = {} {}  {}: {source}{date}",
                input.key,
                range(*distribution),
                input.unit,
                basis.name()
            ),
            "    ",
            width,
        );
    }
    page.push('\n');
    page += &fold(
        &format!("Annex XI: {}", answer.annex_xi_method),
        "    ",
        width,
    );
    page
}

/// Every input that could be set.
pub fn invest_inputs(all: &[ModelInput], width: Option<u16>) -> String {
    let mut table = table(
        &[
            "key",
            "low / likely / high",
            "unit",
            "who could know",
            "what it is",
        ],
        9,
        width,
    );
    for input in all {
        let who = match input.reducible_by {
            ReducibleBy::Measurement => "measurement",
            ReducibleBy::Operator => "owner",
            ReducibleBy::Judgement => "nobody",
        };
        table.add_row([
            input.key.to_owned(),
            range(input.assumption.distribution),
            input.unit.to_owned(),
            who.to_owned(),
            input.about.to_owned(),
        ]);
    }
    text(&table)
        + &fold(
            &format!(
                "Set any with --set KEY=VALUE, KEY=LOW/LIKELY/HIGH (triangular) or KEY=LOW..HIGH (uniform); \
                 the size with {}, {} or {}. Values may carry %, k, M, bn and their unit.",
                Size::Budget.key(),
                Size::Accelerators.key(),
                Size::FacilityPower.key()
            ),
            "",
            width,
        )
}

/// The scenarios and what else can be named.
pub fn invest_list(
    scenarios: &[CatalogEntry],
    others: &[(&str, Vec<CatalogEntry>)],
    width: Option<u16>,
) -> String {
    let mut page = String::new();
    let all = std::iter::once(("scenario", scenarios.to_vec()))
        .chain(others.iter().map(|(what, list)| (*what, list.clone())));
    for (what, list) in all {
        let mut table = table(&[&format!("--{what}"), ""], 9, width);
        for entry in list {
            table.add_row([format!("  {}", entry.id), entry.title]);
        }
        page += &text(&table);
        page.push('\n');
    }
    page
}
