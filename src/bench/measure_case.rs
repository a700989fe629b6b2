//! One case in one invocation: verify, time, measure energy, verify again.
//!
//! Everything that goes wrong on the way is an [`Outcome`]; nothing here ends the worker but a lost
//! device, which the caller sees from [`Outcome::Failed`].

use std::time::{Duration, Instant};

use super::bench::{Bench, SHORTEST_WARM_UP, Settings, Stop};
use super::executor::{Checks, Executable};
use super::meter::Meter;
use super::watchdog::{hold_indirect_to_limits, keep_within, longest_dispatch};
use crate::device::GpuError;
use crate::record::{
    DeviceStates, EnergyWindow, Footprint, Outcome, Reading, Sampling, Verification, Warning,
    each_once,
};
use crate::sampling::Readings;
use crate::stats;
use crate::units::Seconds;
use crate::workload::{Action, Kernel, Poison, Problem, Program, Unsupported, lint};

/// How long a GPU is kept busy before anything is timed, at most.
const LONGEST_WARM_UP: Duration = Duration::from_secs(1);

/// How long a batch of the warm-up becomes, in nanoseconds.
const WARM_UP_BATCH_NS: f64 = 10e6;

/// Most executions of such a batch.
const MOST_WARM_UP_EXECUTIONS: u32 = 4096;

/// How far batches that agree are apart, as a share.
const SETTLED: f64 = 0.01;

/// An execution that is shorter than so many gaps between dispatches is marked.
const GAPS_OF_AN_EXECUTION: f64 = 20.0;

/// Executions that a case needs at the very least: two verified ones, calibration and a few samples.
const FEWEST_EXECUTIONS: f64 = 8.0;

/// One case on its way through an invocation.
pub(super) struct CaseMeasurement<'a, 'g> {
    /// The device.
    pub(super) bench: &'a mut Bench<'g>,
    /// Its power.
    pub(super) power: CasePower<'a>,
    /// What is computed.
    pub(super) problem: &'a dyn Problem,
    /// The kernel that does it.
    pub(super) kernel: &'a Kernel,
    /// How to measure.
    pub(super) settings: Settings,
}

/// What is to be known of a case's power.
pub(super) struct CasePower<'a> {
    /// The device's power sensor, or why it has none.
    pub(super) meter: &'a mut Reading<Meter>,
    /// Why the case's energy is not measured although there may be a sensor, if so.
    pub(super) no_energy: Option<&'static str>,
}

