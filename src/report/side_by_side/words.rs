//! What all forms of the table say in the same words.

use crate::compare::{DescribedSection, Description, Metric, Ratio};

/// What the page is about, in one sentence.
pub(super) fn headline(description: &Description) -> String {
    let same = match description.same.as_slice() {
        [] => String::new(),
        same => format!(" The same in all: {}.", same.join("; ")),
    };
    let differs: Vec<&str> = description
        .differs
        .iter()
        .map(|aspect| aspect.name())
        .collect();
    match (description.columns.len(), differs.as_slice()) {
        (1, _) => format!("One result.{same}"),
        (count, []) => format!("{count} results of one environment.{same}"),
        (count, differs) => {
            let verb = if differs.len() == 1 {
                "differs"
            } else {
                "differ"
            };
            format!("{count} results; {} {verb}.{same}", listed(differs))
        }
    }
}

/// A section's title, with its figure where that is not the usual rate.
pub(super) fn section_title(section: &DescribedSection) -> String {
    match section.metric {
        Metric::Throughput => section.title.clone(),
        Metric::ThroughputPerWatt => format!("{}, per joule", section.title),
        metric => format!("{}, {metric}", section.title),
    }
}

/// A ratio with its interval: `4.61× (4.20–5.06)`.
pub(super) fn factor_range(ratio: Ratio) -> String {
    let interval = &ratio.interval;
    format!(
        "{}× ({}–{})",
        factor(ratio.value),
        factor(interval.low),
        factor(interval.high)
    )
}

/// A factor with three digits that matter.
fn factor(value: f64) -> String {
    match value {
        v if !(1e-3..1e5).contains(&v) => format!("{v:.1e}"),
        v if v >= 99.95 => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v if v >= 0.0995 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

/// Words as one reads them aloud.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
