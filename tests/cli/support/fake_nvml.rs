//! Builds the fake NVML and gives each test one of its own, with a script.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

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
    compile("fake_nvml_library", variant)
}

/// Compiles a file of this folder as a library that is loaded at run time.
pub(crate) fn compile(name: &str, variant: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/support/{name}.rs"));
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("libfake.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--crate-name",
            name,
        ])
        .args([
            "-C",
            "panic=abort",
            "--cfg",
            variant,
            "--check-cfg",
            "cfg(old,new)",
            "-o",
        ])
        .args([&file, &source])
        .status()
        .unwrap();
    assert!(status.success(), "{name} does not compile");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}_{variant}_{}.so", std::process::id()));
    std::fs::rename(file, &kept).unwrap();
    kept
}
