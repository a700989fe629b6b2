//! What a package installs beside the program: manual pages and completions; and the parts of `--help` that
//! they share.

mod complete;
mod examples;
mod pages;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Command};
use clap_complete::CompleteEnv;
use clap_complete::env::Shells;

use super::exit::Exit;
use super::support::output::{print_as_is, tell};

pub(super) use examples::with_examples;

/// Print a shell's completion script.
///
/// The script asks perwatt itself what fits: commands and options, and also this machine's devices, the
/// cases, kernels, suites, scenarios and accelerators.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    shell: String,
}

/// Print a manual page, or write them all.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The command whose page is printed, as `run` or `power list` [default: perwatt itself]
    command: Vec<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// Answers a shell that asks what fits; `false` where none asks.
///
/// # Errors
/// The shell is unknown, or does not say what it asks.
pub(super) fn answer_shell(command: fn() -> Command) -> clap::error::Result<bool> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(|| complete::with_offers(command()))
        .var(complete::VARIABLE)
        .try_complete(std::env::args_os(), folder.as_deref())
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let shells = Shells::builtins();
        let shell = shells
            .completer(&self.shell)
            .with_context(|| format!("{}: no such shell is known", self.shell))?;
        let mut script = Vec::new();
        shell.write_registration(
            complete::VARIABLE,
            "perwatt",
            "perwatt",
            "perwatt",
            &mut script,
        )?;
        print_as_is(&String::from_utf8(script)?)?;
        Ok(Exit::Done)
    }
}

impl Man {
    pub(super) fn run(&self, command: Command) -> anyhow::Result<Exit> {
        let pages = pages::every_page(command)?;
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{}: cannot be made", folder.display()))?;
            for page in &pages {
                let file = folder.join(page.file_name());
                std::fs::write(&file, &page.text)
                    .with_context(|| format!("{}: cannot be written", file.display()))?;
            }
            tell(&format!("{} pages in {}", pages.len(), folder.display()));
            return Ok(Exit::Done);
        }
        // `perwatt man power list`, `power-list` and `perwatt-power-list` are one page.
        let asked = self.command.join("-");
        let asked = asked.strip_prefix("perwatt-").unwrap_or(&asked);
        let name = match asked {
            "" | "perwatt" => "perwatt".to_owned(),
            words => format!("perwatt-{words}"),
        };
        let Some(page) = pages.iter().find(|page| page.name == name) else {
            let names: Vec<&str> = pages
                .iter()
                .filter_map(|page| page.name.strip_prefix("perwatt-"))
                .collect();
            bail!("no page for {asked:?}; there are {}", names.join(", "));
        };
        print_as_is(&page.text)?;
        Ok(Exit::Done)
    }
}
