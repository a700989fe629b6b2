//! A meter's own log: a table of times and powers, for meters that nothing here can read live.
//!
//! Logs are taken as tools write them: `nvidia-smi --format=csv`, HWiNFO, Home Assistant, Zeus, `powermetrics`, or
//! any table whose columns have names. A unit stands in the name of a column or beside the number; what is no power
//! that is drawn (limits, apparent power, energy) is never taken for one.

mod choice;
mod columns;
mod devices;
mod held;
mod meaning;
mod order;
mod powermetrics;
mod resolution;
mod times;

use std::path::Path;

use jiff::tz::TimeZone;

pub use self::choice::LogChoice;
use self::columns::{PowerColumn, boundary_of, is_other_quantity, is_time, power_columns, unit};
pub use self::order::LogRow;
use self::order::{TimedRow, in_order};
pub use self::times::DateOrder;
use crate::error::{Error, Result};
use crate::record::{Boundary, read_bytes};
use crate::units::{Watts, bound_percent};

/// Share of rows without a value that a log may have.
const MOST_LEFT_OUT: f64 = 0.1;

/// A log that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterLog {
    /// Its rows, in order.
    pub rows: Vec<LogRow>,
    /// What the meter measures: as it was said, else by the name of the column.
    pub boundary: Boundary,
    /// The step between its values.
    pub resolution: Watts,
    /// What was assumed or left out on the way, a sentence each.
    pub notes: Vec<String>,
}

/// Reads a log. Times are seconds (or milli-, micro- or nanoseconds) since 1970, RFC 3339, or dates and times of day.
///
/// # Errors
/// It cannot be read, holds no power, or too many of its rows are none; the message names the first.
pub fn load_log(path: &Path, choice: &LogChoice) -> Result<MeterLog> {
    let text = lossy(path)?;
    parse(&text, choice).map_err(|reason| Error::file(path, reason))
}

/// Reads a power curve: as a log, but for its times, which are seconds from the curve's beginning.
///
/// # Errors
/// As of a log.
pub fn load_curve(path: &Path) -> Result<Vec<LogRow>> {
    let text = lossy(path)?;
    let choice = LogChoice {
        boundary: Some(Boundary::Unknown),
        column: None,
        device: None,
        address: None,
        zone: None,
        date_order: None,
    };
    let seconds = |text: &str| {
        let seconds = text.parse().ok();
        seconds
            .filter(|seconds: &f64| seconds.is_finite())
            .ok_or_else(|| format!("`{text}` is not a time in seconds"))
    };
    Table::of(&text)
        .and_then(|table| {
            let columns = table.columns(&choice, &mut Vec::new())?;
            let (rows, all) = table.rows(&columns, &choice, &mut Vec::new(), seconds)?;
            rising(rows, all)
        })
        .map_err(|reason| Error::file(path, reason))
}

