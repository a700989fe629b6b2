//! SARIF 2.1.0: regressions as code-scanning alerts at the WGSL file.
//!
//! The few fields that GitHub reads are written directly; the format's full model has a hundred types
//! of which four occur here.

use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::compare::{Comparison, Verdict, VerdictRow};

/// Results that GitHub takes from one file; it shows the first 5,000.
const MOST: usize = 5_000;

/// The rows that need attention; `file_of` gives the WGSL file of a row, relative to the repository, where it
/// has one. Another tool's benchmark has none; its alert stands at the file of results in which it was found, since
/// code hosts refuse a whole file for one result without a place.
pub fn sarif(comparison: &Comparison, file_of: impl Fn(&VerdictRow) -> Option<String>) -> Value {
    let device = comparison
        .candidate_environment
        .as_ref()
        .map_or("", |environment| environment.device.as_str());
    let results_file = results_file(comparison);
    let results: Vec<Value> = comparison
        .rows
        .iter()
        .filter(|row| row.gated)
        .filter_map(|row| Some((row, rule(row)?)))
        .take(MOST)
        .map(|(row, (rule, level))| {
            let file = file_of(row).unwrap_or_else(|| results_file.clone());
            result(row, &rule, level, &file, device)
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "perwatt",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules(comparison),
            }},
            "results": results,
        }],
    })
}

/// The rule and level of a row, if it is an alert.
fn rule(row: &VerdictRow) -> Option<(String, &'static str)> {
    match row.verdict {
        Verdict::Regressed => Some((format!("perf/{}-regression", row.metric), "error")),
        Verdict::Broken => Some(("perf/broken".to_owned(), "error")),
        Verdict::Lost if row.successor.is_none() => Some(("perf/lost".to_owned(), "warning")),
        _ => None,
    }
}

/// Every rule that a result names, once.
fn rules(comparison: &Comparison) -> Vec<Value> {
    let mut ids: Vec<String> = comparison
        .rows
        .iter()
        .filter(|row| row.gated)
        .filter_map(|row| Some(rule(row)?.0))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .map(|id| {
            let text = match id.as_str() {
                "perf/broken" => "A kernel gives no right output.",
                "perf/lost" => "A case that was measured before was not measured.",
                _ => "A kernel became worse by more than the margin.",
            };
            json!({"id": id, "shortDescription": {"text": text}})
        })
        .collect()
}

/// The candidate's first file, relative to the working folder; its name alone where it lies elsewhere.
fn results_file(comparison: &Comparison) -> String {
    let mut names = comparison.candidate.iter().chain(&comparison.baseline);
    let name = names.next().map_or("perwatt", String::as_str);
    // Of a file with several records, a name says which.
    let path = Path::new(name.split(" (record ").next().unwrap_or(name));
    let here = std::env::current_dir().unwrap_or_default();
    let inside = path.strip_prefix(&here).unwrap_or(path);
    let plain: Option<Vec<_>> = inside
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        })
        .collect();
    let last = || {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let relative = plain
        .map(|parts| parts.join("/"))
        .filter(|text| !text.is_empty());
    relative
        .or_else(last)
        .unwrap_or_else(|| "perwatt".to_owned())
}

fn result(row: &VerdictRow, rule: &str, level: &str, file: &str, device: &str) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": format!("{} {}: {}", row.case, row.label(), row.reason)},
        "partialFingerprints": {
            "caseMetricDevice/v1": format!("{} {} {device}", row.case, row.metric),
        },
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(file)},
            "region": {"startLine": row.line.unwrap_or(1)},
        }}],
    })
}

/// A path as a relative URI reference (RFC 3986): a case's name may hold anything.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}
