//! Results side by side: what differs is said once, then one row per case.

mod csv;
mod markdown;
mod words;

pub use csv::side_by_side_csv;
pub use markdown::side_by_side_markdown;

use comfy_table::{Cell, ColumnConstraint};

use words::{factor_range, headline, section_title};

use super::table::{WIDEST, cell, columns, counted, fold, table, text};
use crate::compare::{
    DescribedCell, DescribedColumn, DescribedRow, DescribedSection, Description, Metric,
};
use crate::record::{CaseName, Reading, UNVERIFIED};

/// Columns of results that stand beside each other; more go into tables below.
const BESIDE: usize = 3;

/// Columns of the page below which the intervals of values are left to the files.
const ROOMY: u16 = 92;

/// Names of cases that are written out before the rest is counted.
const NAMED: usize = 8;

/// What the ratios mean.
const RATIOS: &str = "÷: times the value of the first, with its 95 % confidence interval; mean: geometric. No \
    verdicts: --verdicts judges against the first.";

/// What the columns mean.
fn legend(description: &Description) -> String {
    let imported = |section: &DescribedSection| section.imported;
    let mut words = Vec::new();
    if !description.sections.iter().all(imported) {
        words.push("Best verified kernel of each case.");
    }
    if description.sections.iter().any(imported) {
        words.push("Other tools' values are geometric means of their processes' medians.");
    }
    if description.columns.len() > 1 {
        words.push(RATIOS);
    }
    words.join(" ")
}

/// The description as a page for the terminal.
pub fn side_by_side(description: &Description, width: Option<u16>) -> String {
    let mut page = heading(description, width);
    if description.sections.is_empty() {
        page += match description.columns.len() {
            1 => "\nNo case has a value.\n",
            _ => "\nNo case has a value in two columns.\n",
        };
    }
    let is_empty = description.sections.is_empty();
    for block in blocks(description.columns.len())
        .iter()
        .filter(|_| !is_empty)
    {
        page.push('\n');
        page += &block_table(description, block, width);
    }
    if !is_empty {
        page += &fold(&legend(description), "", width);
    }
    for alone in &description.alone {
        page += &fold(
            &format!(
                "Only {} has {}: {}. The others: {}.",
                alone.column,
                counted(alone.cases.len(), "case"),
                some(&alone.cases),
                alone.reason
            ),
            "  ",
            width,
        );
    }
    for note in &description.notes {
        page += &fold(&format!("Note: {note}."), "  ", width);
    }
    page
}

/// What stands in the columns, what differs between them and what does not.
fn heading(description: &Description, width: Option<u16>) -> String {
    let mut page = fold(&headline(description), "  ", width);
    for column in &description.columns {
        page += &fold(&column_line(column), "     ", width);
        for caveat in &column.caveats {
            page += &fold(&format!("     {caveat}."), "     ", width);
        }
    }
    page
}

/// A column in words.
fn column_line(column: &DescribedColumn) -> String {
    let driver = match column.driver.as_str() {
        "" => String::new(),
        driver => format!(" · {driver}"),
    };
    let date = column
        .date
        .as_ref()
        .map_or_else(String::new, |date| format!(", {date}"));
    let files = match column.files.as_slice() {
        [one] => one.clone(),
        files => format!("{} and {} more", files[0], files.len() - 1),
    };
    format!(
        "  {}  {} · {}{driver} ({}{date}; {files})",
        column.letter,
        column.device,
        column.backend,
        counted(column.sessions, "session"),
    )
}

/// Which columns stand beside each other: the first in every block.
fn blocks(count: usize) -> Vec<Vec<usize>> {
    let others: Vec<usize> = (1..count).collect();
    if others.is_empty() {
        return vec![vec![0]];
    }
    others
        .chunks(BESIDE - 1)
        .map(|chunk| [&[0], chunk].concat())
        .collect()
}

