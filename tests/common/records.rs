//! Synthetic records: what a device would have written, with the truth known.

#![allow(
    dead_code,
    reason = "each test program that includes this uses a part of it"
)]

use std::collections::BTreeMap;

use perwatt::record::{
    Adapter, Boundary, CaseInvocation, CaseResult, ClockMethod, ClockSetup, Counts, DeviceStates,
    DeviceType, DocumentKind, EnergyProvenance, EnergyTier, EnergyWindow, ErrorCause, ErrorTerm,
    Event, Host, Limits, Origin, Outcome, PlanSummary, PowerSetup, Provenance, Reading, Record,
    SCHEMA_VERSION, Sampling, SessionJournal, Status, StopReason, Trace, Verification,
};
use perwatt::stats::Interval;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A record of a session that measured nothing yet.
pub(crate) fn record(session: &str) -> Record {
    Record {
        kind: Some(DocumentKind::Record.mark().to_owned()),
        schema_version: SCHEMA_VERSION.to_owned(),
        session: session.to_owned(),
        started_utc: "2026-01-02T03:04:05Z".to_owned(),
        provenance: Provenance {
            origin: Origin::Measured,
            argv: vec!["perwatt".to_owned(), "run".to_owned()],
            perwatt_version: "0.1.0".to_owned(),
            git_revision: Reading::unmeasured("synthetic"),
            git_dirty: Reading::unmeasured("synthetic"),
            wgpu_version: Reading::unmeasured("synthetic"),
            checked_shaders: false,
        },
        host: Host {
            os: "Linux".to_owned(),
            kernel: Reading::unmeasured("synthetic"),
            cpu: Reading::Measured("A CPU".to_owned()),
            cpu_threads: Reading::Measured(2),
            memory_bytes: Reading::unmeasured("synthetic"),
            described: None,
        },
        placement: None,
        adapter: Adapter {
            index: 0,
            group: 0,
            name: "Card 9000".to_owned(),
            backend: "vulkan".to_owned(),
            device_type: DeviceType::DiscreteGpu,
            vendor_id: 1,
            device_id: 2,
            pci_id: Reading::unmeasured("synthetic"),
            driver: "drv".to_owned(),
            driver_info: "1.2.3".to_owned(),
            subgroup_sizes: Reading::Measured((32, 32)),
            features: vec![],
            coop_matrix: vec![],
            limits: Limits::default(),
            subgroup_width: None,
            robust_buffer_access: None,
            refused: Vec::new(),
        },
        clock: Reading::Measured(ClockSetup {
            method: ClockMethod::TimestampQuery,
            tick_ns: Reading::Measured(1.0),
            precision_ns: 10.0,
            overhead_ns: Reading::Measured(0.0),
            dispatch_gap_ns: None,
        }),
        power: Reading::unmeasured("no sensor"),
        plan: PlanSummary {
            budget_s: 1.0,
            seed: 1,
            ..PlanSummary::of_another_program(0, vec![])
        },
        invocations: vec![],
        cases: vec![],
        roofline: vec![],
        warnings: vec![],
    }
}

/// A record whose cases have one sample an invocation, given in nanoseconds.
pub(crate) fn record_of(session: &str, cases: &[(&str, &[f64])]) -> Record {
    let mut record = record(session);
    for (name, medians) in cases {
        let samples: Vec<Vec<f64>> = medians.iter().map(|median| vec![*median]).collect();
        record.cases.push(case(name, &samples));
    }
    record
}

/// A case of the kernel `tiled` with samples for each invocation.
pub(crate) fn case(name: &str, samples: &[Vec<f64>]) -> CaseResult {
    CaseResult {
        case: name.to_owned(),
        kernel: "tiled".to_owned(),
        parameters: BTreeMap::from([("tile".to_owned(), 16)]),
        parameters_from: "default".to_owned(),
        custom: None,
        counts: Counts {
            flop: 2_000_000,
            bytes: 3_000,
            tokens: None,
        },
        resources: None,
        measure: None,
        setup: None,
        instead_of: None,
        status: Status::Measured,
        invocations: samples
            .iter()
            .zip(0..)
            .map(|(samples, number)| invocation(number, samples.clone()))
            .collect(),
        summary: Reading::unmeasured("synthetic"),
        warnings: vec![],
    }
}

/// An invocation that measured these samples.
pub(crate) fn invocation(number: u32, samples_ns: Vec<f64>) -> CaseInvocation {
    let median_ns = perwatt::stats::median(&samples_ns).unwrap_or_default();
    CaseInvocation {
        invocation: number,
        outcome: Outcome::Measured {
            verified_before: verification(),
            verified_after: verification(),
            sampling: Sampling {
                clock: ClockMethod::TimestampQuery,
                batch: 1000,
                wall_samples_ns: samples_ns.clone(),
                footprint: None,
                device: Reading::default(),
                samples_ns,
                discarded: 0,
                steady: true,
                median_ns,
                half_width_ns: Reading::unmeasured("synthetic"),
                effective_samples: 100.0,
                outliers: 0,
                stopped_by: StopReason::Precision,
            },
            energy: Box::new(Reading::unmeasured("no sensor")),
            warnings: vec![],
        },
    }
}

