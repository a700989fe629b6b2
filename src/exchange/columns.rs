//! Tables of any program: CSV, or JSON objects in an array or one a line. The user says which column is what, or
//! their names do.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer, TableColumn};
use super::text::read_text;
use crate::error::{Error, Result};
use crate::record::Better;

/// A file is one process, unless a column tells processes apart.
pub(super) const CSV: Importer = Importer {
    name: "csv",
    hint: "any table with a header; --columns case=NAME,time_ms=MS says which column is what",
    marks: &[],
    read: read_csv,
};

/// The same for JSON.
pub(super) const JSON: Importer = Importer {
    name: "json",
    hint: "an array of objects, or one a line; --columns case=name,time_ms=stats.ms says which key is what",
    marks: &[],
    read: read_json,
};

/// What a column can be, in the order of the help.
pub const ROLES: [&str; 10] = [
    "case", "time_s", "time_ms", "time_us", "time_ns", "larger", "smaller", "unit", "process",
    "device",
];

/// Names that tell by themselves what a column is.
const NAMES: [(&str, &str); 14] = [
    ("case", "case"),
    ("name", "case"),
    ("benchmark", "case"),
    ("time_s", "time_s"),
    ("seconds", "time_s"),
    ("s", "time_s"),
    ("time_ms", "time_ms"),
    ("ms", "time_ms"),
    ("time_us", "time_us"),
    ("us", "time_us"),
    ("\u{b5}s", "time_us"),
    ("\u{3bc}s", "time_us"),
    ("time_ns", "time_ns"),
    ("ns", "time_ns"),
];

/// A row: the text of each column or path, and the numbers of a list.
type TableRow = BTreeMap<String, Value>;

fn read_csv(path: &Path, options: &ImportOptions) -> Result<ImportedFile> {
    let text = read_text(path)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| CSV.refuse(path, &e))?.clone();
    let names: Vec<&str> = header.iter().collect();
    let columns = columns(
        path,
        &options.columns,
        |name| names.contains(&name),
        &names.join(", "),
    )?;
    let mut gathered = Gathered::default();
    for (number, row) in reader.records().enumerate() {
        let row = match row {
            Ok(row) => row,
            Err(e) => {
                let place = RowPlace::Row(number + 1);
                gathered.file.left_out.push(format!("{place}: {e}"));
                continue;
            }
        };
        let line = row.position().map(csv::Position::line);
        let place = line.map_or(RowPlace::Row(number + 1), RowPlace::Line);
        if row.len() > names.len() {
            let name = row.get(0).unwrap_or_default();
            let name: String = name.chars().take(SHOWN_VALUE).collect();
            gathered.file.left_out.push(format!(
                "{place} ({name:?} …): has {} fields, and the header names {}; put a field that holds a comma in \
                 quotes",
                row.len(),
                names.len()
            ));
            continue;
        }
        let row: TableRow = names
            .iter()
            .zip(row.iter())
            .map(|(name, cell)| ((*name).to_owned(), Value::from(cell)))
            .collect();
        gathered.add(path, &columns, place, &row)?;
    }
    Ok(gathered.file)
}

fn read_json(path: &Path, options: &ImportOptions) -> Result<ImportedFile> {
    let rows = match JSON.read_json_rows(path)? {
        // A report that has its rows in one of its lists.
        rows if rows.len() == 1 => match rows[0].as_object() {
            Some(object) => {
                let mut lists = object.values().filter_map(Value::as_array);
                let list = lists.find(|list| list.first().is_some_and(Value::is_object));
                list.cloned().unwrap_or(rows)
            }
            None => rows,
        },
        rows => rows,
    };
    let some = |name: &str| rows.iter().any(|row| at_path(row, name).is_some());
    let mut keys: Vec<&str> = rows
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|row| row.keys().map(String::as_str))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let columns = columns(path, &options.columns, some, &keys.join(", "))?;
    let mut gathered = Gathered::default();
    for (number, row) in rows.iter().enumerate() {
        let row: TableRow = columns
            .iter()
            .filter_map(|column| Some((column.name.clone(), at_path(row, &column.name)?.clone())))
            .collect();
        gathered.add(path, &columns, RowPlace::Row(number + 1), &row)?;
    }
    Ok(gathered.file)
}

/// A value of an object by its path: `stats.mean`.
fn at_path<'v>(row: &'v Value, path: &str) -> Option<&'v Value> {
    match row.get(path) {
        Some(value) => Some(value),
        None => path
            .split('.')
            .try_fold(row, |value, key| match key.parse::<usize>() {
                Ok(index) if value.is_array() => value.get(index),
                _ => value.get(key),
            }),
    }
}

