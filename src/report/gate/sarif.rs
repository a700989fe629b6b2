//! SARIF 2.1.0: regressions as code-scanning alerts at the WGSL file.
//!
//! The few fields that GitHub reads are written directly; the format's full model has a hundred types
//! of which four occur here.

use serde_json::{Value, json};

use crate::compare::{Comparison, Verdict, VerdictRow};

/// Results that GitHub takes from one file; it shows the first 5,000.
const MOST: usize = 5_000;

/// The rows that need attention; `file_of` gives the WGSL file of a row, relative to the repository, where it
/// has one: another tool's benchmark has none, and a made-up one would lead nowhere.
pub fn sarif(comparison: &Comparison, file_of: impl Fn(&VerdictRow) -> Option<String>) -> Value {
    let device = comparison
        .candidate_environment
        .as_ref()
        .map_or("", |environment| environment.device.as_str());
    let results: Vec<Value> = comparison
        .rows
        .iter()
        .filter(|row| row.gated)
        .filter_map(|row| Some((row, rule(row)?)))
        .take(MOST)
        .map(|(row, (rule, level))| result(row, &rule, level, file_of(row), device))
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

fn result(row: &VerdictRow, rule: &str, level: &str, file: Option<String>, device: &str) -> Value {
    let mut result = json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": format!("{} {}: {}", row.case, row.label(), row.reason)},
        "partialFingerprints": {
            "caseMetricDevice/v1": format!("{} {} {device}", row.case, row.metric),
        },
    });
    if let Some(file) = file {
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": uri(&file)},
            "region": {"startLine": 1},
        }}]);
    }
    result
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
