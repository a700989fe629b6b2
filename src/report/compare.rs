//! A comparison as a page for the terminal: the verdict first, then what needs attention.

use super::table::{cell, columns, counted, dash, fold, table, text};
use crate::compare::{
    Comparison, Decision, Design, Environment, Geomean, Needed, Ratio, Verdict, VerdictRow,
};
use crate::record::Better;
use crate::units::{bound_percent, change, change_range};

/// From how many comparisons on each is one line.
const MANY: usize = 4;

/// Columns below which a table keeps only what decides, so that cases stay readable.
const ROOMY: u16 = 96;

/// One comparison; `decision` is a gate's.
pub fn comparison(
    comparison: &Comparison,
    decision: Option<Decision>,
    width: Option<u16>,
) -> String {
    let mut page = fold(&headline(comparison, decision), "  ", width);
    page.push('\n');
    if comparison.design == Design::Shaders {
        page += &codegen(comparison, width);
        page.push('\n');
    } else if !comparison.rows.is_empty() {
        page += &rows(comparison, width);
        page.push('\n');
    }
    for mean in &comparison.geomeans {
        page += &fold(&geomean(mean), "  ", width);
    }
    page += &reasons(comparison, width);
    for note in &comparison.notes {
        page += &fold(&format!("Note: {note}."), "  ", width);
    }
    page
}

/// Several candidates against one baseline: each in full, or, if they are many, each in a line.
pub fn comparisons(all: &[Comparison], width: Option<u16>) -> String {
    if all.len() <= MANY {
        let pages: Vec<String> = all.iter().map(|one| comparison(one, None, width)).collect();
        return pages.join("\n");
    }
    let mut header = vec!["candidate", "geomean", "95 %", "of"];
    let seen: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| all.iter().any(|one| one.count(*verdict) > 0))
        .collect();
    header.extend(seen.iter().copied().map(short));
    let mut table = table(&header, 1, width);
    for one in all {
        let mean = one.geomeans.first();
        let ratio = mean.and_then(|mean| mean.ratio);
        let mut cells = vec![
            one.candidate.join(" "),
            ratio.map_or_else(dash, |ratio| change(ratio.value)),
            ratio.map_or_else(dash, interval),
            mean.map_or_else(dash, |m| format!("{}/{}", m.cases, m.cases + m.left_out)),
        ];
        cells.extend(seen.iter().map(|verdict| one.count(*verdict).to_string()));
        table.add_row(cells.into_iter().map(cell));
    }
    let metric = all
        .first()
        .and_then(|one| one.geomeans.first())
        .map_or("", |mean| mean.metric.name());
    let legend = format!(
        "geomean: of {metric}, over the cases that both have (of: how many of all). The rest counts rows by \
         verdict; for the rows themselves, compare fewer files or use --json."
    );
    text(&table) + &fold(&legend, "", width)
}

/// A verdict as a column's head.
fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Regressed => "regr",
        Verdict::Broken => "brkn",
        Verdict::Lost => "lost",
        Verdict::Incomparable => "incmp",
        Verdict::Inconclusive => "incon",
        Verdict::Improved => "impr",
        Verdict::Failing => "fail",
        Verdict::New => "new",
        Verdict::Unchanged => "same",
        Verdict::Pass => "pass",
    }
}

/// What came out, in one line.
pub(super) fn headline(comparison: &Comparison, decision: Option<Decision>) -> String {
    let word = match decision {
        Some(Decision::Passed) => "PASSED: ",
        Some(Decision::Failed) => "FAILED: ",
        Some(Decision::Undecided) => "UNDECIDED: ",
        None => "",
    };
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| comparison.judged(*verdict) > 0)
        .map(|verdict| format!("{} {verdict}", comparison.judged(verdict)))
        .collect();
    let counts = if counts.is_empty() {
        "nothing to compare".to_owned()
    } else {
        counts.join(", ")
    };
    let how = match comparison.design {
        Design::Shaders => "stated by compilers; nothing is random".to_owned(),
        Design::Paired => format!(
            "{}; {}",
            counted(comparison.pairs.unwrap_or_default(), "interleaved pair"),
            error_rate(comparison)
        ),
        Design::Sessions => format!(
            "{} + {} sessions; {}",
            comparison.baseline.len(),
            comparison.candidate.len(),
            error_rate(comparison)
        ),
    };
    format!("{word}{counts}. {} ({how})", sides(comparison))
}

