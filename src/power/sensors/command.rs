//! Any meter at all: a command that prints `watts 12.3` or `joules 456` lines.
//!
//! It may go on for as long as the run lasts, or print a value and end, and is then started again.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::plausible::ClassBounds;
use super::super::{Fault, PowerSource, Quantity, Sample};
use super::background::{Handle, LatestValue};
use super::candidate::{Candidate, Opened, Owner, no_limits};
use super::family::Family;
use super::guarded_command::GuardedCommand;
use super::no_sensor::NoSensor;
use crate::record::{Boundary, EnergyProvenance, PowerSetup};
use crate::units::{Joules, Seconds, Watts};

/// How long a command may take to its first value.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Age at which a value says nothing of the present.
const OLDEST: Duration = Duration::from_secs(5);

/// More than any machine behind one meter draws: a reading above it is a mistake.
pub(super) const MOST: Watts = Watts(2e5);

/// Time between two starts of a command that ends after a value.
const PAUSE: Duration = Duration::from_millis(50);

/// Commands that print what a meter measures.
pub(super) struct MeterCommand;

impl Family for MeterCommand {
    fn prefixes(&self) -> &'static [&'static str] {
        &["command"]
    }

    fn meters(&self) -> &'static [&'static str] {
        &["command:LINE"]
    }

    fn meter(&self, _prefix: &str, rest: &str) -> Result<Candidate, NoSensor> {
        let line = rest.trim();
        if line.is_empty() {
            return Err(NoSensor::BadName(
                "command: needs a command line, as in --power 'command:read-meter --watts'"
                    .to_owned(),
            ));
        }
        Ok(candidate(line))
    }
}

/// The sensor behind a command line.
fn candidate(line: &str) -> Candidate {
    let mut setup = PowerSetup::new(
        format!("command:{line}"),
        "command",
        EnergyProvenance::IntegratedPower,
        Boundary::Unknown,
    );
    setup.notes.push(format!(
        "`{line}` says what it measures; perwatt cannot know its boundary"
    ));
    let line = line.to_owned();
    Candidate {
        device: format!("`{line}`"),
        setup,
        owner: Owner::Named,
        caution: None,
        folder: None,
        bounds: ClassBounds::up_to(MOST),
        limits: no_limits(),
        open: Box::new(move |setup| open(setup, &line)),
    }
}

/// Starts the command and waits for its first value.
fn open(setup: PowerSetup, line: &str) -> Opened {
    let latest = Arc::new(LatestValue::default());
    let mut meter = CommandMeter {
        setup,
        latest: Handle(Arc::clone(&latest)),
        running: Arc::default(),
        who: format!("`{line}`"),
        rising: Rising::default(),
    };
    let (command, running) = (line.to_owned(), Arc::clone(&meter.running));
    thread::Builder::new()
        .name("meter".to_owned())
        .spawn(move || follow(&command, &latest, &running))
        .map_err(|e| Fault::Unusable(format!("no thread can be started for `{line}`: {e}")))?;
    if let Quantity::Energy(_) = meter.latest.0.first(TIMEOUT, &meter.who)? {
        meter.setup.provenance = EnergyProvenance::Counter;
    }
    Ok(Box::new(meter))
}

/// A running command.
struct CommandMeter {
    setup: PowerSetup,
    latest: Handle,
    running: Running,
    who: String,
    rising: Rising,
}

/// The command's process, while there is one.
type Running = Arc<Mutex<Option<GuardedCommand>>>;

impl PowerSource for CommandMeter {
    fn setup(&self) -> &PowerSetup {
        &self.setup
    }

    fn read(&mut self, now: Seconds) -> Result<Sample, Fault> {
        let sample = self.latest.0.read(now, OLDEST, &self.who)?;
        let value = match sample.value {
            Quantity::Energy(joules) => Quantity::Energy(self.rising.advance(joules, &self.who)?),
            power @ Quantity::Power(_) => power,
        };
        Ok(Sample { value, ..sample })
    }
}

impl Drop for CommandMeter {
    fn drop(&mut self) {
        self.latest.0.stop();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        drop(running.take());
    }
}

/// A meter's own count of joules, which may start anew.
#[derive(Debug, Default)]
struct Rising {
    last: Option<Joules>,
    total: f64,
}

impl Rising {
    fn advance(&mut self, now: Joules, who: &str) -> Result<Joules, Fault> {
        let last = self.last.replace(now).unwrap_or(now);
        if now < last {
            return Err(Fault::Reset(format!("{who} fell from {last} to {now}")));
        }
        self.total += (now - last).get();
        Ok(Joules(self.total))
    }
}

/// Runs the command again and again until the reader is gone or it fails.
fn follow(line: &str, latest: &LatestValue, running: &Running) {
    let mut kind = None;
    while !latest.is_stopped() {
        if let Err(fault) = once(line, latest, running, &mut kind) {
            latest.fail(fault);
            return;
        }
        latest.pause(PAUSE);
    }
}