/// A check that passed.
pub(crate) fn verification() -> Verification {
    Verification {
        passed: true,
        elements: 64,
        checked: 64,
        max_abs_error: Reading::Measured(0.0),
        worst_error_over_bound: Reading::Measured(0.1),
        normalized_mean_square_error: Reading::Measured(0.0),
        worst: None,
    }
}

/// Gives every invocation of a case an energy in joules, and the record a sensor.
pub(crate) fn with_energy(record: &mut Record, joules: &[f64]) {
    record.power = Reading::Measured(power_setup());
    for case in &mut record.cases {
        for (result, joules) in case.invocations.iter_mut().zip(joules) {
            if let Outcome::Measured {
                energy, sampling, ..
            } = &mut result.outcome
            {
                **energy = Reading::Measured(window(*joules));
                sampling.device = Reading::Measured(device_states());
            }
        }
    }
}

fn power_setup() -> PowerSetup {
    PowerSetup::new(
        "nvml:0000:01:00.0:energy",
        "nvml-energy",
        EnergyProvenance::Counter,
        Boundary::Board,
    )
}

/// A card that becomes hot while its samples are taken; one look could not read its clock.
fn device_states() -> DeviceStates {
    let reasons = |list: &[&str]| Some(list.iter().map(|&reason| reason.to_owned()).collect());
    DeviceStates {
        duration_s: 1.0,
        at_s: vec![-0.1, 0.4, 0.9],
        core_clock_mhz: Reading::Measured(vec![Some(2520.0), None, Some(1800.0)]),
        memory_clock_mhz: Reading::unmeasured("synthetic"),
        temperature_c: Reading::Measured(vec![Some(50.0), Some(70.0), Some(84.0)]),
        power_w: Reading::Measured(vec![None, Some(300.0), Some(250.0)]),
        throttled_by: Reading::Measured(vec![
            reasons(&[]),
            reasons(&[]),
            reasons(&["thermal slow-down"]),
        ]),
    }
}

/// A window in which one execution cost this energy.
fn window(joules: f64) -> EnergyWindow {
    let gross_j = 100.0 * joules;
    EnergyWindow {
        tier: EnergyTier::Screening,
        executions: 100,
        duration_s: 10.0,
        gross_j,
        gross_uncertainty_j: joules,
        gross_interval_j: Interval::around(gross_j, 1.96 * joules),
        net_j: Reading::unmeasured("synthetic"),
        net_uncertainty_j: Reading::unmeasured("synthetic"),
        net_interval_j: Reading::unmeasured("synthetic"),
        idle_before_w: Reading::unmeasured("synthetic"),
        idle_after_w: Reading::unmeasured("synthetic"),
        budget: vec![ErrorTerm {
            cause: ErrorCause::Gain,
            uncertainty_j: joules,
        }],
        coverage: 1.0,
        updates: 100,
        longest_gap_s: 0.1,
        groups: 1,
        warm_up_s: 1.0,
        conditions: Vec::new(),
        throttled_by: Vec::new(),
        doubted: None,
        trace: Trace::default(),
    }
}

/// How a device misbehaves; shares of the time, standard deviations where not said otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    /// Of the samples inside an invocation, which follow a first-order autoregression.
    pub(crate) within: f64,
    /// Its coefficient.
    pub(crate) autocorrelation: f64,
    /// Between invocations.
    pub(crate) invocation: f64,
    /// Between sessions.
    pub(crate) session: f64,
    /// Drift from one end of a session to the other: −ramp to +ramp.
    pub(crate) ramp: f64,
    /// Probability that an invocation runs in a slow mode, …
    pub(crate) slow_share: f64,
    /// … and by how much it is slower.
    pub(crate) slow: f64,
    /// Step of the clock, as a share of a sample.
    pub(crate) step: f64,
}

pub(crate) const QUIET: Profile = Profile {
    name: "quiet",
    within: 0.002,
    autocorrelation: 0.5,
    invocation: 0.001,
    session: 0.001,
    ramp: 0.002,
    slow_share: 0.0,
    slow: 0.0,
    step: 0.0,
};

pub(crate) const TYPICAL: Profile = Profile {
    name: "typical",
    within: 0.005,
    autocorrelation: 0.9,
    invocation: 0.003,
    session: 0.004,
    ramp: 0.015,
    slow_share: 0.0,
    slow: 0.0,
    step: 0.0,
};

pub(crate) const NOISY: Profile = Profile {
    name: "noisy",
    within: 0.01,
    autocorrelation: 0.97,
    invocation: 0.008,
    session: 0.01,
    ramp: 0.03,
    slow_share: 0.0,
    slow: 0.0,
    step: 0.0,
};

/// As typical, but one invocation in twenty runs 4 % slower.
pub(crate) const SLOW_MODE: Profile = Profile {
    name: "slow mode",
    slow_share: 0.05,
    slow: 0.04,
    ..TYPICAL
};