/// What was compared with what, and on which device.
fn sides(comparison: &Comparison) -> String {
    let files = |names: &[String]| match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let place = |environment: &Option<Environment>| {
        environment.as_ref().map(|environment| {
            let Environment {
                device,
                driver,
                backend,
                ..
            } = environment;
            format!(" on {device} ({backend}, {driver})")
        })
    };
    let (old, new) = (
        place(&comparison.baseline_environment),
        place(&comparison.candidate_environment),
    );
    let (baseline, candidate) = (files(&comparison.baseline), files(&comparison.candidate));
    let shown = |place: Option<String>| place.unwrap_or_default();
    if old == new || old.is_none() {
        format!("{candidate} compared with {baseline}{}", shown(new))
    } else {
        let (old, new) = (shown(old), shown(new));
        format!("{candidate}{new} compared with {baseline}{old}")
    }
}

/// The probability of any false regression, and over how many tests.
fn error_rate(comparison: &Comparison) -> String {
    format!(
        "family-wise α = {}, {}",
        bound_percent(comparison.alpha),
        counted(comparison.family, "test")
    )
}

/// The table.
fn rows(comparison: &Comparison, width: Option<u16>) -> String {
    let roomy = columns(width) >= ROOMY;
    let open = comparison.rows.iter().any(is_open);
    // Each column with whether it can be spared.
    let all = [
        ("verdict", false),
        ("case", false),
        ("metric", false),
        ("before", true),
        ("after", true),
        ("change", false),
        ("95 %", false),
        ("detectable", true),
        ("needed", false),
    ];
    let kept = |name: &str, spared: bool| {
        (roomy || !spared) && (open || !matches!(name, "detectable" | "needed"))
    };
    let header: Vec<&str> = all
        .iter()
        .filter(|(name, spared)| kept(name, *spared))
        .map(|(name, _)| *name)
        .collect();
    let mut table = table(&header, 3, width);
    for row in &comparison.rows {
        let verdict = if row.gated {
            row.verdict.to_string()
        } else {
            format!("({})", row.verdict)
        };
        let cells = [
            verdict,
            row.case.clone(),
            row.label(),
            row.baseline_text.clone().unwrap_or_else(dash),
            row.candidate_text.clone().unwrap_or_else(dash),
            row.ratio.map_or_else(dash, |ratio| change(ratio.value)),
            row.ratio.map_or_else(dash, interval),
            detectable(row),
            needed(row),
        ];
        let kept = cells
            .into_iter()
            .zip(&all)
            .filter(|(_, (name, spared))| kept(name, *spared));
        table.add_row(kept.map(|(text, _)| cell(text)));
    }
    text(&table) + &legend(comparison, roomy && open, width)
}

/// Whether more data would tell more of a row.
fn is_open(row: &VerdictRow) -> bool {
    row.verdict == Verdict::Inconclusive
}

/// The table of what compilers state: every row that is not the same.
fn codegen(comparison: &Comparison, width: Option<u16>) -> String {
    let mut table = table(
        &["verdict", "shader", "metric", "before", "after", "change"],
        3,
        width,
    );
    let changed: Vec<&VerdictRow> = comparison
        .rows
        .iter()
        .filter(|row| row.verdict != Verdict::Pass)
        .collect();
    if changed.is_empty() {
        return String::new();
    }
    for row in changed {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(dash);
        table.add_row(
            [
                row.verdict.to_string(),
                row.case.clone(),
                row.label(),
                or_dash(&row.baseline_text),
                or_dash(&row.candidate_text),
                row.ratio.map_or_else(dash, |ratio| change(ratio.value)),
            ]
            .map(cell),
        );
    }
    text(&table)
}

/// The smallest change for the worse that the row would have detected.
fn detectable(row: &VerdictRow) -> String {
    row.detectable.map_or_else(dash, |share| {
        change(match row.better {
            Better::Smaller => 1.0 + share,
            Better::Larger => 1.0 / (1.0 + share),
        })
    })
}

/// What would decide an inconclusive row.
fn needed(row: &VerdictRow) -> String {
    match row.needed {
        Some(Needed::Pairs(pairs)) => format!("{pairs} pairs"),
        Some(Needed::MoreSessions(more)) => format!("{more} more"),
        Some(Needed::MoreDays(more)) => format!("{more} days"),
        Some(Needed::CandidateSessions(sessions)) => format!("{sessions} cand"),
        Some(Needed::SessionsASide(sessions)) => format!("{sessions} sess"),
        None => String::new(),
    }
}

