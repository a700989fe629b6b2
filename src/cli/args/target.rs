//! The options by which commands that measure say what they measure, and on what.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::WHAT;
use super::power::{places_from_environment, power_help};
use super::values::suites;
use crate::bench::Request;
use crate::cli::support::output::tell;
use crate::device::{choose, passed_over, vulkan_gaps};
use crate::power::sensors::gpus_on_bus;
use crate::power::{self, Selection, Timeline};
use crate::record::Adapter;
use crate::workload::Suite;

/// Which kernels of which cases, on which device.
#[derive(Debug, Args)]
pub(in crate::cli) struct TargetArgs {
    /// The device: an index from `perwatt devices`, part of its name, a PCI id, or backend:vulkan. Conditions joined by
    /// commas must all match. hardware and software select a kind; run also takes all, which measures each device in
    /// turn [default: the discrete GPU, else the only GPU]
    #[arg(help_heading = WHAT, long, value_name = "SEL")]
    pub(in crate::cli) device: Option<String>,

    /// Which cases [default: gpu on a GPU and quick on a software driver, or every suite's with --case]
    #[arg(help_heading = WHAT, long, value_parser = suites())]
    pub(in crate::cli) suite: Option<Suite>,

    /// Run only cases matching GLOB, over the names in `perwatt list`, optionally with @KERNEL; or a case of any
    /// shape, given in full (repeatable)
    #[arg(help_heading = WHAT, long = "case", value_name = "GLOB")]
    pub(in crate::cli) cases: Vec<String>,

    /// Only kernels of this name (repeatable)
    #[arg(help_heading = WHAT, long = "kernel", value_name = "NAME")]
    pub(in crate::cli) kernels: Vec<String>,

    /// Seed of the input data
    #[arg(help_heading = WHAT, long, default_value_t = 1, value_name = "N", hide_short_help = true)]
    pub(in crate::cli) seed: u64,

    #[arg(help_heading = WHAT, long, default_value = "auto", value_name = "SOURCE", help = power_help())]
    pub(in crate::cli) power: Selection,

    /// Folder of the tuning files [default: perwatt/tuning in the user's data folder, or $PERWATT_TUNING]
    #[arg(help_heading = WHAT, long, value_name = "DIR", hide_short_help = true)]
    pub(in crate::cli) tuning: Option<PathBuf>,
}

impl TargetArgs {
    /// The adapter that is meant. Says so where it is one of several GPUs, or software though the machine has a GPU.
    ///
    /// # Errors
    /// None fits, or several do.
    pub(in crate::cli) fn adapter<'a>(
        &self,
        adapters: &[&'a Adapter],
    ) -> anyhow::Result<&'a Adapter> {
        let chosen = choose(adapters, self.device.as_deref())?;
        if self.device.is_some() {
            return Ok(chosen);
        }
        if let Some(note) = passed_over(adapters, chosen) {
            tell(&note);
        }
        let hidden = gpus_on_bus(&places_from_environment());
        if let Some(gpu) = hidden.first().filter(|_| chosen.is_software()) {
            tell(&format!(
                "WARNING: this machine has a GPU of {} ({}) that no graphics driver shows, so what follows measures the \
                 processor. {}{}. --device hardware makes this an error.",
                gpu.maker,
                gpu.address,
                gaps(),
                gpu.cure()
            ));
        }
        if chosen.backend == "gl" && !chosen.is_software() {
            tell(&format!(
                "WARNING: {} is measured through OpenGL, which shows neither its f16 nor its matrix units. {}Install its \
                 Vulkan driver, or say --device backend:gl if you mean this.",
                chosen.label(),
                gaps()
            ));
        }
        Ok(chosen)
    }

    /// Sees that a sensor which was named is there; one that merely might be is no error.
    pub(in crate::cli) fn see_sensor(&self, adapter: &Adapter) -> anyhow::Result<()> {
        if matches!(self.power, Selection::Named(_))
            && let Err(reason) = power::open(
                &self.power,
                adapter,
                &Timeline::new(),
                &places_from_environment(),
            )
        {
            bail!("--power {}: {reason}", self.power);
        }
        Ok(())
    }

    /// Whether a kernel (`case@kernel`) is among those that are asked for by name; all are where none is.
    pub(in crate::cli) fn means(&self, id: &str) -> bool {
        self.request().means(id)
    }

    /// Every combination of one glob and one kernel's name, each by the two places; of what is not named, all.
    pub(in crate::cli) fn choices(&self) -> Vec<((usize, usize), Request)> {
        let each = |names: &[String]| -> Vec<Vec<String>> {
            match names {
                [] => vec![Vec::new()],
                names => names.iter().map(|name| vec![name.clone()]).collect(),
            }
        };
        let mut choices = Vec::new();
        for (at, cases) in each(&self.cases).iter().enumerate() {
            for (of_kernel, kernels) in each(&self.kernels).into_iter().enumerate() {
                let choice = Request {
                    cases: cases.clone(),
                    kernels,
                    ..self.request()
                };
                choices.push(((at, of_kernel), choice));
            }
        }
        choices
    }

    /// The same as a request.
    pub(in crate::cli) fn request(&self) -> Request {
        Request {
            suite: self.suite,
            cases: self.cases.clone(),
            kernels: self.kernels.clone(),
            custom: Vec::new(),
        }
    }
}

/// What is known to keep Vulkan from drivers, as sentences before another.
fn gaps() -> String {
    let sentence = |gap: String| {
        let mut letters = gap.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let rest = letters.as_str();
        first.map_or_else(String::new, |first| format!("{first}{rest}. "))
    };
    let gaps = vulkan_gaps().into_iter();
    gaps.map(|gap| sentence(gap.to_string())).collect()
}
