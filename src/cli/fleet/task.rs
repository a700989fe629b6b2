//! `perwatt fleet task`: one GPU's run, as a scheduler starts it. Whatever it was before, the task goes on from there:
//! a record that is there is left, a journal is resumed, and else a run begins.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::options::RunOptions;
use super::queue::ask;
use super::schedulers::exclusive_job;
use crate::cli::exit::Exit;
use crate::cli::support::identity::{gpu_uuid, identified, node_name};
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::tell;
use crate::cli::support::survey::survey;
use crate::device::each_gpu;
use crate::fleet::spread::{
    FleetFolder, FleetPlan, FleetTask, Given, HEARTBEAT, SeenGpu, TaskEnd, TaskState, gpu_of_task,
    is_node_name, last_line,
};
use crate::process::{GroupedChild, ProgramImage, StopSignal};
use crate::record::{self, Adapter, Placement, Scheduler, journal_in_use, journal_path, now_utc};

/// Run one task of a fleet (started by a scheduler).
#[derive(Debug, Args)]
pub(in crate::cli) struct FleetTaskArgs {
    /// The fleet's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// The plan, where it is not in the folder
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// The task's number
    #[arg(long, value_name = "N")]
    task: Option<u32>,

    /// The numbers of the tasks of an Indexed Job, by index
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    tasks: Vec<u32>,
}

/// Where a task finds itself.
struct TaskPlace {
    task: FleetTask,
    node: String,
    /// Its number among the tasks of its node.
    slot: usize,
    /// The scheduler's job.
    job: Option<String>,
}

/// How often a running task looks whether its run has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How long a run may take to stop in good order.
const FAREWELL: Duration = Duration::from_secs(20);

impl FleetTaskArgs {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<Exit> {
        let folder = FleetFolder::at(&std::path::absolute(&self.folder)?);
        let plan = self.plan(&folder)?;
        let place = self.place(&plan)?;
        let mut state = TaskState {
            fleet: plan.id.clone(),
            task: place.task.id,
            node: place.node.clone(),
            record: None,
            job: place.job.clone(),
            started_utc: now_utc(),
            ended: None,
        };
        state.save(&folder)?;
        let done = work(&folder, &plan, &place, &mut state);
        let (exit, reason) = match &done {
            Ok(TaskEnding::Recorded) => (Exit::Done, String::new()),
            Ok(TaskEnding::Failed(reason)) => (Exit::Usage, reason.clone()),
            Ok(TaskEnding::Interrupted) => (
                Exit::Interrupted,
                "interrupted; what was finished is kept in its journal".to_owned(),
            ),
            Err(error) => (Exit::Usage, format!("{error:#}")),
        };
        if !reason.is_empty() {
            tell(&format!(
                "task {} on {}: {reason}",
                place.task.id, place.node
            ));
        }
        state.ended = Some(TaskEnd {
            utc: now_utc(),
            recorded: exit == Exit::Done,
            reason,
        });
        state.save_end(&folder)?;
        Ok(exit)
    }

    /// The plan; where it came beside the folder, as in a pod, the folder gets it too.
    fn plan(&self, folder: &FleetFolder) -> anyhow::Result<FleetPlan> {
        let Some(file) = &self.plan else {
            return Ok(folder.plan()?);
        };
        let plan: FleetPlan = record::load_document(file)?;
        folder.make()?;
        if folder.plan_file().exists() {
            let there = folder.plan()?;
            if there.id != plan.id {
                bail!(
                    "{}: holds another fleet run ({}, not {}); give this one a folder of its own",
                    folder.plan_file().display(),
                    there.id,
                    plan.id
                );
            }
        } else {
            folder.save(&plan)?;
        }
        Ok(plan)
    }

