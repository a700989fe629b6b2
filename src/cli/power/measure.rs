//! `perwatt power measure`: the energy of any command, by the machine's sensors.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use crate::cli::args::power::PlacesArgs;
use crate::cli::exit::Exit;
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::{print, print_json, tell, width};
use crate::cli::support::output_file::{OutputFile, OutputFileKind};
use crate::power::sensors::{Machine, meter_names};
use crate::power::{EnergyMonitor, PowerSource, Timeline, open_by_name};
use crate::record::{self, PowerMeasurement};
use crate::report;
use crate::units::Seconds;

/// The variable that names the file of windows to the command.
const WINDOWS: &str = "PERWATT_WINDOWS";

/// Time between two looks at the command and its windows.
const LOOK: Duration = Duration::from_millis(2);

/// Measure the energy of a command: joules, mean and peak power and time, by each sensor
///
/// The figures include the command, all that it starts, and whatever else draws power from what a sensor measures.
/// Its exit code is passed through. To measure parts of it, the command appends lines `begin NAME` and `end NAME` to
/// the file that PERWATT_WINDOWS names.
#[derive(Debug, Args)]
pub(in super::super) struct MeasureCommand {
    #[arg(long = "power", value_name = "SENSOR", help = power_help())]
    sensors: Vec<String>,
    /// Seconds of idle to measure before the command starts
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = super::watch::seconds)]
    idle: f64,
    /// Print JSON on standard output; the command's own output goes to standard error then
    #[arg(long)]
    json: bool,
    /// Write the same JSON to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    places: PlacesArgs,
    /// The command and its arguments
    #[arg(
        required = true,
        last = true,
        value_name = "COMMAND",
        help_heading = "Arguments"
    )]
    command: Vec<OsString>,
}

/// The text of `--power`.
fn power_help() -> String {
    format!(
        "Sensor by name, as `perwatt power list` shows it, or a meter ({}), or simulated:PROFILE; repeatable \
         [default: the best sensor of each device]",
        meter_names()
    )
}

impl MeasureCommand {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if let Some(file) = self.output_file() {
            file.check()?;
        }
        // Ctrl-C reaches the command by itself; what it drew until then is told all the same.
        let _keeping = Keeping::begin();
        let timeline = Timeline::new();
        let (sources, unreadable) = self.open(&timeline)?;
        for reason in &unreadable {
            tell(&format!("Not measured: {reason}"));
        }
        let started_utc = record::now_utc();
        let folder = tempfile::tempdir().context("no folder for the file of windows")?;
        let mut windows = WindowFile::create(folder.path())?;
        let mut monitor = EnergyMonitor::start(sources, &timeline);
        thread::sleep(Duration::from_secs_f64(self.idle));
        let load_from = monitor.now();
        timeline.begin();
        let mut child = self.spawn(&windows.path)?;
        let status = windows.follow_until_end(&mut child, &mut monitor)?;
        let end = monitor.now();
        timeline.end();
        windows.follow(&mut monitor, Some(end));
        end_left_open(&mut monitor, end);
        monitor.begin_at(WHOLE, load_from)?;
        monitor.end_at(WHOLE, end)?;
        let (sensors, windows) = monitor.finish(load_from);
        let measurement = PowerMeasurement {
            kind: "perwatt-power-measurement".to_owned(),
            schema_version: "1.1.0".to_owned(),
            started_utc,
            command: self
                .command
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            exit_code: status
                .code()
                .ok_or_else(|| format!("the command was ended: {status}"))
                .into(),
            sensors,
            unreadable,
            windows,
        };
        self.tell(&measurement)?;
        Ok(Exit::Passed(passed(status)))
    }

    /// The file that the user named.
    fn output_file(&self) -> Option<OutputFile<'_>> {
        Some(OutputFile {
            path: self.out.as_deref()?,
            kind: OutputFileKind::Measured(None),
            force: self.force,
        })
    }

    /// The sensors, and those that cannot be read.
    fn open(&self, timeline: &Timeline) -> anyhow::Result<OpenedSensors> {
        let places = self.places.places();
        if self.sensors.is_empty() {
            let machine = Machine::scan(&places);
            let (found, refused) = machine.best_of_each();
            let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
            if found.is_empty() {
                let why: Vec<String> = refused.into_iter().chain(machine.absent).collect();
                bail!(
                    "no power sensor can be read ({}); name a meter by --power: {}",
                    why.join("; "),
                    meter_names()
                );
            }
            return Ok((found, refused));
        }
        let mut found: Vec<Box<dyn PowerSource>> = Vec::new();
        for (at, name) in self.sensors.iter().enumerate() {
            let sources = open_by_name(name, None, timeline, &places)
                .with_context(|| format!("--power {name}"))?;
            for source in sources.into_iter().take(1) {
                // Simulated sensors of one profile are two all the same, where they are described differently.
                let is_there = self.sensors[..at].contains(name)
                    || found.iter().any(|other| {
                        !source.setup().simulated && other.setup().source == source.setup().source
                    });
                if is_there {
                    bail!(
                        "--power {name}: {} is named twice and its joules would be counted twice; name each sensor once",
                        source.setup().source
                    );
                }
                found.push(source);
            }
        }
        Ok((found, Vec::new()))
    }

    /// Starts the command.
    fn spawn(&self, windows: &Path) -> anyhow::Result<Child> {
        let Some((program, arguments)) = self.command.split_first() else {
            bail!("no command was given; write it after --");
        };
        let mut command = Command::new(program);
        command.args(arguments).env(WINDOWS, windows);
        if self.json {
            #[expect(
                clippy::disallowed_methods,
                reason = "the command writes to it, not perwatt"
            )]
            command.stdout(Stdio::from(std::io::stderr()));
        }
        command
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))
    }

    /// Shows what was measured, and keeps it where that is asked for.
    fn tell(&self, measurement: &PowerMeasurement) -> anyhow::Result<()> {
        // Shown first: what was measured is not lost for a file that cannot be written.
        if self.json {
            print_json(measurement)?;
        } else {
            print(&report::power_measurement(measurement, width()))?;
        }
        if let Some(file) = self.output_file() {
            file.write(&(serde_json::to_string_pretty(measurement)? + "\n"))?;
            tell(&format!("Kept as {}", file.path.display()));
        }
        Ok(())
    }
}

