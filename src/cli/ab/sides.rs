//! What each side of `ab` would run, known before anything is measured. What is the same on both sides needs no
//! measuring, and what only one side has cannot be paired.
//!
//! That can be said only where workload files are all that differs: another binary, driver or device may run the
//! same WGSL differently, which is then the question.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

use crate::bench::{self, Request};
use crate::cli::args::measure::{DeadlineArgs, MeasureArgs};
use crate::cli::args::target::TargetArgs;
use crate::compare::{FailedCase, Pairing, Renamed, Side, no_baseline, program_identity};
use crate::error::Error;
use crate::record::{Adapter, CaseName, Record};
use crate::workload::{CaseKernel, LoadedFile};

/// The options of a side, read as its `perwatt run` reads them.
#[derive(Debug, Parser)]
struct SideRun {
    #[command(flatten)]
    measure: MeasureArgs,
    #[command(flatten)]
    _deadline: DeadlineArgs,
}

/// What one side would run.
#[derive(Debug, Default)]
pub(in crate::cli) struct SidePlan {
    cases: Vec<PlannedCase>,
    /// What its workload files declare and cannot be measured.
    failed: Vec<FailedCase>,
    /// What is asked for, by the places of glob and kernel's name.
    asked: Vec<(usize, usize)>,
    /// What of it this side does not have, and why.
    missing: BTreeMap<(usize, usize), Error>,
    /// Why it has nothing, where that is so.
    nothing: Option<String>,
}

#[derive(Debug)]
struct PlannedCase {
    id: String,
    /// What its program and data are; the same for a built-in kernel, which both sides have from this binary.
    identity: Option<String>,
}

/// What the two sides have in common, and what not.
#[derive(Debug, Default)]
pub(in crate::cli) struct Overlap {
    /// On both sides, with programs or data that differ: what is measured in pairs.
    pub(in crate::cli) changed: Vec<String>,
    /// Only the candidate's.
    pub(in crate::cli) new: Vec<String>,
    unchanged: Vec<String>,
    renamed: Vec<Renamed>,
    lost: Vec<String>,
    failed: Vec<FailedCase>,
    notes: Vec<String>,
}

/// A side's record before anything was measured.
pub(in crate::cli) fn empty_record(
    arguments: &[OsString],
    adapter: &Adapter,
) -> anyhow::Result<Record> {
    let SideRun { measure, .. } = parsed(arguments)?;
    let session = measure.session(None, 0);
    Ok(bench::session(&session, adapter, &[]))
}

/// The device that a side's options choose.
pub(in crate::cli) fn device_of<'a>(
    arguments: &[OsString],
    adapters: &[&'a Adapter],
) -> anyhow::Result<&'a Adapter> {
    let SideRun { measure, .. } = parsed(arguments)?;
    Ok(crate::device::choose(
        adapters,
        measure.target.device.as_deref(),
    )?)
}

fn parsed(arguments: &[OsString]) -> anyhow::Result<SideRun> {
    let words = std::iter::once(OsString::from("run")).chain(arguments.iter().cloned());
    Ok(SideRun::try_parse_from(words)?)
}

impl SidePlan {
    /// What a side would run with these options; without an adapter, only the kernels of its workload files.
    ///
    /// # Errors
    /// A workload file cannot be used.
    pub(in crate::cli) fn of(
        side: Side,
        arguments: &[OsString],
        adapter: Option<&Adapter>,
    ) -> anyhow::Result<Self> {
        let SideRun { measure, .. } = parsed(arguments)?;
        let mut plan = Self::default();
        let mut custom = Vec::new();
        for LoadedFile {
            kernels,
            unusable,
            refused,
        } in measure.workload_files()?
        {
            let fails = |kernel: &CaseKernel| refused.iter().any(|other| other.id() == kernel.id());
            custom.extend(kernels.into_iter().filter(|kernel| !fails(kernel)));
            let failed = unusable.iter().chain(&refused);
            let failed = failed.filter(|kernel| measure.target.means(&kernel.id()));
            plan.failed.extend(failed.map(|kernel| FailedCase {
                side,
                case: kernel.id(),
                reason: kernel.why.to_string(),
                place: kernel.why.place(),
            }));
        }
        match adapter {
            Some(adapter) => plan.choose(&measure.target, &custom, adapter)?,
            None => {
                let asked_for = custom.iter().filter(|k| measure.target.means(&k.id()));
                plan.cases.extend(asked_for.map(PlannedCase::by_name));
            }
        }
        Ok(plan)
    }

