//! `perwatt keep-power-limit`: the process that sets a device's power limit and puts it back when its parent is gone,
//! however that ended. Not for people.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::args::power::places_from_environment;
use super::exit::Exit;
use crate::power::Selection;
use crate::power::sensors::{Machine, PowerLimit};
use crate::process::ProgramImage;
use crate::record::Adapter;
use crate::units::Watts;

/// How often it is tried to put a limit back, …
const TRIES: u32 = 5;

/// … and how long after.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Set a power limit for perwatt, and put it back (used by `perwatt tune --power-limit`).
#[derive(Debug, Args)]
pub(super) struct KeepPowerLimit {}

/// Whose limit is meant; the first line that the keeper reads. Each line after it is a number of watts.
#[derive(Debug, Serialize, Deserialize)]
struct LimitedDevice {
    adapter: Adapter,
    /// The name of the sensor, where one is named.
    sensor: Option<String>,
}

/// The answer to each line, and to the end of all lines.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeeperAnswer {
    InForce(LimitState),
    Refused(String),
}

/// A device's power limit, in watts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LimitState {
    /// The device, in words.
    pub(super) device: String,
    pub(super) now_w: f64,
    pub(super) least_w: Option<f64>,
    pub(super) most_w: Option<f64>,
    pub(super) default_w: Option<f64>,
}

impl LimitState {
    fn of(limit: &PowerLimit, now: Watts) -> Self {
        Self {
            device: limit.device.clone(),
            now_w: now.get(),
            least_w: limit.range.least.map(Watts::get),
            most_w: limit.range.most.map(Watts::get),
            default_w: limit.range.default.map(Watts::get),
        }
    }
}

impl KeepPowerLimit {
    pub(super) fn run() -> anyhow::Result<Exit> {
        let mut lines = io::stdin().lock().lines();
        let Some(first) = lines.next() else {
            bail!("`perwatt keep-power-limit` is started by perwatt itself");
        };
        let device: LimitedDevice = serde_json::from_str(&first?)?;
        let sensor = device.sensor.as_deref();
        let found = Machine::power_limit(sensor, &device.adapter, &places_from_environment());
        let opened = found.and_then(|limit| {
            let before = limit.now().map_err(|fault| fault.to_string())?;
            Ok((limit, before))
        });
        let (limit, before) = match opened {
            Ok(opened) => opened,
            Err(reason) => {
                answer(&KeeperAnswer::Refused(reason));
                return Ok(Exit::Done);
            }
        };
        answer(&KeeperAnswer::InForce(LimitState::of(&limit, before)));
        let mut touched = false;
        for line in lines.map_while(Result::ok) {
            let Ok(watts) = line.trim().parse::<f64>() else {
                break;
            };
            touched = true;
            answer(&match limit.set(Watts(watts)) {
                Ok(now) => KeeperAnswer::InForce(LimitState::of(&limit, now)),
                Err(fault) => KeeperAnswer::Refused(fault.to_string()),
            });
        }
        if touched {
            answer(&put_back(&limit));
        }
        Ok(Exit::Done)
    }
}

/// Puts the limit back that was in force before.
fn put_back(limit: &PowerLimit) -> KeeperAnswer {
    let mut last = String::new();
    for _ in 0..TRIES {
        match limit.put_back() {
            Ok(now) => return KeeperAnswer::InForce(LimitState::of(limit, now)),
            Err(fault) => last = fault.to_string(),
        }
        std::thread::sleep(TRY_AGAIN);
    }
    KeeperAnswer::Refused(last)
}

/// Answers the parent, which may be gone.
#[expect(
    clippy::disallowed_methods,
    reason = "the parent reads it, and never a terminal"
)]
fn answer(answer: &KeeperAnswer) {
    if let Ok(mut line) = serde_json::to_vec(answer) {
        line.push(b'\n');
        let mut out = io::stdout().lock();
        let _ = out.write_all(&line).and_then(|()| out.flush());
    }
}

/// A keeper as its parent sees it. Dropping it puts the limit back.
pub(super) struct PowerLimitKeeper {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// How the limit stood at first.
    pub(super) before: LimitState,
}

impl PowerLimitKeeper {
    /// Starts a keeper for the device whose consumption `power` measures.
    ///
    /// # Errors
    /// The limit cannot be read, or no driver lets it be set; in words.
    pub(super) fn start(
        program: &ProgramImage,
        adapter: &Adapter,
        power: &Selection,
    ) -> anyhow::Result<Self> {
        if power.is_simulated() {
            bail!("a simulated sensor belongs to no device, so there is no power limit to set");
        }
        let mut command = program.command();
        command
            .arg("keep-power-limit")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // No child of a group: what ends perwatt must not end it.
        let mut child = command.spawn().context("perwatt cannot be started again")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut to, from) = pipes.context("the keeper of the power limit has no pipes")?;
        let device = LimitedDevice {
            adapter: adapter.clone(),
            sensor: match power {
                Selection::Named(name) => Some(name.clone()),
                Selection::Auto | Selection::None => None,
            },
        };
        writeln!(to, "{}", serde_json::to_string(&device)?)?;
        let mut from = BufReader::new(from);
        let before = heard(&mut from)?;
        Ok(Self {
            child,
            to: Some(to),
            from,
            before,
        })
    }

    /// Sets the limit, in watts.
    ///
    /// # Errors
    /// It cannot be set, or the driver keeps to another one; in words.
    pub(super) fn set(&mut self, watts: f64) -> anyhow::Result<()> {
        if let Some(to) = &mut self.to {
            writeln!(to, "{watts}")?;
        }
        heard(&mut self.from).map(drop)
    }

    /// Puts the limit back that was in force before; what is in force then, in watts.
    ///
    /// # Errors
    /// It cannot be put back; in words, with what to do.
    pub(super) fn give_back(mut self) -> anyhow::Result<f64> {
        drop(self.to.take());
        let before = self.before.now_w;
        heard(&mut self.from).map(|state| state.now_w).with_context(|| {
            format!("the power limit could not be put back to {before} W; set it yourself, or restart the machine")
        })
    }
}

impl Drop for PowerLimitKeeper {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

/// The keeper's next answer.
fn heard(from: &mut impl BufRead) -> anyhow::Result<LimitState> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    match serde_json::from_str(&line) {
        Ok(KeeperAnswer::InForce(state)) => Ok(state),
        Ok(KeeperAnswer::Refused(reason)) => Err(anyhow!(reason)),
        Err(_) => bail!("the keeper of the power limit is gone"),
    }
}
