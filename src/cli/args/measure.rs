//! What is measured, on what and for how long: the options that `run` and `ab` share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::HOW;
use super::target::TargetArgs;
use super::values::{celsius, orders, positive, scopes, tiers};
use crate::bench::{Request, SessionRequest};
use crate::record::{Adapter, CaseOrder, EnergyScope, EnergyTier, StatedSensor};
use crate::workload::{CaseKernel, LoadedFile, ManifestCommands, Suite, load_each};

/// Which tuned parameters a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Tuned {
    /// Those that take the least time
    Time,
    /// Those that take the least energy
    Energy,
    /// None: the defaults of the device's class
    Off,
}

/// What is measured, on what and for how long.
#[derive(Debug, Args)]
pub(in crate::cli) struct MeasureArgs {
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,

    /// Time limit per case and invocation, in seconds; longer cases are skipped with the reason
    /// [default: 4 for quick, 8 for gpu, else 30]
    #[arg(help_heading = HOW, long, value_name = "SECONDS", value_parser = positive)]
    pub(in crate::cli) budget: Option<f64>,

    /// Time for energy, where there is a sensor: screening takes 5 to 15 s a case and invocation,
    /// publishable at least 60 s of steady load
    #[arg(help_heading = HOW, hide_short_help = true, long, default_value = "screening", value_parser = tiers(), value_name = "TIER")]
    pub(in crate::cli) energy: EnergyTier,

    /// Which cases' energy is measured: every case in every invocation, or once a session the roofs, the
    /// largest product, decode and the layer, each with its fastest kernel [default: once for quick and gpu, else all]
    #[arg(help_heading = HOW, hide_short_help = true, long, value_parser = scopes(), value_name = "WHICH")]
    pub(in crate::cli) energy_of: Option<EnergyScope>,

    /// Order of the cases in each invocation: as listed, or shuffled each time, so that no case is always measured
    /// after the same one
    #[arg(help_heading = HOW, hide_short_help = true, long, default_value = "listed", value_parser = orders(), value_name = "ORDER")]
    pub(in crate::cli) order: CaseOrder,

    /// Begin each case only once the sensor reads this temperature in °C or less; after five minutes it begins
    /// anyway, with a warning
    #[arg(help_heading = HOW, hide_short_help = true, long, value_parser = celsius, value_name = "CELSIUS")]
    pub(in crate::cli) cool_to: Option<f64>,

    /// Seconds between two new values of the power sensor, where perwatt cannot measure it (the power hardly changes,
    /// or a meter's manual states it)
    #[arg(help_heading = HOW, hide_short_help = true, long, value_name = "SECONDS", value_parser = positive)]
    pub(in crate::cli) sensor_period: Option<f64>,

    /// Seconds over which a value of the power sensor averages, where that is known
    #[arg(help_heading = HOW, hide_short_help = true, long, value_name = "SECONDS", value_parser = positive)]
    pub(in crate::cli) sensor_window: Option<f64>,

    /// Run shaders with wgpu's bounds and loop checks
    #[arg(help_heading = HOW, hide_short_help = true, long)]
    pub(in crate::cli) checked: bool,

    /// A TOML file with custom kernels or workloads; without --suite and --case, only its cases run,
    /// together with the built-in kernels for them (repeatable)
    #[arg(help_heading = HOW, long = "workloads", value_name = "FILE")]
    pub(in crate::cli) workloads: Vec<PathBuf>,

    /// Run the commands by which workload files expand shaders (`expand`); only for files that you trust
    #[arg(help_heading = HOW, long)]
    pub(in crate::cli) allow_commands: bool,

    /// Which parameters that `perwatt tune` found to use
    #[arg(help_heading = HOW, hide_short_help = true, long, value_enum, default_value_t = Tuned::Time)]
    pub(in crate::cli) tuned: Tuned,
}

impl MeasureArgs {
    /// What is asked for, workload files read. Where nothing is named, it is the suite of the adapter's kind.
    ///
    /// # Errors
    /// A workload file cannot be used.
    pub(in crate::cli) fn request(&self, adapter: &Adapter) -> crate::Result<Request> {
        let custom = self.custom_kernels()?;
        let nothing_named = self.target.cases.is_empty() && custom.is_empty();
        let suite = match (self.target.suite, nothing_named) {
            (None, true) => Some(Suite::default_for(adapter)),
            (suite, _) => suite,
        };
        Ok(Request {
            suite,
            custom,
            ..self.target.request()
        })
    }

    /// The kernels of the workload files.
    ///
    /// # Errors
    /// A file cannot be used, or a kernel of one that is asked for.
    pub(in crate::cli) fn custom_kernels(&self) -> crate::Result<Vec<CaseKernel>> {
        let mut kernels = Vec::new();
        for file in self.workload_files()? {
            let mut unusable = file.unusable.into_iter();
            if let Some(asked_for) = unusable.find(|kernel| self.target.means(&kernel.id())) {
                return Err(asked_for.why);
            }
            kernels.extend(file.kernels);
        }
        Ok(kernels)
    }

    /// The workload files, each with the kernels that cannot be used.
    ///
    /// # Errors
    /// A file cannot be used.
    pub(in crate::cli) fn workload_files(&self) -> crate::Result<Vec<LoadedFile>> {
        let commands = ManifestCommands::allowed_by(self.allow_commands);
        let files = self.workloads.iter();
        files.map(|file| load_each(file, commands)).collect()
    }

    /// How a session over a suite, or over what was named, measures.
    pub(in crate::cli) fn session(&self, suite: Option<Suite>, invocations: u32) -> SessionRequest {
        SessionRequest {
            argv: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            suite: suite.map(|suite| suite.to_string()),
            invocations,
            budget_s: self.budget.unwrap_or(suite.map_or(30.0, Suite::budget_s)),
            seed: self.target.seed,
            checked: self.checked,
            power: self.target.power.clone(),
            energy: self.energy,
            energy_of: self.energy_scope(suite),
            order: self.order,
            cool_to_c: self.cool_to,
            sensor: self.stated_sensor(),
        }
    }

    /// What the user says of the sensor, if anything.
    pub(in crate::cli) fn stated_sensor(&self) -> Option<StatedSensor> {
        let stated = StatedSensor {
            update_period_s: self.sensor_period,
            averaging_s: self.sensor_window,
        };
        (stated != StatedSensor::default()).then_some(stated)
    }

    /// Which cases energy is measured of in a suite, or of what was named.
    pub(in crate::cli) fn energy_scope(&self, suite: Option<Suite>) -> EnergyScope {
        let named = !self.target.cases.is_empty();
        self.energy_of.unwrap_or(match suite {
            Some(suite) if suite.is_brief() && !named => EnergyScope::Once,
            _ => EnergyScope::All,
        })
    }
}

/// How long to wait for a worker; the one measuring option that a resumed run may change.
#[derive(Debug, Args)]
pub(in crate::cli) struct DeadlineArgs {
    /// Seconds after which a case that does not answer is killed [default: 4 × budget + 60, and
    /// what energy needs]
    #[arg(help_heading = HOW, hide_short_help = true, long, value_name = "SECONDS", value_parser = positive)]
    pub(in crate::cli) deadline: Option<f64>,
}