    /// Adds what is asked for of these kernels and the built-in ones. What this side lacks, the other may have.
    fn choose(
        &mut self,
        target: &TargetArgs,
        custom: &[CaseKernel],
        adapter: &Adapter,
    ) -> anyhow::Result<()> {
        for (place, choice) in target.choices() {
            self.asked.push(place);
            if custom.is_empty() && choice.cases.is_empty() && choice.suite.is_none() {
                continue;
            }
            let request = Request {
                custom: custom.to_vec(),
                ..choice
            };
            let fails = self.failed.iter().any(|failed| request.means(&failed.case));
            match bench::plan(&request, adapter) {
                Ok(planned) => {
                    let planned = planned.iter().map(PlannedCase::of);
                    let new: Vec<PlannedCase> =
                        planned.filter(|case| !self.has(&case.id)).collect();
                    self.cases.extend(new);
                }
                Err(Error::Usage { .. }) if fails => {}
                Err(missing @ Error::Usage { .. }) => {
                    self.missing.insert(place, missing);
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// The baseline, which may not be there yet: the first change brings the first workload file.
    ///
    /// # Errors
    /// A workload file is there and cannot be used.
    pub(in crate::cli) fn of_baseline(
        files: &[PathBuf],
        arguments: &[OsString],
        adapter: Option<&Adapter>,
    ) -> anyhow::Result<Self> {
        match files.iter().find(|file| !file.exists()) {
            Some(missing) => Ok(Self {
                nothing: Some(no_baseline(missing)),
                ..Self::default()
            }),
            None => Self::of(Side::Baseline, arguments, adapter)
                .context("the baseline cannot be measured, so nothing can be compared with it"),
        }
    }

    /// Whether all that it declares can be measured.
    pub(in crate::cli) fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.nothing.is_none()
    }

    fn has(&self, id: &str) -> bool {
        self.cases.iter().any(|case| case.id == id)
    }

    /// Whether a case cannot be measured here.
    fn fails(&self, id: &str) -> bool {
        self.failed.iter().any(|failed| failed.case == id)
    }

    /// Whether it lacks a built-in kernel only because no kernel of its own runs beside it.
    fn hides(&self, case: &PlannedCase) -> bool {
        let name = |id: &str| CaseName::split_kernel(id).0.to_owned();
        let mut failed = self.failed.iter();
        case.is_built_in() && failed.any(|failed| name(&failed.case) == name(&case.id))
    }
}

/// What is asked for and neither side has: probably a slip.
fn asked_in_vain(baseline: &SidePlan, candidate: &mut SidePlan) -> Option<Error> {
    let lacks = |place: &(usize, usize)| {
        let on_both = baseline.nothing.is_some() || baseline.missing.contains_key(place);
        on_both && candidate.missing.contains_key(place)
    };
    let all_lacking = |same: &dyn Fn(&(usize, usize)) -> bool| {
        candidate
            .asked
            .iter()
            .filter(|place| same(place))
            .all(lacks)
    };
    let vain = candidate.missing.keys().copied().find(|(glob, kernel)| {
        all_lacking(&|place| place.0 == *glob) || all_lacking(&|place| place.1 == *kernel)
    })?;
    candidate.missing.remove(&vain)
}

impl PlannedCase {
    /// A custom kernel of which nothing but its name is looked at.
    fn by_name(kernel: &CaseKernel) -> Self {
        Self {
            id: kernel.id(),
            identity: None,
        }
    }

    fn of(planned: &CaseKernel) -> Self {
        let result = planned.pending_result();
        Self {
            id: planned.id(),
            identity: match planned.custom {
                Some(_) => program_identity(&result),
                None => Some(format!("built in {:?}", result.parameters)),
            },
        }
    }

    fn is_built_in(&self) -> bool {
        let mut identity = self.identity.iter();
        identity.any(|identity| identity.starts_with("built in"))
    }

    /// Whether it is a custom kernel whose program and data are all known.
    fn is_known_custom(&self) -> bool {
        self.identity.is_some() && !self.is_built_in()
    }
}

impl Overlap {
    /// Sorts the cases of two sides.
    ///
    /// # Errors
    /// Something is asked for that neither side has.
    pub(in crate::cli) fn of(baseline: &SidePlan, candidate: &mut SidePlan) -> Result<Self, Error> {
        if let Some(in_vain) = asked_in_vain(baseline, candidate) {
            return Err(in_vain);
        }
        let failed = baseline.failed.iter().chain(&candidate.failed);
        let mut overlap = Self {
            notes: baseline.nothing.iter().cloned().collect(),
            failed: failed.cloned().collect(),
            ..Self::default()
        };
        let mut gone: Vec<&PlannedCase> = Vec::new();
        for old in &baseline.cases {
            match candidate.cases.iter().find(|new| new.id == old.id) {
                None if candidate.fails(&old.id) => {}
                None if candidate.hides(old) => overlap.unchanged.push(old.id.clone()),
                None => gone.push(old),
                Some(new) if new.identity.is_some() && new.identity == old.identity => {
                    overlap.unchanged.push(new.id.clone());
                }
                Some(new) => overlap.changed.push(new.id.clone()),
            }
        }
        for new in &candidate.cases {
            if baseline.has(&new.id) {
                continue;
            }
            if baseline.hides(new) {
                overlap.unchanged.push(new.id.clone());
                continue;
            }
            let same = |old: &&PlannedCase| new.is_known_custom() && old.identity == new.identity;
            match gone.iter().position(same) {
                Some(at) => overlap.renamed.push(Renamed {
                    from: gone.remove(at).id.clone(),
                    to: new.id.clone(),
                }),
                None => overlap.new.push(new.id.clone()),
            }
        }
        overlap.lost = gone.iter().map(|old| old.id.clone()).collect();
        Ok(overlap)
    }

    /// What is measured, in a sentence.
    pub(in crate::cli) fn summary(&self) -> String {
        let mut parts = vec![format!("{} changed", self.changed.len())];
        for (count, what) in [
            (self.unchanged.len(), "unchanged and not measured"),
            (self.renamed.len(), "renamed and not measured"),
            (self.new.len(), "new"),
            (self.lost.len(), "gone"),
            (self.failed.len(), "that cannot be measured"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        format!("Cases: {}.", parts.join(", "))
    }

    /// Writes down what was not measured, and why.
    pub(in crate::cli) fn note_in(&self, pairing: &mut Pairing) {
        pairing.unchanged.clone_from(&self.unchanged);
        pairing.renamed.clone_from(&self.renamed);
        pairing.lost.clone_from(&self.lost);
        pairing.notes.clone_from(&self.notes);
        pairing.failed.clone_from(&self.failed);
    }

    /// What a reader must know of the whole.
    pub(in crate::cli) fn notes(&self) -> &[String] {
        &self.notes
    }
}
