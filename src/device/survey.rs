//! Which adapters there are, seen by helper processes: a driver that crashes, hangs or prints costs its own
//! adapters and nothing else.
//!
//! Each backend is asked by a helper of its own. Where Vulkan fails, each of its drivers is asked apart, and
//! the broken ones are kept away from every process that is started later.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::access::{AdapterAccess, DriverChoice};
use super::driver_files::vulkan_manifests;
use super::{
    Gpu, backends, enumerate_backends, find_adapter, name_of, rank, same_description, select,
};
use crate::process::{Helper, Listened, ProgramImage, Timeout};
use crate::record::Adapter;

/// How often a helper is listened to.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What the helpers saw.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Every adapter, numbered.
    pub adapters: Vec<Adapter>,
    /// What was left out.
    pub broken: Vec<BrokenDriver>,
    /// Which drivers other processes may load.
    pub drivers: DriverChoice,
}

/// A driver whose adapters cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenDriver {
    /// The backend.
    backend: &'static str,
    /// The manifest of the driver, where it is known.
    manifest: Option<PathBuf>,
    /// What it did.
    trouble: Trouble,
}

/// What a driver did instead of listing its adapters.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// It did not answer in so many seconds.
    Hung(u64),
    /// The process ended.
    Crashed(String),
    /// The helper could not be asked.
    Unasked(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hung(seconds) => write!(f, "did not list its devices within {seconds} s"),
            Self::Crashed(how) => {
                write!(f, "crashed while it listed its devices (the process {how})")
            }
            Self::Unasked(why) => write!(f, "could not be asked ({why})"),
        }
    }
}

impl fmt::Display for BrokenDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            backend,
            manifest,
            trouble,
        } = self;
        match manifest {
            None => write!(
                f,
                "backend {backend}: a driver {trouble}; its adapters are left out. Update or remove that driver"
            )?,
            Some(manifest) => {
                let file = manifest.file_name().unwrap_or_default().to_string_lossy();
                write!(
                    f,
                    "the {backend} driver of {} {trouble}; its adapters are left out. Update or remove it, or \
                     keep it from being loaded: VK_LOADER_DRIVERS_DISABLE={file}",
                    manifest.display()
                )?;
            }
        }
        if matches!(trouble, Trouble::Hung(_)) {
            f.write_str("; where it is only slow, PERWATT_DRIVER_TIMEOUT=SECONDS gives it longer")?;
        }
        Ok(())
    }
}

/// What a helper is asked.
#[derive(Debug, Serialize, Deserialize)]
enum DriverQuestion {
    /// Which adapters a backend has.
    List { backend: String },
    /// What an adapter turns out to be when it is opened, by as many as look the same and come before it.
    Open { adapter: Box<Adapter>, twin: usize },
}

/// Answers a parent's question: adapters as JSON, in a line.
///
/// # Errors
/// The question is none.
pub fn look(question: &str) -> Result<String, serde_json::Error> {
    let adapters: Vec<Adapter> = match serde_json::from_str(question)? {
        DriverQuestion::List { backend } => backends()
            .filter(|known| name_of(*known) == backend)
            .flat_map(enumerate_backends)
            .map(|found| found.adapter)
            .collect(),
        DriverQuestion::Open { adapter, twin } => find_adapter(&adapter, twin)
            .and_then(|found| Gpu::open(&found).ok())
            .map(|gpu| gpu.adapter)
            .into_iter()
            .collect(),
    };
    serde_json::to_string(&adapters)
}

/// Asks every backend, each for at most so long; `program` answers to `adapters` by [`look`].
pub fn survey(program: &ProgramImage, limit: Duration) -> Survey {
    let names: Vec<&'static str> = backends().map(name_of).collect();
    survey_backends(program, limit, &names)
}

/// Asks Vulkan alone.
pub fn survey_vulkan(program: &ProgramImage, limit: Duration) -> Survey {
    survey_backends(program, limit, &[name_of(wgpu::Backends::VULKAN)])
}

