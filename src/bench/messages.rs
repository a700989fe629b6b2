//! What supervisor and worker say to each other: one JSON object a line.
//!
//! The supervisor sends one [`Job`] over the worker's channel and keeps it open; when it closes, the
//! supervisor is gone and the worker ends itself. The worker answers with [`Message`]s, in the order that
//! `dialogue` allows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::process::BuildIdentity;
use crate::record::{Adapter, ClockSetup, EnergyTier, Outcome, PowerSetup, Reading, StatedSensor};
use crate::workload::CaseKernel;

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The adapter, as the supervisor saw it.
    pub adapter: Adapter,
    /// How many adapters that look the same come before it.
    pub twin: usize,
    /// Number of the invocation.
    pub invocation: u32,
    /// Seed of the inputs.
    pub seed: u64,
    /// Most seconds for one case.
    pub budget_s: f64,
    /// Whether shaders run with wgpu's checks.
    pub checked: bool,
    /// How to measure energy; none spends no time on it.
    #[serde(default)]
    pub power: Option<PowerJob>,
    /// The temperature in °C at or below which a case is to begin.
    #[serde(default)]
    pub cool_to_c: Option<f64>,
    /// The cases in the order in which to measure them, with their positions in the record.
    pub cases: Vec<(usize, CaseKernel)>,
}

/// How a worker is to measure energy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerJob {
    /// What `--power` says.
    pub selection: String,
    /// How much time to give it.
    pub tier: EnergyTier,
    /// What the session's first worker came to, so that all invocations use one sensor.
    pub known: Option<Reading<Box<PowerSetup>>>,
    /// What the user says of the sensor.
    #[serde(default)]
    pub stated: Option<StatedSensor>,
    /// The cases to measure it of, by their positions in the record; all where none are named.
    #[serde(default)]
    pub cases: Option<BTreeSet<usize>>,
}

/// What a worker reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum Message {
    /// The worker is there.
    Hello {
        /// Which program it is.
        build: BuildIdentity,
    },
    /// The device is open.
    Ready {
        /// The adapter with the features that were asked of it.
        adapter: Box<Adapter>,
        /// Its clock.
        clock: ClockSetup,
        /// Its power sensor, or why there is none.
        power: Box<Reading<PowerSetup>>,
    },
    /// The worker waits for the device to cool before the next case.
    Cooling {
        /// Its temperature in °C.
        celsius: f64,
        /// For how long so far, in seconds.
        waited_s: f64,
    },
    /// A case begins.
    Begin {
        /// Position in the record.
        index: usize,
    },
    /// A case is over.
    End {
        /// Position in the record.
        index: usize,
        /// What happened.
        outcome: Box<Outcome>,
    },
    /// All cases are over.
    Bye {
        /// CPU time of the worker's main thread outside driver and references, in seconds.
        own_cpu_s: Reading<f64>,
    },
    /// The worker cannot go on, and a new one could not either.
    GiveUp {
        /// Why.
        reason: String,
    },
}
