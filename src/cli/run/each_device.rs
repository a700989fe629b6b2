//! `perwatt run --device all`: the same run on each GPU in turn.

use anyhow::{Context, bail};

use super::NewRun;
use crate::cli::exit::Exit;
use crate::cli::support::output::tell;
use crate::cli::support::result_path::is_folder;
use crate::cli::support::survey::survey;
use crate::device::each_gpu;
use crate::process::{GroupedChild, ProgramImage, StopSignal};
use crate::record::Adapter;

impl NewRun {
    /// Runs the same on each GPU in turn, each as a run of its own with its own record.
    pub(super) fn each_device(&self, program: &ProgramImage) -> anyhow::Result<Exit> {
        let survey = survey(program)?;
        let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
        let each = each_gpu(&adapters)?;
        if let Some(out) = self.out.as_ref().filter(|out| !is_folder(out)) {
            bail!(
                "--out {}: each device has a record of its own; name a folder, with a slash at its end",
                out.display()
            );
        }
        let mut worst = Exit::Done;
        for (number, adapter) in each.iter().enumerate() {
            tell(&format!(
                "Device {} of {}: {}",
                number + 1,
                each.len(),
                adapter.label()
            ));
            let exit = run_again_on(program, adapter.index)?;
            if exit == Exit::Interrupted {
                return Ok(exit);
            }
            worst = worst.worse(exit);
        }
        Ok(worst)
    }
}

/// Runs this program again with the same command line, on one device.
fn run_again_on(program: &ProgramImage, index: u32) -> anyhow::Result<Exit> {
    let mut command = program.command();
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        if word == "--device=all" {
            command.arg(format!("--device={index}"));
        } else if word == "--device" {
            words.next();
            command.args(["--device".to_owned(), index.to_string()]);
        } else {
            command.arg(word);
        }
    }
    let mut run = GroupedChild::spawn(command, StopSignal::Request)
        .context("perwatt cannot be started again for each device")?;
    let status = run.child().wait()?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(Exit::Interrupted, Exit::of_number))
}
