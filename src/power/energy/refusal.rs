//! Why a measurement has no energy. Types, so that nothing but the words depends on their wording; and what can be done
//! about it, which depends on who measures: a run has options that a command's window and a log have not.

use std::fmt;

use crate::power::Fault;
use crate::units::{Seconds, percent};

/// New values of a sensor that a window must hold.
pub(super) const FEWEST_UPDATES: u64 = 8;

/// Why a measurement has no energy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoEnergy {
    /// There was no steady load.
    #[error("no steady load was measured")]
    NoLoad,
    /// The sensor was lost or started anew during the window.
    #[error("{0}, so the window has no joules")]
    Fault(Fault),
    /// Readings begin too late or end too early.
    #[error("the sensor's readings do not cover the whole window{}", because(.0.as_ref()))]
    NotCovered(Option<Fault>),
    /// Readings cover too little of the idle before or after the load.
    #[error("the sensor's readings do not cover the idle")]
    IdleNotCovered,
    /// No reading at all.
    #[error("the sensor gave no reading during the window")]
    NoReading,
    /// The load came and went, and the reading stayed the same for so long.
    #[error(
        "the sensor is frozen: its reading stayed the same from the beginning of the window until the \
         device was idle again, {:.1} s",
        .0.get()
    )]
    Frozen(Seconds),
    /// The reading stayed the same from somewhere in the load until long after it, and is not that of the rest before.
    #[error(
        "the sensor froze: its reading stayed the same for the last {:.1} s, through the end of the load, and is not what \
         it was before the load",
        .0.get()
    )]
    FrozenInLoad(Seconds),
    /// New values ceased to come in the middle of the window.
    #[error(
        "the sensor stopped: no new value came in the last {} of a window of {window}, where one is due every {period}",
        .silent
    )]
    Stopped {
        /// Time without a new value.
        silent: Seconds,
        /// Length of the window.
        window: Seconds,
        /// Time between two new values.
        period: Seconds,
    },
    /// Too few new values, of a sensor whose update period is unknown.
    #[error(
        "the sensor changed only {updates} times in a window of {window}, and {FEWEST_UPDATES} are \
         needed; its update period could not be determined"
    )]
    FewChanges {
        /// New values inside the window.
        updates: u64,
        /// Its length.
        window: Seconds,
    },
    /// Too few new values.
    #[error(
        "the sensor gives a new value every {period}, so a window of {window} holds only {updates}, of \
         which {FEWEST_UPDATES} are needed; a window of {wanted} would do"
    )]
    FewUpdates {
        /// Time between two new values.
        period: Seconds,
        /// Length of the window.
        window: Seconds,
        /// New values inside it.
        updates: u64,
        /// Length that would hold enough.
        wanted: Seconds,
        /// Whether the longer tier may measure for that long.
        longer_tier: bool,
    },
    /// The sensor was silent for too much of the window.
    #[error(
        "the sensor was silent for {} of the window{}",
        percent(*.share), because(.fault.as_ref())
    )]
    Silent {
        /// Share of the window.
        share: f64,
        /// What it last said instead of a reading.
        fault: Option<Fault>,
    },
    /// Too many of the sensor's readings are such as no device can have.
    #[error(
        "{} of the sensor's readings are doubted ({example})",
        percent(*.share)
    )]
    Doubted {
        /// Share of the readings.
        share: f64,
        /// The last of them, in words.
        example: String,
    },
    /// The readings overflow.
    #[error(
        "the readings never exceed 65.5 W and jump across that range, as 16 bits of milliwatts do when they \
         overflow, and the device may draw {limit_w:.0} W"
    )]
    Overflows {
        /// The power limit.
        limit_w: f64,
    },
    /// The measurement took far longer than was known beforehand.
    #[error(
        "the energy of this case took more than the {allowed} that are allowed, since an execution took longer \
         than the {once} it was timed at"
    )]
    OverBudget {
        /// Time that it may take.
        allowed: Seconds,
        /// Time of one execution, as it was timed.
        once: Seconds,
    },
    /// The load did not move a sensor that looks only now and then.
    #[error(
        "the sensor looks at {} of the time and the load did not move its reading, so power that changes in \
         step with it cannot be excluded; choose a sensor that sees all of the time",
        percent(*.coverage)
    )]
    Unmoved {
        /// Share of the time that it sees.
        coverage: f64,
    },
    /// The procedure would take too long with this sensor, which is known before it begins.
    #[error(
        "with a sensor that has a new value every {period} the energy of this case takes about {needed}, and \
         {allowed} are allowed"
    )]
    TooSlow {
        /// Time between two new values of the sensor.
        period: Seconds,
        /// Time that the procedure would take.
        needed: Seconds,
        /// Time that it may take.
        allowed: Seconds,
        /// Whether the longer tier allows enough.
        longer_tier: bool,
    },
    /// The load was cut into pieces too short for a log.
    #[error(
        "the load was cut into {pieces} pieces of {shortest} and more with rests between them, and the log's rows may \
         take {follows} to follow"
    )]
    Broken {
        /// How many.
        pieces: usize,
        /// Length of the shortest.
        shortest: Seconds,
        /// Time that the rows may take to follow the load.
        follows: Seconds,
    },
    /// The record does not say when the window was, so a log cannot be aligned with it.
    #[error("the record does not say when the window was: {0}")]
    UnknownTime(String),
}

