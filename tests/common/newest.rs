//! The newest checks of shaders and of Vulkan, which `scripts/setup --all` unpacks from Debian's testing suite with the C
//! library that they need: Tint, spirv-val, the validation layer, and a lavapipe with matrix units.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Newest {
    root: PathBuf,
    /// The dynamic linker, beside the libraries.
    linker: PathBuf,
}

impl Newest {
    /// Them, or why they are not here.
    pub(crate) fn look() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/drivers/newest");
        let linker = || {
            let folders = std::fs::read_dir(folder.join("root/usr/lib")).ok()?;
            let files = folders.flatten().flat_map(|folder| {
                std::fs::read_dir(folder.path())
                    .into_iter()
                    .flatten()
                    .flatten()
            });
            files
                .map(|file| file.path())
                .find(|path| name(path).starts_with("ld-linux"))
        };
        let linker = linker().filter(|_| folder.join("complete").exists());
        match linker {
            Some(linker) => Ok(Self {
                root: folder.join("root"),
                linker,
            }),
            None => Err(
                "the newest checks are not installed; `scripts/setup --all` unpacks them on Debian 12"
                    .to_owned(),
            ),
        }
    }

    /// Them; without them the calling test says so and is skipped.
    pub(crate) fn find() -> Option<Self> {
        match Self::look() {
            Ok(newest) => Some(newest),
            Err(why) => {
                assert!(
                    std::env::var_os("PERWATT_TEST_ALL").is_none() || Self::could_not_be_had(),
                    "{why}"
                );
                eprintln!("skipped: {why}");
                None
            }
        }
    }

    /// Whether the setup tried and Debian's testing suite was not to be had that day, which is no fault of ours.
    pub(crate) fn could_not_be_had() -> bool {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/drivers/newest/why-not")
            .exists()
    }

    fn libraries(&self) -> &Path {
        self.linker.parent().unwrap()
    }

    /// A call of one of their programs.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(&self.linker);
        command
            .arg("--library-path")
            .arg(self.libraries())
            .arg(self.root.join("usr/bin").join(name));
        command
    }

    /// A copy of a program of this machine that loads their libraries, for [`Newest::prepare`].
    pub(crate) fn adopted(&self, program: &Path) -> PathBuf {
        let copy =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-of-newest", name(program)));
        let own = copy.with_extension(std::process::id().to_string());
        std::fs::copy(program, &own).unwrap();
        let patched = Command::new("patchelf")
            .arg("--set-interpreter")
            .arg(&self.linker)
            .arg(&own)
            .status()
            .unwrap();
        assert!(patched.success());
        std::fs::rename(own, &copy).unwrap();
        copy
    }

    /// Has an adopted program find their libraries, and Vulkan their lavapipe alone.
    pub(crate) fn prepare(&self, command: &mut Command) {
        let manifest = self.manifest(
            "usr/share/vulkan/icd.d/lvp_icd.json",
            "ICD",
            "libvulkan_lvp.so",
        );
        command
            .env("LD_LIBRARY_PATH", self.libraries())
            .env("VK_DRIVER_FILES", &manifest)
            .env("VK_ICD_FILENAMES", &manifest)
            .env("VK_LOADER_LAYERS_DISABLE", "~implicit~");
    }

    /// Has the validation layer check every call of Vulkan and write what it finds into a file.
    pub(crate) fn validate(&self, command: &mut Command, checks: Checks, log: &Path) {
        let manifest = self.manifest(
            "usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json",
            "layer",
            "libVkLayer_khronos_validation.so",
        );
        let on = |is: bool| if is { "1" } else { "0" };
        let on_device = checks == Checks::OnDevice;
        command
            .env("VK_LAYER_PATH", manifest.parent().unwrap())
            .env("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
            .env("VK_LAYER_VALIDATE_CORE", on(!on_device))
            .env("VK_LAYER_VALIDATE_SYNC", on(!on_device))
            .env("VK_LAYER_GPUAV_ENABLE", on(on_device))
            .env("VK_LAYER_LOG_FILENAME", log);
    }

    /// Their manifest with the library's whole path.
    fn manifest(&self, file: &str, kind: &str, library: &str) -> PathBuf {
        let file = self.root.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        manifest[kind]["library_path"] = self.libraries().join(library).to_str().unwrap().into();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("newest-{kind}"));
        std::fs::create_dir_all(&folder).unwrap();
        // Tests of one program write it at the same time.
        let to = folder.join(name(&file));
        let own = folder.join(format!(
            "{:?}.{}",
            std::thread::current().id(),
            std::process::id()
        ));
        std::fs::write(&own, manifest.to_string()).unwrap();
        std::fs::rename(own, &to).unwrap();
        to
    }
}

/// What the validation layer checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Calls and their order, on the host.
    OnHost,
    /// What shaders do while they run: races in workgroup memory, descriptors, and workgroups that a buffer says.
    OnDevice,
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}
