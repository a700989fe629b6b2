//! `perwatt power watch`: sensors live, one line each in a terminal, a table elsewhere.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cli::args::power::PlacesArgs;
use crate::cli::exit::Exit;
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::{print_while_read, tell, to_terminal};
use crate::escape;
use crate::power::sensors::{Machine, meter_names};
use crate::power::{Fault, PowerSource, Quantity, Timeline, open_by_name};
use crate::record::Reading;
use crate::units::{Joules, Seconds, Watts};

/// Time between two reads of a sensor.
const POLL: Duration = Duration::from_millis(10);

/// Values that a sparkline holds.
const HISTORY: usize = 30;

/// Watch power sensors: one line each with a sparkline; when piped, one row per interval
#[derive(Debug, Args)]
pub(in super::super) struct Watch {
    #[arg(value_name = "SENSOR", help = watch_help())]
    sensors: Vec<String>,
    /// Seconds between two values
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, value_parser = seconds)]
    interval: f64,
    /// Stop after this many seconds [default: at Ctrl-C]
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    length: Option<f64>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: PlacesArgs,
}

/// The text of the sensors' argument.
fn watch_help() -> String {
    format!(
        "Sensors by name, as `perwatt power list` shows them, or meters ({}) [default: the best sensor of each device]",
        meter_names()
    )
}

/// Parses a number of seconds.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.01 to a million is needed".to_owned()),
    }
}

impl Watch {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let mut watched: Vec<Watched> = self.open()?.into_iter().map(Watched::new).collect();
        let keeping = Keeping::begin();
        let interrupted = keeping.interrupted();
        if to_terminal() && !self.json {
            self.draw(&mut watched, interrupted);
        } else {
            self.write(&mut watched, interrupted)?;
        }
        for sensor in &watched {
            tell(&sensor.summary());
        }
        Ok(Exit::Done)
    }

    /// The sensors to watch.
    fn open(&self) -> anyhow::Result<Vec<Box<dyn PowerSource>>> {
        let mut sources = Vec::new();
        let timeline = Timeline::new();
        for name in &self.sensors {
            let found = open_by_name(name, None, &timeline, &self.places.places())?;
            sources.extend(found.into_iter().take(1));
        }
        if self.sensors.is_empty() {
            let machine = Machine::scan(&self.places.places());
            let (found, refused) = machine.best_of_each();
            for reason in &refused {
                tell(&format!("Not shown: {reason}"));
            }
            if found.is_empty() {
                let refused = refused.iter().map(ToString::to_string);
                let why: Vec<String> = refused.chain(machine.absent).collect();
                bail!(
                    "no power sensor can be read ({}); name a meter: {}",
                    why.join("; "),
                    meter_names()
                );
            }
            sources = found;
        }
        Ok(sources)
    }

    /// Lines in a terminal that change in place.
    fn draw(&self, watched: &mut [Watched], interrupted: &AtomicBool) {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template("{wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars: Vec<ProgressBar> = watched
            .iter()
            .map(|_| screen.add(ProgressBar::new_spinner().with_style(style.clone())))
            .collect();
        self.follow(watched, interrupted, |_, watched| {
            for (bar, sensor) in bars.iter().zip(watched) {
                bar.set_message(escape::line(&sensor.line()));
                bar.tick();
            }
            true
        });
        for bar in &bars {
            bar.abandon();
        }
    }

    /// Rows on standard output, until its reader goes away.
    fn write(&self, watched: &mut [Watched], interrupted: &AtomicBool) -> anyhow::Result<()> {
        let mut failure = Ok(());
        let mut put = |rows: &str| {
            print_while_read(rows).unwrap_or_else(|error| {
                failure = Err(error);
                false
            })
        };
        if !self.json && !put("time_s\tsensor\tpower_w\n") {
            return failure;
        }
        self.follow(watched, interrupted, |time, watched| {
            let rows: String = watched
                .iter()
                .map(|sensor| sensor.row(time, self.json))
                .collect();
            put(&rows)
        });
        failure
    }

    /// Reads the sensors and shows them once an interval, until there is a reason to stop.
    fn follow(
        &self,
        watched: &mut [Watched],
        interrupted: &AtomicBool,
        mut show: impl FnMut(Seconds, &[Watched]) -> bool,
    ) {
        let start = Instant::now();
        let mut next = self.interval;
        let poll = POLL.min(Duration::from_secs_f64(self.interval));
        loop {
            let now = start.elapsed().as_secs_f64();
            for sensor in watched.iter_mut() {
                sensor.read(Seconds(now));
            }
            if now >= next {
                for sensor in watched.iter_mut() {
                    sensor.close_interval();
                }
                if !show(Seconds(now), watched) {
                    return;
                }
                next += self.interval * ((now - next) / self.interval + 1.0).floor();
            }
            if interrupted.load(Ordering::Relaxed)
                || self.length.is_some_and(|length| now >= length)
            {
                return;
            }
            std::thread::sleep(poll);
        }
    }
}

/// A sensor and what it said.
struct Watched {
    source: Box<dyn PowerSource>,
    /// Values of the current interval, of a sensor that says power.
    powers: Vec<f64>,
    /// Newest value of a counter, and the one at which the last shown interval ended.
    newest: Option<(f64, f64)>,
    ended: Option<(f64, f64)>,
    first: Option<(f64, f64)>,
    /// Energy by integrated power, and the reading before.
    integral: f64,
    before: Option<(f64, f64)>,
    /// Power of the last interval.
    shown: Reading<f64>,
    history: VecDeque<f64>,
    fault: Option<Fault>,
    gone: bool,
}

