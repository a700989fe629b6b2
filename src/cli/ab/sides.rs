//! What each side of `ab` would run, known before anything is measured. What is the same on both sides needs no
//! measuring, and what only one side has cannot be paired.
//!
//! That can be said only where workload files are all that differs: another binary, driver or device may run the
//! same WGSL differently, which is then the question.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use crate::bench;
use crate::cli::args::measure::DeadlineArgs;
use crate::cli::args::measure::MeasureArgs;
use crate::compare::{Pairing, Renamed, no_baseline, program_identity};
use crate::record::{Adapter, Record};
use crate::workload::CaseKernel;

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
    /// What a side would run with these options.
    ///
    /// # Errors
    /// A workload file is there and cannot be used, or a glob or a kernel's name fits nothing.
    pub(in crate::cli) fn of(arguments: &[OsString], adapter: &Adapter) -> anyhow::Result<Self> {
        let SideRun { measure, .. } = parsed(arguments)?;
        let request = measure.request(adapter)?;
        let planned = bench::plan(&request, adapter)?;
        Ok(Self {
            cases: planned.iter().map(PlannedCase::of).collect(),
            nothing: None,
        })
    }

    /// The baseline, which may not be there yet: the first change brings the first workload file.
    pub(in crate::cli) fn of_baseline(
        files: &[PathBuf],
        arguments: &[OsString],
        adapter: &Adapter,
    ) -> Self {
        let nothing = |why: String| Self {
            cases: Vec::new(),
            nothing: Some(why),
        };
        if let Some(missing) = files.iter().find(|file| !file.exists()) {
            return nothing(no_baseline(missing));
        }
        Self::of(arguments, adapter).unwrap_or_else(|e| {
            nothing(format!(
                "the baseline has nothing to measure ({e:#}), so every case is new"
            ))
        })
    }
}

impl PlannedCase {
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

    /// Whether it is a custom kernel whose program and data are all known.
    fn is_known_custom(&self) -> bool {
        self.identity
            .as_deref()
            .is_some_and(|identity| !identity.starts_with("built in"))
    }
}

impl Overlap {
    /// Sorts the cases of two sides.
    pub(in crate::cli) fn of(baseline: &SidePlan, candidate: &SidePlan) -> Self {
        let mut overlap = Self {
            notes: baseline.nothing.iter().cloned().collect(),
            ..Self::default()
        };
        let mut gone: Vec<&PlannedCase> = Vec::new();
        for old in &baseline.cases {
            match candidate.cases.iter().find(|new| new.id == old.id) {
                None => gone.push(old),
                Some(new) if new.identity.is_some() && new.identity == old.identity => {
                    overlap.unchanged.push(new.id.clone());
                }
                Some(new) => overlap.changed.push(new.id.clone()),
            }
        }
        for new in &candidate.cases {
            if baseline.cases.iter().any(|old| old.id == new.id) {
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
        overlap
    }

    /// What is measured, in a sentence.
    pub(in crate::cli) fn summary(&self) -> String {
        let mut parts = vec![format!("{} changed", self.changed.len())];
        for (count, what) in [
            (self.unchanged.len(), "unchanged and not measured"),
            (self.renamed.len(), "renamed and not measured"),
            (self.new.len(), "new"),
            (self.lost.len(), "gone"),
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
    }

    /// What a reader must know of the whole.
    pub(in crate::cli) fn notes(&self) -> &[String] {
        &self.notes
    }
}
