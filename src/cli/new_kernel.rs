//! `perwatt new-kernel`: a manifest with a shader that runs at once, to change into one's own.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::exit::Exit;
use super::output::tell;
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
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(sound) {
            bail!("{name:?} cannot be a name; use letters, digits, `-` and `_`");
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

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))
}
