//! The layout: `date=…/model=…/node=…/part-….parquet`, written record by record in bounded memory.
//!
//! A file is named by the records that it holds. A record stands in a folder once: where it is exported again, what an
//! earlier export wrote of it leaves, and small files are put together with what comes, so that daily exports do not
//! end in as many files as there are records. Files that are not perwatt's are left alone. New files come before
//! old ones go: a crash may leave a record twice, never none, and the next export mends it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use sha2::{Digest, Sha256};

use super::columns::TableBuilder;
use super::of_record::hex;
use super::part::{self, RecordKey};
use super::partition::Partition;
use super::row::RecordRows;
use crate::error::{Error, Result};
use crate::record::write_file;

/// Rows that wait in memory, of all folders together.
const MOST_WAITING: usize = 400_000;

/// A file with fewer rows is written anew together with what comes.
const SMALL: usize = 200_000;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCount {
    /// Records.
    pub records: usize,
    /// Records that were given twice, by session and file name.
    pub twice: usize,
    /// Rows.
    pub rows: usize,
    /// Files that were written.
    pub files: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// Rows of one folder that wait.
#[derive(Default)]
struct WaitingRows {
    table: TableBuilder,
    records: BTreeSet<RecordKey>,
}

/// A layout that is being written.
pub struct ParquetFolder {
    root: PathBuf,
    waiting: BTreeMap<Partition, WaitingRows>,
    rows_waiting: usize,
    seen: BTreeSet<RecordKey>,
    count: ExportCount,
}

impl ParquetFolder {
    /// At a folder, which is made where it is missing.
    ///
    /// # Errors
    /// It cannot be made, or a file is there.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|cause| Error::io(root, cause))?;
        Ok(Self {
            root: root.to_owned(),
            waiting: BTreeMap::new(),
            rows_waiting: 0,
            seen: BTreeSet::new(),
            count: ExportCount::default(),
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn add(&mut self, rows: &RecordRows) -> Result<()> {
        let key = (rows.head.record.clone(), rows.head.file.clone());
        if !self.seen.insert(key.clone()) {
            self.count.twice += 1;
            return Ok(());
        }
        self.count.records += 1;
        let waiting = self.waiting.entry(Partition::of(&rows.head)).or_default();
        let before = waiting.table.rows();
        waiting.table.add(rows, |_| true);
        waiting.records.insert(key);
        self.rows_waiting += waiting.table.rows() - before;
        while self.rows_waiting > MOST_WAITING {
            self.write_largest()?;
        }
        Ok(())
    }

    /// Writes what still waits.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(mut self) -> Result<ExportCount> {
        while let Some((partition, waiting)) = self.waiting.pop_first() {
            self.write(&partition, waiting)?;
        }
        Ok(self.count)
    }

    fn write_largest(&mut self) -> Result<()> {
        let largest = self
            .waiting
            .iter()
            .max_by_key(|(_, waiting)| waiting.table.rows());
        let Some(partition) = largest.map(|(partition, _)| partition.clone()) else {
            self.rows_waiting = 0;
            return Ok(());
        };
        match self.waiting.remove(&partition) {
            Some(waiting) => self.write(&partition, waiting),
            None => Ok(()),
        }
    }

    /// Writes what waits for a folder, together with what must or should be written anew there.
    fn write(&mut self, partition: &Partition, mut waiting: WaitingRows) -> Result<()> {
        let folder = partition.folder(&self.root);
        fs::create_dir_all(&folder).map_err(|cause| Error::io(&folder, cause))?;
        self.rows_waiting -= waiting.table.rows();
        self.count.rows += waiting.table.rows();
        let failed = |reason: String| Error::file(&folder, format!("no Parquet file: {reason}"));
        let mut batches: Vec<RecordBatch> =
            vec![waiting.table.finish().map_err(|e| failed(e.to_string()))?];
        let mut records = waiting.records;
        let mut replaced = Vec::new();
        for path in parts(&folder)? {
            let Some(there) = part::contents(&path) else {
                continue;
            };
            if there.rows < SMALL || !there.records.is_disjoint(&records) {
                batches.extend(part::rows_without(&path, &records)?);
                records.extend(there.records);
                replaced.push(path);
            }
        }
        let path = folder.join(name(&records));
        let bytes = part::bytes(&batches, &records).map_err(|e| failed(e.to_string()))?;
        write_file(&path, &bytes)?;
        self.count.files += 1;
        self.count.bytes += bytes.len();
        for old in replaced.iter().filter(|old| **old != path) {
            fs::remove_file(old).map_err(|cause| Error::io(old, cause))?;
        }
        Ok(())
    }
}

/// The Parquet files of a folder.
fn parts(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |cause| Error::io(folder, cause);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|ending| ending == "parquet") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The name of a file with these records.
fn name(records: &BTreeSet<RecordKey>) -> String {
    let mut digest = Sha256::new();
    for (session, file) in records {
        for text in [session, file] {
            digest.update(text.len().to_le_bytes());
            digest.update(text.as_bytes());
        }
    }
    format!("part-{}.parquet", hex(&digest.finalize()[..8]))
}
