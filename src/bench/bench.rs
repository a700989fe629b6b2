//! An open device with its clock: programs are prepared and executed here, and nothing is concluded.

use std::time::Duration;

use super::device_limits::beyond_device;
use super::executor::{Checks, Executable};
use super::footprint::copies;
use super::free_memory::FreeMemory;
use super::harness_cost::CpuLedger;
use crate::clock::{Lap, Stopwatch, WaitError};
use crate::device::{Gpu, GpuError};
use crate::record::{FailureKind, Outcome, Verification};
use crate::sampling::Sampler;
use crate::units::{Bytes, Seconds};
use crate::workload::{Action, Kernel, Poison, Problem, Program, Unsupported};

/// Share of the budget that goes into samples; the rest is for building, references and slack.
const SAMPLING_SHARE: f64 = 0.1;

/// How long a GPU is kept busy before its times are believed, at least: an idle one's clocks are a fifth of a busy one's.
/// An MI300 needs 0.4 s to reach its clock; with the executions of verification before it that is enough.
pub(super) const SHORTEST_WARM_UP: Duration = Duration::from_millis(300);

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
    pub(super) fn sampler(&self) -> Sampler {
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
    /// Time from one dispatch that does next to nothing to the next, once the clock was measured.
    pub(super) dispatch_gap_ns: Option<f64>,
    /// What the harness costs.
    pub ledger: CpuLedger,
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
            GpuError::Inexpressible(_) => {
                return Self::Skip(format!(
                    "{error}; measure it on another one (`perwatt devices` lists them)"
                ));
            }
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
            dispatch_gap_ns: None,
            ledger: CpuLedger::start(),
        }
    }

    /// Builds a program and brings it onto the device once, for work whose rate is nobody's figure.
    pub(super) fn prepare(
        &mut self,
        problem: &dyn Problem,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<Executable<'g>, Stop> {
        let (program, _) = self.program(problem, kernel, settings)?;
        self.load(program, 1, settings)
    }

    /// Builds a case's program and brings it onto the device in so many copies that caches do not stand in for
    /// memory.
    pub(super) fn prepare_in_copies(
        &mut self,
        problem: &dyn Problem,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<Executable<'g>, Stop> {
        let (program, free) = self.program(problem, kernel, settings)?;
        let copies = copies(problem, &program, &self.gpu.adapter, free.room_for_copies());
        self.load(program, copies, settings)
    }

    /// A program that fits the device and what is free of its memory and the host's.
    fn program(
        &self,
        problem: &dyn Problem,
        kernel: &Kernel,
        settings: Settings,
    ) -> Result<(Program, FreeMemory), Stop> {
        let program = problem
            .program(kernel, settings.seed)
            .map_err(|unsupported| Stop::Skip(unsupported.to_string()))?;
        self.fitting(program)
    }

    /// Brings a program onto the device once.
    pub(super) fn prepare_program(
        &mut self,
        program: Program,
        settings: Settings,
    ) -> Result<Executable<'g>, Stop> {
        let (program, _) = self.fitting(program)?;
        self.load(program, 1, settings)
    }

    /// The program, if it fits the device and what is free of memory.
    fn fitting(&self, program: Program) -> Result<(Program, FreeMemory), Stop> {
        if let Some(unsupported) = program.unsupported_on(&self.gpu.adapter) {
            let adapter = &self.gpu.adapter;
            let missing = matches!(unsupported, Unsupported::Feature(_));
            let mut reason = unsupported.to_string();
            for refused in &adapter.refused {
                if matches!(unsupported, Unsupported::Feature(name) if name == refused.feature) {
                    reason += &format!(
                        ": the driver offers it and does not give it ({})",
                        refused.reason
                    );
                }
            }
            if let Some(hindrance) = adapter.hindrance().filter(|_| missing) {
                reason += &format!(": {hindrance}");
            }
            return Err(Stop::Skip(reason));
        }
        beyond_device(self.gpu, &program).map_err(Stop::Skip)?;
        let free = FreeMemory::of(self.gpu);
        free.refuse_if_too_big(&program).map_err(Stop::Skip)?;
        Ok((program, free))
    }

    /// Brings a program onto the device.
    fn load(
        &mut self,
        program: Program,
        copies: u32,
        settings: Settings,
    ) -> Result<Executable<'g>, Stop> {
        let gpu = self.gpu;
        let total = Bytes(program.total_bytes() as f64);
        self.ledger.foreign(|| {
            let no_room = |error| match error {
                GpuError::OutOfMemory(reason) => Stop::Skip(format!(
                    "the device has no room for {total} of buffers ({reason})"
                )),
                other => other.into(),
            };
            let mut executable = Executable::allocate(gpu, program, copies).map_err(no_room)?;
            executable.compile(settings.checks).map_err(no_room)?;
            executable.poison(Poison::First).map_err(no_room)?;
            Ok(executable)
        })
    }

    /// Asks something of the stopwatch. What a driver needs for it is not perwatt's own cost, and a device that was lost
    /// meanwhile says so itself.
    fn on_stopwatch<T>(
        &mut self,
        ask: impl FnOnce(&mut Stopwatch) -> Result<T, WaitError>,
    ) -> Result<T, Stop> {
        let stopwatch = &mut self.stopwatch;
        let answer = self.ledger.foreign(|| ask(stopwatch));
        self.gpu.check()?;
        answer.map_err(|e| Stop::Fail(FailureKind::DeviceLost, e.to_string()))
    }

    /// Times one pass of anything.
    pub(super) fn time(
        &mut self,
        encode: impl FnOnce(&mut wgpu::ComputePass<'_>),
    ) -> Result<Lap, Stop> {
        self.on_stopwatch(|stopwatch| stopwatch.time(encode))
    }

    /// Times so many passes as one lap, each a submission of its own.
    pub(super) fn time_parts(
        &mut self,
        parts: usize,
        encode: impl FnMut(usize, &mut wgpu::ComputePass<'_>),
    ) -> Result<Lap, Stop> {
        self.on_stopwatch(|stopwatch| stopwatch.time_parts(parts, encode))
    }

    /// Submits a batch without waiting for it, and says when it is done; the work of a host is done at once.
    pub(super) fn submit(
        &mut self,
        executable: &mut Executable<'_>,
        executions: u32,
    ) -> Result<Option<wgpu::SubmissionIndex>, Stop> {
        if !matches!(executable.program().action, Action::Dispatches(_)) {
            self.execute(executable, executions)?;
            return Ok(None);
        }
        self.on_stopwatch(|stopwatch| {
            let parts = executable.submissions(executions);
            Ok(stopwatch.submit_parts(parts, |number, pass| {
                executable.encode_submission(pass, number, executions);
            }))
        })
    }

    /// Waits until a submission is done.
    pub(super) fn wait_for(&mut self, submission: wgpu::SubmissionIndex) -> Result<(), Stop> {
        self.on_stopwatch(|stopwatch| stopwatch.wait_for(submission))
    }

    /// Waits until everything submitted is done, and sees that it was run.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        self.on_stopwatch(Stopwatch::settle)
    }

    /// Runs a batch and times it.
    pub(super) fn execute(
        &mut self,
        executable: &mut Executable<'_>,
        executions: u32,
    ) -> Result<Lap, Stop> {
        self.ledger.foreign(|| executable.restore(executions))?;
        self.on_stopwatch(|stopwatch| match executable.program().action {
            Action::Dispatches(_) => {
                stopwatch.time_parts(executable.submissions(executions), |number, pass| {
                    executable.encode_submission(pass, number, executions);
                })
            }
            _ => {
                let mut result = Ok(());
                let lap = stopwatch.time_on_host(|| {
                    result = (0..executions).try_for_each(|_| executable.act_on_host());
                });
                result.map_err(|e| WaitError(e.to_string())).and(lap)
            }
        })
    }
}
