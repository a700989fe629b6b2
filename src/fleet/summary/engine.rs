//! DataFusion, embedded: the table `figures`, from a folder of Parquet files or from records, and what is asked of it.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;
use tokio::runtime::Runtime;

use super::sql;
use crate::error::{Error, Result};
use crate::fleet::table::schema;

/// The engine with its table.
pub struct FleetEngine {
    runtime: Runtime,
    session: SessionContext,
}

impl FleetEngine {
    /// Over a folder of Parquet files.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_parquet(folder: &Path) -> Result<Self> {
        let engine = Self::new()?;
        let failed = |e: datafusion::error::DataFusionError| {
            Error::file(folder, format!("no layout of Parquet files: {e}"))
        };
        let absolute = folder
            .canonicalize()
            .map_err(|cause| Error::io(folder, cause))?;
        let url = ListingTableUrl::parse(format!("{}/", absolute.display())).map_err(failed)?;
        let options =
            ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
        let config = ListingTableConfig::new(url)
            .with_listing_options(options)
            .with_schema(schema());
        let table = ListingTable::try_new(config).map_err(failed)?;
        engine.register(Arc::new(table))?;
        Ok(engine)
    }

    /// Over rows in memory.
    ///
    /// # Errors
    /// The engine does not start.
    pub fn of_rows(batches: Vec<RecordBatch>) -> Result<Self> {
        let engine = Self::new()?;
        let table = MemTable::try_new(schema(), vec![batches]).map_err(|e| failed(&e))?;
        engine.register(Arc::new(table))?;
        Ok(engine)
    }

    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .build()
            .map_err(|cause| Error::io("the engine's threads", cause))?;
        let mut config = SessionConfig::new().with_collect_statistics(false);
        let options = config.options_mut();
        options.execution.listing_table_ignore_subdirectory = false;
        Ok(Self {
            runtime,
            session: SessionContext::new_with_config(config),
        })
    }

    fn register(&self, table: Arc<dyn datafusion::catalog::TableProvider>) -> Result<()> {
        self.session
            .register_table(sql::TABLE, table)
            .map(drop)
            .map_err(|e| failed(&e))
    }

    /// Answers a statement, piece by piece.
    ///
    /// # Errors
    /// A file cannot be read, or `take` fails.
    pub fn ask(
        &self,
        statement: &str,
        mut take: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        self.runtime.block_on(async {
            let frame = self.session.sql(statement).await.map_err(|e| failed(&e))?;
            let mut stream = frame.execute_stream().await.map_err(|e| failed(&e))?;
            while let Some(batch) = next(&mut stream).await {
                take(&batch.map_err(|e| failed(&e))?)?;
            }
            Ok(())
        })
    }
}

/// The next piece of an answer.
async fn next(
    stream: &mut datafusion::execution::SendableRecordBatchStream,
) -> Option<datafusion::error::Result<RecordBatch>> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

fn failed(error: &datafusion::error::DataFusionError) -> Error {
    Error::usage(
        "fleet summary",
        format!(
            "the query engine fails: {error}; export the records anew, or give the records themselves"
        ),
    )
}
