//! Records as rows of one table, and the table as a folder of Parquet files that any engine reads.

mod columns;
mod folder;
mod of_record;
mod part;
mod partition;
mod row;

pub use columns::{COLUMNS, ColumnKind, FleetColumn, TableBuilder, schema};
pub use folder::{ExportCount, ParquetFolder};
pub use of_record::{file_stem, rows_of};
pub use row::{CaseRows, RecordHead, RecordRows};