/// The end of a sentence that names a fault, where there is one.
fn because(fault: Option<&Fault>) -> impl fmt::Display {
    fault.map_or_else(String::new, |fault| format!(": {fault}"))
}

/// What is measured, which decides what can be done where there is no energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnergyTask {
    /// A case of a run, under a load of perwatt's own.
    Case,
    /// A window of some command.
    Command,
    /// A meter's log, after the run.
    Log,
}

/// A refusal with what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnergyRefusal {
    /// Why there is no energy.
    pub why: NoEnergy,
    /// What was measured.
    pub task: EnergyTask,
}

impl NoEnergy {
    /// For the user who measures this.
    pub fn of(self, task: EnergyTask) -> EnergyRefusal {
        EnergyRefusal { why: self, task }
    }
}

impl fmt::Display for EnergyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)?;
        match self.next_step() {
            Some(step) => write!(f, "; {step}"),
            None => Ok(()),
        }
    }
}

impl EnergyRefusal {
    fn next_step(&self) -> Option<&'static str> {
        match self.task {
            EnergyTask::Case => self.of_a_case(),
            EnergyTask::Command => self.of_a_command(),
            EnergyTask::Log => self.of_a_log(),
        }
    }

    fn of_a_case(&self) -> Option<&'static str> {
        match &self.why {
            NoEnergy::FewChanges { .. }
            | NoEnergy::FewUpdates {
                longer_tier: true, ..
            } => Some("try --energy publishable"),
            NoEnergy::OverBudget { .. } => Some("use --energy publishable, or a smaller case"),
            NoEnergy::TooSlow {
                longer_tier: true, ..
            } => Some("--energy publishable allows more"),
            NoEnergy::TooSlow { .. } | NoEnergy::FewUpdates { .. } => Some("use a faster sensor"),
            other => of_a_sensor(other),
        }
    }

    fn of_a_command(&self) -> Option<&'static str> {
        match &self.why {
            NoEnergy::FewChanges { .. } | NoEnergy::FewUpdates { .. } => {
                Some("measure more of it at once, or use a faster sensor")
            }
            NoEnergy::IdleNotCovered => Some("measure more idle with --idle SECONDS"),
            other => of_a_sensor(other),
        }
    }

    fn of_a_log(&self) -> Option<&'static str> {
        match &self.why {
            NoEnergy::Frozen(_)
            | NoEnergy::FrozenInLoad(_)
            | NoEnergy::Doubted { .. }
            | NoEnergy::Overflows { .. } => Some(
                "see that --column names the power that is drawn, and that the meter was on this machine",
            ),
            NoEnergy::NotCovered(_)
            | NoEnergy::IdleNotCovered
            | NoEnergy::NoReading
            | NoEnergy::Stopped { .. } => Some(
                "the log must begin before the run and end after it; --ahead says how far the meter's clock is ahead, \
                 --zone in which zone it is",
            ),
            NoEnergy::FewUpdates {
                longer_tier: true, ..
            } => Some("let the meter log more often, or run with --energy publishable"),
            NoEnergy::FewChanges { .. } | NoEnergy::FewUpdates { .. } => {
                Some("let the meter log more often")
            }
            NoEnergy::Silent { .. } => {
                Some("rows are missing there; let the meter log without a break")
            }
            NoEnergy::Broken { .. } => Some(
                "run it again with a sensor that needs no pieces, which --power simulated:ada-instant is, and attach \
                 the log to that record",
            ),
            NoEnergy::UnknownTime(_) => {
                Some("run it again with this perwatt, which keeps the time")
            }
            _ => None,
        }
    }
}

/// What can be done about a sensor that is read live.
fn of_a_sensor(why: &NoEnergy) -> Option<&'static str> {
    match why {
        NoEnergy::Frozen(_) | NoEnergy::FrozenInLoad(_) | NoEnergy::Stopped { .. } => {
            Some("reload its driver, or choose another sensor with --power")
        }
        NoEnergy::Doubted { .. } | NoEnergy::Overflows { .. } => {
            Some("update its driver, or choose another sensor with --power")
        }
        NoEnergy::Silent { .. } => Some("see `perwatt power watch`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_no_option_that_the_command_does_not_have() {
        let seconds = Seconds(1.0);
        let all = [
            NoEnergy::NoLoad,
            NoEnergy::NotCovered(None),
            NoEnergy::IdleNotCovered,
            NoEnergy::NoReading,
            NoEnergy::Frozen(seconds),
            NoEnergy::Stopped {
                silent: seconds,
                window: seconds,
                period: seconds,
            },
            NoEnergy::FewChanges {
                updates: 1,
                window: seconds,
            },
            NoEnergy::FewUpdates {
                period: seconds,
                window: seconds,
                updates: 1,
                wanted: seconds,
                longer_tier: true,
            },
            NoEnergy::Silent {
                share: 0.5,
                fault: None,
            },
            NoEnergy::Doubted {
                share: 0.5,
                example: "x".to_owned(),
            },
            NoEnergy::Overflows { limit_w: 300.0 },
            NoEnergy::Unmoved { coverage: 0.25 },
            NoEnergy::UnknownTime("x".to_owned()),
        ];
        for why in all {
            let command = why.clone().of(EnergyTask::Command).to_string();
            assert!(!command.contains("--energy"), "{command}");
            let log = why.of(EnergyTask::Log).to_string();
            for word in ["driver", "--power", "power watch"] {
                assert!(!log.contains(word), "{log}");
            }
        }
    }
}
