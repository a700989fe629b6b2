//! A meter's own log: a CSV of times and watts, for meters that nothing here can read live.

use std::path::Path;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::record::read_text;
use crate::units::Watts;

/// One row: seconds since 1970, and the power from then on.
pub type LogRow = (f64, Watts);

/// Whether a column of this name, in small letters, holds times.
fn is_time(name: &str) -> bool {
    name == "t"
        || ["time", "unix", "date", "epoch", "second"]
            .iter()
            .any(|word| name.contains(word))
}

/// Whether it holds watts.
fn is_power(name: &str) -> bool {
    let unit = ["watt", "_w", "(w)", "[w]"]
        .iter()
        .any(|unit| name.contains(unit));
    unit || name == "w" || (name.contains("power") && !name.contains("factor"))
}

/// Reads a log: a column of times and one of watts, by their names in the first line, else the first
/// two. Times are seconds (or milli-, micro- or nanoseconds) since 1970, or RFC 3339 with a zone.
///
/// # Errors
/// It cannot be read, has no rows, or a row that is none; the message names the line.
pub fn load_log(path: &Path) -> Result<Vec<LogRow>> {
    read(path, unix_seconds)
}

/// Reads a power curve: as a log, but for its times, which are seconds from the curve's beginning.
///
/// # Errors
/// As of a log.
pub fn load_curve(path: &Path) -> Result<Vec<LogRow>> {
    read(path, |text| {
        let seconds = text.parse().ok();
        seconds
            .filter(|seconds: &f64| seconds.is_finite())
            .ok_or_else(|| format!("`{text}` is not a time in seconds"))
    })
}

/// How a cell becomes a time.
type Time = fn(&str) -> std::result::Result<f64, String>;

/// Reads a file.
fn read(path: &Path, time: Time) -> Result<Vec<LogRow>> {
    let text = read_text(path)?;
    parse(&text, time).map_err(|reason| Error::file(path, reason))
}

/// Reads a file's text.
fn parse(text: &str, read_time: Time) -> std::result::Result<Vec<LogRow>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let separator = separator(text)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator as u8)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns = None;
    let mut rows: Vec<LogRow> = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|e| format!("not a table of values separated by `{separator}`: {e}"))?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let number = record.position().map_or(0, csv::Position::line);
        let Some((time, power)) = columns else {
            let (found, named) = find_columns(&record)?;
            columns = Some(found);
            if !named {
                rows.push(
                    row(&record, found, read_time, separator).map_err(|why| at(number, &why))?,
                );
            }
            continue;
        };
        let next =
            row(&record, (time, power), read_time, separator).map_err(|why| at(number, &why))?;
        if rows.last().is_some_and(|(last, _)| *last >= next.0) {
            return Err(at(number, "its time is not after that of the row before"));
        }
        rows.push(next);
    }
    if columns.is_none() {
        return Err("there is no row in it".to_owned());
    }
    if rows.len() < 2 {
        return Err("at least two rows are needed to know a power over time".to_owned());
    }
    Ok(rows)
}

/// A message with the line that it is about.
fn at(line: u64, why: &str) -> String {
    format!("line {line}: {why}")
}

/// What separates the cells: the first of semicolon, tabulator and comma that the first row has outside
/// quotes.
fn separator(text: &str) -> std::result::Result<char, String> {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .ok_or("there is no row in it")?;
    let bare: String = first.split('"').step_by(2).collect();
    [';', '\t', ',']
        .into_iter()
        .find(|separator| bare.contains(*separator))
        .ok_or_else(|| "its rows have one column; a time and watts are needed".to_owned())
}

/// The columns of times and watts by the first row, and whether that row names them; else the first two.
fn find_columns(first: &csv::StringRecord) -> std::result::Result<((usize, usize), bool), String> {
    if !first
        .iter()
        .all(|name| name.starts_with(char::is_alphabetic))
    {
        return Ok(((0, 1), false));
    }
    let column = |fits: fn(&str) -> bool, what: &str| {
        let found = first.iter().position(|name| fits(&name.to_lowercase()));
        found.ok_or_else(|| {
            let names: Vec<&str> = first.iter().collect();
            format!("no column of {what} among: {}", names.join(", "))
        })
    };
    Ok((
        (column(is_time, "times")?, column(is_power, "watts")?),
        true,
    ))
}

