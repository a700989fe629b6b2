//! Two devices compared for the same sum.

use super::super::table::{fold, table, text};
use super::notes;
use crate::invest::{Contrast, WhatIf, digits, digits_alike, scale_of_row};
use crate::units::whole_percent;

/// Two devices under one sum.
pub fn invest_what_if(what_if: &WhatIf, width: Option<u16>) -> String {
    let mut page = fold(
        &format!("A: {}   B: {}", what_if.one, what_if.other),
        "  ",
        width,
    );
    let mut table = table(
        &["", "A", "B", "", "B ÷ A", "5 to 95 %", "B better"],
        1,
        width,
    );
    for row in &what_if.rows {
        table.add_row(contrast(row));
    }
    page += &text(&table);
    page += &fold(
        "Medians, and the ratio draw by draw with common draws. `B better`: the share of draws in which it is.",
        "",
        width,
    );
    let bases = |one: bool| -> Vec<&str> {
        let mut names: Vec<&str> = what_if
            .rows
            .iter()
            .map(|row| if one { row.one_basis } else { row.other_basis }.name())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    page += &fold(
        &format!(
            "A is {}; B is {}.",
            bases(true).join(" and "),
            bases(false).join(" and ")
        ),
        "",
        width,
    );
    page.push('\n');
    page + &notes(&what_if.notes, width)
}

fn contrast(row: &Contrast) -> [String; 7] {
    let (scale, unit) = scale_of_row(row.quantity, row.unit, &row.one);
    let [one, other] = digits_alike([row.one.p50, row.other.p50].map(|value| value / scale));
    [
        row.label.to_owned(),
        one,
        other,
        unit,
        format!("×{}", digits(row.ratio.p50)),
        format!("{} to {}", digits(row.ratio.p5), digits(row.ratio.p95)),
        whole_percent(row.other_is_better),
    ]
}
