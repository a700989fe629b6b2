//! `perwatt list`: what can be measured.

use clap::Args;

use super::exit::Exit;
use super::output::{print, print_json, width};
use crate::report::{self, ListedCase};
use crate::workload::registry;

/// Show every workload, case, kernel and suite, with the work that each case counts.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Also say what each workload computes and how its work is counted.
    #[arg(long, conflicts_with = "json")]
    about: bool,
}

impl List {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let cases = listed();
        if self.json {
            print_json(&cases)?;
            return Ok(Exit::Done);
        }
        let mut page = report::list(&cases, width());
        if self.about {
            for workload in registry() {
                page += &format!("\n{}\n{}\n", workload.name(), workload.about());
            }
        }
        print(&page)?;
        Ok(Exit::Done)
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