/// What the columns mean, as far as they are used.
fn legend(comparison: &Comparison, roomy: bool, width: Option<u16>) -> String {
    let unit = match comparison.rows.iter().find_map(|row| row.needed) {
        Some(Needed::Pairs(_)) => " needed: pairs in all that would decide.",
        Some(Needed::MoreSessions(_)) => {
            " needed: further sessions until the spread between sessions is known; before that, nothing \
             passes."
        }
        Some(Needed::MoreDays(_)) => {
            " needed: further days with sessions until the spread between days is known; before that, nothing \
             passes."
        }
        Some(Needed::CandidateSessions(_)) => {
            " needed: sessions of the candidate in all that would decide."
        }
        Some(Needed::SessionsASide(_)) => {
            " needed: sessions per side, taken in turns, that would decide."
        }
        None => "",
    };
    let mut priors: Vec<String> = comparison
        .rows
        .iter()
        .filter_map(|row| row.prior.map(|prior| prior.to_string()))
        .collect();
    priors.sort_unstable();
    priors.dedup();
    let prior = match priors.as_slice() {
        [] => String::new(),
        [one] => format!(" The spread is assumed: {one}."),
        [one, other] => format!(" The spread is assumed: {one}; {other}."),
        _ => " The spread is assumed, for each row its own; --json has it.".to_owned(),
    };
    let detectable = if roomy {
        "detectable: the smallest change for the worse that would be detected."
    } else {
        ""
    };
    match format!("{detectable}{unit}{prior}").trim() {
        "" => String::new(),
        words => fold(words, "", width),
    }
}

/// A mean in words.
pub(super) fn geomean(mean: &Geomean) -> String {
    let left = match mean.left_out {
        0 => String::new(),
        1 => ", 1 left out".to_owned(),
        more => format!(", {more} left out"),
    };
    let prior = match &mean.prior {
        Some(_) => ", assuming a spread",
        None => "",
    };
    match mean.ratio {
        Some(ratio) => format!(
            "Geometric mean of {}: {} ({}) over {}{left}{prior}",
            mean.metric,
            change(ratio.value),
            interval(ratio),
            counted(mean.cases, "case")
        ),
        None if mean.cases == 0 => format!(
            "Geometric mean of {}: none, because no case could be judged{left}",
            mean.metric
        ),
        None => format!(
            "Geometric mean of {}: none, {} can be compared{left}",
            mean.metric,
            counted(mean.cases, "case")
        ),
    }
}

/// The reasons of all rows that did not plainly pass, rows with one reason together.
fn reasons(comparison: &Comparison, width: Option<u16>) -> String {
    let mut page = String::new();
    for (row, others) in by_reason(&comparison.rows) {
        let more = match others {
            0 => String::new(),
            others => format!(" and {}", counted(others, "other")),
        };
        page += &fold(
            &format!(
                "{} {} {}{more}: {}",
                row.verdict,
                row.case,
                row.label(),
                row.reason
            ),
            "  ",
            width,
        );
        for note in &row.notes {
            page += &fold(&format!("  note: {note}"), "    ", width);
        }
    }
    page
}

/// A row's reason, where the table does not give it already.
fn why(row: &VerdictRow) -> String {
    if row.reason.is_plain() {
        String::new()
    } else {
        row.reason.to_string()
    }
}

/// Rows that say more than that nothing changed, with how many others give the same reason.
fn by_reason(rows: &[VerdictRow]) -> Vec<(&VerdictRow, usize)> {
    let mut seen: Vec<(&VerdictRow, usize)> = Vec::new();
    for row in rows {
        if row.reason.is_plain() && row.notes.is_empty() {
            continue;
        }
        let same = |known: &&mut (&VerdictRow, usize)| {
            let told = |row: &VerdictRow| (row.verdict, row.notes.clone(), why(row));
            told(known.0) == told(row)
        };
        match seen.iter_mut().find(same) {
            Some(known) => known.1 += 1,
            None => seen.push((row, 0)),
        }
    }
    seen
}

/// An interval as a range of changes in per cent, bare: the column or the change before it has the `%`.
pub(super) fn interval(ratio: Ratio) -> String {
    change_range(ratio.interval.low, ratio.interval.high)
        .trim_end_matches(" %")
        .to_owned()
}
