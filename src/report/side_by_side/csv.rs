//! The table as CSV, one line per case and column, for a spreadsheet or a data frame.

use crate::compare::{Description, NOT_VERIFIED_HERE};
use crate::error::{Error, Result};
use crate::escape::cell;
use crate::record::fifteen_digits;

/// The columns, in order; a version only adds some at the end.
const COLUMNS: [&str; 16] = [
    "section",
    "metric",
    "case",
    "column",
    "label",
    "kernel",
    "value",
    "unit",
    "low",
    "high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "level",
    "verified",
    "reason",
];

/// A number as it was measured, without the digits that are of the computing.
fn digits(number: f64) -> String {
    fifteen_digits(number).to_string()
}

/// The description as CSV.
///
/// # Errors
/// It cannot be written, which memory alone could cause.
pub fn side_by_side_csv(description: &Description) -> Result<String> {
    let failed = |e: csv::Error| Error::usage("--csv", format!("cannot be written: {e}"));
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record(COLUMNS).map_err(failed)?;
    for section in &description.sections {
        for row in &section.rows {
            for (column, value) in description.columns.iter().zip(&row.cells) {
                let mut line: [String; COLUMNS.len()] = Default::default();
                line[0] = cell(&section.title);
                line[1] = section.metric.name().to_owned();
                line[2] = cell(&row.case);
                line[3] = column.letter.clone();
                line[4] = cell(&column.label);
                line[7] = cell(&row.unit);
                line[15] = cell(value.reason().unwrap_or_default());
                if let Some(value) = value.measured() {
                    line[5] = cell(&value.kernel);
                    line[6] = digits(value.value);
                    line[14] = value.verified.to_string();
                    if let Some(interval) = value.interval.measured() {
                        [line[8], line[9]] = [interval.low, interval.high].map(digits);
                        line[13] = digits(interval.level);
                    }
                    let ratio = value.ratio.as_ref();
                    if let Some(ratio) = ratio.and_then(|ratio| ratio.measured()) {
                        [line[10], line[11], line[12]] =
                            [ratio.value, ratio.interval.low, ratio.interval.high].map(digits);
                        line[13] = digits(ratio.interval.level);
                    }
                    let said = ratio.and_then(|ratio| ratio.reason());
                    let imported = section.imported.then_some(NOT_VERIFIED_HERE);
                    line[15] = cell(said.or(imported).unwrap_or_default());
                }
                lines.write_record(&line).map_err(failed)?;
            }
        }
    }
    let bytes = lines
        .into_inner()
        .map_err(|e| failed(e.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