/// As typical, with a clock that steps by half a per cent.
pub(crate) const QUANTISED: Profile = Profile {
    name: "quantised",
    step: 0.005,
    ..TYPICAL
};

/// A source of noise with a seed.
pub(crate) struct Noise {
    random: Pcg64Mcg,
    spare: Option<f64>,
    profile: Profile,
    samples: usize,
}

impl Noise {
    pub(crate) fn new(profile: Profile, samples: usize, seed: u64) -> Self {
        Self {
            random: Pcg64Mcg::seed_from_u64(seed),
            spare: None,
            profile,
            samples,
        }
    }

    /// Standard normal, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.random.random::<f64>()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.random.random::<f64>()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.random.random::<bool>()
    }

    /// What a session's conditions do to one case.
    pub(crate) fn session(&mut self) -> f64 {
        self.profile.session * self.normal()
    }

    /// The drift at a point of the session, 0 to 1.
    pub(crate) fn ramp(&self, point: f64) -> f64 {
        self.profile.ramp * (2.0 * point - 1.0)
    }

    /// The samples of an invocation whose conditions shift the logarithm of its time by `shift`.
    pub(crate) fn invocation(&mut self, shift: f64) -> Vec<f64> {
        const BASE_NS: f64 = 1e6;
        let profile = self.profile;
        let slow = if self.random.random::<f64>() < profile.slow_share {
            profile.slow
        } else {
            0.0
        };
        let level = shift + slow + profile.invocation * self.normal();
        let innovation = (1.0 - profile.autocorrelation.powi(2)).sqrt();
        let mut state = self.normal();
        (0..self.samples)
            .map(|_| {
                state = profile.autocorrelation * state + innovation * self.normal();
                let time = BASE_NS * (level + profile.within * state).exp();
                if profile.step > 0.0 {
                    let step = BASE_NS * profile.step;
                    (time / step).round() * step
                } else {
                    time
                }
            })
            .collect()
    }

    /// Two records of `pairs` alternating invocations, in random order within each pair; the
    /// candidate's cases are slower by these log ratios.
    pub(crate) fn alternation(&mut self, pairs: u32, effects: &[f64]) -> (Record, Record) {
        let (mut baseline, mut candidate) = (record("baseline"), record("candidate"));
        let names: Vec<String> = (0..effects.len())
            .map(|n| format!("matmul/f32/{n}"))
            .collect();
        for name in &names {
            baseline.cases.push(case(name, &[]));
            candidate.cases.push(case(name, &[]));
        }
        let sessions: Vec<f64> = effects.iter().map(|_| self.session()).collect();
        let turns = f64::from(2 * pairs);
        for pair in 0..pairs {
            let swapped = self.coin();
            for turn in [0, 1] {
                let ramp = self.ramp(f64::from(2 * pair + turn) / (turns - 1.0).max(1.0));
                let is_candidate = (turn == 1) != swapped;
                for (index, effect) in effects.iter().enumerate() {
                    let own = if is_candidate { *effect } else { 0.0 };
                    let samples = self.invocation(sessions[index] + ramp + own);
                    let side = if is_candidate {
                        &mut candidate
                    } else {
                        &mut baseline
                    };
                    side.cases[index]
                        .invocations
                        .push(invocation(pair, samples));
                }
            }
        }
        if self.profile.step > 0.0 {
            for side in [&mut baseline, &mut candidate] {
                coarse_clock(side, 1e6 * self.profile.step);
            }
        }
        (baseline, candidate)
    }

    /// A stored record of one session.
    pub(crate) fn stored(&mut self, name: &str, invocations: u32, effects: &[f64]) -> Record {
        let mut stored = record(name);
        for (number, effect) in effects.iter().enumerate() {
            let session = self.session();
            let samples: Vec<Vec<f64>> = (0..invocations)
                .map(|n| {
                    let ramp = self.ramp(f64::from(n) / f64::from(invocations.max(2) - 1));
                    self.invocation(session + ramp + effect)
                })
                .collect();
            stored
                .cases
                .push(case(&format!("matmul/f32/{number}"), &samples));
        }
        stored
    }
}

/// Makes a record say that its clock steps by `step_ns` for a batch of one.
fn coarse_clock(record: &mut Record, step_ns: f64) {
    if let Reading::Measured(clock) = &mut record.clock {
        clock.precision_ns = step_ns;
    }
    for case in &mut record.cases {
        for result in &mut case.invocations {
            if let Outcome::Measured { sampling, .. } = &mut result.outcome {
                sampling.batch = 1;
            }
        }
    }
}

/// The journal of a session that measured these cases: what was planned, then each result.
pub(crate) fn journal_of(measured: &Record) -> SessionJournal {
    let mut planned = measured.clone();
    let mut results = Vec::new();
    for (index, case) in planned.cases.iter_mut().enumerate() {
        for result in std::mem::take(&mut case.invocations) {
            results.push(Event::Case {
                case: index,
                result: Box::new(result),
                from_outside: false,
            });
        }
    }
    let mut journal = SessionJournal::planned(planned, None);
    journal.events = results;
    journal
}