/// Sensors, and why others cannot be read.
type OpenedSensors = (Vec<Box<dyn PowerSource>>, Vec<String>);

/// The name of the window that is the whole command.
const WHOLE: &str = "whole";

/// What a shell makes of an exit status.
fn passed(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().map_or(1, |code| code as u8)
}

/// The file into which the command writes when its windows begin and end.
struct WindowFile {
    path: PathBuf,
    file: fs::File,
    /// The beginning of a line that is not yet whole.
    rest: String,
}

impl WindowFile {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("windows");
        fs::write(&path, "").context("the file of windows cannot be made")?;
        let file = fs::File::open(&path).context("the file of windows cannot be read")?;
        Ok(Self {
            path,
            file,
            rest: String::new(),
        })
    }

    /// Takes in what a command writes until it ends.
    fn follow_until_end(
        &mut self,
        child: &mut Child,
        monitor: &mut EnergyMonitor,
    ) -> anyhow::Result<ExitStatus> {
        loop {
            self.follow(monitor, None);
            let status = child.try_wait();
            if let Some(status) = status.context("the command cannot be waited for")? {
                return Ok(status);
            }
            monitor.listen();
            thread::sleep(LOOK);
        }
    }

    /// Takes in what was written since the last call; a line that is none is told and left out. Once the command has
    /// ended, at `ended`, nothing happened later, and a last line needs no end.
    fn follow(&mut self, monitor: &mut EnergyMonitor, ended: Option<Seconds>) {
        let at = ended.unwrap_or_else(|| monitor.now());
        let mut text = String::new();
        if self.file.read_to_string(&mut text).is_err() {
            // Half a character at the end comes whole the next time.
            let _ = self.file.stream_position();
            return;
        }
        self.rest.push_str(&text);
        if ended.is_some() && !self.rest.is_empty() {
            self.rest.push('\n');
        }
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let said = take(line, at, monitor);
            if let Err(why) = said {
                tell(&format!("{WINDOWS}: {why}"));
            }
            self.rest = rest.to_owned();
        }
    }
}

/// Ends the windows that the command left open.
fn end_left_open(monitor: &mut EnergyMonitor, end: Seconds) {
    for left_open in monitor.end_open_at(end) {
        match left_open {
            Ok(name) => tell(&format!(
                "{WINDOWS}: the command never wrote `end {name}`, so that window ends with the command"
            )),
            Err(why) => tell(&format!("{WINDOWS}: {why}; it is left out")),
        }
    }
}

/// Takes in one line: `begin NAME` or `end NAME`.
fn take(line: &str, at: Seconds, monitor: &mut EnergyMonitor) -> anyhow::Result<()> {
    let line = line.trim();
    match line.split_once(char::is_whitespace) {
        Some(("begin", name)) if name.trim() != WHOLE => monitor.begin_at(name.trim(), at)?,
        Some(("end", name)) if name.trim() != WHOLE => monitor.end_at(name.trim(), at)?,
        _ if line.is_empty() => {}
        _ => bail!("`{line}` is neither `begin NAME` nor `end NAME`"),
    }
    Ok(())
}