/// The columns that a user named, or that name themselves.
fn columns(
    path: &Path,
    given: &[TableColumn],
    is_there: impl Fn(&str) -> bool,
    there: &str,
) -> Result<Vec<TableColumn>> {
    let columns: Vec<TableColumn> = if given.is_empty() {
        NAMES
            .iter()
            .filter(|(name, _)| is_there(name))
            .map(|(name, role)| TableColumn {
                role: (*role).to_owned(),
                name: (*name).to_owned(),
            })
            .collect()
    } else {
        given.to_vec()
    };
    let lacks = |what: &str| {
        Err(Error::file(
            path,
            format!("{what}; it has {there}; say which is what by --columns case=…,time_ms=…"),
        ))
    };
    if let Some(column) = columns.iter().find(|column| !is_there(&column.name)) {
        return lacks(&format!("has no column {:?}", column.name));
    }
    if !columns.iter().any(|column| column.role == "case") {
        return lacks("no column names the cases");
    }
    let is_time = |column: &TableColumn| {
        let quantity = ColumnQuantity::of(&column.role);
        matches!(quantity, Some(ColumnQuantity::Time(_)))
    };
    if columns.iter().any(is_time) && columns.iter().any(|column| column.role == "unit") {
        return lacks(
            "`unit` says what `larger` or `smaller` counts, and a time has its unit by its role",
        );
    }
    match columns
        .iter()
        .filter(|column| ColumnQuantity::of(&column.role).is_some())
        .count()
    {
        1 => Ok(columns),
        0 => lacks("no column has times or values"),
        _ => lacks("several columns have times or values"),
    }
}

/// What a column of numbers holds.
#[derive(Clone, Copy)]
enum ColumnQuantity {
    /// Times, of which one is so many nanoseconds.
    Time(f64),
    /// Values of another kind.
    Value(Better),
}

impl ColumnQuantity {
    fn of(role: &str) -> Option<Self> {
        Some(match role {
            "time_s" => Self::Time(1e9),
            "time_ms" => Self::Time(1e6),
            "time_us" => Self::Time(1e3),
            "time_ns" => Self::Time(1.0),
            "larger" => Self::Value(Better::Larger),
            "smaller" => Self::Value(Better::Smaller),
            _ => return None,
        })
    }
}

/// Why a row cannot be used.
enum RowFault<'a> {
    /// A column or key that it lacks, or that is empty.
    Lacks(&'a str),
    /// A column or key, and what stands there.
    NoNumber(&'a str, &'a Value),
}

/// As much of a value as a note shows.
const SHOWN_VALUE: usize = 40;

