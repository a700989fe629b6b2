//! The table's columns: one list from which the schema, the cells and the page of the documentation follow.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch,
    StringDictionaryBuilder, TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};

use super::row::{CaseRows, RecordHead, RecordRows};
use crate::record::{Better, CaseName, ExportedFigure};

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, in a dictionary.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// True or false.
    Flag,
    /// A time of day in UTC, to the millisecond.
    Time,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetColumn {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
    /// What it says.
    pub about: &'static str,
}

/// A cell, or nothing.
enum TableCell<'r> {
    Text(Option<&'r str>),
    Number(Option<f64>),
    Whole(Option<i64>),
    Flag(Option<bool>),
    Time(Option<i64>),
}

/// Declares the columns with their cells. An entry reads `name: Kind = expression, "what it says";`.
macro_rules! columns {
    (|$head:ident, $case:ident, $figure:ident| $($name:ident: $kind:ident = $value:expr, $about:literal;)+) => {
        /// The columns, in their order.
        pub const COLUMNS: &[FleetColumn] = &[$(FleetColumn {
            name: stringify!($name),
            kind: ColumnKind::$kind,
            about: $about,
        }),+];

        /// The cells of one row.
        fn cells<'r>(
            $head: &'r RecordHead,
            $case: &'r CaseRows,
            $figure: Option<&'r ExportedFigure>,
        ) -> [TableCell<'r>; COLUMNS.len()] {
            [$(TableCell::$kind($value)),+]
        }
    };
}

columns! { |head, case, figure|
    record: Text = Some(&head.record), "identity of the session that measured";
    content: Text = Some(&head.content), "digest of all its figures; a copy under another name has the same";
    file: Text = Some(&head.file), "name of the record's file, without its ending";
    started_utc: Time = head.started_ms, "when the session began, UTC";
    device: Text = Some(&head.device), "the card's model as its driver names it";
    vendor_id: Whole = Some(head.vendor_id.into()), "PCI vendor; 0 where the driver gives none";
    device_id: Whole = Some(head.device_id.into()), "PCI device; 0 where the driver gives none";
    backend: Text = Some(&head.backend), "`vulkan`, `metal`, `dx12` or `gl`";
    driver: Text = Some(&head.driver), "driver with its version";
    host: Text = Some(&head.node), "the machine: as the record names it, else the file's name up to `--`";
    gpu: Text = head.gpu.as_deref(), "the card in the machine: UUID, else PCI address, else what follows `--` in the file's name";
    perwatt: Text = Some(&head.perwatt), "version of perwatt";
    scheduler: Text = head.scheduler.as_deref(), "what placed the run";
    exclusive: Flag = head.exclusive, "whether the machine was this job's alone";
    concurrent_gpus: Whole = head.concurrent_gpus.map(i64::from), "GPUs of the machine that were measured at once, this one included";
    simulated: Flag = Some(head.simulated), "nothing of it was measured on hardware";
    software_driver: Flag = Some(head.software_driver), "a processor did the work";
    case: Text = Some(&case.case), "workload, dtype and shape";
    workload: Text = Some(CaseName::split_workload(&case.case).0), "first part of the case";
    dtype: Text = CaseName::dtype_of(&case.case), "second part of the case";
    kernel: Text = Some(&case.kernel), "the kernel";
    is_best: Flag = Some(case.is_best), "the kernel stands for the case: of the verified ones the quickest";
    status: Text = Some(case.status), "`measured`, `skipped` or `failed`";
    failure: Text = case.failure, "kind of failure";
    reason: Text = case.reason.as_deref(), "why there is no figure";
    verified: Flag = Some(case.verified), "the output was compared with the reference and passed";
    simulated_power: Flag = Some(case.simulated_power), "the power readings are made up";
    screening: Flag = Some(case.screening), "energy windows were short";
    too_short: Flag = Some(case.too_short), "an execution is not much longer than the gap between two";
    quantity: Text = figure.map(|figure| figure.metric), "`time`, `flop_per_s`, `bytes_per_s`, `energy`, `flop_per_j`, `bytes_per_j`; `value` of another tool; null where there is no figure";
    value: Number = figure.map(|figure| figure.value), "the figure";
    low: Number = figure.and_then(|figure| Some(figure.interval?.low)), "lower end of its 95 % interval";
    high: Number = figure.and_then(|figure| Some(figure.interval?.high)), "upper end";
    unit: Text = figure.map(|figure| figure.unit.as_ref()), "unit of the three";
    better: Text = figure.map(|figure| direction(figure.better)), "`smaller` or `larger`";
    invocations: Whole = figure.map(|figure| figure.invocations as i64), "invocations that the figure rests on";
    joules: Number = case.joules.map(|(joules, _)| joules), "J of one execution";
    joules_low: Number = case.joules.and_then(|(_, ends)| Some(ends?.0)), "lower end of its 95 % interval";
    joules_high: Number = case.joules.and_then(|(_, ends)| Some(ends?.1)), "upper end";
    watts: Number = case.watts, "mean power in the energy window";
    core_clock_mhz: Number = case.core_clock_mhz, "clock of the arithmetic units at the end of the window";
    temperature_c: Number = case.temperature_c, "temperature of the chip there";
    throttled_by: Text = case.throttled_by.as_deref(), "heat or fault that slowed the card; usual limits do not count";
}

