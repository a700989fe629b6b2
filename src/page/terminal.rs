//! The page's first pictures for a terminal: roofline and efficiency on a grid of characters; in a pipe, the same as
//! lines of text.

use textwrap::core::display_width;

use super::model::{PageCase, PageData, PageFigure, PageRecord, PageRoof};
use crate::record::Reading;
use crate::units::si;

/// Columns of what goes into a pipe, and of a terminal that does not know its size.
const USUAL: u16 = 80;

/// Most columns: a chart that is wider is no better.
const WIDEST: u16 = 100;

/// Fewest columns in which a chart can be read.
const NARROWEST: u16 = 40;

/// Lines of a chart.
const LINES: usize = 16;

/// The records of a page, one after the other.
pub fn terminal(data: &PageData, is_terminal: bool, width: Option<u16>) -> String {
    let columns = match width {
        None | Some(0) => USUAL,
        Some(columns) => columns.min(WIDEST),
    };
    let pages: Vec<String> = data
        .records
        .iter()
        .map(|record| one(record, is_terminal && columns >= NARROWEST, columns.into()))
        .collect();
    pages.join("\n")
}

fn one(record: &PageRecord, draws: bool, columns: usize) -> String {
    let mut page = fold(&record.label, columns);
    for mark in &record.marks {
        page += &fold(&format!("{}: {}", mark.word, mark.why), columns);
    }
    page.push('\n');
    for sentence in &record.sentences {
        page += &fold(sentence, columns);
    }
    page.push('\n');
    if record.imported {
        return page + &values(record, columns);
    }
    page += &roofline(record, draws, columns);
    page += &efficiency(record, draws, columns);
    page
}

/// What another tool measured: values with neither roof nor joules.
fn values(record: &PageRecord, columns: usize) -> String {
    let measured = record.cases.iter().filter_map(|case| {
        let figure = case.main_figure()?;
        let words = format!("  {}: {} ({})", case.case, figure.text, figure.spread);
        Some(fold(&words, columns))
    });
    measured.collect()
}

/// The measured cases that are the best of their kind, with what they are drawn by.
fn drawn<'a>(
    record: &'a PageRecord,
    of: impl Fn(&'a PageCase) -> Option<(f64, f64)>,
) -> Vec<Dot<'a>> {
    record
        .cases
        .iter()
        .filter(|case| case.best)
        .filter_map(|case| {
            let (x, y) = of(case)?;
            (x > 0.0 && y > 0.0).then_some(Dot { case, x, y })
        })
        .collect()
}

fn roofline(record: &PageRecord, draws: bool, columns: usize) -> String {
    let dots = drawn(record, |case| {
        let useful = case.measures.is_none();
        let rate = case.op_rate.measured().filter(|_| useful)?;
        Some((case.intensity?, rate.value))
    });
    let mut page = match dots.is_empty() {
        true => "Roofline: no case has an intensity and a rate.\n".to_owned(),
        false => "Roofline (best kernel of each case)\n".to_owned(),
    };
    if draws && !dots.is_empty() {
        let roofs = attainable(&record.roofs);
        page += &chart(&dots, &roofs, columns, ["FLOP/byte", "FLOP/s"]);
    }
    for roof in &record.roofs {
        page += &fold(
            &format!(
                "  roof {}: {} {} ({})",
                roof.resource,
                roof.rate.text,
                roof.rate.low.map_or("no interval", |_| &roof.rate.spread),
                roof.from
            ),
            columns,
        );
    }
    for (at, dot) in dots.iter().enumerate() {
        let share = dot.case.roof_share.measured();
        let share = share.map_or_else(|| "no roof".to_owned(), |share| share.text.clone());
        page += &line(at, dot.case, &dot.case.rate, &share, columns);
    }
    page
}

fn efficiency(record: &PageRecord, draws: bool, columns: usize) -> String {
    let mut page = String::new();
    let mut units: Vec<&str> = record.cases.iter().map(|case| case.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    for unit in units {
        let dots = drawn(record, |case| {
            let per_joule = case.per_joule.measured().filter(|_| case.unit == unit)?;
            Some((case.rate.measured()?.value, per_joule.value))
        });
        if dots.is_empty() {
            continue;
        }
        let per_joule = unit.replace("/s", "/J");
        page += &format!("\nEfficiency: {per_joule} against {unit} (best kernel of each case)\n");
        if draws {
            page += &chart(&dots, &|_| Vec::new(), columns, [unit, &per_joule]);
        }
        for (at, dot) in dots.iter().enumerate() {
            let power = dot.case.power.measured();
            let mut words = power.map_or_else(String::new, |power| power.text.clone());
            for mark in &dot.case.marks {
                words = format!("{words} {mark}");
            }
            page += &line(at, dot.case, &dot.case.per_joule, &words, columns);
        }
    }
    page
}

/// A case in one line: its letter, its name and its figure.
fn line(
    at: usize,
    case: &PageCase,
    figure: &Reading<PageFigure>,
    words: &str,
    columns: usize,
) -> String {
    let figure = figure.measured().map_or("", |figure| figure.text.as_str());
    let tail = format!("  {figure:>13}  {words:<9}");
    let room = columns.saturating_sub(4 + display_width(&tail)).max(12);
    let name = cut(&case.id, room);
    let pad = room.saturating_sub(display_width(&name));
    let text = format!("  {} {name}{}{tail}", letter(at), " ".repeat(pad));
    text.trim_end().to_owned() + "\n"
}

/// The sign of a dot.
fn letter(at: usize) -> char {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char::from(LETTERS.get(at).copied().unwrap_or(b'*'))
}

/// A case's place in a chart.
struct Dot<'a> {
    case: &'a PageCase,
    x: f64,
    y: f64,
}

