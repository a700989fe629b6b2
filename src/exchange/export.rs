//! Records in other tools' formats.
//!
//! Each value is the geometric mean over invocations of their medians, with the interval that three or
//! more of them give. Which way a value improves goes along where the format has a place for it; where
//! it has none, a file holds values of one direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::record::{CaseResult, Outcome, Reading, Record, Status};
use crate::stats::{geometric_mean, invocations_interval};
use crate::units::Seconds;

/// Probability of the intervals.
const LEVEL: f64 = 0.95;

/// A format that records can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Bencher Metric Format.
    Bencher,
    /// The custom formats of github-action-benchmark.
    GithubActionBenchmark,
    /// One row a case and metric.
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
}

/// One figure of a case.
struct Figure {
    metric: &'static str,
    unit: &'static str,
    better: Direction,
    value: f64,
    interval: Option<(f64, f64)>,
    invocations: usize,
}

/// Writes records in a format; `direction` keeps the values of one direction.
///
/// # Errors
/// The format has no place for a direction and none was chosen, or two records have one case.
pub fn export(records: &[Record], format: Format, direction: Option<Direction>) -> Result<String> {
    match (format, direction) {
        (Format::Csv, direction) => Ok(csv(records, direction)),
        (Format::Bencher, direction) => bencher(records, direction),
        (Format::GithubActionBenchmark, Some(direction)) => action(records, direction),
        (Format::GithubActionBenchmark, None) => Err(Error::usage(
            "--format github-action-benchmark",
            "its files hold values of one direction; add --direction smaller (for its \
             customSmallerIsBetter) or --direction larger (for customBiggerIsBetter)",
        )),
    }
}

/// The figures of a case.
fn values(case: &CaseResult) -> Vec<Figure> {
    if case.status != Status::Measured {
        return Vec::new();
    }
    let (mut times, mut energies) = (Vec::new(), Vec::new());
    for result in &case.invocations {
        if let Outcome::Measured {
            sampling, energy, ..
        } = &result.outcome
        {
            times.push(sampling.median_ns);
            if let Reading::Measured(window) = &**energy
                && window.executions > 0
            {
                energies.push(window.gross_j / window.executions as f64);
            }
        }
    }
    let flop = (case.counts.flop > 0).then_some(case.counts.flop as f64);
    let bytes = (case.counts.bytes > 0).then_some(case.counts.bytes as f64);
    let seconds: Vec<f64> = times.iter().map(|ns| Seconds::from_ns(*ns).get()).collect();
    [
        cost("time", "ns", &times),
        flop.and_then(|work| rate("flop_per_s", "FLOP/s", work, &seconds)),
        bytes.and_then(|work| rate("bytes_per_s", "B/s", work, &seconds)),
        cost("energy", "J", &energies),
        flop.and_then(|work| rate("flop_per_j", "FLOP/J", work, &energies)),
        bytes.and_then(|work| rate("bytes_per_j", "B/J", work, &energies)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A time or an energy.
fn cost(metric: &'static str, unit: &'static str, costs: &[f64]) -> Option<Figure> {
    Some(Figure {
        metric,
        unit,
        better: Direction::Smaller,
        value: geometric_mean(costs)?,
        interval: invocations_interval(costs, LEVEL).ok(),
        invocations: costs.len(),
    })
}

/// Work over a cost; the interval turns over with the quotient.
fn rate(metric: &'static str, unit: &'static str, work: f64, costs: &[f64]) -> Option<Figure> {
    let cost = cost(metric, unit, costs)?;
    Some(Figure {
        better: Direction::Larger,
        value: work / cost.value,
        interval: cost.interval.map(|(low, high)| (work / high, work / low)),
        ..cost
    })
}

/// Figures of all cases that go in a direction, with the case's name.
fn chosen(
    records: &[Record],
    direction: Option<Direction>,
) -> impl Iterator<Item = (&Record, &CaseResult, Figure)> {
    records.iter().flat_map(move |record| {
        record.cases.iter().flat_map(move |case| {
            values(case)
                .into_iter()
                .filter(move |value| direction.is_none_or(|wanted| wanted == value.better))
                .map(move |value| (record, case, value))
        })
    })
}

/// Two values under one name would hide one of them.
fn twice(name: &str) -> Error {
    Error::usage(
        "export",
        format!("two records have {name}; this format has one value a name, so export one record"),
    )
}

/// Bencher Metric Format: `latency` is Bencher's own measure in nanoseconds, the others are custom.
fn bencher(records: &[Record], direction: Option<Direction>) -> Result<String> {
    let mut benchmarks: Map<String, Value> = Map::new();
    for (_, case, value) in chosen(records, direction) {
        let measure = match value.metric {
            "time" => "latency".to_owned(),
            other => other.replace('_', "-"),
        };
        let mut entry = json!({"value": value.value});
        if let Some((low, high)) = value.interval {
            entry["lower_value"] = json!(low);
            entry["upper_value"] = json!(high);
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
    for (_, case, value) in chosen(records, Some(direction)) {
        let name = format!("{} {}", case.id(), value.metric);
        if entries.iter().any(|entry| entry["name"] == json!(name)) {
            return Err(twice(&name));
        }
        let mut entry = json!({
            "name": name,
            "unit": value.unit,
            "value": value.value,
            "extra": format!("n={} better={}", value.invocations, direction.name()),
        });
        if let Some((low, high)) = value.interval {
            entry["range"] = json!(format!("± {}", (high - low) / 2.0));
        }
        entries.push(entry);
    }
    Ok(pretty(&Value::Array(entries)))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// One row a case and metric; a case without a figure has a row that says why.
fn csv(records: &[Record], direction: Option<Direction>) -> String {
    let mut rows =
        "session,started_utc,device,driver,backend,case,kernel,metric,better,unit,value,low,high,\
         level,invocations,reason\n"
            .to_owned();
    for record in records {
        for case in &record.cases {
            let adapter = &record.adapter;
            let head = [
                record.session.clone(),
                record.started_utc.clone(),
                adapter.name.clone(),
                format!("{} {}", adapter.driver, adapter.driver_info),
                adapter.backend.clone(),
                case.case.clone(),
                case.kernel.clone(),
            ]
            .map(|text| quoted(&text))
            .join(",");
            let values = values(case);
            if values.is_empty() {
                let reason = match &case.status {
                    Status::Measured => "no invocation measured it",
                    Status::Skipped { reason } | Status::Failed { reason, .. } => reason,
                };
                rows += &format!("{head},,,,,,,,,{}\n", quoted(reason));
            }
            for value in values {
                if direction.is_some_and(|wanted| wanted != value.better) {
                    continue;
                }
                let (low, high, level) = value.interval.map_or_else(
                    || (String::new(), String::new(), String::new()),
                    |(low, high)| (low.to_string(), high.to_string(), LEVEL.to_string()),
                );
                rows += &format!(
                    "{head},{},{},{},{},{low},{high},{level},{},\n",
                    value.metric,
                    value.better.name(),
                    value.unit,
                    value.value,
                    value.invocations
                );
            }
        }
    }
    rows
}

/// A field as RFC 4180 has it.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