impl<'g> CaseMeasurement<'_, 'g> {
    /// Verifies, times, measures energy and verifies again.
    pub(super) fn run(mut self) -> Outcome {
        self.attempt().unwrap_or_else(Outcome::from)
    }

    /// The same, or why not.
    fn attempt(&mut self) -> Result<Outcome, Stop> {
        self.refuse_if_too_long()?;
        self.run_reference()?;
        let mut executable =
            self.bench
                .prepare_in_copies(self.problem, self.kernel, self.settings)?;
        let split = self.keep_within_watchdog(&mut executable)?;
        executable.poison(Poison::First)?;
        self.bench.execute(&mut executable, 1)?;
        let verified_before = self.verify(&executable)?;

        // From here on only timed executions may write the outputs.
        executable.poison(Poison::Second)?;
        let (readings, device) = self.sample(&mut executable)?;
        let energy = self.energy(&mut executable, &readings)?;
        let verified_after = self.verify(&executable)?;

        let (mut sampling, mut warnings) = readings.summarize();
        sampling.footprint = Some(footprint(&executable));
        sampling.device = device;
        warnings.extend(self.short_execution(&sampling));
        warnings.extend(split);
        warnings.extend(
            energy
                .measured()
                .into_iter()
                .flat_map(|window| {
                    let limit = self.power.meter.measured().and_then(Meter::limit_w);
                    [doubted(window), above_limit(window, limit)]
                })
                .flatten(),
        );
        warnings.extend(throttling(&sampling, &energy));
        if let Some(reason) = self.problem.unverified() {
            warnings.push(Warning::Unverified {
                reason: reason.to_owned(),
            });
        }
        if self.settings.checks == Checks::On {
            // Built-in kernels are held to the rules by a test, and run without checks.
            warnings.extend(broken_rules(executable.program()));
        }
        Ok(Outcome::Measured {
            verified_before,
            verified_after,
            sampling,
            energy: Box::new(energy),
            warnings,
        })
    }

    /// Runs the kernel whose outputs are the expected ones, where there is one.
    fn run_reference(&mut self) -> Result<(), Stop> {
        let unsupported = |e: Unsupported| Stop::Skip(format!("the reference: {e}"));
        let program = self.problem.reference_program(self.settings.seed);
        let Some(program) = program.map_err(unsupported)? else {
            return Ok(());
        };
        let mut executable = self.bench.prepare_program(program, self.settings)?;
        self.keep_within_watchdog(&mut executable)?;
        executable.poison(Poison::First)?;
        self.bench.execute(&mut executable, 1)?;
        let outputs = executable.outputs()?;
        let names = executable
            .program()
            .read_back()
            .map(|buffer| buffer.name.to_string());
        self.problem.take_reference(names.zip(outputs).collect());
        Ok(())
    }

    /// Measures the energy of a case whose laps are known.
    fn energy(
        &mut self,
        executable: &mut Executable<'g>,
        readings: &Readings,
    ) -> Result<Reading<EnergyWindow>, Stop> {
        if executable.program().restores() {
            return Ok(Reading::unmeasured(
                "buffers are restored between executions, and the energy of that cannot be told apart",
            ));
        }
        match (&mut *self.power.meter, self.power.no_energy) {
            (Reading::Unmeasured(reason), _) => Ok(Reading::Unmeasured(reason.clone())),
            (Reading::Measured(_), Some(why)) => Ok(Reading::unmeasured(why)),
            (Reading::Measured(meter), None) => {
                let walls: Vec<f64> = readings.laps.iter().map(|lap| lap.wall_ns).collect();
                let lap_ns = stats::median(&walls).unwrap_or_default();
                let once = Seconds::from_ns(lap_ns / f64::from(readings.batch));
                meter.measure(self.bench, executable, once)
            }
        }
    }

    /// A warning where an execution is not much longer than what lies between two dispatches.
    fn short_execution(&self, sampling: &Sampling) -> Option<Warning> {
        let gap_ns = self.bench.dispatch_gap_ns?;
        let short = sampling.batch > 1 && sampling.median_ns < GAPS_OF_AN_EXECUTION * gap_ns;
        short.then_some(Warning::ShortExecution {
            execution_ns: sampling.median_ns,
            dispatch_gap_ns: gap_ns,
        })
    }

    /// Keeps a GPU busy until its clocks have settled: an idle one runs at a fraction of them. Ends when three
    /// batches in a row agree, or after [`LONGEST_WARM_UP`]. How long an execution took at the end; nothing where there
    /// is nothing to warm.
    fn warm_up(&mut self, executable: &mut Executable<'_>) -> Result<Option<f64>, Stop> {
        let program = executable.program();
        if self.bench.gpu.adapter.is_software() || !matches!(program.action, Action::Dispatches(_))
        {
            return Ok(None);
        }
        let started = Instant::now();
        let mut recent = Vec::new();
        let mut executions = 1_u32;
        let most = executable.most_executions().min(MOST_WARM_UP_EXECUTIONS);
        while started.elapsed() < LONGEST_WARM_UP {
            let lap = self.bench.execute(executable, executions)?;
            recent.push(lap.best_ns() / f64::from(executions));
            if started.elapsed() >= SHORTEST_WARM_UP && settled(&recent) {
                break;
            }
            if lap.wall_ns < WARM_UP_BATCH_NS {
                executions = executions.saturating_mul(2).min(most);
            }
        }
        Ok(recent.last().copied())
    }

    /// Sees that no dispatch is long enough for the platform to take the GPU away, in pieces where it must be; a
    /// warning says so then.
    fn keep_within_watchdog(
        &mut self,
        executable: &mut Executable<'g>,
    ) -> Result<Option<Warning>, Stop> {
        let Some(most) = longest_dispatch(&self.bench.gpu.adapter) else {
            hold_indirect_to_limits(self.bench, executable)?;
            return Ok(None);
        };
        let pieces = keep_within(self.bench, executable, most, self.settings.checks)?;
        if pieces.iter().all(|count| *count == 1) {
            return Ok(None);
        }
        let all = executable.program().dispatches();
        let dispatches: u32 = all.iter().map(|dispatch| dispatch.repeat).sum();
        Ok(Some(Warning::InPieces {
            dispatches,
            pieces: u32::try_from(executable.dispatches()).unwrap_or(u32::MAX),
            longest_s: most.get(),
        }))
    }

    /// Stops a case whose pilot says that it would outlast the budget.
    fn refuse_if_too_long(&mut self) -> Result<(), Stop> {
        let Some(pilot) = self.problem.pilot() else {
            return Ok(());
        };
        let mut executable = self.bench.prepare(&*pilot, self.kernel, self.settings)?;
        // The first execution may compile; the second is the one to believe.
        self.bench.execute(&mut executable, 1)?;
        let lap = self.bench.execute(&mut executable, 1)?;
        let (small, large) = (pilot.counts(), self.problem.counts());
        let ratio = |large: u64, small: u64| large as f64 / small.max(1) as f64;
        let more = ratio(large.flop, small.flop).max(ratio(large.bytes, small.bytes));
        let settings = self.settings;
        refuse_estimate(
            lap.best_ns(),
            |ns| {
                refuse_over_budget(
                    Seconds::from_ns(ns) * more,
                    settings,
                    "is estimated to take",
                )
            },
            || self.warm_up(&mut executable),
        )
    }

    /// Compares the outputs with the reference.
    fn verify(&mut self, executable: &Executable<'_>) -> Result<Verification, Stop> {
        let verification = self.bench.ledger.foreign(|| -> Result<_, GpuError> {
            let outputs = executable.outputs()?;
            Ok(self
                .problem
                .verify(self.kernel, executable.program(), &outputs))
        })?;
        if verification.passed {
            return Ok(verification);
        }
        let mut dispatches = executable.program().dispatches().iter();
        let subgroups = dispatches.any(|dispatch| dispatch.features.contains(&"SUBGROUP"));
        let worst = verification.worst.clone().map(|worst| match self.bench.gpu.adapter.subgroup_sizes.measured() {
            // The likeliest reason of a shader that is right elsewhere.
            Some((least, _)) if subgroups => format!(
                "{worst}; the shader uses subgroup operations, and this device's subgroups have {least} threads: it must \
                 not count on more"
            ),
            _ => worst,
        });
        Err(Stop::Wrong(Verification {
            worst,
            ..verification
        }))
    }

    /// Times batches until they say enough, and sees how the device stands meanwhile.
    fn sample(
        &mut self,
        executable: &mut Executable<'_>,
    ) -> Result<(Readings, Reading<DeviceStates>), Stop> {
        self.warm_up(executable)?;
        let settings = self.settings;
        let sampler = settings.sampler().at_most(executable.most_executions());
        let batch = if matches!(executable.program().action, Action::Dispatches(_)) {
            let mut first = true;
            sampler.batch_size(|executions| {
                let lap = self.bench.execute(executable, executions)?;
                if std::mem::take(&mut first) {
                    refuse_over_budget(Seconds::from_ns(lap.best_ns()), settings, "takes")?;
                }
                Ok::<_, Stop>(lap)
            })?
        } else {
            let lap = self.bench.execute(executable, 1)?;
            refuse_over_budget(Seconds::from_ns(lap.best_ns()), settings, "takes")?;
            // The host sees every single one of them well enough.
            1
        };
        let begun = Meter::begin_load(self.power.meter);
        let readings = sampler.sample_batches(batch, |executions| {
            self.bench.execute(executable, executions)
        });
        let device = Meter::end_load(self.power.meter, &begun);
        Ok((readings?, device))
    }
}

