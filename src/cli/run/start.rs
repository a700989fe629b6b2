//! How a new run begins: what it plans, where its files lie, and its journal.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};

use super::{NewRun, Ready, check_output};
use crate::bench::{self, tune::Store};
use crate::cli::support::identity::{by_itself, identified};
use crate::cli::support::interrupts::Keeping;
use crate::cli::support::output::tell;
use crate::cli::support::result_path::{file_stem, free_name, is_folder};
use crate::cli::support::survey::{opened, survey};
use crate::cli::support::tuning::{self, SearchEffort, TunedDevice};
use crate::cli::support::turn::Turn;
use crate::escape::shell_word;
use crate::process::ProgramImage;
use crate::record::{
    self, Adapter, Journal, Record, SessionJournal, journal_path, without_journal_suffix,
};
use crate::workload::{Case, CaseKernel, Suite};

impl NewRun {
    /// Plans a new session and opens its journal; nothing where it was interrupted.
    pub(super) fn start(
        &self,
        program: &ProgramImage,
        force: bool,
    ) -> anyhow::Result<Option<Ready>> {
        let survey = survey(program)?;
        let adapters: Vec<&Adapter> = survey.adapters.iter().collect();
        let adapter = self.measure.target.adapter(&adapters)?;
        let access = survey.access(adapter);
        let adapter = &opened(program, &survey, adapter)?;
        let request = self.measure.request(adapter)?;
        if self.measure.target.suite.is_none() {
            tell_of_default(request.suite, adapter);
        }
        self.measure.target.see_sensor(adapter)?;
        let mut planned = bench::plan(&request, adapter)?;
        tell_smaller(&planned);
        let store = tuning::store(self.measure.target.tuning.as_deref())?;
        if self.tune {
            let device = TunedDevice {
                adapter,
                program,
                access: &access,
            };
            if let Turn::Interrupted = self.tune(&store, &device, &planned)? {
                return Ok(None);
            }
        }
        tuning::apply(&store, adapter, &mut planned, self.measure.tuned)?;
        let session = self.measure.session(request.suite, self.invocations);
        let mut record = bench::session(&session, adapter, &planned);
        self.place(&mut record);
        let twins = has_twins(adapter, &survey.adapters);
        let out = self.out_file(&record, twins)?;
        check_output(&out, &record, force)?;
        // Beside a pipe or a device no file stays, and what could not be written there goes to a file of the journal's
        // own name.
        let kept = match record::leads_to_a_stream(&out) {
            true => free_name(Path::new(""), &file_stem(&record, twins)),
            false => out.clone(),
        };
        let session = SessionJournal::planned(record, Some(program.build().executable.clone()));
        let journal = begin_journal(&kept, &session)?;
        Ok(Some(Ready {
            journal,
            out,
            session,
            access,
        }))
    }

    /// Searches parameters for the planned kernels before they are measured.
    fn tune(
        &self,
        store: &Store,
        device: &TunedDevice<'_>,
        planned: &[CaseKernel],
    ) -> anyhow::Result<Turn> {
        let effort = SearchEffort {
            total_s: None,
            quick: false,
            power: &self.measure.target.power,
            seed: self.measure.target.seed,
        };
        let keeping = Keeping::begin();
        let interrupted = keeping.interrupted();
        let searched = tuning::search_all(store, device, planned, &effort, interrupted)?;
        if !interrupted.load(Ordering::Relaxed) {
            return Ok(Turn::Done);
        }
        tell(&format!(
            "Interrupted while tuning; the results of {} searches are kept.",
            searched.len()
        ));
        Ok(Turn::Interrupted)
    }

    /// Says in the record where it is measured. The arguments that only a fleet gives name its folder and node.
    fn place(&self, record: &mut Record) {
        record.placement = match &self.placement {
            Some(placement) => Some(placement.clone()),
            None if self.identify => Some(identified(by_itself(), &record.adapter)),
            None => None,
        };
        if self.placement.is_some() {
            let own = ["--out=", "--placement="];
            let argv = &mut record.provenance.argv;
            argv.retain(|word| !own.iter().any(|option| word.starts_with(option)));
            if let Some(program) = argv.first_mut() {
                "perwatt".clone_into(program);
            }
        }
    }

    /// Where the record goes; with the address of the device in its name where others look the same.
    fn out_file(&self, record: &Record, twins: bool) -> anyhow::Result<PathBuf> {
        let folder = match &self.out {
            Some(out) if !is_folder(out) => {
                if without_journal_suffix(out) != *out {
                    bail!(
                        "--out {}: a name that ends in .journal is a journal's; give the result file another",
                        out.display()
                    );
                }
                return Ok(out.clone());
            }
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create the folder {}", folder.display()))?;
                folder.clone()
            }
            None => PathBuf::new(),
        };
        Ok(free_name(&folder, &file_stem(record, twins)))
    }
}

/// Says which suite is measured where none was named.
fn tell_of_default(suite: Option<Suite>, adapter: &Adapter) {
    let Some(suite) = suite else { return };
    let kind = if adapter.is_software() {
        "a software driver"
    } else {
        "a GPU"
    };
    tell(&format!(
        "Suite {suite}, the default on {kind}; --suite chooses another."
    ));
}

/// Whether another adapter has the same name and backend, so that only its address tells it apart.
fn has_twins(adapter: &Adapter, all: &[Adapter]) -> bool {
    let same = |other: &&Adapter| other.name == adapter.name && other.backend == adapter.backend;
    all.iter().filter(same).count() > 1
}

/// Says before anything is measured which cases stand for ones that are too large for the adapter.
fn tell_smaller(planned: &[CaseKernel]) {
    let mut cases: Vec<&Case> = planned.iter().map(|planned| &planned.case).collect();
    cases.dedup();
    for case in cases {
        if let Some(other) = &case.instead_of {
            tell(&format!(
                "{case} stands for {}: {}",
                other.case, other.reason
            ));
        }
    }
}

/// Starts the journal of a new run; an interrupted run of the same name is not overwritten.
fn begin_journal(out: &Path, session: &SessionJournal) -> anyhow::Result<Journal> {
    let path = journal_path(out);
    if record::journal_in_use(&path) {
        bail!(
            "{}: another perwatt is at work on this run; wait for it, or choose another --out",
            path.display()
        );
    }
    let there = path.symlink_metadata();
    if there.as_ref().is_ok_and(|there| !there.is_file()) {
        bail!(
            "{}: the run's journal would stand there, and what stands there is no regular file; choose another --out",
            path.display()
        );
    }
    if there.is_ok() {
        bail!(
            "{}: an interrupted run left this journal; resume it with `perwatt run --resume {}`, or delete it",
            path.display(),
            shell_word(&out.to_string_lossy())
        );
    }
    Ok(Journal::begin(path, session)?)
}
