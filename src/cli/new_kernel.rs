//! `perwatt new-kernel`: a manifest with a shader that runs at once, to change into one's own.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::exit::Exit;
use super::support::output::tell;
use crate::workload::registry;

/// The manifest, in which [`PLACEHOLDER`] stands for the kernel's name.
const MANIFEST: &str = include_str!("../../examples/new-kernel/kernels.toml");

/// The same without what can be learnt from it.
const MINIMAL: &str = include_str!("../../examples/new-kernel/minimal.toml");

/// The shader.
const SHADER: &str = include_str!("../../examples/new-kernel/my-kernel.wgsl");

/// The name that the example has.
const PLACEHOLDER: &str = "my-kernel";

/// Write a commented manifest and a shader for a kernel of your own; both run as they are.
#[derive(Debug, Args)]
pub(super) struct NewKernel {
    /// Name of the kernel, and of the new folder
    name: String,

    /// Where the folder goes
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,

    /// A short manifest, without the comments that say what else can stand in it
    #[arg(long)]
    minimal: bool,
}

impl NewKernel {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let name = &self.name;
        if !is_sound(name) {
            bail!(
                "{name:?} cannot be a name; use letters, digits, `-` and `_`, a letter or digit first"
            );
        }
        if is_device_of_windows(name) {
            bail!(
                "{name:?} is a device on Windows, where the folder could not be opened; choose another name"
            );
        }
        if registry().iter().any(|known| known.name() == name) {
            bail!("{name:?} is a built-in workload; choose another name");
        }
        let folder = self.into.join(name);
        // Nothing of anybody's is replaced: a folder that is there already is an error.
        std::fs::create_dir_all(&self.into)
            .and_then(|()| std::fs::create_dir(&folder))
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    anyhow!(
                        "{}: is there already; choose another name",
                        folder.display()
                    )
                }
                _ => anyhow!("{}: cannot be made: {error}", folder.display()),
            })?;
        write(
            &folder.join("kernels.toml"),
            &self.manifest().replace(PLACEHOLDER, name),
        )?;
        write(&folder.join(format!("{name}.wgsl")), SHADER)?;
        tell(&format!(
            "Wrote {0}/kernels.toml and {0}/{name}.wgsl. Run them: perwatt run --workloads {0}/kernels.toml",
            folder.display()
        ));
        Ok(Exit::Done)
    }

    fn manifest(&self) -> &'static str {
        if self.minimal { MINIMAL } else { MANIFEST }
    }
}

/// A name that is a folder, a shader's file and a workload at once, and that no program takes for an option.
fn is_sound(name: &str) -> bool {
    let of_words = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(of_words)
}

/// Whether Windows takes a path of this name for a device, whatever its ending
/// (learn.microsoft.com/windows/win32/fileio/naming-a-file).
fn is_device_of_windows(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_port = |port: &str| {
        matches!(
            name.strip_prefix(port).map(str::as_bytes),
            Some([b'1'..=b'9'])
        )
    };
    matches!(name.as_str(), "con" | "prn" | "aux" | "nul") || is_port("com") || is_port("lpt")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))
}
