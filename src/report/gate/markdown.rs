//! Markdown for a step summary or a comment: the verdict first, the bulk folded.

use crate::compare::{AnyMetric, Comparison, Decision, Verdict, VerdictRow};
use crate::escape::markdown as escape;
use crate::report::compare::{geomean, headline, interval};
use crate::units::{bound_percent, change, counted};

/// GitHub refuses a step summary above 1 MiB as a whole; some of it is left to other steps.
const MOST_BYTES: usize = 900_000;

/// The comparison; `decision` is a gate's.
pub fn markdown(comparison: &Comparison, decision: Option<Decision>) -> String {
    let mut page = format!(
        "### perwatt: {}\n\n",
        escape(&headline(comparison, decision))
    );
    for mean in &comparison.geomeans {
        page += &format!("{}\n\n", escape(&geomean(mean)));
    }
    if let Some(margins) = margins(comparison) {
        page += &format!("{}\n\n", escape(&margins));
    }
    let (loud, quiet): (Vec<&VerdictRow>, Vec<&VerdictRow>) = comparison
        .rows
        .iter()
        .partition(|row| row.gated && !matches!(row.verdict, Verdict::Pass | Verdict::Unchanged));
    if !loud.is_empty() {
        page += &table(&loud, MOST_BYTES / 2);
    }
    if !quiet.is_empty() {
        page += &format!(
            "<details><summary>{} unchanged or not judged</summary>\n\n{}\n</details>\n\n",
            counted(quiet.len(), "row"),
            table(&quiet, MOST_BYTES.saturating_sub(page.len() + 10_000))
        );
    }
    for note in comparison.notes.iter().take(50) {
        let note = format!("Note: {}.\n\n", escape(note));
        if page.len() + note.len() > MOST_BYTES {
            break;
        }
        page += &note;
    }
    page
}

/// What a command could not do at all.
pub fn markdown_refusal(message: &str) -> String {
    format!("### perwatt: could not judge\n\n{}\n\n", escape(message))
}

/// Rows as a table of at most `most` bytes.
fn table(rows: &[&VerdictRow], most: usize) -> String {
    let mut table = "| verdict | case | metric | before | after | change | 95 % | why |\n\
                     |---|---|---|--:|--:|--:|--:|---|\n"
        .to_owned();
    for (number, row) in rows.iter().enumerate() {
        let line = line(row);
        if table.len() + line.len() > most {
            table += &match rows.len() - number {
                1 => "\n1 more row does not fit here.\n".to_owned(),
                more => format!("\n{more} more rows do not fit here.\n"),
            };
            break;
        }
        table += &line;
    }
    table + "\n"
}

fn line(row: &VerdictRow) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.verdict,
        escape(&row.case),
        row.label(),
        escape(&or_dash(row.baseline_text.clone())),
        escape(&or_dash(row.candidate_text.clone())),
        or_dash(row.ratio.map(|ratio| change(ratio.value))),
        or_dash(row.ratio.map(interval)),
        escape(&why(row)),
    )
}

/// The reason without the change, which has a column of its own.
fn why(row: &VerdictRow) -> String {
    let all = row.explanation();
    match row.change_text() {
        Some(change) => all.replacen(&change, "", 1),
        None => all,
    }
    .trim_matches([' ', ',', ';', ':'])
    .to_owned()
}

/// The bounds that the rows were held to, where all of a metric have the same.
fn margins(comparison: &Comparison) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for row in comparison.rows.iter().filter(|row| row.gated) {
        let AnyMetric::Measured(_) = row.metric else {
            continue;
        };
        let (margin, bound) = (bound_percent(row.margin), bound_percent(row.equivalence));
        let words = format!("{}: margin {margin}, equivalence ±{bound}", row.metric);
        if !said.contains(&words) {
            said.push(words);
        }
    }
    (1..=4).contains(&said.len()).then(|| said.join(" · "))
}
