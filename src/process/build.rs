//! Which program this is: a record must not mix two, and a rebuild in the middle of a run would.
//!
//! On Linux helpers are started from the image that runs, which a rebuild cannot replace. Elsewhere they are
//! started by path, so each says at its start which program it is.

use std::fmt;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What tells one build from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildIdentity {
    /// The version.
    pub version: String,
    /// The git revision, `-dirty` behind it where there were changes; empty where it is unknown.
    pub revision: String,
    /// A hash of the executable file.
    pub executable: String,
}

impl fmt::Display for BuildIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = if self.revision.is_empty() {
            "revision unknown"
        } else {
            &self.revision
        };
        write!(
            f,
            "perwatt {} ({revision}, executable {})",
            self.version, self.executable
        )
    }
}

/// The executable of this process, from which helpers are started.
#[derive(Clone, Debug)]
pub struct ProgramImage {
    path: PathBuf,
    build: Arc<BuildIdentity>,
}

impl ProgramImage {
    /// The image that this process runs; its file is read once.
    ///
    /// # Errors
    /// The executable cannot be found or read.
    pub fn of_this_process() -> Result<Self> {
        static KNOWN: OnceLock<ProgramImage> = OnceLock::new();
        if let Some(known) = KNOWN.get() {
            return Ok(known.clone());
        }
        let found = Self::find()?;
        Ok(KNOWN.get_or_init(|| found).clone())
    }

    fn find() -> Result<Self> {
        let path = own_executable()?;
        let executable = hash_of(&path).map_err(|cause| Error::io(&path, cause))?;
        let mut revision = option_env!("PERWATT_GIT_REVISION")
            .unwrap_or_default()
            .to_owned();
        if option_env!("PERWATT_GIT_DIRTY") == Some("true") {
            revision.push_str("-dirty");
        }
        Ok(Self {
            path,
            build: Arc::new(BuildIdentity {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                revision,
                executable,
            }),
        })
    }

    /// Which program it is.
    pub fn build(&self) -> &BuildIdentity {
        &self.build
    }

    /// A call of the same program.
    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }
}

/// Where the running image can be opened. Linux keeps it there after the file was replaced or deleted.
fn own_executable() -> Result<PathBuf> {
    const IMAGE: &str = "/proc/self/exe";
    if cfg!(target_os = "linux") && Path::new(IMAGE).exists() {
        return Ok(PathBuf::from(IMAGE));
    }
    std::env::current_exe()
        .map_err(|e| Error::Worker(format!("perwatt's own program file cannot be found: {e}")))
}

/// A hash of a file. It is compared with hashes that the same program made, so it need not be a standard one.
///
/// # Errors
/// It cannot be read.
pub fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = DefaultHasher::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(format!("{:016x}", hasher.finish()));
        }
        hasher.write(&piece[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_byte_is_another_executable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        let mut bytes = vec![7; 3 << 20];
        std::fs::write(&file, &bytes).unwrap();
        let first = hash_of(&file).unwrap();
        assert_eq!(hash_of(&file).unwrap(), first);
        bytes[2 << 20] = 8;
        std::fs::write(&file, &bytes).unwrap();
        assert_ne!(hash_of(&file).unwrap(), first);
    }
}
