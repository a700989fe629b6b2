//! The worker: one process, one invocation.
//!
//! Drivers crash, hang and leak; a fresh process for each invocation keeps that away from the
//! supervisor, and makes invocations independent of each other, which the statistics rest on.

use std::io::{self, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bench::{Bench, Settings};
use super::cooling::cool_down;
use super::energy_cases::NOT_CHOSEN;
use super::executor::Checks;
use super::measure_case::{CaseMeasurement, CasePower};
use super::messages::{Job, Message};
use super::meter::Meter;
use super::no_meter::NoMeter;
use super::sensor_choice::probe_load;
use crate::device::{Gpu, find_adapter};
use crate::error::{Error, Result};
use crate::power::Timeline;
use crate::power::sensors::Places;
use crate::process::{ParentEnd, ProgramImage};
use crate::record::{ClockMethod, ClockSetup, FailureKind, Outcome, Reading};
use crate::units::Seconds;
use crate::workload::{CaseKernel, CustomWork};

/// Does the job that the supervisor asks for and answers to it.
///
/// # Errors
/// The supervisor is gone or speaks nonsense. What goes wrong with the device is reported as a
/// message and is no error here.
pub fn work(parent: ParentEnd, places: &Places) -> Result<()> {
    let job: Job = serde_json::from_str(&parent.request)
        .map_err(|e| Error::Worker(format!("the supervisor sent no job: {e}")))?;
    let mut supervisor = SupervisorEnd(parent.answers);
    let program = ProgramImage::of_this_process()?;
    supervisor.say(&Message::Hello {
        build: program.build().clone(),
    })?;
    match open(&job) {
        Ok(gpu) => measure_all(&gpu, &job, places, &mut supervisor),
        Err(error) => supervisor.say(&Message::GiveUp {
            reason: error.to_string(),
        }),
    }
}

/// Where answers go.
struct SupervisorEnd(Box<dyn Write + Send>);

impl SupervisorEnd {
    fn say(&mut self, message: &Message) -> Result<()> {
        let broken =
            |e: io::Error| Error::Worker(format!("the supervisor does not listen any more: {e}"));
        let mut line = serde_json::to_vec(message).map_err(|e| Error::Worker(e.to_string()))?;
        line.push(b'\n');
        self.0
            .write_all(&line)
            .and_then(|()| self.0.flush())
            .map_err(broken)
    }
}

/// Opens the adapter that the supervisor meant.
fn open(job: &Job) -> Result<Gpu> {
    let wanted = &job.adapter;
    let found = find_adapter(wanted, job.twin).ok_or_else(|| Error::Device {
        device: wanted.label(),
        reason: "it was there when the run began and is gone now; see `perwatt devices`".to_owned(),
    })?;
    let is_custom = |(_, planned): &(usize, CaseKernel)| planned.custom.is_some();
    if job.checked || job.cases.iter().any(is_custom) {
        return Gpu::open(&found);
    }
    // SAFETY: the job has built-in kernels alone and runs them without wgpu's checks, so that they must keep within their
    // buffers already (`Executable::compile`); so do the few shaders of the harness.
    unsafe { Gpu::open_trusting(&found) }
}

/// Goes through the cases.
fn measure_all(
    gpu: &Gpu,
    job: &Job,
    places: &Places,
    supervisor: &mut SupervisorEnd,
) -> Result<()> {
    let mut bench = Bench::new(gpu);
    let settings = Settings {
        seed: job.seed,
        budget: Seconds(job.budget_s),
        checks: if job.checked { Checks::On } else { Checks::Off },
    };
    let clock = match clock_setup(&mut bench, settings) {
        Ok(clock) => clock,
        Err(reason) => return supervisor.say(&Message::GiveUp { reason }),
    };
    let mut meter: Reading<Meter> = open_meter(&mut bench, job, settings, places).into();
    if let Some(why) = meter
        .measured()
        .and_then(|meter| unsendable(&meter.setup()))
    {
        meter = Reading::unmeasured(format!("what is known of the sensor {why}"));
    }
    supervisor.say(&Message::Ready {
        adapter: Box::new(gpu.adapter.clone()),
        clock,
        power: Box::new(meter.map(Meter::setup)),
    })?;
    let chosen = job.power.as_ref().and_then(|power| power.cases.as_ref());
    for (index, planned) in &job.cases {
        let index = *index;
        let warm = match job.cool_to_c {
            Some(wanted_c) => cool_down(
                wanted_c,
                || Meter::temperature_c(&meter),
                |celsius, waited_s| supervisor.say(&Message::Cooling { celsius, waited_s }),
                std::thread::sleep,
            )?,
            None => None,
        };
        supervisor.say(&Message::Begin { index })?;
        let passed_over = chosen.is_some_and(|chosen| !chosen.contains(&index));
        let power = CasePower {
            meter: &mut meter,
            no_energy: passed_over.then_some(NOT_CHOSEN),
        };
        let mut outcome = finite(measure_one(&mut bench, power, planned, settings));
        if let (Outcome::Measured { warnings, .. }, Some(warm)) = (&mut outcome, warm) {
            warnings.push(warm);
        }
        end_case(supervisor, index, outcome)?;
    }
    supervisor.say(&Message::Bye {
        own_cpu_s: bench.ledger.own_s(),
    })
}

/// Reports an outcome; a lost device ends the worker.
fn end_case(supervisor: &mut SupervisorEnd, index: usize, outcome: Outcome) -> Result<()> {
    let lost = matches!(
        outcome,
        Outcome::Failed {
            failure: FailureKind::DeviceLost,
            ..
        }
    );
    supervisor.say(&Message::End {
        index,
        outcome: Box::new(outcome),
    })?;
    match lost {
        // A fresh process opens a fresh device; the supervisor starts one for the rest.
        true => Err(Error::Worker("the device was lost".to_owned())),
        false => Ok(()),
    }
}

/// An outcome whose every number is one: a figure that is none costs itself and what rests on it.
fn finite(mut outcome: Outcome) -> Outcome {
    if let Outcome::Measured {
        energy,
        sampling,
        warnings,
        ..
    } = &mut outcome
    {
        if let Some(why) = unsendable(energy) {
            **energy = Reading::unmeasured(format!("the energy window {why}"));
        }
        if let Some(why) = unsendable(&sampling.half_width_ns) {
            sampling.half_width_ns = Reading::unmeasured(format!("the half-width {why}"));
        }
        warnings.retain(|warning| unsendable(warning).is_none());
    }
    match unsendable(&outcome) {
        None => outcome,
        Some(why) => Outcome::Failed {
            failure: FailureKind::Clock,
            reason: format!("the measurement {why}"),
            verification: None,
        },
    }
}

/// Why a value cannot be written and read back as it is, if so. JSON has no infinity and no NaN.
fn unsendable<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Option<String> {
    let written = match serde_json::to_vec(value) {
        Ok(written) => written,
        Err(e) => return Some(format!("cannot be written: {e}")),
    };
    match serde_json::from_slice::<T>(&written) {
        Ok(read) if read == *value => None,
        Ok(_) => Some("holds a number that is not finite".to_owned()),
        Err(e) => Some(format!("holds a number that is not finite ({e})")),
    }
}

/// Opens the power sensor, or says why there is none.
fn open_meter(
    bench: &mut Bench<'_>,
    job: &Job,
    settings: Settings,
    places: &Places,
) -> std::result::Result<Meter, NoMeter> {
    match &job.power {
        Some(power) => Meter::open(bench, power, settings, places),
        None => Err(NoMeter::NotAsked),
    }
}

/// Measures the clock itself, on a device that is awake: an idle one takes several times as long for each dispatch.
fn clock_setup(bench: &mut Bench<'_>, settings: Settings) -> Result<ClockSetup, String> {
    const AWAKE: Seconds = Seconds(0.5);
    if !bench.gpu.adapter.is_software() {
        // A device that cannot do the probe has its clock measured as it is.
        let _ = probe_load(bench, &Timeline::new(), settings, |since| since < AWAKE);
        bench.gpu.check().map_err(|e| e.to_string())?;
    }
    let precision = bench.stopwatch.precision().map_err(|e| e.to_string())?;
    bench.dispatch_gap_ns = Some(precision.dispatch_gap_ns);
    bench.gpu.check().map_err(|e| e.to_string())?;
    let tick = bench.stopwatch.tick_ns();
    Ok(ClockSetup {
        method: match precision.device_clock {
            Ok(()) => ClockMethod::TimestampQuery,
            Err(_) => ClockMethod::WallClock,
        },
        tick_ns: match (precision.device_clock, tick) {
            (Ok(()), Some(tick)) => Reading::Measured(tick),
            (Err(fault), _) => Reading::unmeasured(fault.to_string()),
            (Ok(()), None) => Reading::unmeasured("the device has no timestamp queries"),
        },
        precision_ns: precision.step_ns,
        overhead_ns: Reading::Measured(precision.overhead_ns),
        dispatch_gap_ns: Some(precision.dispatch_gap_ns),
    })
}

/// Measures one case of the job.
fn measure_one(
    bench: &mut Bench<'_>,
    power: CasePower<'_>,
    planned: &CaseKernel,
    settings: Settings,
) -> Outcome {
    let CaseKernel { case, kernel, .. } = planned;
    let gpu = bench.gpu;
    if let Some(custom) = CustomWork::of(planned, &gpu.adapter.limits) {
        // With wgpu's checks on: it is verified like any other, but it is not known that it keeps within
        // its buffers.
        return CaseMeasurement {
            bench,
            power,
            problem: &custom,
            kernel,
            settings: Settings {
                checks: Checks::On,
                ..settings
            },
        }
        .run();
    }
    if !planned.is_known(&gpu.adapter) {
        return Outcome::Skipped {
            reason: format!(
                "this device has no kernel {:?} with these parameters for it; `perwatt tune` finds some",
                kernel.name
            ),
        };
    }
    CaseMeasurement {
        bench,
        power,
        problem: &**case,
        kernel,
        settings,
    }
    .run()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURED: &str = r#"{"outcome":"measured",
        "verified_before":{"passed":true,"elements":1,"checked":1,"max_abs_error":0.0,
            "worst_error_over_bound":0.0,"normalized_mean_square_error":0.0,"worst":null},
        "verified_after":{"passed":true,"elements":1,"checked":1,"max_abs_error":0.0,
            "worst_error_over_bound":0.0,"normalized_mean_square_error":0.0,"worst":null},
        "sampling":{"clock":"wall-clock","batch":1,"samples_ns":[1.5],"wall_samples_ns":[1.7],
            "discarded":0,"steady":true,"median_ns":1.5,"half_width_ns":0.1,"effective_samples":1.0,
            "outliers":0,"stopped_by":"time"},
        "energy":{"unmeasured":"no sensor"},"warnings":[]}"#;

    #[test]
    fn a_figure_that_is_no_number_costs_no_more_than_what_rests_on_it() {
        let whole: Outcome = serde_json::from_str(MEASURED).unwrap();
        assert_eq!(finite(whole.clone()), whole);
        for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let mut wide = whole.clone();
            if let Outcome::Measured { sampling, .. } = &mut wide {
                sampling.half_width_ns = Reading::Measured(bad);
            }
            let Outcome::Measured { sampling, .. } = finite(wide) else {
                panic!("the time was lost with its half-width");
            };
            assert!(sampling.half_width_ns.reason().is_some());
            let mut timeless = whole.clone();
            if let Outcome::Measured { sampling, .. } = &mut timeless {
                sampling.median_ns = bad;
            }
            let failed = finite(timeless);
            assert!(
                matches!(&failed, Outcome::Failed { reason, .. } if reason.contains("not finite")),
                "{failed:?}"
            );
            assert_eq!(unsendable(&failed), None);
        }
    }
}