/// A file's text; some tools write their degree signs in an older encoding.
fn lossy(path: &Path) -> Result<String> {
    read_bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a log's text.
fn parse(text: &str, choice: &LogChoice) -> std::result::Result<MeterLog, String> {
    if powermetrics::is_it(text) {
        let boundary = choice.boundary.unwrap_or(Boundary::Soc);
        let (rows, name) = powermetrics::parse(text, boundary)?;
        let notes = vec![
            format!("the lines of `{name}` were taken"),
            "its times are whole seconds, so the samples were laid end to end by the lengths that it states"
                .to_owned(),
        ];
        let rows = enough(rows)?;
        return Ok(MeterLog {
            resolution: resolution::of(&rows),
            rows,
            boundary,
            notes,
        });
    }
    let zone = match &choice.zone {
        Some(name) => TimeZone::get(name).map_err(|_| {
            format!("--zone {name}: no such zone is known here; name it as Europe/Berlin or UTC")
        })?,
        None => TimeZone::system(),
    };
    let mut notes = Vec::new();
    let mut zoneless = false;
    meaning::refuse_other_forms(text)?;
    let table = Table::of(text)?;
    meaning::unnamed(&table.header, &table.rows, &mut notes)?;
    let columns = table.columns(choice, &mut notes)?;
    let boundary = boundary_of(&columns.power.name, choice, &mut notes)?;
    let order = times::date_order(
        table.times(&columns).iter().map(String::as_str),
        choice.date_order,
    )?;
    let (rows, left_out) = table.rows(&columns, choice, &mut notes, |text| {
        let read = times::unix_seconds(text, &zone, order)?;
        zoneless |= read.zoneless;
        Ok(read.unix_s)
    })?;
    let all = rows.len() + left_out.len();
    let (rows, misfits) = in_order(rows, &mut notes)?;
    let left_out: Vec<String> = left_out.into_iter().chain(misfits).collect();
    let rows = few_left_out(rows, &left_out, all, &mut notes)?;
    meaning::plausible(&rows, &table.header)?;
    let mut resolution = resolution::of(&rows);
    let rows = match held::is_of_changes(&table.header) {
        true => held::held(rows, &mut resolution, &mut notes),
        false => rows,
    };
    if zoneless {
        let name = zone.iana_name().unwrap_or("the system's own");
        notes.push(format!(
            "its times name no zone and were read as {name}; --zone names another"
        ));
    }
    Ok(MeterLog {
        rows,
        boundary,
        resolution,
        notes,
    })
}

/// The rows of a curve, whose times rise.
fn rising(
    rows: Vec<TimedRow>,
    mut left_out: Vec<String>,
) -> std::result::Result<Vec<LogRow>, String> {
    let all = rows.len() + left_out.len();
    let mut kept: Vec<LogRow> = Vec::new();
    for row in rows {
        order::keep_rising(&mut kept, (row.at, row.watts), row.line, &mut left_out);
    }
    few_left_out(kept, &left_out, all, &mut Vec::new())
}

/// The rows, where few were left out.
fn few_left_out(
    rows: Vec<LogRow>,
    left_out: &[String],
    all: usize,
    notes: &mut Vec<String>,
) -> std::result::Result<Vec<LogRow>, String> {
    if let Some(first) = left_out.first() {
        if left_out.len() as f64 > MOST_LEFT_OUT * all as f64 {
            return Err(format!(
                "{} of {all} rows have no usable value, and at most {} may have none; the first: {first}",
                left_out.len(),
                bound_percent(MOST_LEFT_OUT)
            ));
        }
        notes.push(format!(
            "{} of {all} rows have no usable value and were left out, the first: {first}",
            left_out.len()
        ));
    }
    enough(rows)
}

/// A log has two rows at the least.
fn enough(rows: Vec<LogRow>) -> std::result::Result<Vec<LogRow>, String> {
    match rows.len() {
        0 => Err("there is no row in it".to_owned()),
        1 => Err("at least two rows are needed to know a power over time".to_owned()),
        _ => Ok(rows),
    }
}

/// Which columns of a table are meant.
struct LogColumns {
    /// Those that together are the time.
    times: Vec<usize>,
    power: PowerColumn,
}

/// A table as it stands in the file.
struct Table {
    separator: char,
    /// The names of its columns, where it has any.
    header: Vec<String>,
    /// Each row with the number of its line.
    rows: Vec<meaning::NumberedRow>,
}

impl Table {
    /// Takes a text apart.
    fn of(text: &str) -> std::result::Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let separator = separator(text)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator as u8)
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut header = Vec::new();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record
                .map_err(|e| format!("not a table of values separated by `{separator}`: {e}"))?;
            if record.iter().all(str::is_empty) {
                continue;
            }
            if rows.is_empty() && header.is_empty() && is_header(&record) {
                header = record.iter().map(str::to_owned).collect();
                continue;
            }
            // Some tools write the names again at the end.
            if !header.is_empty() && record.iter().eq(header.iter().map(String::as_str)) {
                continue;
            }
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        Ok(Self {
            separator,
            header,
            rows,
        })
    }

    /// The times of all rows, as they are written.
    fn times(&self, columns: &LogColumns) -> Vec<String> {
        let rows = self.rows.iter();
        rows.map(|(_, record)| self.time(record, &columns.times))
            .collect()
    }

    /// The time of a row, as it is written, with a point before parts of a second.
    fn time(&self, record: &csv::StringRecord, times: &[usize]) -> String {
        let cells = times.iter().map(|at| record.get(*at).unwrap_or_default());
        let written = cells.collect::<Vec<_>>().join(" ");
        match self.has_decimal_comma() && written.chars().all(|c| c.is_ascii_digit() || c == ',') {
            true => written.replace(',', "."),
            false => written,
        }
    }

    /// Whether a comma separates no columns, so that it may stand in a number.
    fn has_decimal_comma(&self) -> bool {
        self.separator != ','
    }

    /// The rows that are asked for, as they stand there, and of those without a value why.
    fn rows(
        &self,
        columns: &LogColumns,
        choice: &LogChoice,
        notes: &mut Vec<String>,
        mut time: impl FnMut(&str) -> std::result::Result<f64, String>,
    ) -> std::result::Result<(Vec<TimedRow>, Vec<String>), String> {
        let mut power = columns.power.clone();
        let device = devices::chosen(&self.header, &self.rows, choice, notes)?;
        let wanted = device.as_ref().map(|(_, name)| name.as_str());
        meaning::entity_unit(&self.header, &self.rows, &mut power, wanted)?;
        let comma = self.has_decimal_comma()
            && self
                .rows
                .iter()
                .any(|(_, record)| record.get(power.at).is_some_and(|cell| cell.contains(',')));
        self.guess_unit(&mut power, comma, notes)?;
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for (line, record) in &self.rows {
            let cell = |at: usize| record.get(at).unwrap_or_default();
            if device.as_ref().is_some_and(|(at, name)| cell(*at) != name) {
                continue;
            }
            let read = time(&self.time(record, &columns.times)).and_then(|at| {
                let watts = watts(cell(power.at), power.watts.unwrap_or(1.0), comma)?;
                Ok(TimedRow {
                    line: *line,
                    at,
                    watts,
                })
            });
            match read {
                Ok(row) => rows.push(row),
                Err(why) => left_out.push(format!("line {line}: {why}")),
            }
        }
        Ok((rows, left_out))
    }

    /// The columns that are meant.
    fn columns(
        &self,
        choice: &LogChoice,
        notes: &mut Vec<String>,
    ) -> std::result::Result<LogColumns, String> {
        if self.header.is_empty() {
            let power = PowerColumn {
                at: 1,
                name: "the second column".to_owned(),
                watts: None,
            };
            return Ok(LogColumns {
                times: vec![0],
                power,
            });
        }
        Ok(LogColumns {
            times: self.time_columns()?,
            power: self.power_column(choice, notes)?,
        })
    }

    /// The column of this name.
    fn named(&self, name: &str) -> Option<usize> {
        let mut names = self.header.iter();
        names.position(|known| known.eq_ignore_ascii_case(name))
    }

    /// The names of the columns, for messages.
    fn names(&self) -> String {
        self.header.join(", ")
    }

    fn time_columns(&self) -> std::result::Result<Vec<usize>, String> {
        if let (Some(date), Some(time)) = (self.named("date"), self.named("time")) {
            return Ok(vec![date, time]);
        }
        match self.header.iter().position(|name| is_time(name)) {
            Some(at) => Ok(vec![at]),
            None => Err(format!("no column of times among: {}", self.names())),
        }
    }

    fn power_column(
        &self,
        choice: &LogChoice,
        notes: &mut Vec<String>,
    ) -> std::result::Result<PowerColumn, String> {
        let boundary = choice.boundary.unwrap_or(Boundary::Unknown);
        if let Some(wanted) = &choice.column {
            refuse_same_names(&self.header, wanted)?;
            let at = self.named(wanted).ok_or_else(|| {
                format!(
                    "--column {wanted}: there is none of this name among: {}",
                    self.names()
                )
            })?;
            if is_other_quantity(wanted) {
                return Err(format!(
                    "--column {wanted}: by its name it is no power that is drawn (a voltage, a limit, an apparent power, \
                     an energy); if it is, rename it in the file, as power_w"
                ));
            }
            let mut found = power_columns(std::slice::from_ref(&self.header[at]), boundary);
            let watts = found.pop().and_then(|column| column.watts);
            let name = wanted.clone();
            return Ok(PowerColumn { at, name, watts });
        }
        let mut found = power_columns(&self.header, boundary);
        if found.is_empty()
            && let (Some(_), Some(at)) = (self.named("entity_id"), self.named("state"))
        {
            found.push(PowerColumn {
                at,
                name: "state".to_owned(),
                watts: None,
            });
        }
        if found.is_empty() {
            return Err(format!(
                "no column of watts among: {}; if one is, choose it with --column",
                self.names()
            ));
        }
        refuse_same_names(&self.header, &found[0].name)?;
        let others = found[1..].iter().map(|column| column.name.as_str());
        let others: Vec<&str> = others.collect();
        if !others.is_empty() {
            notes.push(format!(
                "`{}` was taken for the power; --column takes another: {}",
                found[0].name,
                others.join(", ")
            ));
        }
        columns::refuse_parts(&found)?;
        Ok(found.swap_remove(0))
    }

    /// The unit of a column that states none: watts, unless nothing would draw so many. Zeus' monitor writes
    /// milliwatts under `Power`.
    fn guess_unit(
        &self,
        power: &mut PowerColumn,
        comma: bool,
        notes: &mut Vec<String>,
    ) -> std::result::Result<(), String> {
        /// More watts than one meter sees, and fewer milliwatts than any card draws.
        const TOO_MANY: f64 = 5000.0;
        if power.watts.is_some() {
            return Ok(());
        }
        let cells = self
            .rows
            .iter()
            .filter_map(|(_, record)| record.get(power.at));
        let mut values: Vec<f64> = cells
            .filter_map(|cell| watts(cell, 1.0, comma).ok())
            .map(Watts::get)
            .collect();
        values.sort_by(f64::total_cmp);
        let Some(middle) = values
            .get(values.len() / 2)
            .filter(|middle| **middle > TOO_MANY)
        else {
            return Ok(());
        };
        let whole = values.iter().all(|value| value.fract() == 0.0);
        if whole && self.header.iter().map(String::as_str).eq(["Time", "Power"]) {
            power.watts = Some(1e-3);
            notes.push("`Power` was read in milliwatts, as Zeus' monitor writes it".to_owned());
            return Ok(());
        }
        Err(format!(
            "`{}` states no unit, and {middle} W is more than a machine draws; write its unit into the column's \
             name, as in power_mw",
            power.name
        ))
    }
}

