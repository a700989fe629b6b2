//! The table as Markdown, for an issue or an article.

use super::words::{factor_range, headline, section_title};
use crate::compare::{DescribedCell, DescribedSection, Description};
use crate::escape::markdown;
use crate::record::{Reading, UNVERIFIED};

/// The description as Markdown.
pub fn side_by_side_markdown(description: &Description) -> String {
    let mut page = format!("### perwatt: {}\n\n", markdown(&headline(description)));
    for column in &description.columns {
        let caveats: String = column
            .caveats
            .iter()
            .map(|caveat| format!(" **{}.**", markdown(caveat)))
            .collect();
        page += &format!(
            "- {}: {}, {}, {}.{caveats}\n",
            column.letter,
            markdown(&column.device),
            markdown(&column.backend),
            markdown(&column.driver),
        );
    }
    for section in &description.sections {
        page += &section_markdown(description, section);
    }
    for alone in &description.alone {
        page += &format!(
            "\nOnly {} has {}; the others: {}.\n",
            alone.column,
            markdown(&alone.cases.join(", ")),
            markdown(&alone.reason)
        );
    }
    for note in &description.notes {
        page += &format!("\nNote: {}.\n", markdown(note));
    }
    page + "\n"
}

/// A section as a table, one row a case.
fn section_markdown(description: &Description, section: &DescribedSection) -> String {
    let letters = description
        .columns
        .iter()
        .map(|column| column.letter.as_str());
    let ratios = letters
        .clone()
        .skip(1)
        .map(|letter| format!("{letter} ÷ {}", description.columns[0].letter));
    let heads: Vec<String> = letters.map(str::to_owned).chain(ratios).collect();
    let mut page = format!(
        "\n**{}**\n\n| case | {} |\n|---|{}\n",
        markdown(&section_title(section)),
        heads.join(" | "),
        "--:|".repeat(heads.len())
    );
    for row in &section.rows {
        let ratios = row.cells.iter().skip(1).map(|cell| {
            let ratio = cell
                .measured()
                .and_then(|cell| cell.ratio.as_ref()?.measured());
            ratio.map_or_else(|| "–".to_owned(), |ratio| factor_range(*ratio))
        });
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| value(cell, section.imported))
            .chain(ratios)
            .collect();
        page += &format!("| {} | {} |\n", markdown(&row.case), cells.join(" | "));
    }
    page
}

fn value(cell: &Reading<DescribedCell>, imported: bool) -> String {
    let Reading::Measured(cell) = cell else {
        return "–".to_owned();
    };
    let spread = cell
        .spread
        .as_ref()
        .map_or_else(String::new, |spread| format!(" {spread}"));
    // Of another tool's values the columns say it, and the tool is no kernel.
    if imported {
        return markdown(&format!("{}{spread}", cell.text));
    }
    let mark = match cell.verified {
        true => String::new(),
        false => format!(" {UNVERIFIED}"),
    };
    markdown(&format!("{}{spread}{mark} {}", cell.text, cell.kernel))
}
