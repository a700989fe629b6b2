//! The machine's adapters for every command that needs them, with a word about drivers that are broken.

use std::time::Duration;

use anyhow::{Context, bail};

use super::output::tell;
use crate::cli::args::power::{DRIVER_TIMEOUT, driver_limit, places_from_environment};
use crate::cli::exit::Exit;
use crate::device::{self, Survey};
use crate::process::{GroupedChild, ProgramImage, StopSignal};
use crate::record::Adapter;

/// Sees every adapter; tells of drivers that are left out.
pub(in crate::cli) fn survey(program: &ProgramImage) -> anyhow::Result<Survey> {
    let survey = device::survey(program, limit()?);
    tell_of_broken(&survey);
    Ok(survey)
}

/// The adapter as it is when it is opened; tells what its driver refuses of what it offers.
pub(in crate::cli) fn opened(
    program: &ProgramImage,
    survey: &Survey,
    adapter: &Adapter,
) -> anyhow::Result<Adapter> {
    let opened = survey.opened(program, limit()?, adapter);
    for refused in &opened.refused {
        tell(&format!(
            "{}: the driver offers {} and gives no device with it ({}); going on without",
            adapter.label(),
            refused.feature,
            refused.reason
        ));
    }
    Ok(opened)
}

/// Sees the adapters of Vulkan; tells of drivers that are left out.
#[cfg(feature = "inspect")]
pub(in crate::cli) fn survey_vulkan(program: &ProgramImage) -> anyhow::Result<Survey> {
    let survey = device::survey_vulkan(program, limit()?);
    tell_of_broken(&survey);
    Ok(survey)
}

/// For a command that loads drivers itself: where some are broken it is run again without them, and its exit
/// is given.
pub(in crate::cli) fn again_without_broken_drivers(
    program: &ProgramImage,
    survey: &Survey,
) -> anyhow::Result<Option<Exit>> {
    /// Says to a process that it is the second.
    const AGAIN: &str = "PERWATT_BROKEN_DRIVERS_LEFT_OUT";
    if !survey.drivers.is_restricted() || std::env::var_os(AGAIN).is_some() {
        return Ok(None);
    }
    let mut command = program.command();
    command.args(std::env::args_os().skip(1)).env(AGAIN, "1");
    survey.drivers.apply(&mut command);
    let mut second = GroupedChild::spawn(command, StopSignal::Request)
        .context("perwatt cannot be started again without the broken drivers")?;
    let status = second.child().wait()?;
    let number = status.code().and_then(|code| u8::try_from(code).ok());
    match number {
        Some(number) => Ok(Some(Exit::of_number(number))),
        None => bail!("without the broken drivers perwatt ended by itself ({status})"),
    }
}

fn tell_of_broken(survey: &Survey) {
    for driver in &survey.broken {
        tell(&format!("perwatt: {driver}"));
    }
}

/// How long a driver may take.
fn limit() -> anyhow::Result<Duration> {
    match (driver_limit(), std::env::var_os(DRIVER_TIMEOUT)) {
        (Some(limit), _) => Ok(limit),
        (None, Some(value)) if !value.is_empty() => {
            bail!("{DRIVER_TIMEOUT}={}: give seconds above 0", value.display())
        }
        (None, _) => Ok(places_from_environment().start_limit),
    }
}
