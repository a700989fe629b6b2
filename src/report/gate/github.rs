//! Annotations of GitHub Actions (workflow commands).
//!
//! GitHub shows ten annotations of a kind for a step and drops the rest, so the worst come first and
//! the last one counts those that are not shown.

use crate::compare::{Comparison, Verdict, VerdictRow};
use crate::escape::inert;

/// Annotations of one kind that a step may give.
const MOST: usize = 10;

/// The annotations, one a line; `file_of` gives the WGSL file of a row, where it has one.
pub fn github(
    comparison: &Comparison,
    file_of: impl Fn(&VerdictRow) -> Option<String> + Copy,
) -> String {
    let gated: Vec<&VerdictRow> = comparison.rows.iter().filter(|row| row.gated).collect();
    let of = |kind: AnnotationKind| -> Vec<&VerdictRow> {
        gated
            .iter()
            .copied()
            .filter(|row| kind_of(row) == Some(kind))
            .collect()
    };
    [
        AnnotationKind::Error,
        AnnotationKind::Warning,
        AnnotationKind::Notice,
    ]
    .into_iter()
    .map(|kind| lines(kind, &of(kind), file_of))
    .collect()
}

/// Kinds of annotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnnotationKind {
    Error,
    Warning,
    Notice,
}

impl AnnotationKind {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// What a row is worth; a pass is worth nothing.
fn kind_of(row: &VerdictRow) -> Option<AnnotationKind> {
    match row.verdict {
        Verdict::Regressed | Verdict::Broken => Some(AnnotationKind::Error),
        Verdict::Lost if row.successor.is_some() => None,
        Verdict::Lost | Verdict::Incomparable | Verdict::Inconclusive => {
            Some(AnnotationKind::Warning)
        }
        Verdict::Improved | Verdict::Failing => Some(AnnotationKind::Notice),
        Verdict::New | Verdict::Unchanged | Verdict::Pass => None,
    }
}

/// The annotations of one kind.
fn lines(
    kind: AnnotationKind,
    rows: &[&VerdictRow],
    file_of: impl Fn(&VerdictRow) -> Option<String>,
) -> String {
    let shown = if rows.len() > MOST {
        MOST - 1
    } else {
        rows.len()
    };
    let mut lines = String::new();
    for row in &rows[..shown] {
        let title = format!("{} {} {}", row.verdict, row.case, row.label());
        let place = file_of(row).map(|file| (file, row.line));
        lines += &line(kind, place, &title, &shortened(&row.explanation()));
    }
    if shown < rows.len() {
        let rest = rows.len() - shown;
        lines += &line(
            kind,
            None,
            &format!("{rest} more"),
            "GitHub shows ten of a kind; the summary has them all",
        );
    }
    lines
}

/// At most so much of a message; the page that an annotation opens is small.
fn shortened(message: &str) -> String {
    const MOST: usize = 1_000;
    match message.char_indices().nth(MOST) {
        None => message.to_owned(),
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

/// What a command could not do at all, as an annotation at the file that it is about.
pub fn github_refusal(message: &str, place: Option<(String, Option<usize>)>) -> String {
    line(
        AnnotationKind::Error,
        place,
        "perwatt could not judge",
        &shortened(message),
    )
}

fn line(
    kind: AnnotationKind,
    place: Option<(String, Option<usize>)>,
    title: &str,
    message: &str,
) -> String {
    let mut at = String::new();
    if let Some((file, line)) = place {
        at += &format!("file={},", property(&file));
        at += &line.map_or_else(String::new, |line| format!("line={line},"));
    }
    format!(
        "::{} {at}title={}::{}\n",
        kind.name(),
        property(title),
        data(message)
    )
}

/// Escapes a message. Logs are shown in terminals too, so nothing that steers one is left.
fn data(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            c => escaped.push(inert(c)),
        }
    }
    escaped
}

/// Escapes a property, in which `:` and `,` have a meaning too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_can_break_out_of_a_command() {
        let line = line(
            AnnotationKind::Error,
            Some(("a,b.wgsl".to_owned(), Some(7))),
            "a:b,c%\n::set-env",
            "x%y\r\n::error::z",
        );
        assert_eq!(
            line,
            "::error file=a%2Cb.wgsl,line=7,title=a%3Ab%2Cc%25%0A%3A%3Aset-env::x%25y%0D%0A::error::z\n"
        );
    }
}
