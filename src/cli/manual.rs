//! `perwatt completions` and `perwatt man`: what a package installs beside the program.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;
use super::output::print_as_is;

/// Print a shell's completion script.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print the manual page (`perwatt man | man -l -`).
#[derive(Debug, Args)]
pub(super) struct Man {}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "perwatt", &mut script);
        print_as_is(&String::from_utf8(script)?)?;
        Ok(Exit::Done)
    }
}

impl Man {
    pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
        let mut page = Vec::new();
        let manual = clap_mangen::Man::new(command.clone());
        manual.render(&mut page)?;
        // One page with everything: a subcommand's options stand in a section of their own.
        for subcommand in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = format!("perwatt {}", subcommand.get_name());
            let section = clap_mangen::Man::new(subcommand.clone());
            page.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
            section.render_description_section(&mut page)?;
            section.render_options_section(&mut page)?;
        }
        print_as_is(&String::from_utf8(page)?)?;
        Ok(Exit::Done)
    }
}