fn survey_backends(program: &ProgramImage, limit: Duration, names: &[&'static str]) -> Survey {
    let all = DriverChoice::default();
    let questions: Vec<_> = names.iter().map(|name| (*name, all.clone())).collect();
    let mut survey = Survey::default();
    for (backend, answer) in names.iter().zip(ask_all(program, limit, &questions)) {
        match answer {
            Ok(adapters) => survey.adapters.extend(adapters),
            Err(trouble) => survey.take_apart(program, limit, backend, trouble),
        }
    }
    survey.adapters.sort_by_key(rank);
    select::number(&mut survey.adapters.iter_mut().collect::<Vec<_>>());
    survey
}

impl Survey {
    /// How another process gets at one of the adapters.
    pub fn access(&self, adapter: &Adapter) -> AdapterAccess {
        AdapterAccess {
            twin: self
                .adapters
                .iter()
                .filter(|other| other.index < adapter.index && same_description(other, adapter))
                .count(),
            drivers: self.drivers.clone(),
        }
    }

    /// What an adapter turns out to be when it is opened: what the driver refuses of what it offers, and what only a
    /// kernel can see. As it was seen where a helper cannot open it; a worker says why then.
    pub fn opened(&self, program: &ProgramImage, limit: Duration, adapter: &Adapter) -> Adapter {
        let access = self.access(adapter);
        let question = DriverQuestion::Open {
            adapter: Box::new(adapter.clone()),
            twin: access.twin,
        };
        let opened = ask(program, limit, &question, &access.drivers);
        let opened = opened.ok().and_then(|opened| opened.into_iter().next());
        opened.unwrap_or_else(|| adapter.clone())
    }

    /// Asks each driver of a backend that failed as a whole.
    fn take_apart(
        &mut self,
        program: &ProgramImage,
        limit: Duration,
        backend: &'static str,
        trouble: Trouble,
    ) {
        let manifests = if backend == name_of(wgpu::Backends::VULKAN) {
            vulkan_manifests()
        } else {
            Vec::new()
        };
        let mut broken = |manifest: Option<&Path>, trouble| {
            self.broken.push(BrokenDriver {
                backend,
                manifest: manifest.map(Path::to_owned),
                trouble,
            });
        };
        if manifests.is_empty() {
            broken(None, trouble);
            return;
        }
        let questions: Vec<_> = manifests
            .iter()
            .map(|manifest| (backend, DriverChoice::only(vec![manifest.clone()])))
            .collect();
        let answers = ask_all(program, limit, &questions);
        let (mut whole, mut seen) = (Vec::new(), Vec::new());
        for (manifest, answer) in manifests.iter().zip(answers) {
            match answer {
                Ok(adapters) => {
                    whole.push(manifest.clone());
                    seen.extend(adapters);
                }
                Err(trouble) => broken(Some(manifest), trouble),
            }
        }
        if whole.len() == manifests.len() {
            // Each by itself is well; together, or with a layer, they are not.
            broken(None, trouble);
            return;
        }
        self.adapters.extend(seen);
        self.drivers = DriverChoice::only(whole);
    }
}

/// Asks several helpers at once.
fn ask_all(
    program: &ProgramImage,
    limit: Duration,
    questions: &[(&'static str, DriverChoice)],
) -> Vec<Result<Vec<Adapter>, Trouble>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = questions
            .iter()
            .map(|(backend, drivers)| {
                let backend = (*backend).to_owned();
                let question = DriverQuestion::List { backend };
                scope.spawn(move || ask(program, limit, &question, drivers))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Trouble::Unasked("perwatt's own fault".to_owned())))
            })
            .collect()
    })
}

/// Asks one helper.
fn ask(
    program: &ProgramImage,
    limit: Duration,
    question: &DriverQuestion,
    drivers: &DriverChoice,
) -> Result<Vec<Adapter>, Trouble> {
    let mut command = program.command();
    command.arg("adapters");
    drivers.apply(&mut command);
    let mut helper = Helper::start(command).map_err(|e| Trouble::Unasked(e.to_string()))?;
    helper.send(serde_json::to_vec(question).map_err(|e| Trouble::Unasked(e.to_string()))?);
    let mut timeout = Timeout::new(limit);
    loop {
        match helper.listen(POLL_INTERVAL) {
            Listened::Line(line) => {
                return serde_json::from_slice(&line).map_err(|e| Trouble::Unasked(e.to_string()));
            }
            Listened::Nothing if timeout.is_over() => return Err(Trouble::Hung(limit.as_secs())),
            Listened::Nothing => {}
            Listened::Ended => return Err(Trouble::Crashed(helper.last_words().words)),
        }
    }
}
