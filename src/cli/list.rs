//! `perwatt list`: what can be measured.

use anyhow::bail;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::exit::Exit;
use super::support::output::{print, print_json, width};
use crate::record::{CaseGlob, CaseName};
use crate::report::{self, ListedCase};
use crate::workload::{Suite, registry};

/// Show every workload, case, kernel and suite, with the work that each case counts.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only the cases of this suite.
    #[arg(long, value_name = "SUITE", value_parser = PossibleValuesParser::new(Suite::ALL.map(Suite::name)))]
    suite: Option<String>,
    /// Only the cases that fit a glob, as `run --case` takes it (repeatable).
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Also say what each workload computes and how its work is counted.
    #[arg(long, conflicts_with = "json")]
    about: bool,
}

impl List {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let cases = self.chosen()?;
        if self.json {
            print_json(&cases)?;
            return Ok(Exit::Done);
        }
        let mut page = report::list(&cases, width());
        if self.about {
            let shown = |name: &str| {
                cases
                    .iter()
                    .any(|case| CaseName::split_workload(&case.case).0 == name)
            };
            for workload in registry().iter().filter(|workload| shown(workload.name())) {
                page += &format!("\n{}\n{}\n", workload.name(), workload.about());
            }
        }
        print(&page)?;
        Ok(Exit::Done)
    }

    /// The cases that are asked for.
    fn chosen(&self) -> anyhow::Result<Vec<ListedCase>> {
        let mut globs = Vec::new();
        for glob in &self.cases {
            let compiled = CaseGlob::of_option("--case", glob)?;
            globs.push((glob, compiled));
        }
        let mut cases = listed();
        if let Some(suite) = &self.suite {
            cases.retain(|case| case.suites.contains(suite));
        }
        let fits = |glob: &CaseGlob, case: &ListedCase| {
            let with_kernel = |kernel: &String| format!("{}@{kernel}", case.case);
            glob.fits(&case.case)
                || case
                    .kernels
                    .iter()
                    .any(|kernel| glob.fits(&with_kernel(kernel)))
        };
        if let Some((nothing, _)) = globs
            .iter()
            .find(|(_, glob)| !cases.iter().any(|case| fits(glob, case)))
        {
            bail!("--case {nothing}: matches no case; `perwatt list` without it shows them");
        }
        if !globs.is_empty() {
            cases.retain(|case| globs.iter().any(|(_, glob)| fits(glob, case)));
        }
        Ok(cases)
    }
}

/// Every case of every suite.
fn listed() -> Vec<ListedCase> {
    let mut listed = Vec::new();
    for workload in registry() {
        for case in workload.cases() {
            let mut kernels: Vec<String> = case
                .tuning_space()
                .iter()
                .map(|kernel| kernel.name.to_string())
                .collect();
            kernels.sort_unstable();
            kernels.dedup();
            listed.push(ListedCase {
                case: case.to_string(),
                counts: case.counts(),
                suites: case.suites.iter().map(ToString::to_string).collect(),
                kernels,
            });
        }
    }
    listed
}