/// A power from a cell, whose own unit goes before the column's. Where a comma is the decimal one, a point separates
/// thousands.
fn watts(cell: &str, watts: f64, decimal_comma: bool) -> std::result::Result<Watts, String> {
    let wrong = || format!("`{cell}` is not a power in watts");
    let (number, watts) = match cell.rsplit_once(' ') {
        Some((number, own)) => (number, unit(own).ok_or_else(wrong)?),
        None => (cell, watts),
    };
    let (decimal, thousands) = if decimal_comma {
        (',', '.')
    } else {
        ('.', ',')
    };
    let number = number.trim();
    let (whole, part) = number.split_once(decimal).unwrap_or((number, ""));
    let mut threes = whole.split(thousands).skip(1);
    // A comma between three digits and three is no decimal one for certain.
    let unclear = !decimal_comma && whole.contains(thousands) && part.is_empty();
    if unclear || threes.any(|three| three.len() != 3) || part.contains(thousands) {
        return Err(wrong());
    }
    let number = match part.is_empty() {
        true => whole.replace(thousands, ""),
        false => format!("{}.{part}", whole.replace(thousands, "")),
    };
    let value = number.parse::<f64>().map_err(|_| wrong())?;
    if value.is_finite() && value >= 0.0 {
        Ok(Watts(value * watts))
    } else {
        Err(wrong())
    }
}

/// Refuses a name that several columns have, since it chooses none of them.
fn refuse_same_names(header: &[String], name: &str) -> std::result::Result<(), String> {
    let same = header.iter().filter(|own| own.eq_ignore_ascii_case(name));
    if same.count() > 1 {
        return Err(format!(
            "several columns are called `{name}`, as of several devices; give each a name of its own in the first \
             line, as `{name} 0`, and choose one with --column"
        ));
    }
    Ok(())
}

/// Whether a row is one of names.
fn is_header(record: &csv::StringRecord) -> bool {
    let mut named = record.iter().filter(|name| !name.is_empty()).peekable();
    named.peek().is_some() && named.all(|name| name.starts_with(char::is_alphabetic))
}

/// What separates the columns: a semicolon where there is one, since a comma may then be a decimal one.
fn separator(text: &str) -> std::result::Result<char, String> {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .ok_or("there is no row in it")?;
    // A quoted separator is none.
    let bare: String = first.split('"').step_by(2).collect();
    [';', '\t', ',']
        .into_iter()
        .find(|separator| bare.contains(*separator))
        .ok_or_else(|| "its rows have one column; a time and watts are needed".to_owned())
}

#[cfg(test)]
mod tests;