/// The table of some columns. Two results have a column for their ratio; of more, each has it below its value.
fn block_table(description: &Description, block: &[usize], width: Option<u16>) -> String {
    let letter = |at: &usize| description.columns[*at].letter.clone();
    let layout = Layout {
        imported: false,
        of_two: block.len() == 2,
        roomy: columns(width) >= ROOMY.min(WIDEST) && block.len() <= 2,
    };
    let mut header = vec!["case".to_owned()];
    header.extend(block.iter().map(letter));
    if layout.of_two {
        header.push(format!("{} ÷ {}", letter(&block[1]), letter(&block[0])));
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, 1, width);
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    for section in &description.sections {
        if section.metric != Metric::Throughput || section.imported {
            table.add_row([section_title(section)]);
        }
        let mut workload = "";
        for row in &section.rows {
            // The name is another tool's, and its slashes are no parts.
            if section.imported {
                let row = cells(row, &row.case, block, layout.of_import());
                table.add_row(row.into_iter().map(cell));
                continue;
            }
            let (of, rest) = CaseName::split_workload(&row.case);
            if of != workload {
                workload = of;
                table.add_row([cell(workload)]);
            }
            table.add_row(cells(row, rest, block, layout).into_iter().map(cell));
        }
        if let Some(mean) = mean_cells(section, block, layout) {
            table.add_row(mean.into_iter().map(Cell::new));
        }
    }
    text(&table)
}

/// How a row is written.
#[derive(Clone, Copy)]
struct Layout {
    /// Values are another tool's: the columns say that they are unverified, and the tool is no kernel.
    imported: bool,
    /// The ratio has a column of its own.
    of_two: bool,
    /// Values show how well they are known.
    roomy: bool,
}

impl Layout {
    /// The same for another tool's values.
    fn of_import(self) -> Self {
        Self {
            imported: true,
            ..self
        }
    }
}

/// A row's cells: its name and its values. A kernel that is the best in all columns stands in the name.
fn cells(row: &DescribedRow, rest: &str, block: &[usize], layout: Layout) -> Vec<String> {
    let shown: Vec<&Reading<DescribedCell>> = block.iter().map(|at| &row.cells[*at]).collect();
    let mut kernels = shown
        .iter()
        .filter_map(|cell| cell.measured())
        .map(|cell| &cell.kernel);
    let first = kernels.next();
    let shared = first.filter(|first| !first.is_empty() && kernels.all(|kernel| kernel == *first));
    let mut cells = vec![match shared {
        Some(kernel) if !layout.imported => format!("  {rest}@{kernel}"),
        _ => format!("  {rest}"),
    }];
    for cell in &shown {
        let mut words = value(cell, shared.is_none(), layout);
        if !layout.of_two && cell.measured().is_some_and(|cell| cell.ratio.is_some()) {
            words += &format!("\n{}", ratio_of(cell));
        }
        cells.push(words);
    }
    if layout.of_two {
        cells.push(ratio_of(shown[1]));
    }
    cells
}

/// A value with what belongs to it.
fn value(cell: &Reading<DescribedCell>, with_kernel: bool, layout: Layout) -> String {
    let Reading::Measured(cell) = cell else {
        return "–".to_owned();
    };
    let spread = cell.spread.as_ref().filter(|_| layout.roomy);
    let spread = spread.map_or_else(String::new, |spread| format!(" {spread}"));
    let mark = match cell.verified || layout.imported {
        true => String::new(),
        false => format!(" {UNVERIFIED}"),
    };
    let kernel = match with_kernel && !cell.kernel.is_empty() && !layout.imported {
        true => format!(" {}", cell.kernel),
        false => String::new(),
    };
    format!("{}{spread}{mark}{kernel}", cell.text)
}

/// A cell's ratio.
fn ratio_of(cell: &Reading<DescribedCell>) -> String {
    let ratio = cell
        .measured()
        .and_then(|cell| cell.ratio.as_ref()?.measured());
    ratio.map_or_else(|| "–".to_owned(), |ratio| factor_range(*ratio))
}

/// The mean of a section, where a column shares more than one case with the first.
fn mean_cells(section: &DescribedSection, block: &[usize], layout: Layout) -> Option<Vec<String>> {
    let means: Vec<_> = block[1..].iter().map(|at| section.means[at - 1]).collect();
    let cases = means.iter().flatten().map(|mean| mean.cases).max()?;
    let mut cells = vec![format!("{}, mean of {cases}", section.title), String::new()];
    if layout.of_two {
        cells.push(String::new());
    }
    cells.extend(
        means
            .iter()
            .map(|mean| mean.map_or_else(|| "–".to_owned(), |mean| factor_range(mean.ratio))),
    );
    Some(cells)
}

/// The first names, and how many more there are.
fn some(names: &[String]) -> String {
    match names.len() > NAMED {
        true => format!(
            "{} and {} more",
            names[..NAMED].join(", "),
            names.len() - NAMED
        ),
        false => names.join(", "),
    }
}
