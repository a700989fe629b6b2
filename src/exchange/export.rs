//! Records in other tools' formats.
//!
//! Each value and interval is the one that the record's own summary states, so that two tools never show
//! two intervals of one measurement. Which way a value improves goes along where the format has a place for it; where
//! it has none, a file holds values of one direction.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::escape::{self, cell};
use crate::record::{
    Better, CaseResult, ExportedFigure, Record, SIMULATED, SOFTWARE_DRIVER, Status, UNVERIFIED,
    fifteen_digits,
};

/// A format that records can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Bencher Metric Format.
    Bencher,
    /// The custom formats of github-action-benchmark.
    GithubActionBenchmark,
    /// One row per case and metric.
    Csv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bencher, Self::GithubActionBenchmark, Self::Csv];

    /// As `--format` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bencher => "bencher",
            Self::GithubActionBenchmark => "github-action-benchmark",
            Self::Csv => "csv",
        }
    }

    /// The format of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl Format {
    /// Whether a file's text is one that [`export`] wrote in this format.
    pub fn wrote(self, text: &str) -> bool {
        let value = || serde_json::from_str::<Value>(text).unwrap_or_default();
        match self {
            // Files of before 2026-11-29 have no marks.
            Self::Csv => text.lines().next().is_some_and(|header| {
                let all = COLUMNS.join(",");
                header == all || Some(header) == all.strip_suffix(",marks")
            }),
            Self::Bencher => value().as_object().is_some_and(|benchmarks| {
                !benchmarks.is_empty()
                    && benchmarks.values().all(|measures| {
                        measures.as_object().is_some_and(|measures| {
                            measures
                                .values()
                                .all(|measure| measure["value"].is_number())
                        })
                    })
            }),
            Self::GithubActionBenchmark => value().as_array().is_some_and(|entries| {
                !entries.is_empty()
                    && entries.iter().all(|entry| {
                        entry["name"].is_string()
                            && entry["value"].is_number()
                            && entry["extra"]
                                .as_str()
                                .is_some_and(|extra| extra.contains(" better="))
                    })
            }),
        }
    }
}

/// Which way the values of a file improve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Times and energies.
    Smaller,
    /// Rates and rates per watt.
    Larger,
}

impl Direction {
    /// As `--direction` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smaller => "smaller",
            Self::Larger => "larger",
        }
    }

    fn is(self, better: Better) -> bool {
        matches!(
            (self, better),
            (Self::Smaller, Better::Smaller) | (Self::Larger, Better::Larger)
        )
    }
}

/// Writes records in a format; `direction` keeps the values of one direction.
///
/// # Errors
/// The format has no place for a direction and none was chosen, or two records have one case.
pub fn export(records: &[Record], format: Format, direction: Option<Direction>) -> Result<String> {
    match (format, direction) {
        (Format::Csv, direction) => csv(records, direction),
        (Format::Bencher, direction) => bencher(records, direction),
        (Format::GithubActionBenchmark, Some(direction)) => action(records, direction),
        (Format::GithubActionBenchmark, None) => Err(Error::usage(
            "--format github-action-benchmark",
            "its files hold values of one direction; add --direction smaller (for its \
             customSmallerIsBetter) or --direction larger (for customBiggerIsBetter)",
        )),
    }
}

/// Figures of all cases that go in a direction, with the case's name.
fn chosen(
    records: &[Record],
    direction: Option<Direction>,
) -> impl Iterator<Item = (&Record, &CaseResult, ExportedFigure)> {
    records.iter().flat_map(move |record| {
        record.cases.iter().flat_map(move |case| {
            case.exported()
                .into_iter()
                .filter(move |value| direction.is_none_or(|wanted| wanted.is(value.better)))
                .map(move |value| (record, case, value))
        })
    })
}

/// What a reader must know of a figure, in the words of perwatt's own pages.
fn marks(record: &Record, case: &CaseResult, figure: Option<&ExportedFigure>) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if figure.map_or(record.is_all_simulated(), |figure| {
        record.is_simulated(figure.rests_on_power())
    }) {
        marks.push(SIMULATED);
    }
    if figure.is_some() && record.is_unverified(case) {
        marks.push(UNVERIFIED);
    }
    if record.adapter.is_software() {
        marks.push(SOFTWARE_DRIVER);
    }
    marks
}

/// Two values under one name would hide one of them.
fn twice(name: &str) -> Error {
    Error::usage(
        "export",
        format!(
            "two records have {name}, and this format has one value per name; export one record at a time"
        ),
    )
}