/// One row's time and power.
fn row(
    record: &csv::StringRecord,
    (time, power): (usize, usize),
    read_time: Time,
    separator: char,
) -> std::result::Result<LogRow, String> {
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let at = read_time(cell(time))?;
    let watts = decimal(cell(power), separator)
        .filter(|watts| *watts >= 0.0)
        .ok_or_else(|| format!("`{}` is not a power in watts", cell(power)))?;
    Ok((at, Watts(watts)))
}

/// A finite number; with semicolons a comma may be the decimal point.
fn decimal(text: &str, separator: char) -> Option<f64> {
    let text = if separator == ';' {
        text.replace(',', ".")
    } else {
        text.to_owned()
    };
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A time in seconds since 1970.
fn unix_seconds(text: &str) -> std::result::Result<f64, String> {
    if let Ok(number) = text.parse::<f64>() {
        // Today is 1.8e9 s; anything a thousand times larger is counted in smaller units.
        let scale = match number {
            n if (1e8..1e11).contains(&n) => 1.0,
            n if (1e11..1e14).contains(&n) => 1e-3,
            n if (1e14..1e17).contains(&n) => 1e-6,
            n if (1e17..1e20).contains(&n) => 1e-9,
            _ => return Err(format!("`{text}` is not a time since 1970")),
        };
        return Ok(number * scale);
    }
    let timestamp: Timestamp = text.replacen(' ', "T", 1).parse().map_err(|_| {
        format!("`{text}` is not a time; use seconds since 1970, or 2026-01-31T12:00:00.5Z with its zone")
    })?;
    Ok(timestamp.as_nanosecond() as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watts(text: &str) -> std::result::Result<Vec<(f64, f64)>, String> {
        parse(text, unix_seconds)
            .map(|rows| rows.iter().map(|(at, watts)| (*at, watts.get())).collect())
    }

    #[test]
    fn logs_of_many_meters_are_read() {
        let expected = Ok(vec![(1_800_000_000.0, 50.0), (1_800_000_001.5, 60.5)]);
        for text in [
            "1800000000,50\n1800000001.5,60.5\n",
            "time,power_w\n1800000000,50\n1800000001.5,60.5\n",
            "\u{feff}Date;Channel;Power (W)\n2027-01-15T08:00:00Z;1;50,0\n2027-01-15T08:00:01.5Z;1;60,5\n",
            "# meter\nwatts\ttimestamp_ms\n50\t1800000000000\n60.5\t1800000001500\n",
            "time,note,watts\n1800000000,\"fan, low\",50\n1800000001.5,\"fan; high\",60.5\n",
            "\"timestamp\",\"watts\"\n\"2027-01-15 09:00:00+01:00\",\"50\"\n\"2027-01-15 09:00:01.5+01:00\",\"60.5\"\n",
        ] {
            assert_eq!(watts(text), expected, "{text}");
        }
    }

    #[test]
    fn a_row_that_is_none_is_named() {
        for (text, word) in [
            ("", "no row"),
            ("1800000000,50\n", "two rows"),
            ("1800000000,50\n1800000000,51\n", "line 2"),
            ("1800000000,50\n1800000001,many\n", "line 2: `many`"),
            ("1800000000,50\n1800000001,\n", "line 2"),
            ("1800000000,50\n1800000001,-4\n", "line 2"),
            ("1800000000,50\n1800000001,NaN\n", "line 2"),
            ("2027-01-15 09:00:00,50\n2027-01-15 09:00:01,50\n", "zone"),
            ("12,50\n13,50\n", "since 1970"),
            ("a,b\n1,2\n", "no column of times"),
            ("50\n60\n", "one column"),
        ] {
            let message = watts(text).unwrap_err();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