fn direction(better: Better) -> &'static str {
    match better {
        Better::Smaller => "smaller",
        Better::Larger => "larger",
    }
}

impl ColumnKind {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Number => DataType::Float64,
            Self::Whole => DataType::Int64,
            Self::Flag => DataType::Boolean,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }

    /// As documents name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "double",
            Self::Whole => "bigint",
            Self::Flag => "boolean",
            Self::Time => "timestamp",
        }
    }
}

/// The schema of the columns.
pub fn schema() -> SchemaRef {
    let fields: Vec<Field> = COLUMNS
        .iter()
        .map(|column| Field::new(column.name, column.kind.data_type(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// A column under construction.
enum ColumnBuilder {
    Text(StringDictionaryBuilder<Int32Type>),
    Number(Float64Builder),
    Whole(Int64Builder),
    Flag(BooleanBuilder),
    Time(TimestampMillisecondBuilder),
}

impl ColumnBuilder {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Self::Text(StringDictionaryBuilder::new()),
            ColumnKind::Number => Self::Number(Float64Builder::new()),
            ColumnKind::Whole => Self::Whole(Int64Builder::new()),
            ColumnKind::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnKind::Time => Self::Time(TimestampMillisecondBuilder::new()),
        }
    }

    fn push(&mut self, cell: &TableCell) {
        match (self, cell) {
            (Self::Text(column), TableCell::Text(text)) => column.append_option(*text),
            (Self::Number(column), TableCell::Number(number)) => {
                column.append_option(number.filter(|number| number.is_finite()));
            }
            (Self::Whole(column), TableCell::Whole(number)) => column.append_option(*number),
            (Self::Flag(column), TableCell::Flag(flag)) => column.append_option(*flag),
            (Self::Time(column), TableCell::Time(time)) => column.append_option(*time),
            // Both follow from one declaration.
            _ => {}
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => ArrayBuilder::finish(column),
            Self::Number(column) => ArrayBuilder::finish(column),
            Self::Whole(column) => ArrayBuilder::finish(column),
            Self::Flag(column) => ArrayBuilder::finish(column),
            Self::Time(column) => ArrayBuilder::finish(column),
        }
    }
}

/// A piece of the table under construction.
pub struct TableBuilder {
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

impl Default for TableBuilder {
    fn default() -> Self {
        Self {
            columns: COLUMNS
                .iter()
                .map(|column| ColumnBuilder::new(column.kind))
                .collect(),
            rows: 0,
        }
    }
}

impl TableBuilder {
    /// Adds the rows of a record for which `wanted` says so.
    pub fn add(&mut self, rows: &RecordRows, wanted: impl Fn(Option<&ExportedFigure>) -> bool) {
        for case in &rows.cases {
            if case.figures.is_empty() {
                self.row(&rows.head, case, None);
            }
            for figure in case.figures.iter().filter(|figure| wanted(Some(figure))) {
                self.row(&rows.head, case, Some(figure));
            }
        }
    }

    fn row(&mut self, head: &RecordHead, case: &CaseRows, figure: Option<&ExportedFigure>) {
        for (column, cell) in self.columns.iter_mut().zip(&cells(head, case, figure)) {
            column.push(cell);
        }
        self.rows += 1;
    }

    /// Rows that were added since the last batch.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows, which leave the builder.
    ///
    pub fn finish(&mut self) -> datafusion::error::Result<RecordBatch> {
        self.rows = 0;
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}