/// How much memory a case's executions go through.
fn footprint(executable: &Executable<'_>) -> Footprint {
    let copies = executable.copies();
    Footprint {
        bytes: executable
            .program()
            .total_bytes()
            .saturating_mul(copies.into()),
        copies,
    }
}

/// Whether the last three times agree.
fn settled(times: &[f64]) -> bool {
    let Some([a, b, c]) = times.last_chunk() else {
        return false;
    };
    let (least, most) = (a.min(*b).min(*c), a.max(*b).max(*c));
    most <= least * (1.0 + SETTLED)
}

/// A warning for each rule of the specifications that a program's shaders may break.
fn broken_rules(program: &Program) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for dispatch in program.dispatches() {
        // A source that naga cannot read does not get this far.
        for hazard in lint(&dispatch.wgsl).unwrap_or_default() {
            warnings.push(Warning::ShaderRule {
                shader: dispatch.file.to_string(),
                rule: hazard.to_string(),
            });
        }
    }
    warnings
}

/// Warnings of whatever slowed the device down while it was timed or its energy measured.
fn throttling(sampling: &Sampling, energy: &Reading<EnergyWindow>) -> Vec<Warning> {
    let timed = sampling.device.measured().map(DeviceStates::reasons);
    let metered = energy.measured().map(|window| window.throttled_by.clone());
    Warning::of_throttling(&each_once(timed.iter().chain(&metered)))
}

