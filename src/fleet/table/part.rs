//! One Parquet file of the layout: what it says of itself, how it is written, and how it is read to be written anew.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{cast, filter_record_batch};
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::metadata::KeyValue;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::columns::schema;
use crate::error::{Error, Result};

/// The key under which a file says which records it holds; only files that have it are perwatt's.
const RECORDS: &str = "perwatt.records";

/// Version of the columns.
const VERSION: (&str, &str) = ("perwatt.columns", "1");

/// Session and file name of a record.
pub(super) type RecordKey = (String, String);

/// What a file says of itself.
pub(super) struct PartContents {
    pub(super) records: BTreeSet<RecordKey>,
    pub(super) rows: usize,
}

/// What a file says of itself; none where it is not perwatt's.
pub(super) fn contents(path: &Path) -> Option<PartContents> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).ok()?).ok()?;
    let metadata = reader.metadata().file_metadata();
    let records = metadata
        .key_value_metadata()?
        .iter()
        .find(|pair| pair.key == RECORDS)?
        .value
        .as_deref()?;
    Some(PartContents {
        records: serde_json::from_str(records).ok()?,
        rows: usize::try_from(metadata.num_rows()).ok()?,
    })
}

/// The rows of a file but those of some records.
pub(super) fn rows_without(
    path: &Path,
    left_out: &BTreeSet<RecordKey>,
) -> Result<Vec<RecordBatch>> {
    let failed = |reason: String| {
        Error::file(
            path,
            format!("cannot be read ({reason}); delete it and export its records again"),
        )
    };
    let file = File::open(path).map_err(|cause| Error::io(path, cause))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| failed(e.to_string()))?;
    let mut kept = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| failed(e.to_string()))?;
        if batch.schema().fields() != schema().fields() {
            return Err(failed("its columns are of another version".to_owned()));
        }
        let keep = keys(&batch)
            .map_err(|e| failed(e.to_string()))?
            .into_iter()
            .map(|key| !left_out.contains(&key))
            .collect::<Vec<bool>>();
        let batch = filter_record_batch(&batch, &BooleanArray::from(keep));
        kept.push(batch.map_err(|e| failed(e.to_string()))?);
    }
    Ok(kept)
}

/// Session and file name of each row.
fn keys(batch: &RecordBatch) -> datafusion::error::Result<Vec<RecordKey>> {
    let text = |name: &str| -> datafusion::error::Result<Vec<String>> {
        let column = batch.column_by_name(name).cloned();
        let column = column.unwrap_or_else(|| batch.column(0).clone());
        let plain = cast(&column, &DataType::Utf8)?;
        let plain = datafusion::common::cast::as_string_array(&plain)?;
        Ok((0..plain.len())
            .map(|at| plain.value(at).to_owned())
            .collect())
    };
    Ok(text("record")?.into_iter().zip(text("file")?).collect())
}

/// A file of these rows.
pub(super) fn bytes(
    batches: &[RecordBatch],
    records: &BTreeSet<RecordKey>,
) -> std::result::Result<Vec<u8>, datafusion::parquet::errors::ParquetError> {
    let named = serde_json::to_string(records).unwrap_or_default();
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // The folders say what is worth skipping; a small file's footer would be mostly statistics.
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(vec![
            pair(VERSION.0, VERSION.1.to_owned()),
            pair(RECORDS, named),
        ]))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.into_inner()
}
