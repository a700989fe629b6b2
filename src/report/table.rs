//! The one way tables look.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Widest table, whatever the terminal; a record pasted into an issue stays readable.
pub(super) const WIDEST: u16 = 100;

/// An empty table with a header; columns from `numbers` on are right-aligned.
pub(super) fn table(header: &[&str], numbers: usize, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.unwrap_or(WIDEST).min(WIDEST))
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

/// A table as text, with no blanks at the ends of lines.
pub(super) fn text(table: &Table) -> String {
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n") + "\n"
}

/// Folds a paragraph to the table's width, continuation lines indented.
pub(super) fn fold(paragraph: &str, indent: &str, width: Option<u16>) -> String {
    let width = usize::from(width.unwrap_or(WIDEST).min(WIDEST)).max(20);
    let start: String = paragraph.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![start];
    for word in paragraph.split_whitespace() {
        let last = lines.len() - 1;
        let line = &lines[last];
        let blank = usize::from(!line.trim().is_empty());
        if line.chars().count() + blank + word.chars().count() > width && !line.trim().is_empty() {
            lines.push(format!("{indent}{word}"));
        } else {
            let line = &mut lines[last];
            if blank == 1 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

/// A page that does to a terminal, and to a CI runner that reads its log, nothing but stand there,
/// whatever names the files gave: control characters are replaced, and no line begins with the `::` by
/// which GitHub's runner knows a command.
pub(super) fn harmless(page: &str) -> String {
    let mut clean = String::with_capacity(page.len());
    for line in page.split_inclusive('\n') {
        let blank = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(blank);
        clean.push_str(indent);
        let rest = match rest.strip_prefix("::") {
            Some(rest) => {
                clean.push_str(": :");
                rest
            }
            None => rest,
        };
        clean.extend(rest.chars().map(|c| match c {
            '\n' => c,
            c => inert(c),
        }));
    }
    // The older form of a command counts anywhere in a line.
    clean.replace("##[", "# #[")
}

/// The character, unless it steers a terminal or turns the reading direction.
pub(super) fn inert(c: char) -> char {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}