/// A warning where the sensor said what no device can have.
fn doubted(window: &EnergyWindow) -> Option<Warning> {
    window
        .doubted
        .as_ref()
        .map(|doubted| Warning::DoubtedReadings {
            share: doubted.share,
            example: doubted.example.clone(),
        })
}

/// A warning where the mean power is clearly above the limit that the driver states.
fn above_limit(window: &EnergyWindow, limit_w: Option<f64>) -> Option<Warning> {
    /// Limits are held on average; what is a fifth above one is no limit's doing.
    const CLEARLY: f64 = 1.2;
    let (mean_w, limit_w) = (window.power_w()?, limit_w?);
    (mean_w > CLEARLY * limit_w).then_some(Warning::PowerAboveLimit { mean_w, limit_w })
}

/// Refuses by what one execution of a pilot took on a device that may have been idle, but not before it was `busy`: an idle
/// GPU's clocks are a fifth of a busy one's, and a single execution is mostly its launch.
fn refuse_estimate(
    idle_ns: f64,
    refuse: impl Fn(f64) -> Result<(), Stop>,
    busy: impl FnOnce() -> Result<Option<f64>, Stop>,
) -> Result<(), Stop> {
    let Err(refused) = refuse(idle_ns) else {
        return Ok(());
    };
    match busy()? {
        Some(busy_ns) => refuse(busy_ns),
        None => Err(refused),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_case_is_refused_for_the_clocks_of_an_idle_gpu() {
        let refuse = |ns: f64| match ns {
            ns if ns > 100.0 => Err(Stop::Skip(format!("{ns}"))),
            _ => Ok(()),
        };
        let never = || panic!("a case that fits is not warmed up for");
        assert!(refuse_estimate(90.0, refuse, never).is_ok());
        // 345 MHz and 1980 MHz, as an H200 idles and runs.
        assert!(refuse_estimate(500.0, refuse, || Ok(Some(87.0))).is_ok());
        assert!(refuse_estimate(500.0, refuse, || Ok(Some(400.0))).is_err());
        assert!(refuse_estimate(500.0, refuse, || Ok(None)).is_err());
        let lost = || Err(Stop::Skip("lost".to_owned()));
        let stopped = refuse_estimate(500.0, refuse, lost);
        assert!(matches!(stopped, Err(Stop::Skip(why)) if why == "lost"));
    }
}
