//! hyperfine's `--export-json`. Every time is a process of its own, so every time is an invocation.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::foreign::{Foreign, ForeignCase};
use super::{Tool, read_json};
use crate::error::{Error, Result};
use crate::record::ClockMethod;
use crate::units::Seconds;

#[derive(Deserialize)]
struct File {
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    command: String,
    times: Option<Vec<f64>>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Foreign> {
    let file: File = read_json(
        Tool::Hyperfine,
        path,
        "`hyperfine --export-json FILE` writes one",
    )?;
    let cases = file
        .results
        .into_iter()
        .map(|entry| case(path, entry))
        .collect::<Result<_>>()?;
    Ok(Foreign {
        cases,
        ..Foreign::default()
    })
}

fn case(path: &Path, entry: Entry) -> Result<ForeignCase> {
    let Some(times) = entry.times.filter(|times| !times.is_empty()) else {
        return Err(Error::file(
            path,
            format!(
                "{:?} has no `times`, and a mean alone cannot be judged; use --export-json of \
                 hyperfine 1.6 or newer",
                entry.command
            ),
        ));
    };
    let broken = entry
        .exit_codes
        .iter()
        .filter(|code| **code != Some(0))
        .count();
    Ok(ForeignCase {
        name: named(&entry.command, &entry.parameters),
        processes: times.into_iter().map(|s| vec![Seconds(s).ns()]).collect(),
        bytes: None,
        clock: ClockMethod::WallClock,
        failed: (broken > 0).then(|| {
            format!(
                "{broken} of {} runs ended with an error",
                entry.exit_codes.len()
            )
        }),
    })
}

/// The command, with those parameters that do not show in it.
fn named(command: &str, parameters: &BTreeMap<String, serde_json::Value>) -> String {
    let mut name = command.to_owned();
    for (key, value) in parameters {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        if !command.contains(&value) {
            name += &format!(" {key}={value}");
        }
    }
    name
}