/// What each pair of roofs allows at an intensity.
fn attainable(roofs: &[PageRoof]) -> impl Fn(f64) -> Vec<f64> {
    let of = |memory: bool| -> Vec<f64> {
        let roofs = roofs.iter().filter(|roof| roof.memory == memory);
        roofs.map(|roof| roof.rate.value).collect()
    };
    let (peaks, memory) = (of(false), of(true));
    let widest = memory.into_iter().fold(f64::NAN, f64::max);
    move |intensity| {
        let peaks = peaks.iter();
        peaks
            .map(|peak| peak.min(intensity * widest))
            .filter(|rate| rate.is_finite())
            .collect()
    }
}

/// Dots and lines on logarithmic axes.
fn chart(
    dots: &[Dot<'_>],
    lines: &dyn Fn(f64) -> Vec<f64>,
    columns: usize,
    units: [&str; 2],
) -> String {
    let margin = 12;
    let width = columns.saturating_sub(margin + 1).max(20);
    let horizontal = Axis::around(dots.iter().map(|dot| dot.x));
    let tops = [horizontal.low, horizontal.high].map(f64::exp);
    let roofs = tops.into_iter().flat_map(lines);
    let vertical = Axis::around(dots.iter().map(|dot| dot.y).chain(roofs));
    let mut grid = vec![vec![' '; width]; LINES];
    let mut mark = |row: Option<usize>, column: usize, sign: &dyn Fn(char) -> char| {
        if let Some(row) = row {
            let cell = &mut grid[LINES - 1 - row][column];
            *cell = sign(*cell);
        }
    };
    for column in 0..width {
        for y in lines(horizontal.at(column, width)) {
            mark(vertical.place(y, LINES), column, &|_| '·');
        }
    }
    for (at, dot) in dots.iter().enumerate() {
        if let Some(column) = horizontal.place(dot.x, width) {
            // Dots on one place are told as such.
            mark(vertical.place(dot.y, LINES), column, &|there| match there {
                ' ' | '·' => letter(at),
                _ => '+',
            });
        }
    }
    let mut page = String::new();
    for (row, cells) in grid.iter().enumerate() {
        let label = match row {
            0 => si(vertical.high.exp(), units[1]),
            row if row == LINES - 1 => si(vertical.low.exp(), units[1]),
            _ => String::new(),
        };
        let cells: String = cells.iter().collect();
        page += format!("{label:>margin$}│{cells}").trim_end();
        page.push('\n');
    }
    let low = si(horizontal.low.exp(), units[0]);
    let high = si(horizontal.high.exp(), units[0]);
    let gap = width.saturating_sub(display_width(&low) + display_width(&high));
    let empty = " ".repeat(margin);
    page += &format!("{empty}└{}\n", "─".repeat(width));
    page + &format!("{empty} {low}{}{high}\n", " ".repeat(gap))
}

/// A logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// The axis that shows all values, with some air.
    fn around(values: impl Iterator<Item = f64>) -> Self {
        const AIR: f64 = 0.25;
        let logs = values.filter(|v| *v > 0.0 && v.is_finite()).map(f64::ln);
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        match low <= high {
            true => Self {
                low: low - AIR,
                high: high + AIR,
            },
            false => Self {
                low: 0.0,
                high: 1.0,
            },
        }
    }

    /// The value in the middle of a cell.
    fn at(&self, cell: usize, cells: usize) -> f64 {
        (self.low + (self.high - self.low) * (cell as f64 + 0.5) / cells as f64).exp()
    }

    /// The cell of a value.
    fn place(&self, value: f64, cells: usize) -> Option<usize> {
        let share = (value.ln() - self.low) / (self.high - self.low);
        let cell = (share * cells as f64).floor();
        (0.0..cells as f64).contains(&cell).then_some(cell as usize)
    }
}

/// A name in so many columns.
fn cut(name: &str, columns: usize) -> String {
    if display_width(name) <= columns {
        return name.to_owned();
    }
    let mut short = String::new();
    for c in name.chars() {
        short.push(c);
        if display_width(&short) >= columns {
            short.pop();
            break;
        }
    }
    short + "…"
}

fn fold(paragraph: &str, columns: usize) -> String {
    let start = paragraph.len() - paragraph.trim_start().len();
    let indent = &paragraph[..start];
    let options = textwrap::Options::new(columns.max(20))
        .initial_indent(indent)
        .subsequent_indent(indent);
    // A number stays with its `%`.
    let joined = paragraph.trim_start().replace(" %", "\u{a0}%");
    textwrap::fill(&joined, options).replace("\u{a0}%", " %") + "\n"
}
