//! The columns of judged figures that the query engine gives, read row by row.

use datafusion::arrow::array::{Array, Float64Array, Int64Array, RecordBatch};

use super::cells::{Texts, at, numbers, wholes};
use crate::error::Result;
use crate::stats::Interval;

/// What tells cards apart, by numbers of texts.
pub(super) type CardKey = [u32; 7];

/// A figure with the ends of its interval.
pub(super) struct IntervalColumns {
    value: Float64Array,
    low: Float64Array,
    high: Float64Array,
}

impl IntervalColumns {
    fn of(batch: &RecordBatch, [value, low, high]: [&str; 3]) -> Result<Self> {
        Ok(Self {
            value: numbers(batch, value)?,
            low: numbers(batch, low)?,
            high: numbers(batch, high)?,
        })
    }

    /// The logarithm of a row's figure with its standard error.
    pub(super) fn at(&self, row: usize) -> (Option<f64>, f32) {
        logarithm(
            at(&self.value, row),
            at(&self.low, row),
            at(&self.high, row),
        )
    }
}

/// Judged figures, a row each; texts are numbers.
pub(super) struct FigureColumns {
    device: Vec<u32>,
    backend: Vec<u32>,
    pub(super) driver: Vec<u32>,
    host: Vec<u32>,
    gpu: Vec<u32>,
    record: Vec<u32>,
    content: Vec<u32>,
    file: Vec<u32>,
    pub(super) case: Vec<u32>,
    pub(super) kernel: Vec<u32>,
    pub(super) better: Vec<u32>,
    pub(super) throttled: Vec<u32>,
    vendor: Int64Array,
    id: Int64Array,
    at_once: Int64Array,
    started: Int64Array,
    pub(super) cost: IntervalColumns,
    pub(super) joules: IntervalColumns,
}

impl FigureColumns {
    /// # Errors
    /// A column is missing or of another type.
    pub(super) fn of(batch: &RecordBatch, texts: &mut Texts) -> Result<Self> {
        let mut text = |name: &str| texts.column(batch, name);
        Ok(Self {
            device: text("device")?,
            backend: text("backend")?,
            driver: text("driver")?,
            host: text("host")?,
            gpu: text("gpu")?,
            record: text("record")?,
            content: text("content")?,
            file: text("file")?,
            case: text("case")?,
            kernel: text("kernel")?,
            better: text("better")?,
            throttled: text("throttled_by")?,
            vendor: wholes(batch, "vendor_id")?,
            id: wholes(batch, "device_id")?,
            at_once: wholes(batch, "concurrent_gpus")?,
            started: wholes(batch, "started_utc")?,
            cost: IntervalColumns::of(batch, ["value", "low", "high"])?,
            joules: IntervalColumns::of(batch, ["joules", "joules_low", "joules_high"])?,
        })
    }

    /// What tells a row's card apart.
    pub(super) fn card(&self, row: usize) -> CardKey {
        let alone = self.at_once.is_null(row) || self.at_once.value(row) <= 1;
        [
            self.device[row],
            self.vendor.value(row) as u32,
            self.id.value(row) as u32,
            self.backend[row],
            u32::from(!alone),
            self.host[row],
            self.gpu[row],
        ]
    }

    /// What tells the session of a row of a card apart, and when it began.
    pub(super) fn session(&self, row: usize, card: u32) -> ([u32; 4], Option<i64>) {
        let key = [self.record[row], self.content[row], self.file[row], card];
        let started = (!self.started.is_null(row)).then(|| self.started.value(row));
        (key, started)
    }
}

/// The logarithm of a figure with its standard error.
fn logarithm(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> (Option<f64>, f32) {
    let value = value
        .filter(|value| *value > 0.0 && value.is_finite())
        .map(f64::ln);
    let own = match (low, high) {
        (Some(low), Some(high)) if 0.0 < low && low <= high => {
            (high / low).ln() / 2.0 / Interval::STANDARD_ERRORS
        }
        _ => f64::NAN,
    };
    (value, own as f32)
}
