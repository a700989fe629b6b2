//! One case in one invocation: verify, time, measure energy, verify again.
//!
//! Everything that goes wrong on the way is an [`Outcome`]; nothing here ends the worker but a lost
//! device, which the caller sees from [`Outcome::Failed`].

use super::bench::{Bench, Settings, Stop};
use super::executor::Executable;
use super::meter::Meter;
use crate::device::GpuError;
use crate::record::{EnergyWindow, Outcome, Reading, Verification, Warning};
use crate::sampling::Readings;
use crate::stats;
use crate::units::Seconds;
use crate::workload::{Action, Kernel, Problem};

/// Executions that a case needs at the very least: two verified ones, calibration and a few samples.
const FEWEST_EXECUTIONS: f64 = 8.0;

/// One case on its way through an invocation.
pub(super) struct CaseMeasurement<'a, 'g> {
    /// The device.
    pub(super) bench: &'a mut Bench<'g>,
    /// Its power sensor, or why it has none.
    pub(super) meter: &'a mut Reading<Meter>,
    /// What is computed.
    pub(super) problem: &'a dyn Problem,
    /// The kernel that does it.
    pub(super) kernel: &'a Kernel,
    /// How to measure.
    pub(super) settings: Settings,
}

impl<'g> CaseMeasurement<'_, 'g> {
    /// Verifies, times, measures energy and verifies again.
    pub(super) fn run(mut self) -> Outcome {
        self.attempt().unwrap_or_else(Outcome::from)
    }

    /// The same, or why not.
    fn attempt(&mut self) -> Result<Outcome, Stop> {
        self.refuse_if_too_long()?;
        let mut executable = self
            .bench
            .prepare(self.problem, self.kernel, self.settings)?;
        executable.poison()?;
        self.bench.execute(&mut executable, 1)?;
        let verified_before = self.verify(&executable)?;

        // From here on only timed executions may write the outputs.
        executable.poison()?;
        let readings = self.sample(&mut executable)?;
        let energy = self.energy(&mut executable, &readings)?;
        let verified_after = self.verify(&executable)?;

        let (sampling, mut warnings) = readings.summarize();
        warnings.extend(
            energy
                .measured()
                .into_iter()
                .flat_map(|window| {
                    let limit = self.meter.measured().and_then(Meter::limit_w);
                    [doubted(window), above_limit(window, limit)]
                })
                .flatten(),
        );
        if let Some(window) = energy.measured() {
            warnings.extend(Warning::of_throttling(&window.throttled_by));
        }
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
        match self.meter {
            Reading::Unmeasured(reason) => Ok(Reading::Unmeasured(reason.clone())),
            Reading::Measured(meter) => {
                let walls: Vec<f64> = readings.laps.iter().map(|lap| lap.wall_ns).collect();
                let lap_ns = stats::median(&walls).unwrap_or_default();
                let once = Seconds::from_ns(lap_ns / f64::from(readings.batch));
                meter.measure(self.bench, executable, once)
            }
        }
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
        refuse_over_budget(
            Seconds::from_ns(lap.best_ns()) * more,
            self.settings,
            "is estimated to take",
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
            Ok(verification)
        } else {
            Err(Stop::Wrong(verification))
        }
    }

    /// Times batches until they say enough.
    fn sample(&mut self, executable: &mut Executable<'_>) -> Result<Readings, Stop> {
        let settings = self.settings;
        let sampler = settings.sampler();
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
        sampler.sample_batches(batch, |executions| {
            self.bench.execute(executable, executions)
        })
    }
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
