//! The command line: argv → plan → call → exit code, one file a subcommand.
//!
//! Parsing is clap's and pure; each subcommand's `run` touches the world and answers with an
//! [`Exit`]. Machine output goes to stdout, everything meant for a person who watches to stderr.

#[cfg(feature = "gpu")]
mod ab;
mod args;
mod calibrate_noise;
mod compare;
#[cfg(feature = "gpu")]
mod devices;
mod exchange;
mod exit;
mod gate;
#[cfg(feature = "gpu")]
mod inspect;
mod interrupts;
mod invest;
#[cfg(feature = "gpu")]
mod list;
mod manual;
mod output;
mod power;
#[cfg(feature = "gpu")]
mod progress;
#[cfg(feature = "gpu")]
mod result_path;
#[cfg(feature = "gpu")]
mod run;
mod schema;
mod show;
#[cfg(feature = "gpu")]
mod tune;
#[cfg(feature = "gpu")]
mod tuning;
#[cfg(feature = "gpu")]
mod worker;

use clap::{CommandFactory, Parser, Subcommand};

pub use exit::Exit;

/// What a GPU does, at what energy, and how well that is known.
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
    #[cfg(feature = "gpu")]
    Devices(devices::Devices),
    #[cfg(feature = "gpu")]
    List(list::List),
    #[cfg(feature = "gpu")]
    Run(run::Run),
    #[cfg(feature = "gpu")]
    Tune(Box<tune::Tune>),
    Show(show::Show),
    Schema(schema::Schema),
    Compare(compare::Compare),
    Gate(gate::Gate),
    #[cfg(feature = "gpu")]
    Ab(Box<ab::Ab>),
    #[cfg(feature = "gpu")]
    Inspect(Box<inspect::Inspect>),
    CalibrateNoise(calibrate_noise::CalibrateNoise),
    Invest(invest::Invest),
    Import(exchange::Import),
    Export(exchange::Export),
    Power(power::PowerArgs),
    Completions(manual::Completions),
    Man(manual::Man),
    #[cfg(feature = "gpu")]
    #[command(hide = true)]
    Worker(worker::Worker),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Anything that stops a command; the message is for the user and the exit code is [`Exit::Usage`].
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            #[cfg(feature = "gpu")]
            Command::Devices(devices) => devices.run(),
            #[cfg(feature = "gpu")]
            Command::List(list) => list.run(),
            #[cfg(feature = "gpu")]
            Command::Run(run) => run.run(),
            #[cfg(feature = "gpu")]
            Command::Tune(tune) => tune.run(),
            Command::Show(show) => show.run(),
            Command::Schema(_) => schema::Schema::run(),
            Command::Compare(compare) => compare.run(),
            Command::Gate(gate) => gate.run(),
            #[cfg(feature = "gpu")]
            Command::Ab(ab) => ab.run(),
            #[cfg(feature = "gpu")]
            Command::Inspect(inspect) => inspect.run(),
            Command::CalibrateNoise(calibrate) => calibrate.run(),
            Command::Invest(invest) => invest.run(),
            Command::Import(import) => import.run(),
            Command::Export(export) => export.run(),
            Command::Power(power) => power.run(),
            Command::Completions(completions) => completions.run(Self::command()),
            Command::Man(_) => manual::Man::run(&Self::command()),
            #[cfg(feature = "gpu")]
            Command::Worker(_) => worker::Worker::run(),
        }
    }
}
