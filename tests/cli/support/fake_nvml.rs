//! Builds the fake NVML and gives each test one of its own, with a script.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::altered::compile;

/// A loadable library with the script that it plays.
pub(crate) struct FakeNvml {
    folder: TempDir,
}

impl FakeNvml {
    /// A driver of today.
    pub(crate) fn new(script: &str) -> Self {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        Self::with(BUILT.get_or_init(|| build("new")), script)
    }

    /// A driver that lacks what old ones lack.
    pub(crate) fn old(script: &str) -> Self {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        Self::with(BUILT.get_or_init(|| build("old")), script)
    }

    /// A copy, since a library that is loaded once more is the same library.
    fn with(built: &Path, script: &str) -> Self {
        let fake = Self {
            folder: TempDir::new().unwrap(),
        };
        std::fs::copy(built, fake.path()).unwrap();
        fake.play(script);
        fake
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("libnvidia-ml.so.1")
    }

    /// Whether a program has started the library.
    pub(crate) fn was_started(&self) -> bool {
        self.folder
            .path()
            .join("libnvidia-ml.so.1.started")
            .exists()
    }

    /// Changes the script, at once for who reads.
    pub(crate) fn play(&self, script: &str) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, script).unwrap();
        std::fs::rename(new, self.folder.path().join("libnvidia-ml.so.1.script")).unwrap();
    }
}

/// Compiles the library as one variant.
fn build(variant: &str) -> PathBuf {
    compile("cli/support/fake_nvml_library.rs", variant)
}
