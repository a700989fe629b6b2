//! One case in one invocation: verify, time, verify again.
//!
//! Everything that goes wrong on the way is an [`Outcome`]; nothing here ends the worker but a lost
//! device, which the caller sees from [`Outcome::Failed`].

use std::time::Duration;

use super::cpu::CpuLedger;
use super::energy::Meter;
use super::executor::{Checks, Executable};
use crate::clock::{Lap, Stopwatch, WaitError};
use crate::device::{Gpu, GpuError};
use crate::record::{
    DeviceType, EnergyWindow, FailureKind, Outcome, Reading, Verification, Warning,
};
use crate::sampling::{Readings, Sampler};
use crate::stats;
use crate::units::{Bytes, Seconds};
use crate::workload::{Action, Case, Kernel, Program, Workload};

/// Executions that a case needs at the very least: two verified ones, calibration and a few samples.
const FEWEST_EXECUTIONS: f64 = 8.0;

/// Share of the budget that goes into samples; the rest is for building, references and slack.
const SAMPLING_SHARE: f64 = 0.1;

/// How a case is measured.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Seed of the inputs.
    pub seed: u64,
    /// Most seconds for one case.
    pub budget: Seconds,
    /// Whether shaders run with wgpu's checks.
    pub checks: Checks,
}

impl Settings {
    /// Samples for a share of the budget.
    fn sampler(&self) -> Sampler {
        let limit = self.budget * SAMPLING_SHARE;
        // A budget is finite and above 0; the command line and the journal's reader see to it.
        Sampler::with_time_limit(Duration::try_from_secs_f64(limit.get()).unwrap_or(Duration::MAX))
    }
}

/// An open device with what measuring on it needs.
#[derive(Debug)]
pub struct Bench<'g> {
    /// The device.
    pub gpu: &'g Gpu,
    /// Its clock.
    pub stopwatch: Stopwatch,
    /// What the harness costs.
    pub ledger: CpuLedger,
    /// Its power sensor, or why it has none.
    pub(super) meter: Reading<Meter>,
}

/// Why a case has no measurement.
#[derive(Debug)]
pub(super) enum Stop {
    Skip(String),
    Fail(FailureKind, String),
    Wrong(Verification),
}

impl From<GpuError> for Stop {
    fn from(error: GpuError) -> Self {
        let kind = match &error {
            GpuError::OutOfMemory(_) => FailureKind::OutOfMemory,
            GpuError::Lost(_) => FailureKind::DeviceLost,
            GpuError::Refused(_) => FailureKind::Build,
        };
        Self::Fail(kind, error.to_string())
    }
}

impl From<Stop> for String {
    fn from(stop: Stop) -> Self {
        match Outcome::from(stop) {
            Outcome::Skipped { reason } | Outcome::Failed { reason, .. } => reason,
            Outcome::Measured { .. } => Self::new(),
        }
    }
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Skip(reason) => Self::Skipped { reason },
            Stop::Fail(failure, reason) => Self::Failed {
                failure,
                reason,
                verification: None,
            },
            Stop::Wrong(verification) => Self::Failed {
                failure: FailureKind::Verification,
                reason: verification
                    .worst
                    .clone()
                    .unwrap_or_else(|| "the output lies outside its error bound".to_owned()),
                verification: Some(verification),
            },
        }
    }
}

impl<'g> Bench<'g> {
    /// A bench on an open device.
    pub fn new(gpu: &'g Gpu) -> Self {
        Self {
            gpu,
            stopwatch: Stopwatch::new(&gpu.device, &gpu.queue),
            ledger: CpuLedger::start(),
            meter: Reading::unmeasured("no power sensor was opened"),
        }
    }

    /// Measures a case with a kernel.
    pub fn measure(
        &mut self,
        workload: &dyn Workload,
        case: &Case,
        kernel: &Kernel,
        settings: Settings,
    ) -> Outcome {
        self.attempt(workload, case, kernel, settings)
            .unwrap_or_else(Outcome::from)
    }

    /// Measures a case, or says why not.
    fn attempt(
        &mut self,
        workload: &dyn Workload,
        case: &Case,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<Outcome, Stop> {
        self.refuse_if_too_long(workload, case, kernel, settings)?;
        let mut executable = self.prepare(workload, case, kernel, settings)?;
        executable.poison()?;
        self.execute(&mut executable, 1)?;
        let verified_before = self.verify(workload, case, kernel, &executable)?;

        // From here on only timed executions may write the outputs.
        executable.poison()?;
        let readings = self.sample(&mut executable, settings)?;
        let energy = self.energy(&mut executable, &readings)?;
        let verified_after = self.verify(workload, case, kernel, &executable)?;

        let (sampling, mut warnings) = readings.summarize();
        warnings.extend(energy.measured().and_then(throttled));
        Ok(Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            energy: Box::new(energy),
            warnings,
        })
    }

    /// Measures the energy of a case whose laps are known.
    fn energy(
        &mut self,
        executable: &mut Executable<'g>,
        readings: &Readings,
    ) -> Result<Reading<EnergyWindow>, Stop> {
        let unmeasured = Reading::unmeasured("it is measuring just now");
        match std::mem::replace(&mut self.meter, unmeasured) {
            Reading::Unmeasured(reason) => {
                self.meter = Reading::Unmeasured(reason.clone());
                Ok(Reading::Unmeasured(reason))
            }
            Reading::Measured(mut meter) => {
                let walls: Vec<f64> = readings.laps.iter().map(|lap| lap.wall_ns).collect();
                let once = Seconds::from_ns(stats::median(&walls) / f64::from(readings.batch));
                let window = meter.measure(self, executable, once);
                self.meter = Reading::Measured(meter);
                window
            }
        }
    }

