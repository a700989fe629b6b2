//! Where tuned parameters are kept: one JSON file per adapter, driver and backend.

use std::path::PathBuf;

use super::shader_hash::hash_of_texts;
use super::tuning_file::{AdapterKey, Tuning};
use crate::error::{Error, Result};
use crate::record::Adapter;

/// Where the files lie.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The files of a folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The file of an adapter.
    pub fn path(&self, adapter: &AdapterKey) -> PathBuf {
        let slug: String = adapter
            .name
            .split(['(', ','])
            .next()
            .unwrap_or("adapter")
            .to_lowercase()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        let key = format!("{adapter:?}");
        self.folder.join(format!(
            "{slug}-{}-{:08x}.json",
            adapter.backend,
            hash_of_texts([key.as_str()]) >> 32
        ))
    }

    /// What is known of an adapter; nothing where it was never tuned.
    ///
    /// # Errors
    /// As [`Tuning::load`].
    pub fn load(&self, adapter: &Adapter) -> Result<Tuning> {
        let path = self.path(&adapter.into());
        if !path.exists() {
            return Ok(Tuning::new(adapter));
        }
        let tuning = Tuning::load(&path)?;
        if tuning.adapter != AdapterKey::from(adapter) {
            return Err(Error::file(
                &path,
                format!(
                    "was tuned on {} ({}), {}; put it in by `perwatt tune --import`",
                    tuning.adapter.name, tuning.adapter.backend, tuning.adapter.driver_info
                ),
            ));
        }
        Ok(tuning)
    }

    /// Keeps what is known of an adapter.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn save(&self, tuning: &Tuning) -> Result<PathBuf> {
        let path = self.path(&tuning.adapter);
        tuning.save(&path)?;
        Ok(path)
    }
}
