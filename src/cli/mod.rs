//! The command line: argv → plan → call → exit code, one file or folder a subcommand; `args` holds their options
//! and `support` what several share.
//!
//! Parsing is clap's and pure; each subcommand's `run` touches the world and answers with an
//! [`Exit`]. Machine output goes to stdout, everything meant for a person who watches to stderr.

#[cfg(feature = "bench")]
mod ab;
#[cfg(feature = "bench")]
mod adapters;
mod args;
mod calibrate_noise;
mod compare;
#[cfg(feature = "bench")]
mod devices;
mod exchange;
mod exit;
mod fleet;
mod gate;
#[cfg(feature = "inspect")]
mod inspect;
mod invest;
#[cfg(feature = "bench")]
mod list;
mod manual;
#[cfg(feature = "bench")]
mod new_kernel;
mod policy;
mod power;
#[cfg(feature = "bench")]
mod power_limit_keeper;
mod redact;
mod report;
#[cfg(feature = "bench")]
mod run;
mod schema;
mod show;
mod support;
#[cfg(feature = "bench")]
mod tune;
#[cfg(feature = "bench")]
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use exit::Exit;
use support::interrupts::{catch_signals, leave_signals_to_parent};

/// Measure GPU throughput and energy, with uncertainty.
#[derive(Debug, Parser)]
#[command(
    name = "perwatt",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "bench")]
    Devices(devices::Devices),
    #[cfg(feature = "bench")]
    List(list::List),
    #[cfg(feature = "bench")]
    Run(run::Run),
    #[cfg(feature = "bench")]
    Tune(Box<tune::Tune>),
    Show(show::Show),
    Report(report::Report),
    #[cfg(feature = "bench")]
    NewKernel(new_kernel::NewKernel),
    Schema(schema::Schema),
    Compare(compare::Compare),
    Gate(gate::Gate),
    #[cfg(feature = "bench")]
    Ab(Box<ab::Ab>),
    #[cfg(feature = "inspect")]
    Inspect(Box<inspect::Inspect>),
    CalibrateNoise(calibrate_noise::CalibrateNoise),
    Policy(policy::PolicyCommand),
    Invest(invest::Invest),
    Redact(redact::Redact),
    Import(exchange::Import),
    Export(exchange::Export),
    Power(power::PowerArgs),
    Fleet(fleet::FleetArgs),
    Completions(manual::Completions),
    Man(manual::Man),
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    Worker(worker::Worker),
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    Adapters(adapters::Adapters),
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    KeepPowerLimit(power_limit_keeper::KeepPowerLimit),
}

impl Command {
    /// Whether perwatt starts it and ends it; people's signals go to perwatt.
    fn is_helper(&self) -> bool {
        #[cfg(feature = "bench")]
        {
            matches!(
                self,
                Self::Worker(_) | Self::Adapters(_) | Self::KeepPowerLimit(_)
            )
        }
        #[cfg(not(feature = "bench"))]
        {
            false
        }
    }
}

/// The whole program: parse, run, exit.
pub fn main() -> ExitCode {
    match manual::answer_shell(command) {
        Ok(false) => {}
        Ok(true) => return Exit::Done.into(),
        Err(trouble) => {
            support::output::show_usage(&trouble);
            return Exit::Usage.into();
        }
    }
    match parsed() {
        Ok(cli) => match cli.run() {
            Ok(exit) => exit.into(),
            Err(error) => {
                support::output::tell(&format!("perwatt: {error:#}"));
                Exit::Usage.into()
            }
        },
        Err(usage) => {
            support::output::show_usage(&usage);
            // Clap's own codes: 0 for help, 2 for a mistake.
            ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2))
        }
    }
}

/// The definition of the command line.
fn command() -> clap::Command {
    taking_negative_numbers(manual::with_examples(Cli::command()))
}

/// Lets every option be given a number below zero, so that its own parser says what it needs and not clap, which
/// would take `-1` for an option that is not known.
fn taking_negative_numbers(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            let is_option = arg.get_long().is_some() && arg.get_action().takes_values();
            arg.allow_negative_numbers(is_option)
        })
        .mut_subcommands(taking_negative_numbers)
}

/// What was typed.
fn parsed() -> clap::error::Result<Cli> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|mistake| mistake.format(&mut command))
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Anything that stops a command; the message is for the user and the exit code is [`Exit::Usage`].
    pub fn run(self) -> anyhow::Result<Exit> {
        if self.command.is_helper() {
            leave_signals_to_parent()?;
        } else {
            catch_signals()?;
        }
        match self.command {
            #[cfg(feature = "bench")]
            Command::Devices(devices) => devices.run(),
            #[cfg(feature = "bench")]
            Command::List(list) => list.run(),
            #[cfg(feature = "bench")]
            Command::Run(run) => run.run(),
            #[cfg(feature = "bench")]
            Command::Tune(tune) => tune.run(),
            Command::Show(show) => show.run(),
            Command::Report(report) => report.run(),
            #[cfg(feature = "bench")]
            Command::NewKernel(command) => command.run(),
            Command::Schema(schema) => schema.run(),
            Command::Compare(compare) => compare.run(),
            Command::Gate(gate) => gate.run(),
            #[cfg(feature = "bench")]
            Command::Ab(ab) => ab.run(),
            #[cfg(feature = "inspect")]
            Command::Inspect(inspect) => inspect.run(),
            Command::CalibrateNoise(calibrate) => calibrate.run(),
            Command::Policy(policy) => policy.run(),
            Command::Invest(invest) => invest.run(),
            Command::Redact(redact) => redact.run(),
            Command::Import(import) => import.run(),
            Command::Export(export) => export.run(),
            Command::Power(power) => power.run(),
            Command::Fleet(fleet) => fleet.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(command()),
            #[cfg(feature = "bench")]
            Command::Worker(_) => worker::Worker::run(),
            #[cfg(feature = "bench")]
            Command::Adapters(_) => adapters::Adapters::run(),
            #[cfg(feature = "bench")]
            Command::KeepPowerLimit(_) => power_limit_keeper::KeepPowerLimit::run(),
        }
    }
}
