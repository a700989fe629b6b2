//! The worker: one process, one invocation.
//!
//! Drivers crash, hang and leak; a fresh process for each invocation keeps that away from the
//! supervisor, and makes invocations independent of each other, which the statistics rest on.

use std::io::{BufRead, Write};
use std::sync::mpsc;

use super::bench::{Bench, Settings};
use super::executor::Checks;
use super::measure_case::CaseMeasurement;
use super::messages::{Job, Message};
use super::meter::Meter;
use crate::device::{Gpu, enumerate};
use crate::error::{Error, Result};
use crate::power::sensors::Places;
use crate::record::{ClockMethod, ClockSetup, FailureKind, Outcome, Reading};
use crate::units::Seconds;
use crate::workload::{CaseKernel, CustomWork};

/// Does the job that stands on `input` and reports on `output`.
///
/// # Errors
/// The supervisor is gone or speaks nonsense. What goes wrong with the device is reported as a
/// message and is no error here.
pub fn work(
    input: impl BufRead + Send + 'static,
    mut output: impl Write,
    places: &Places,
) -> Result<()> {
    let job = read_job(input)?;
    let mut say = |message: &Message| -> Result<()> {
        let broken = |e: std::io::Error| {
            Error::Worker(format!("the supervisor does not listen any more: {e}"))
        };
        let mut line = serde_json::to_vec(message).map_err(|e| Error::Worker(e.to_string()))?;
        line.push(b'\n');
        output
            .write_all(&line)
            .and_then(|()| output.flush())
            .map_err(broken)
    };
    match open(&job) {
        Ok(gpu) => measure_all(&gpu, &job, places, &mut say),
        Err(error) => say(&Message::GiveUp {
            reason: error.to_string(),
        }),
    }
}

/// Reads the job, and from then on ends the process when the supervisor closes the pipe.
fn read_job(mut input: impl BufRead + Send + 'static) -> Result<Job> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = input.read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
        // Nothing follows the job. The end of input means that the supervisor is gone, and nobody else
        // would stop a worker whose driver hangs.
        let _ = std::io::copy(&mut input, &mut std::io::sink());
        std::process::exit(1);
    });
    let nonsense = |reason: String| Error::Worker(format!("no job on standard input: {reason}"));
    let line = receiver
        .recv()
        .map_err(|e| nonsense(e.to_string()))?
        .map_err(|e| nonsense(e.to_string()))?;
    serde_json::from_str(&line).map_err(|e| nonsense(e.to_string()))
}

/// Opens the adapter that the supervisor meant.
fn open(job: &Job) -> Result<Gpu> {
    let wanted = &job.adapter;
    let found = enumerate()
        .into_iter()
        .find(|found| found.adapter == *wanted)
        .ok_or_else(|| Error::Device {
            device: wanted.label(),
            reason: "it was there when the run began and is gone now".to_owned(),
        })?;
    Gpu::open(&found)
}

/// Goes through the cases.
fn measure_all(
    gpu: &Gpu,
    job: &Job,
    places: &Places,
    say: &mut impl FnMut(&Message) -> Result<()>,
) -> Result<()> {
    let mut bench = Bench::new(gpu);
    let clock = match clock_setup(&mut bench) {
        Ok(clock) => clock,
        Err(reason) => return say(&Message::GiveUp { reason }),
    };
    let settings = Settings {
        seed: job.seed,
        budget: Seconds(job.budget_s),
        checks: if job.checked { Checks::On } else { Checks::Off },
    };
    let mut meter: Reading<Meter> = open_meter(&mut bench, job, settings, places).into();
    say(&Message::Ready {
        adapter: Box::new(gpu.adapter.clone()),
        clock,
        power: Box::new(meter.map(Meter::setup)),
    })?;
    for (&index, planned) in &job.cases {
        say(&Message::Begin { index })?;
        let outcome = measure_one(&mut bench, &mut meter, planned, settings);
        let lost = matches!(
            outcome,
            Outcome::Failed {
                failure: FailureKind::DeviceLost,
                ..
            }
        );
        say(&Message::End {
            index,
            outcome: Box::new(outcome),
        })?;
        if lost {
            // A fresh process opens a fresh device; the supervisor starts one for the rest.
            return Err(Error::Worker("the device was lost".to_owned()));
        }
    }
    say(&Message::Bye {
        own_cpu_s: bench.ledger.own_s(),
    })
}

/// Opens the power sensor, or says why there is none.
fn open_meter(
    bench: &mut Bench<'_>,
    job: &Job,
    settings: Settings,
    places: &Places,
) -> std::result::Result<Meter, String> {
    match &job.power {
        Some(power) => Meter::open(bench, power, settings, places),
        None => Err("the session asked for no energy".to_owned()),
    }
}

/// Measures the clock itself.
fn clock_setup(bench: &mut Bench<'_>) -> Result<ClockSetup, String> {
    let precision = bench.stopwatch.precision().map_err(|e| e.to_string())?;
    bench.gpu.check().map_err(|e| e.to_string())?;
    let tick = bench.stopwatch.tick_ns();
    Ok(ClockSetup {
        method: if tick.is_some() {
            ClockMethod::TimestampQuery
        } else {
            ClockMethod::WallClock
        },
        tick_ns: tick.map_or_else(
            || Reading::unmeasured("the device has no timestamp queries"),
            Reading::Measured,
        ),
        precision_ns: precision.step_ns,
        overhead_ns: precision.overhead_ns,
    })
}

/// Measures one case of the job.
fn measure_one(
    bench: &mut Bench<'_>,
    meter: &mut Reading<Meter>,
    planned: &CaseKernel,
    settings: Settings,
) -> Outcome {
    let CaseKernel { case, kernel, .. } = planned;
    let gpu = bench.gpu;
    if let Some(custom) = CustomWork::of(planned, &gpu.adapter.limits) {
        // With wgpu's checks on: it is verified like any other, but nobody has seen that it keeps within
        // its buffers.
        return CaseMeasurement {
            bench,
            meter,
            problem: &custom,
            kernel,
            settings: Settings {
                checks: Checks::On,
                ..settings
            },
        }
        .run();
    }
    // A search asks for kernels that no default uses, too.
    let known = case
        .kernels(&gpu.adapter)
        .into_iter()
        .chain(case.tuning_space())
        .any(|known| known.name == kernel.name);
    if !known {
        return Outcome::Skipped {
            reason: format!("this device has no kernel {:?} for it", kernel.name),
        };
    }
    CaseMeasurement {
        bench,
        meter,
        problem: &**case,
        kernel,
        settings,
    }
    .run()
}