impl Watched {
    fn new(source: Box<dyn PowerSource>) -> Self {
        Self {
            source,
            powers: Vec::new(),
            newest: None,
            ended: None,
            first: None,
            integral: 0.0,
            before: None,
            shown: Reading::unmeasured("nothing read yet"),
            history: VecDeque::new(),
            fault: None,
            gone: false,
        }
    }

    /// Reads the sensor, unless it is gone.
    fn read(&mut self, now: Seconds) {
        if self.gone {
            return;
        }
        match self.source.read(now) {
            Ok(sample) => match sample.value {
                Quantity::Power(watts) => self.power(sample.at.get(), watts.get()),
                Quantity::Energy(joules) => self.energy(sample.at.get(), joules.get()),
            },
            Err(fault) => {
                self.gone = matches!(fault, Fault::Gone(_) | Fault::Permission(_));
                self.fault = Some(fault);
                self.before = None;
            }
        }
    }

    fn power(&mut self, at: f64, watts: f64) {
        if let Some((before, power)) = self.before {
            self.integral += (at - before).max(0.0) * f64::midpoint(power, watts);
        }
        self.before = Some((at, watts));
        self.powers.push(watts);
    }

    /// Keeps the times at which the counter moved; between them nothing is known.
    fn energy(&mut self, at: f64, joules: f64) {
        if self.newest.is_none_or(|(_, last)| joules > last) {
            self.newest = Some((at, joules));
        }
        self.first = self.first.or(self.newest);
        self.ended = self.ended.or(self.newest);
    }

    /// Makes the power of the interval that ends now.
    fn close_interval(&mut self) {
        // What is gone stays gone, and says so from now on.
        let fault = if self.gone {
            self.fault.clone()
        } else {
            self.fault.take()
        };
        let counted = match (self.ended, self.newest) {
            (Some(ended), Some(newest)) if newest.0 > ended.0 => {
                self.ended = Some(newest);
                Some((newest.1 - ended.1) / (newest.0 - ended.0))
            }
            _ => None,
        };
        let mean = self.powers.iter().sum::<f64>() / self.powers.len() as f64;
        let power = counted.or((!self.powers.is_empty()).then_some(mean));
        self.powers.clear();
        self.shown = match (power, fault) {
            (Some(power), _) => Reading::Measured(power),
            (None, Some(fault)) => Reading::unmeasured(fault.to_string()),
            (None, None) => Reading::unmeasured("the counter did not move"),
        };
        if let Some(power) = power {
            self.history.push_back(power);
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
        }
    }

    /// Energy since the beginning.
    fn total(&self) -> f64 {
        match (self.first, self.newest) {
            (Some(first), Some(newest)) => newest.1 - first.1,
            _ => self.integral,
        }
    }

    /// One line for a terminal.
    fn line(&self) -> String {
        let name = &self.source.setup().source;
        let Some(power) = self.shown.measured() else {
            return format!("       –  {name}: {}", self.shown.reason().unwrap_or(""));
        };
        let (low, high) = range(&self.history);
        // The name comes last, since a narrow terminal cuts there and a command line is long.
        format!(
            "{:>8}  {:>HISTORY$}  {low:.0}–{high:.0} W  {}  {name}",
            Watts(*power).to_string(),
            sparkline(&self.history),
            Joules(self.total())
        )
    }

    /// One row for a program.
    fn row(&self, time: Seconds, json: bool) -> String {
        let name = &self.source.setup().source;
        if json {
            let row = WatchRow {
                time_s: time.get(),
                sensor: name,
                power_w: &self.shown,
                energy_j: self.total(),
                simulated: self.source.setup().simulated,
            };
            return escape::json(&serde_json::to_string(&row).unwrap_or_default()) + "\n";
        }
        let power = match self.shown.measured() {
            Some(power) => format!("{power:.3}"),
            None => format!("– ({})", escape::line(self.shown.reason().unwrap_or(""))),
        };
        format!("{:.3}\t{}\t{power}\n", time.get(), escape::line(name))
    }

    /// What remains to be said at the end.
    fn summary(&self) -> String {
        let name = &self.source.setup().source;
        if self.history.is_empty() {
            return format!(
                "{name}: no power was read: {}",
                self.shown.reason().unwrap_or("no reading")
            );
        }
        let (low, high) = range(&self.history);
        format!(
            "{name}: {} in all, lately {low:.1} to {high:.1} W",
            Joules(self.total())
        )
    }
}

/// A row of `--json`.
#[derive(Serialize)]
struct WatchRow<'a> {
    time_s: f64,
    sensor: &'a str,
    power_w: &'a Reading<f64>,
    energy_j: f64,
    simulated: bool,
}

/// Least and most.
fn range(history: &VecDeque<f64>) -> (f64, f64) {
    let low = history.iter().copied().fold(f64::INFINITY, f64::min);
    let high = history.iter().copied().fold(0.0, f64::max);
    (low.min(high), high)
}

/// Bars from zero to the highest value, so that a small ripple looks like one.
fn sparkline(history: &VecDeque<f64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (_, high) = range(history);
    let bar = |value: &f64| {
        let level = if high > 0.0 { value / high * 7.0 } else { 0.0 };
        BARS[(level.round() as usize).min(7)]
    };
    history.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_at_zero() {
        let bars = |values: &[f64]| sparkline(&values.iter().copied().collect());
        assert_eq!(bars(&[0.0, 50.0, 100.0]), "▁▅█");
        assert_eq!(bars(&[99.0, 100.0]), "██");
        assert_eq!(bars(&[0.0]), "▁");
        assert_eq!(bars(&[]), "");
    }

    #[test]
    fn an_interval_is_a_time_that_makes_sense() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
