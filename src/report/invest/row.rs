//! One output in one line: its quantiles, its basis, and a bar on a scale common to all.

use super::super::table::WIDEST;
use crate::invest::{Basis, OutputQuantity, Quantiles, row_in_words};

/// A bar's ends are this factor below and above the median.
const BAR_FACTOR: f64 = 3.0;

/// Columns that a row has.
struct RowLayout {
    label: usize,
    number: usize,
    unit: usize,
    basis: usize,
    bar: usize,
}

fn layout(width: Option<u16>) -> RowLayout {
    let whole = usize::from(width.unwrap_or(WIDEST).clamp(60, WIDEST));
    let (label, number, unit, basis) = (26, 8, 9, 9);
    let bar = whole.saturating_sub(2 + label + 3 * number + 1 + unit + 1 + basis + 1);
    RowLayout {
        label,
        number,
        unit,
        basis,
        // An odd number has a middle; too short a bar says nothing.
        bar: if bar >= 5 { bar - (bar + 1) % 2 } else { 0 },
    }
}

/// A section's title over the columns of its rows.
pub(super) fn header(title: &str, width: Option<u16>) -> String {
    let l = layout(width);
    let space = 2 + l.label;
    let numbers = format!("{:>n$}{:>n$}{:>n$}", "5 %", "50 %", "95 %", n = l.number);
    if title.chars().count() >= space + l.number - 4 {
        format!("{title}\n")
    } else {
        format!("{title:<space$}{numbers}\n")
    }
}

/// The line.
pub(super) fn row(
    label: &str,
    quantity: OutputQuantity,
    unit: &str,
    quantiles: Quantiles,
    basis: Option<Basis>,
    width: Option<u16>,
) -> String {
    let l = layout(width);
    let (words, unit) = row_in_words(quantity, unit, &quantiles);
    let [p5, p50, p95] = words.map(|text| format!("{text:>n$}", n = l.number));
    let line = format!(
        "  {:<w$}{p5}{p50}{p95} {:<u$} {:<b$} {}",
        cut(label, l.label),
        unit,
        basis.map_or("", Basis::name),
        bar(quantiles, l.bar),
        w = l.label,
        u = l.unit,
        b = l.basis,
    );
    line.trim_end().to_owned() + "\n"
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// The middle 90 % on a logarithmic scale around the median, the same for every row, so that the eye
/// compares how well things are known.
fn bar(quantiles: Quantiles, width: usize) -> String {
    if width == 0 || quantiles.p5 <= 0.0 {
        return String::new();
    }
    let middle = (width / 2) as f64;
    let place = |value: f64| {
        let off = (value / quantiles.p50).ln() / BAR_FACTOR.ln();
        (middle + middle * off).round()
    };
    let (from, to) = (place(quantiles.p5), place(quantiles.p95));
    (0..width)
        .map(|at| {
            let here = at as f64;
            let last = (width - 1) as f64;
            if (here - middle).abs() < 0.5 {
                '●'
            } else if at == 0 && from < 0.0 {
                '‹'
            } else if at == width - 1 && to > last {
                '›'
            } else if (from..=to).contains(&here) {
                '━'
            } else {
                '·'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(p5: f64, p50: f64, p95: f64) -> Quantiles {
        Quantiles {
            p5,
            p50,
            p95,
            p50_error: 0.0,
        }
    }

    #[test]
    fn bars_are_symmetric_and_say_where_they_are_cut() {
        assert_eq!(bar(quantiles(1.0, 1.0, 1.0), 9), "····●····");
        assert_eq!(bar(quantiles(1.0 / 3.0, 1.0, 3.0), 9), "━━━━●━━━━");
        assert_eq!(bar(quantiles(0.01, 1.0, 100.0), 9), "‹━━━●━━━›");
        assert_eq!(bar(quantiles(-1.0, 1.0, 2.0), 9), "");
    }

    #[test]
    fn rows_keep_to_the_width() {
        for width in [60, 80, 100] {
            let line = row(
                "a label that is much longer than there is room for",
                OutputQuantity::Price,
                "$/Mtoken",
                quantiles(0.1234, 99.99, 1234.5),
                Some(Basis::Simulated),
                Some(width),
            );
            assert!(
                line.trim_end().chars().count() <= usize::from(width).max(80),
                "{line}"
            );
        }
    }
}
