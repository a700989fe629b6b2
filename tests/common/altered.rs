//! Vulkan drivers with other limits and faults than their own, by a layer between the loader and them; and AMD's driver on
//! cards that are not there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// AMD's driver.
const RADV: &[&str] = &[
    "/usr/share/vulkan/icd.d/radeon_icd.json",
    "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json",
];

/// What stands in for the kernel's part of it, and runs nothing.
const SHIM: &[&str] = &["/usr/lib/x86_64-linux-gnu/libamdgpu_noop_drm_shim.so"];

/// Compiles a file of `tests` as a library that is loaded at run time.
pub(crate) fn compile(source: &str, variant: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(source);
    let name = source.file_stem().unwrap().to_str().unwrap();
    let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
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
        .args(["-C", "panic=abort", "--cfg", variant])
        .args(["--check-cfg", "cfg(old,new)", "-o"])
        .args([&file, &source])
        .status()
        .unwrap();
    assert!(status.success(), "{name} does not compile");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}_{variant}_{}.so", std::process::id()));
    std::fs::rename(file, &kept).unwrap();
    kept
}

/// Has a program see one driver, and that through the layer, whose variables `altered_vulkan_layer.rs` explains.
pub(crate) fn put_layer_over(command: &mut Command, manifest: &Path) {
    command
        .env("VK_DRIVER_FILES", manifest)
        .env("VK_ICD_FILENAMES", manifest)
        .env("VK_LAYER_PATH", layer())
        .env("VK_INSTANCE_LAYERS", "VK_LAYER_TEST_altered");
}

/// The folder of the layer's manifest.
fn layer() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = compile("common/altered_vulkan_layer.rs", "new");
        let folder = library.with_extension("layer");
        std::fs::create_dir_all(&folder).unwrap();
        let text = serde_json::json!({
            "file_format_version": "1.1.0",
            "layer": {
                "name": "VK_LAYER_TEST_altered",
                "type": "GLOBAL",
                "library_path": library,
                "api_version": "1.3.0",
                "implementation_version": "1",
                "description": "another device's limits",
            },
        });
        std::fs::write(folder.join("layer.json"), text.to_string()).unwrap();
        folder
    })
}

/// AMD's driver with its compiler, on cards that are not there: what is submitted counts as done, and nothing ran.
#[derive(Clone)]
pub(crate) struct CardsThatAreNotThere {
    manifest: PathBuf,
    shim: PathBuf,
}

impl CardsThatAreNotThere {
    /// Them, or why they cannot be had.
    pub(crate) fn look() -> Result<Self, String> {
        let first = |paths: &[&str]| paths.iter().map(PathBuf::from).find(|path| path.exists());
        match (first(RADV), first(SHIM)) {
            (Some(manifest), Some(shim)) => Ok(Self { manifest, shim }),
            _ => Err(
                "RADV with Mesa's DRM shim is not installed; `scripts/setup --all` installs them on Debian 12"
                    .to_owned(),
            ),
        }
    }

    /// Has a program see one of Mesa's names for AMD's GPUs, as the shim writes them.
    pub(crate) fn show(&self, command: &mut Command, gpu: &str) {
        put_layer_over(command, &self.manifest);
        command
            .env("LD_PRELOAD", &self.shim)
            .env("AMDGPU_GPU_ID", gpu)
            .env("ALTERED_DONE", "at-once");
    }
}
