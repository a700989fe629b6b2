//! The one way tables look.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use textwrap::{Options, WordSplitter};

use crate::record::Estimate;
pub(super) use crate::units::counted;

/// Widest table, whatever the terminal; a record pasted into an issue stays readable.
pub(super) const WIDEST: u16 = 100;

/// Columns of a terminal that says it has none, as a pseudo-terminal of unset size does.
const UNSIZED: u16 = 80;

/// Fewest columns that a paragraph is folded to; below, hardly a word fits.
const NARROWEST: u16 = 20;

/// Columns of a page for a terminal of this width; `None` is no terminal.
pub(super) fn columns(width: Option<u16>) -> u16 {
    match width {
        None => WIDEST,
        Some(0) => UNSIZED,
        Some(columns) => columns.min(WIDEST),
    }
}

/// A value with the half-width of its interval, where it has one: `38.2 mJ ±1.5 %`.
pub(super) fn with_spread(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    let value = estimate.text(&show);
    match estimate.spread(&show) {
        Ok(spread) => format!("{value} {spread}"),
        Err(_) => value,
    }
}

/// Half of an interval as a share of its value, or its ends; a dash where there is none. The column's title has the ±.
pub(super) fn spread(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    match estimate.spread(show) {
        Ok(spread) => spread.trim_start_matches('±').to_owned(),
        Err(_) => "–".to_owned(),
    }
}

/// An empty table with a header; columns from `numbers` on are right-aligned.
pub(super) fn table(header: &[&str], numbers: usize, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(columns(width))
        .set_header(header.to_vec());
    for (at, column) in table.column_iter_mut().enumerate() {
        // One blank between columns, none before the first.
        column.set_padding((u16::from(at > 0), 0));
        if at >= numbers {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Where a name may go on in the next line; it takes no room, and [`text`] takes it out.
const BREAK: char = '\u{200b}';

/// What stands where there is no value.
pub(super) fn dash() -> String {
    "–".to_owned()
}

/// A cell. A name that is too long for it, `attention-prefill/f32/1x8x2x128x64-causal@flash` say, goes on in the next
/// line after one of its marks and not within a number or a word.
pub(super) fn cell(text: impl Into<String>) -> Cell {
    let text = text.into();
    let name = text.trim_start();
    if name.contains([' ', '\n']) || !name.contains(['/', '@', '-']) {
        return Cell::new(text);
    }
    let mut broken = String::with_capacity(2 * text.len());
    for letter in text.chars() {
        if letter == '@' {
            broken.push(BREAK);
        }
        broken.push(letter);
        if matches!(letter, '/' | '-') {
            broken.push(BREAK);
        }
    }
    Cell::new(broken).set_delimiter(BREAK)
}

/// A table as text, with no blanks at the ends of lines.
pub(super) fn text(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().replace(BREAK, ""))
        .collect();
    lines.join("\n") + "\n"
}

/// Folds a paragraph to the table's width, continuation lines indented. A number stays with its `%`.
pub(super) fn fold(paragraph: &str, indent: &str, width: Option<u16>) -> String {
    let start = &paragraph[..paragraph.len() - paragraph.trim_start_matches(' ').len()];
    let options = Options::new(columns(width).max(NARROWEST).into())
        .initial_indent(start)
        .subsequent_indent(indent)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let joined = words.join(" ").replace(" %", "\u{a0}%");
    textwrap::fill(&joined, options).replace("\u{a0}%", " %") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use textwrap::core::display_width;

    #[test]
    fn paragraphs_fold_by_columns_and_not_by_characters() {
        let wide = "測定は電力計で行う ".repeat(12);
        let page = fold(&wide, "  ", Some(40));
        assert!(page.lines().count() > 4, "{page}");
        for line in page.lines() {
            assert!(display_width(line) <= 40, "{line}");
        }
        assert_eq!(
            page.split_whitespace().count(),
            wide.split_whitespace().count()
        );
    }

    #[test]
    fn a_fold_keeps_indents_whole_words_and_percent_signs() {
        let page = fold("  note: a change of 12.5 % or more", "    ", Some(24));
        assert_eq!(page, "  note: a change of\n    12.5 % or more\n");
        let long = "matmul/f32/4096x4096x4096-causal@tiled";
        assert!(fold(&format!("a {long} b"), "", Some(20)).contains(long));
    }

    #[test]
    fn a_name_goes_on_after_one_of_its_marks() {
        let mut table = table(&["case", "time"], 1, Some(40));
        table.add_row([
            cell("attention-prefill/f32/1x8x2x128x64-causal@flash"),
            cell("1.00 ms"),
        ]);
        let page = text(&table);
        for line in page.lines().skip(1) {
            let part = line.split_whitespace().next().unwrap();
            assert!(part.ends_with(['/', '-', 'h', 'l']), "{page}");
        }
        assert!(
            !page.contains(BREAK) && page.contains("1x8x2x128x64-"),
            "{page}"
        );
    }

    #[test]
    fn a_terminal_without_a_size_has_eighty_columns() {
        let words = "word ".repeat(40);
        assert_eq!(fold(&words, "", Some(0)), fold(&words, "", Some(80)));
        let page = |width| {
            let mut table = table(&["case", "time"], 1, width);
            table.add_row(["matmul/f32/1024x1024x1024@tiled", "1.000 ms"]);
            text(&table)
        };
        assert_eq!(page(Some(0)), page(Some(80)));
        assert!(page(Some(0)).contains("matmul/f32/1024x1024x1024@tiled"));
    }
}
