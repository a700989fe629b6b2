//! A program's own kernels in a record: what `perwatt show`, `compare` and `gate` need to judge them.
//!
//! A process gives an [`HarnessRecord`] what it sampled and appends that to a file as one invocation. Samples of one process
//! say nothing of the next, and processes that ran together nothing of another hour: run the program eight times for each
//! side of a comparison, each time with a file of its own, and give the gate all of them. Nothing here checks an output, and
//! the record says so; check your own before you time it.
//!
//! # Examples
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use perwatt::clock::Stopwatch;
//! use perwatt::harness::HarnessRecord;
//! use perwatt::sampling::Sampler;
//!
//! let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
//! # let Ok(_) = pollster::block_on(instance.request_adapter(&Default::default())) else { return Ok(()) };
//! let adapter = pollster::block_on(instance.request_adapter(&Default::default()))?;
//! let (device, queue) = pollster::block_on(adapter.request_device(&Default::default()))?;
//!
//! let mut stopwatch = Stopwatch::new(&device, &queue);
//! let sampler = Sampler::with_time_limit(Duration::from_millis(50));
//! // An empty pass; record so many dispatches into it.
//! let readings = sampler.sample(|_executions| stopwatch.time(|_pass| {}))?;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("new.json");
//! let mut record = HarnessRecord::on(&adapter);
//! record.add("nothing/-/1@empty", &readings);
//! record.append_to(&file)?;
//! assert_eq!(perwatt::record::load(&file)?.cases[0].invocations.len(), 1);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use crate::device::{describe, same_description};
use crate::error::{Error, Result};
use crate::record::{
    Adapter, CaseInvocation, CaseName, CaseResult, Counts, DocumentKind, Host, InvocationInfo,
    Origin, Outcome, PlanSummary, Provenance, Reading, Record, SCHEMA_VERSION, Status,
    Verification, Whereabouts, load, now_utc, save, tidy,
};
use crate::sampling::Readings;

/// The kernel's name where none is given.
const KERNEL: &str = "own";

/// What this process measured of its own kernels.
#[derive(Clone, Debug)]
pub struct HarnessRecord {
    adapter: Adapter,
    started_utc: String,
    measured: Vec<HarnessCase>,
}

/// One kernel with its readings.
#[derive(Clone, Debug)]
struct HarnessCase {
    case: String,
    kernel: String,
    counts: Counts,
    outcome: Outcome,
}

impl HarnessRecord {
    /// Begins with nothing, on the adapter that the program's device was made from.
    pub fn on(adapter: &wgpu::Adapter) -> Self {
        Self {
            adapter: describe(adapter),
            started_utc: now_utc(),
            measured: Vec::new(),
        }
    }

    /// Adds what was sampled of a kernel. Its name, by which records are compared, is written
    /// `NAME/DTYPE/SHAPE@KERNEL`, as in `blur/f32/1920x1080@separable`.
    pub fn add(&mut self, name: &str, readings: &Readings) -> &mut Self {
        self.add_counted(name, Counts::default(), readings)
    }

    /// The same of a kernel whose work in one execution is known, for rates.
    pub fn add_counted(&mut self, name: &str, counts: Counts, readings: &Readings) -> &mut Self {
        let (case, kernel) = CaseName::split_kernel(name);
        let (sampling, warnings) = readings.summarize();
        let unchecked = Verification::unchecked(NOT_VERIFIED);
        self.measured.push(HarnessCase {
            case: case.to_owned(),
            kernel: kernel.unwrap_or(KERNEL).to_owned(),
            counts,
            outcome: Outcome::Measured {
                verified_before: unchecked.clone(),
                verified_after: unchecked,
                sampling,
                energy: Box::new(Reading::unmeasured(NO_ENERGY)),
                warnings,
            },
        });
        self
    }