/// Bencher Metric Format: `latency` is Bencher's own measure in nanoseconds, the others are custom.
fn bencher(records: &[Record], direction: Option<Direction>) -> Result<String> {
    let mut benchmarks: Map<String, Value> = Map::new();
    for (record, case, value) in chosen(records, direction) {
        let measure = match (record.is_simulated(value.rests_on_power()), value.metric) {
            (false, "time") => "latency".to_owned(),
            (false, other) => other.replace('_', "-"),
            // A dashboard shows a measure's name and nothing else.
            (true, made_up) => format!("simulated-{}", made_up.replace('_', "-")),
        };
        let mut entry = json!({"value": fifteen_digits(value.value)});
        if let Some(interval) = value.interval {
            entry["lower_value"] = json!(fifteen_digits(interval.low));
            entry["upper_value"] = json!(fifteen_digits(interval.high));
        }
        let name = case.id();
        let measures = benchmarks.entry(name.clone()).or_insert_with(|| json!({}));
        if measures.get(&measure).is_some() {
            return Err(twice(&name));
        }
        measures[measure] = entry;
    }
    Ok(pretty(&Value::Object(benchmarks)))
}

/// github-action-benchmark's custom format.
fn action(records: &[Record], direction: Direction) -> Result<String> {
    let mut entries: Vec<Value> = Vec::new();
    let mut names = HashSet::new();
    for (record, case, value) in chosen(records, Some(direction)) {
        let made_up = if record.is_simulated(value.rests_on_power()) {
            "SIMULATED "
        } else {
            ""
        };
        let name = format!("{} {made_up}{}", case.id(), value.metric);
        if !names.insert(name.clone()) {
            return Err(twice(&name));
        }
        let mut entry = json!({
            "name": name,
            "unit": value.unit,
            "value": fifteen_digits(value.value),
            "extra": extra(&marks(record, case, Some(&value)), value.invocations, direction),
        });
        if let Some(interval) = value.interval {
            // Its ends may be numbers and lie further apart than any.
            let half_width = interval.half_width();
            if half_width.is_finite() {
                entry["range"] = json!(format!("± {}", fifteen_digits(half_width)));
            }
        }
        entries.push(entry);
    }
    Ok(pretty(&Value::Array(entries)))
}

/// What is shown beside a value of github-action-benchmark.
fn extra(marks: &[&str], invocations: usize, direction: Direction) -> String {
    let extra = format!("n={invocations} better={}", direction.name());
    match marks {
        [] => extra,
        marks => format!("{extra} {}", marks.join(", ")),
    }
}

fn pretty(value: &Value) -> String {
    escape::json(&format!("{value:#}\n"))
}

/// The columns of the CSV format.
const COLUMNS: [&str; 17] = [
    "session",
    "started_utc",
    "device",
    "driver",
    "backend",
    "case",
    "kernel",
    "metric",
    "better",
    "unit",
    "value",
    "low",
    "high",
    "level",
    "invocations",
    "reason",
    "marks",
];

/// One row per case and metric; a case without a figure has a row that says why.
fn csv(records: &[Record], direction: Option<Direction>) -> Result<String> {
    let failed = |e: csv::Error| Error::usage("--format csv", format!("cannot be written: {e}"));
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(COLUMNS).map_err(failed)?;
    for record in records {
        for case in &record.cases {
            for cells in csv_rows(record, case, direction) {
                rows.write_record(&cells).map_err(failed)?;
            }
        }
    }
    let bytes = rows
        .into_inner()
        .map_err(|e| failed(e.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The rows of one case.
fn csv_rows(
    record: &Record,
    case: &CaseResult,
    direction: Option<Direction>,
) -> Vec<[String; COLUMNS.len()]> {
    let adapter = &record.adapter;
    let driver = adapter.driver_and_version();
    let row = |rest: [String; 9], figure: Option<&ExportedFigure>| {
        let [a, b, c, d, e, f, g] = [
            record.session.as_str(),
            &record.started_utc,
            &adapter.name,
            &driver,
            &adapter.backend,
            &case.case,
            &case.kernel,
        ]
        .map(cell);
        let [h, i, j, k, l, m, n, o, p] = rest;
        let marks = marks(record, case, figure).join("; ");
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, marks]
    };
    let figures = case.exported();
    if figures.is_empty() {
        let reason = match &case.status {
            Status::Measured => case.summary.reason().unwrap_or("no invocation measured it"),
            Status::Skipped { reason } | Status::Failed { reason, .. } => reason,
        };
        let mut cells: [String; 9] = Default::default();
        cells[8] = cell(reason);
        return vec![row(cells, None)];
    }
    figures
        .into_iter()
        .filter(|figure| direction.is_none_or(|wanted| wanted.is(figure.better)))
        .map(|figure| {
            let [low, high, level] = figure.interval.map_or_else(Default::default, |interval| {
                [interval.low, interval.high, interval.level]
                    .map(|number| fifteen_digits(number).to_string())
            });
            let cells = [
                figure.metric.to_owned(),
                figure.better.to_string(),
                cell(&figure.unit),
                fifteen_digits(figure.value).to_string(),
                low,
                high,
                level,
                figure.invocations.to_string(),
                String::new(),
            ];
            row(cells, Some(&figure))
        })
        .collect()
}