/// Runs the command to its end, passing on what it prints.
///
/// # Errors
/// It cannot be started, fails, or ends without a value.
fn once(
    line: &str,
    latest: &LatestValue,
    running: &Running,
    kind: &mut Option<Unit>,
) -> Result<(), Fault> {
    let mut command = GuardedCommand::start(line)
        .map_err(|e| Fault::Gone(format!("`{line}` cannot be started: {e}")))?;
    let (stdout, stderr) = command.outputs();
    let complaint = thread::spawn(move || last_line(stderr));
    {
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        // Dropped, it ends.
        *running = (!latest.is_stopped()).then_some(command);
    }
    let (values, strange) = pass_on(stdout, line, latest, kind);
    let command = running
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut command) = command else {
        return Ok(());
    };
    let status = command
        .wait()
        .map_err(|e| Fault::Gone(format!("`{line}` ended and cannot be waited for: {e}")))?;
    let complaint = complaint.join().ok().flatten();
    let complaint = complaint.map_or_else(String::new, |text| format!(", saying: {text}"));
    if !status.success() {
        return Err(Fault::Gone(format!(
            "`{line}` ended with {status}{complaint}"
        )));
    }
    if values == 0 {
        return Err(Fault::Gone(format!(
            "`{line}` ended without a `watts X` or `joules X` line{strange}{complaint}"
        )));
    }
    Ok(())
}

/// Passes on the values that a command prints until it ends: how many, and the end of a sentence about what
/// else it printed.
fn pass_on(
    stdout: Option<impl Read>,
    line: &str,
    latest: &LatestValue,
    kind: &mut Option<Unit>,
) -> (u64, String) {
    let (mut values, mut strange) = (0_u64, String::new());
    // It was asked for, so it is there.
    let lines = stdout
        .into_iter()
        .flat_map(|stdout| BufReader::new(stdout).lines());
    for text in lines {
        let Ok(text) = text else { break };
        let at = Instant::now();
        match parse(&text) {
            Ok(None) => {}
            Ok(Some((unit, value))) => {
                values += 1;
                if *kind.get_or_insert(unit) == unit {
                    latest.put(value, at);
                }
            }
            Err(reason) => {
                latest.fail(Fault::Unusable(format!("`{line}` printed {reason}")));
                strange = format!("; it printed {reason}");
            }
        }
    }
    (values, strange)
}

/// The last line of a stream that holds anything.
fn last_line(stream: Option<impl Read>) -> Option<String> {
    BufReader::new(stream?)
        .lines()
        .map_while(Result::ok)
        .filter(|line| !line.trim().is_empty())
        .last()
}

/// What a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Watts,
    Joules,
}

/// Reads a line: `watts 12.3`, `joules: 4.56e3`, `watts=12`; nothing from an empty one or a comment.
///
/// # Errors
/// The line is something else; the message quotes it.
fn parse(line: &str) -> Result<Option<(Unit, Quantity)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let shown: String = line.chars().take(60).collect();
    let wrong = || format!("`{shown}`, which is neither `watts X` nor `joules X`");
    let (word, number) = line.split_once([' ', '\t', ':', '=']).ok_or_else(wrong)?;
    let number = number.trim_start_matches([' ', '\t', ':', '=']);
    let unit = match word.to_ascii_lowercase().as_str() {
        "watts" | "watt" | "w" => Unit::Watts,
        "joules" | "joule" | "j" => Unit::Joules,
        _ => return Err(wrong()),
    };
    let value: f64 = number.trim().parse().map_err(|_| wrong())?;
    if !value.is_finite() || value < 0.0 {
        return Err(format!("`{shown}`, which no meter measures"));
    }
    Ok(Some(match unit {
        Unit::Watts => (unit, Quantity::Power(Watts(value))),
        Unit::Joules => (unit, Quantity::Energy(Joules(value))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_people_write_them() {
        for line in [
            "watts 12.5",
            "Watts: 12.5",
            "watts=12.5",
            "watts\t12.5 ",
            "W 1.25e1",
        ] {
            assert_eq!(
                parse(line),
                Ok(Some((Unit::Watts, Quantity::Power(Watts(12.5))))),
                "{line}"
            );
        }
        assert_eq!(
            parse("joules 3"),
            Ok(Some((Unit::Joules, Quantity::Energy(Joules(3.0)))))
        );
        assert_eq!((parse(""), parse("# warming up")), (Ok(None), Ok(None)));
        for line in [
            "12.5",
            "volts 3",
            "watts",
            "watts many",
            "watts NaN",
            "watts -3",
            "watts inf",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_meter_that_starts_anew_is_reset_once() {
        let mut rising = Rising::default();
        let mut advance = |joules| rising.advance(Joules(joules), "meter");
        assert_eq!(advance(100.0), Ok(Joules(0.0)));
        assert_eq!(advance(150.0), Ok(Joules(50.0)));
        assert!(matches!(advance(0.0), Err(Fault::Reset(_))));
        assert_eq!(advance(5.0), Ok(Joules(55.0)));
    }
}
