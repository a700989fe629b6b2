//! A fleet's folder: what lies where in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::plan::FleetPlan;
use crate::error::{Error, Result};
use crate::record::{load_document, save_document};

/// A fleet's folder.
#[derive(Clone, Debug)]
pub struct FleetFolder {
    path: PathBuf,
}

impl FleetFolder {
    /// The folder at a path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folders of a new fleet.
    ///
    /// # Errors
    /// They cannot be made, or a fleet is there already.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let folder = Self::at(path);
        if folder.plan_file().exists() {
            return Err(Error::file(
                folder.plan_file(),
                "a fleet run is there already; `perwatt fleet gather DIR --resubmit` goes on with it, or name another \
                 folder with --out",
            ));
        }
        folder.make()?;
        Ok(folder)
    }

    /// Makes what is missing of the folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(&self) -> Result<()> {
        for part in [self.records(), self.logs(), self.tasks()] {
            fs::create_dir_all(&part).map_err(|cause| Error::io(&part, cause))?;
        }
        Ok(())
    }

    /// Sees whether the folder takes as much as a task's first words.
    ///
    /// # Errors
    /// It is full, or may not be written.
    pub fn try_writing(&self) -> Result<()> {
        const FIRST_WORDS_BYTES: usize = 64 << 10;
        let io = |cause| Error::io(self.records(), cause);
        let mut file = tempfile::Builder::new()
            .prefix(".perwatt-")
            .tempfile_in(self.records())
            .map_err(io)?;
        file.write_all(&[0; FIRST_WORDS_BYTES])
            .and_then(|()| file.as_file().sync_all())
            .map_err(io)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plan.
    pub fn plan_file(&self) -> PathBuf {
        self.path.join("fleet.json")
    }

    /// Where the records are.
    pub fn records(&self) -> PathBuf {
        self.path.join("records")
    }

    /// Where each task's output is.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Where tasks say how they stand.
    pub fn tasks(&self) -> PathBuf {
        self.path.join("tasks")
    }

    /// The output of a task.
    pub fn log_of(&self, task: u32) -> PathBuf {
        self.logs().join(format!("task-{task}.log"))
    }

    /// Where a task says how it stands.
    pub fn state_of(&self, task: u32) -> PathBuf {
        self.tasks().join(format!("{task}.json"))
    }

    /// Reads the plan.
    ///
    /// # Errors
    /// It is not there, or cannot be used.
    pub fn plan(&self) -> Result<FleetPlan> {
        let file = self.plan_file();
        if self.path.is_dir() && !file.exists() {
            return Err(Error::file(
                &self.path,
                "no fleet.json is in it, so no fleet run; `perwatt fleet run --out DIR` begins one",
            ));
        }
        load_document(&file)
    }

    /// Writes the plan.
    ///
    /// # Errors
    /// The disk refuses; the old plan stays.
    pub fn save(&self, plan: &FleetPlan) -> Result<()> {
        save_document(plan, &self.plan_file())
    }
}