    /// Which task this is, by what the scheduler says.
    fn place(&self, plan: &FleetPlan) -> anyhow::Result<TaskPlace> {
        let number = |name: &str| variable(name).and_then(|text| text.parse::<usize>().ok());
        let of_plan = |id: u32| {
            plan.tasks
                .get(id as usize)
                .cloned()
                .with_context(|| format!("the plan has no task {id}"))
        };
        let (task, node, slot, job) = match plan.scheduler {
            Scheduler::Local => {
                let id = self.task.context("fleet task: --task is missing")?;
                let task = of_plan(id)?;
                let slot = task.gpu.unwrap_or_default() as usize;
                (task.clone(), task.node, slot, None)
            }
            Scheduler::Slurm => {
                let node = variable("SLURMD_NODENAME").context(
                    "SLURMD_NODENAME is not set: a task of this fleet is started by Slurm's srun",
                )?;
                let slot = number("SLURM_LOCALID").unwrap_or_default();
                let task = plan.of_node(&node).nth(slot).cloned();
                let task =
                    task.with_context(|| format!("the plan has no task {slot} for node {node:?}"))?;
                (task, Some(node), slot, variable("SLURM_JOB_ID"))
            }
            Scheduler::Kubernetes => {
                let index = number("JOB_COMPLETION_INDEX")
                    .context("JOB_COMPLETION_INDEX is not set: a task of this fleet is started by an Indexed Job")?;
                let id = match self.tasks.get(index) {
                    Some(id) => *id,
                    None => u32::try_from(index)?,
                };
                (
                    of_plan(id)?,
                    variable("PERWATT_NODE"),
                    0,
                    variable("HOSTNAME"),
                )
            }
        };
        let node = node.or_else(node_name).unwrap_or_else(|| "node".to_owned());
        if !is_node_name(&node) {
            bail!("{node:?} is not the name of a node");
        }
        Ok(TaskPlace {
            task,
            node,
            slot,
            job,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// How a task's run ended.
enum TaskEnding {
    Recorded,
    Failed(String),
    Interrupted,
}

/// Brings the task to its record.
fn work(
    folder: &FleetFolder,
    plan: &FleetPlan,
    place: &TaskPlace,
    state: &mut TaskState,
) -> anyhow::Result<TaskEnding> {
    let keeping = Keeping::begin();
    let interrupted = keeping.interrupted();
    let options = RunOptions::parse(&plan.options)?;
    let mut beat = Heartbeat::new(folder);
    let mut turn = TurnFile::open(plan, place)?;
    while !turn.is_ours() {
        if interrupted.load(Ordering::Relaxed) {
            return Ok(TaskEnding::Interrupted);
        }
        beat.on(state);
        std::thread::sleep(POLL_INTERVAL);
    }
    let program = ProgramImage::of_this_process()?;
    let gpu = TaskGpu::find(&program, plan, place, &options)?;
    let name = format!("{}--{}.json", place.node, gpu.name);
    let out = folder.records().join(&name);
    state.record = Some(name);
    state.save(folder)?;
    let begun = EarlierAttempt::of(&out, plan, place.task.id)?;
    let Some(words) = begun.words(&options, &out, &gpu, plan, place)? else {
        return Ok(TaskEnding::Recorded);
    };
    let mut command = program.command();
    command.args(words);
    let log = folder.log_of(place.task.id);
    let Some(status) = watched(command, plan, &log, interrupted, || beat.on(state))? else {
        return Ok(TaskEnding::Interrupted);
    };
    if let EarlierAttempt::Recorded = EarlierAttempt::of(&out, plan, place.task.id)? {
        return Ok(TaskEnding::Recorded);
    }
    let last = last_line(&log).unwrap_or_else(|| "its log is empty".to_owned());
    Ok(TaskEnding::Failed(format!(
        "perwatt run ended ({status}): {last}"
    )))
}

/// Runs a command with its output in a log until it ends; nothing where it was interrupted.
fn watched(
    mut command: Command,
    plan: &FleetPlan,
    log_file: &Path,
    interrupted: &AtomicBool,
    mut beat: impl FnMut(),
) -> anyhow::Result<Option<ExitStatus>> {
    let working = Path::new(&plan.working_folder);
    if working.is_dir() {
        command.current_dir(working);
    }
    let log = || -> anyhow::Result<File> {
        let file = OpenOptions::new().append(true).create(true).open(log_file);
        file.with_context(|| format!("{}: cannot be written", log_file.display()))
    };
    command.stdin(Stdio::null()).stdout(log()?).stderr(log()?);
    let mut run = GroupedChild::spawn(command, StopSignal::Request)
        .context("perwatt run cannot be started")?;
    loop {
        if let Some(status) = run.try_wait()? {
            return Ok(Some(status));
        }
        if interrupted.load(Ordering::Relaxed) {
            run.ask_to_end();
            let asked = Instant::now();
            while run.try_wait()?.is_none() && asked.elapsed() < FAREWELL {
                std::thread::sleep(POLL_INTERVAL);
            }
            return Ok(None);
        }
        beat();
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// A path behind an option, as one word.
fn in_one_word(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}

/// What an earlier attempt left.
enum EarlierAttempt {
    Nothing,
    Half,
    Recorded,
}

impl EarlierAttempt {
    /// # Errors
    /// Another is at work on it, or what is there is not this task's.
    fn of(out: &Path, plan: &FleetPlan, task: u32) -> anyhow::Result<Self> {
        let journal = journal_path(out);
        if out.exists() {
            let record = record::load(out)?;
            let placement = record.placement.as_ref();
            let (fleet, of) = (
                placement.and_then(|p| p.fleet.as_ref()),
                placement.and_then(|p| p.task),
            );
            if fleet == Some(&plan.id) && of == Some(task) {
                return Ok(Self::Recorded);
            }
            bail!(
                "this GPU is measured already: {} is of task {}; fewer GPUs are there than tasks",
                out.display(),
                of.map_or("none".to_owned(), |task| task.to_string())
            );
        }
        if !journal.exists() {
            return Ok(Self::Nothing);
        }
        if journal_in_use(&journal) {
            bail!(
                "{}: another perwatt is at work on this run",
                journal.display()
            );
        }
        match record::read_journal(&journal) {
            Ok(_) => Ok(Self::Half),
            Err(damaged) => {
                // Kept for inspection, and out of the way.
                let aside =
                    journal.with_extension(format!("damaged-{}", now_utc().replace(':', "")));
                std::fs::rename(&journal, &aside)
                    .with_context(|| format!("{}: cannot be moved aside", journal.display()))?;
                tell(&format!(
                    "{damaged}; kept as {}, and a new run begins",
                    aside.display()
                ));
                Ok(Self::Nothing)
            }
        }
    }
}

impl EarlierAttempt {
    /// The arguments with which perwatt goes on from here; nothing where nothing is left to do.
    fn words(
        &self,
        options: &RunOptions,
        out: &Path,
        gpu: &TaskGpu,
        plan: &FleetPlan,
        place: &TaskPlace,
    ) -> anyhow::Result<Option<Vec<OsString>>> {
        let mut words: Vec<OsString> = vec!["run".into()];
        match self {
            Self::Recorded => return Ok(None),
            Self::Half => {
                words.push(in_one_word("--resume=", out));
                words.extend(options.again.iter().map(OsString::from));
            }
            Self::Nothing => {
                words.extend(options.words.iter().map(OsString::from));
                words.push(in_one_word("--out=", out));
                let placement = serde_json::to_string(&gpu.placement(plan, place))?;
                words.push(format!("--placement={placement}").into());
                words.extend(gpu.chosen.map(|index| format!("--device={index}").into()));
            }
        }
        Ok(Some(words))
    }
}

/// The GPU of a task.
struct TaskGpu {
    /// Its number for `--device`, where the task chooses.
    chosen: Option<u32>,
    /// What its record is called by.
    name: String,
    adapter: Adapter,
}

impl TaskGpu {
    /// Finds what the scheduler gave.
    fn find(
        program: &ProgramImage,
        plan: &FleetPlan,
        place: &TaskPlace,
        options: &RunOptions,
    ) -> anyhow::Result<Self> {
        let survey = survey(program)?;
        let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
        let each = each_gpu(&adapters)?;
        let given = match plan.scheduler {
            Scheduler::Local => Given::Unsaid,
            _ => Given::from_environment(variable),
        };
        let by_uuid = matches!(given, Given::ByUuid(_));
        let seen: Vec<SeenGpu> = each
            .iter()
            .map(|adapter| SeenGpu {
                index: adapter.index,
                pci: adapter.pci_id.measured().map(|pci| pci.to_lowercase()),
                uuid: by_uuid.then(|| gpu_uuid(adapter)).flatten(),
                software: adapter.is_software(),
            })
            .collect();
        let gpu = gpu_of_task(&seen, &given, place.slot).map_err(|why| anyhow!("{why}"))?;
        let adapter = each
            .iter()
            .find(|adapter| adapter.index == gpu.index)
            .context("the adapter is gone")?;
        let plain = |pci: &String| pci.replace(':', "-");
        let name = match (&gpu.pci, gpu.software) {
            (Some(pci), false) if is_node_name(&plain(pci)) => plain(pci),
            _ => format!("gpu{}", place.task.gpu.unwrap_or_default()),
        };
        Ok(Self {
            chosen: (!options.choose_device && place.task.gpu.is_some() && !gpu.software)
                .then_some(gpu.index),
            name,
            adapter: (*adapter).clone(),
        })
    }

    /// What the record says of where it was measured.
    fn placement(&self, plan: &FleetPlan, place: &TaskPlace) -> Placement {
        let of_node = plan.of_node(&place.node).count();
        let concurrent_gpus = match plan.scheduler {
            // Where pods end up together is the cluster's business.
            Scheduler::Kubernetes => None,
            _ if plan.at_once => u32::try_from(of_node).ok(),
            _ => Some(1),
        };
        let exclusive = match plan.scheduler {
            Scheduler::Slurm => variable("SLURM_JOB_ID").and_then(|job| exclusive_job(&job, ask)),
            _ => None,
        };
        let placement = Placement {
            exclusive,
            concurrent_gpus,
            scheduler: plan.scheduler,
            fleet: Some(plan.id.clone()),
            task: Some(place.task.id),
            node: None,
            user: None,
            gpu_uuid: None,
            pci: None,
        };
        if !plan.identify {
            return placement;
        }
        let node = Some(place.node.clone());
        identified(Placement { node, ..placement }, &self.adapter)
    }
}

/// Says now and then that the task is alive.
struct Heartbeat<'a> {
    folder: &'a FleetFolder,
    last: Instant,
}

impl<'a> Heartbeat<'a> {
    fn new(folder: &'a FleetFolder) -> Self {
        Self {
            folder,
            last: Instant::now(),
        }
    }

    fn on(&mut self, state: &TaskState) {
        if self.last.elapsed() >= HEARTBEAT {
            self.last = Instant::now();
            // A disk that is full now may be free again before the run needs it.
            let _ = state.save(self.folder);
        }
    }
}

/// The turn of a node's tasks: a file of this machine that one of them locks at a time, and that the system frees
/// however its holder ends.
struct TurnFile(Option<File>);

impl TurnFile {
    fn open(plan: &FleetPlan, place: &TaskPlace) -> anyhow::Result<Self> {
        let in_turn = !plan.at_once && plan.scheduler == Scheduler::Slurm;
        if !in_turn || plan.of_node(&place.node).count() < 2 {
            return Ok(Self(None));
        }
        let path = std::env::temp_dir().join(format!("{}-{}.turn", plan.job_name(), place.node));
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(Self(Some(file)))
    }

    fn is_ours(&mut self) -> bool {
        self.0.as_ref().is_none_or(|file| file.try_lock().is_ok())
    }
}