    /// Appends everything to a file as one invocation; a file that is not there yet begins with it. One process appends
    /// at a time.
    ///
    /// # Errors
    /// The file is no record, or one of another device or of other work; a name was added twice; it cannot be written.
    pub fn append_to(self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut record = if path.exists() {
            load(path)?
        } else {
            self.empty()
        };
        self.refuse_other(&record, path)?;
        let number = record.plan.invocations;
        record.plan.invocations = number.saturating_add(1);
        record.invocations.push(InvocationInfo {
            invocation: number,
            started_utc: self.started_utc,
            workers: 1,
            own_cpu_s: Reading::unmeasured(ANOTHER),
        });
        for own in self.measured {
            let known = record
                .cases
                .iter_mut()
                .find(|known| known.case == own.case && known.kernel == own.kernel);
            let invocation = CaseInvocation {
                invocation: number,
                outcome: own.outcome,
            };
            match known {
                None => {
                    let case = waiting(own.case, own.kernel, own.counts, invocation);
                    record.plan.cases.push(case.id());
                    record.cases.push(case);
                }
                Some(known) if known.counts != own.counts => {
                    return Err(Error::file(
                        path,
                        format!(
                            "{} has other counts there; write to another file",
                            known.id()
                        ),
                    ));
                }
                Some(known) if known.invocations.iter().any(|i| i.invocation == number) => {
                    return Err(Error::file(
                        path,
                        format!("{} was added twice; give each its own name", known.id()),
                    ));
                }
                Some(known) => known.invocations.push(invocation),
            }
        }
        tidy(&mut record, &Whereabouts::of_this_process());
        save(&record, path)
    }

    /// Stops what another device or perwatt itself measured.
    fn refuse_other(&self, record: &Record, path: &Path) -> Result<()> {
        let theirs = &record.adapter;
        if record.provenance.origin != Origin::Imported {
            return Err(Error::file(
                path,
                "was not written by this program; append to a file of its own",
            ));
        }
        if !same_description(theirs, &self.adapter) {
            return Err(Error::file(
                path,
                format!(
                    "is of {} with driver {}, and this is {} with driver {}; write to another file",
                    theirs.label(),
                    theirs.driver_info,
                    self.adapter.label(),
                    self.adapter.driver_info
                ),
            ));
        }
        Ok(())
    }

    /// A record that no invocation is in yet.
    fn empty(&self) -> Record {
        let unknown = || Reading::unmeasured("not asked for by a program's own measurement");
        Record {
            kind: Some(DocumentKind::Record.mark().to_owned()),
            schema_version: SCHEMA_VERSION.to_owned(),
            // Random for each process and each call.
            session: format!(
                "own-{:016x}",
                RandomState::new().hash_one(&self.started_utc)
            ),
            started_utc: self.started_utc.clone(),
            provenance: Provenance {
                origin: Origin::Imported,
                argv: std::env::args_os()
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect(),
                perwatt_version: env!("CARGO_PKG_VERSION").to_owned(),
                git_revision: Reading::unmeasured(ANOTHER),
                git_dirty: Reading::unmeasured(ANOTHER),
                wgpu_version: Reading::unmeasured(ANOTHER),
                checked_shaders: false,
            },
            host: Host {
                os: std::env::consts::OS.to_owned(),
                kernel: unknown(),
                cpu: unknown(),
                cpu_threads: Reading::unmeasured(ANOTHER),
                memory_bytes: Reading::unmeasured(ANOTHER),
                described: None,
            },
            placement: None,
            adapter: self.adapter.clone(),
            clock: Reading::unmeasured("each case says which clock it was timed by"),
            power: Reading::unmeasured(NO_ENERGY),
            plan: PlanSummary::of_another_program(0, Vec::new()),
            invocations: Vec::new(),
            cases: Vec::new(),
            roofline: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Why what perwatt knows of itself is not in such a record.
const ANOTHER: &str = "another program measured";

/// What stands for a check.
const NOT_VERIFIED: &str = "measured by another program: not verified by perwatt";

/// Why there is no energy.
const NO_ENERGY: &str = "the program measured its time alone";

/// A case with its first invocation.
fn waiting(case: String, kernel: String, counts: Counts, first: CaseInvocation) -> CaseResult {
    CaseResult {
        case,
        kernel,
        parameters: BTreeMap::new(),
        parameters_from: "the program's own".to_owned(),
        custom: None,
        counts,
        resources: None,
        measure: None,
        setup: None,
        instead_of: None,
        status: Status::Measured,
        invocations: vec![first],
        summary: Reading::unmeasured(
            "measured by another program, which perwatt verified no output of; `perwatt compare` judges the times",
        ),
        warnings: Vec::new(),
    }
}