impl fmt::Display for RowFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(name) => write!(f, "has no {name:?}"),
            Self::NoNumber(name, value) => {
                let shown: String = value.to_string().chars().take(SHOWN_VALUE).collect();
                write!(f, "{name:?} is {shown}, which is no number")?;
                let text = value.as_str().unwrap_or_default();
                match text.replacen(',', ".", 1).parse::<f64>() {
                    Ok(_) if text.contains(',') => f.write_str("; write a point for the comma"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// A row, by where it stands.
#[derive(Clone, Copy)]
enum RowPlace {
    /// The line of the file.
    Line(u64),
    /// The number of the object.
    Row(usize),
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// What was gathered of a file so far.
#[derive(Default)]
struct Gathered {
    file: ImportedFile,
    /// What was found of each device and name.
    known: HashMap<CaseKey, KnownCase>,
}

/// A case that rows before have.
struct KnownCase {
    /// Its place in the file's list.
    at: usize,
    /// The names of its processes.
    processes: Vec<Option<String>>,
    /// Its first row.
    first: RowPlace,
}

/// Device and name.
type CaseKey = (Option<String>, String);

impl Gathered {
    /// Adds one row: another benchmark, or another sample or process of a known one.
    fn add(
        &mut self,
        path: &Path,
        columns: &[TableColumn],
        place: RowPlace,
        row: &TableRow,
    ) -> Result<()> {
        match case(columns, row) {
            Ok(TableCase {
                case,
                process,
                last_digit_ns,
            }) => {
                // Other tools leave zeros out at the end, so the most exact number says how exact all are.
                let known = self.file.last_digit_ns.into_iter();
                self.file.last_digit_ns = known.chain(last_digit_ns).reduce(f64::min);
                self.merge(path, place, case, process)
            }
            Err(fault) => {
                self.file.left_out.push(format!("{place}: {fault}"));
                Ok(())
            }
        }
    }

    /// Adds a case's samples to those of the rows before it. Rows of different processes are of different
    /// invocations; a file without such a column is one process. Values in two units are no samples of one thing.
    fn merge(
        &mut self,
        path: &Path,
        place: RowPlace,
        case: ImportedCase,
        process: Option<String>,
    ) -> Result<()> {
        let key = (case.device.clone(), case.name.clone());
        let Some(found) = self.known.get_mut(&key) else {
            let known = KnownCase {
                at: self.file.cases.len(),
                processes: vec![process],
                first: place,
            };
            self.known.insert(key, known);
            self.file.cases.push(case);
            return Ok(());
        };
        let known = &mut self.file.cases[found.at];
        if known.measure != case.measure {
            return Err(Error::file(
                path,
                format!(
                    "{place}: {:?} is in {} there and in {} in {}; give a case one unit, or make the unit part of \
                     its name by --columns case=…,case=UNIT",
                    case.name,
                    case.unit(),
                    known.unit(),
                    found.first
                ),
            ));
        }
        let samples = case.processes.concat();
        match found.processes.iter().position(|name| *name == process) {
            Some(at) => known.processes[at].extend(samples),
            None => {
                found.processes.push(process);
                known.processes.push(samples);
            }
        }
        Ok(())
    }
}

/// The benchmark of a row, and its process.
fn case<'c>(
    columns: &'c [TableColumn],
    row: &'c TableRow,
) -> std::result::Result<TableCase, RowFault<'c>> {
    let texts = |role: &str| -> Vec<String> {
        let of_role = columns.iter().filter(|column| column.role == role);
        of_role
            .filter_map(|column| text(row.get(&column.name)?))
            .collect()
    };
    let name = texts("case").join(" ");
    if name.trim().is_empty() {
        let named = columns.iter().find(|column| column.role == "case");
        return Err(RowFault::Lacks(named.map_or("case", |column| &column.name)));
    }
    let mut quantities = columns
        .iter()
        .filter_map(|column| Some((column, ColumnQuantity::of(&column.role)?)));
    let Some((column, quantity)) = quantities.next() else {
        return Err(RowFault::Lacks("time_ms"));
    };
    let cell = match row.get(&column.name) {
        None | Some(Value::Null) => return Err(RowFault::Lacks(&column.name)),
        Some(cell) => cell,
    };
    let Some(values) = numbers(cell) else {
        return Err(RowFault::NoNumber(&column.name, cell));
    };
    let case = match quantity {
        ColumnQuantity::Time(ns) => ImportedCase::timed(
            name.clone(),
            vec![values.iter().map(|value| value * ns).collect()],
        ),
        ColumnQuantity::Value(better) => {
            let unit = texts("unit").into_iter().next();
            let unit = unit.unwrap_or_else(|| column.name.clone());
            ImportedCase::measured(name.clone(), &values, &unit, better)
        }
    };
    let device = texts("device").into_iter().next();
    let process = texts("process").into_iter().next();
    Ok(TableCase {
        case: ImportedCase { device, ..case },
        process,
        last_digit_ns: match quantity {
            ColumnQuantity::Time(ns) => last_digit(cell).map(|digit| digit * ns),
            ColumnQuantity::Value(_) => None,
        },
    })
}

/// A row's benchmark.
struct TableCase {
    case: ImportedCase,
    /// The name of its process.
    process: Option<String>,
    /// What its last digit stands for, where it is a time.
    last_digit_ns: Option<f64>,
}

/// What the last digit of a number as it is written stands for; of a list, that of the most exact.
fn last_digit(value: &Value) -> Option<f64> {
    let of_text = |text: &str| -> Option<f64> {
        let (digits, exponent) = text
            .trim()
            .split_once(['e', 'E'])
            .unwrap_or((text.trim(), "0"));
        let decimals = digits
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let exponent = exponent.parse::<i32>().ok()?;
        Some(10_f64.powi(exponent.saturating_sub(i32::try_from(decimals).ok()?)))
    };
    match value {
        Value::String(text) => of_text(text),
        Value::Number(number) => of_text(&number.to_string()),
        Value::Array(all) => all.iter().filter_map(last_digit).reduce(f64::min),
        _ => None,
    }
}

/// A cell as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A cell as a number, or a list as numbers.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    let number = |value: &Value| match value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    match value {
        Value::Array(all) => all.iter().map(number).collect(),
        one => Some(vec![number(one)?]),
    }
}