    /// Stops a case whose pilot says that it would outlast the budget.
    fn refuse_if_too_long(
        &mut self,
        workload: &dyn Workload,
        case: &Case,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<(), Stop> {
        let Some(pilot) = workload.pilot(case) else {
            return Ok(());
        };
        let mut executable = self.prepare(workload, &pilot, kernel, settings)?;
        // The first execution may compile; the second is the one to believe.
        self.execute(&mut executable, 1)?;
        let lap = self.execute(&mut executable, 1)?;
        let (small, large) = (workload.counts(&pilot), workload.counts(case));
        let ratio = |large: u64, small: u64| large as f64 / small.max(1) as f64;
        let more = ratio(large.flop, small.flop).max(ratio(large.bytes, small.bytes));
        refuse_over_budget(
            Seconds::from_ns(lap.best_ns()) * more,
            settings,
            "is estimated to take",
        )
    }

    /// Builds the program and brings it onto the device.
    pub(super) fn prepare(
        &mut self,
        workload: &dyn Workload,
        case: &Case,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<Executable<'g>, Stop> {
        let program = workload
            .program(case, kernel, settings.seed)
            .map_err(Stop::Skip)?;
        if let Some(misfit) = program.misfit(&self.gpu.adapter) {
            return Err(Stop::Skip(misfit));
        }
        refuse_if_too_big(&program, self.gpu)?;
        let gpu = self.gpu;
        let total = Bytes(program.total_bytes() as f64);
        self.ledger.foreign(|| {
            let mut executable =
                Executable::allocate(gpu, program).map_err(|error| match error {
                    GpuError::OutOfMemory(reason) => Stop::Skip(format!(
                        "the device has no room for {total} of buffers ({reason})"
                    )),
                    other => other.into(),
                })?;
            executable.compile(settings.checks)?;
            Ok(executable)
        })
    }

    /// Runs a batch and times it.
    pub(super) fn execute(
        &mut self,
        executable: &mut Executable<'_>,
        executions: u32,
    ) -> Result<Lap, Stop> {
        let stopwatch = &mut self.stopwatch;
        let lap = self.ledger.foreign(|| match executable.program().action {
            Action::Dispatches(_) => stopwatch.time(|pass| executable.encode(pass, executions)),
            _ => {
                let mut result = Ok(());
                let lap = stopwatch.time_on_host(|| {
                    result = (0..executions).try_for_each(|_| executable.act_on_host());
                });
                result.map_err(|e| WaitError(e.to_string())).and(lap)
            }
        });
        self.gpu.check()?;
        lap.map_err(|e| Stop::Fail(FailureKind::DeviceLost, e.to_string()))
    }

    /// Compares the outputs with the reference.
    fn verify(
        &mut self,
        workload: &dyn Workload,
        case: &Case,
        kernel: &Kernel,
        executable: &Executable<'_>,
    ) -> Result<Verification, Stop> {
        let verification = self.ledger.foreign(|| -> Result<_, GpuError> {
            let outputs = executable.outputs()?;
            Ok(workload.verify(case, kernel, executable.program(), &outputs))
        })?;
        if verification.passed {
            Ok(verification)
        } else {
            Err(Stop::Wrong(verification))
        }
    }

    /// Times batches until they say enough.
    fn sample(
        &mut self,
        executable: &mut Executable<'_>,
        settings: Settings,
    ) -> Result<Readings, Stop> {
        let sampler = settings.sampler();
        let batch = if matches!(executable.program().action, Action::Dispatches(_)) {
            let mut first = true;
            sampler.batch_size(|executions| {
                let lap = self.execute(executable, executions)?;
                if std::mem::take(&mut first) {
                    refuse_over_budget(Seconds::from_ns(lap.best_ns()), settings, "takes")?;
                }
                Ok::<_, Stop>(lap)
            })?
        } else {
            let lap = self.execute(executable, 1)?;
            refuse_over_budget(Seconds::from_ns(lap.best_ns()), settings, "takes")?;
            // The host sees every single one of them well enough.
            1
        };
        sampler.sample_batches(batch, |executions| self.execute(executable, executions))
    }
}

/// A warning where the device was throttled during the energy window.
fn throttled(window: &EnergyWindow) -> Option<Warning> {
    (!window.throttled_by.is_empty()).then(|| Warning::Throttled {
        reason: window.throttled_by.join(", "),
    })
}

/// Stops a case of which the fewest executions would outlast the budget.
fn refuse_over_budget(once: Seconds, settings: Settings, what: &str) -> Result<(), Stop> {
    let needed = once * FEWEST_EXECUTIONS;
    if needed.get() <= settings.budget.get() {
        return Ok(());
    }
    Err(Stop::Skip(format!(
        "one execution {what} {once}, so {FEWEST_EXECUTIONS} would go past the budget of {}; \
         raise it with --budget {:.0}",
        settings.budget,
        needed.get().ceil()
    )))
}

/// Stops a case that would push the host into swapping: a software or integrated adapter's memory is
/// the host's, and its driver promises more of it than there is.
fn refuse_if_too_big(program: &Program, gpu: &Gpu) -> Result<(), Stop> {
    if gpu.adapter.device_type == DeviceType::DiscreteGpu {
        return Ok(());
    }
    let Ok(mut system) = sysinfo::System::new() else {
        return Ok(());
    };
    system.refresh_memory();
    let free = system.available_memory();
    // The device's copy, and as much again for the staging of inputs and outputs.
    let needed = program.total_bytes().saturating_mul(2);
    if free == 0 || needed <= free {
        return Ok(());
    }
    Err(Stop::Skip(format!(
        "needs {} of the host's memory with staging, and {} are free",
        Bytes(needed as f64),
        Bytes(free as f64)
    )))
}
