//! `perwatt report`: records as pictures, in a browser or in the terminal.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::support::input::without_schemas;
use super::support::output::{print, tell, to_terminal, width};
use super::support::output_file::{OutputFile, OutputFileKind};
use crate::compare::{RecordSets, load_record_sets};
use crate::error::Error;
use crate::invest::{Changes, Draws, Scenario};
use crate::page::{
    AskedInvestment, BuiltInSources, NamedRecord, PageExtras, html, page_data, site, terminal,
};
use crate::record::Reading;

/// Show result files as charts: on a page for a browser, as a site, or in the terminal.
///
/// Without --out and --site, the roofline and the efficiency of each result are drawn in the terminal. The page is one
/// file that needs no network and holds everything: what was measured and how well it is known, the roofline, the
/// efficiency, the comparison, the stability, the energy with its error budget, the kernels, the history and the
/// provenance.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Result files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Write one self-contained HTML page
    #[arg(short, long, value_name = "FILE", conflicts_with = "site")]
    out: Option<PathBuf>,

    /// Write a static site into a folder: an index by device, a page for each result, history and an Atom feed
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,

    /// Replace whatever is at --out or in --site
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    investment: InvestmentArgs,
}

/// What a scenario comes to with each record, in the page.
#[derive(Debug, Args)]
#[command(next_help_heading = "Investment")]
struct InvestmentArgs {
    /// Also show what a scenario yields with each result (`perwatt invest --list`), with sliders
    #[arg(long, value_name = "ID|FILE")]
    scenario: Option<String>,

    /// The accelerator that is bought; `record` is the result's own device
    #[arg(long, value_name = "ID", requires = "scenario")]
    accelerator: Option<String>,

    /// Country of the grid: electricity price and carbon intensity
    #[arg(long, value_name = "CODE", requires = "scenario")]
    country: Option<String>,

    /// Another value for an input, as `perwatt invest` takes it (repeatable)
    #[arg(long, value_name = "KEY=VALUE", requires = "scenario")]
    set: Vec<String>,
}

impl InvestmentArgs {
    /// What is asked, where something is.
    fn asked(&self) -> crate::Result<Option<AskedInvestment>> {
        let Some(scenario) = &self.scenario else {
            return Ok(None);
        };
        Ok(Some(AskedInvestment {
            scenario: Scenario::open(scenario)?,
            changes: Changes {
                accelerator: self.accelerator.clone(),
                country: self.country.clone(),
                set: self.set.clone(),
                ..Changes::default()
            },
            draws: Draws::default(),
        }))
    }
}

impl Report {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let asked = self.investment.asked()?;
        if asked.is_some() && self.out.is_none() && self.site.is_none() {
            let reason = "a scenario stands in a page: give -o FILE or --site DIR; `perwatt invest RESULT` prints it";
            return Err(Error::usage("--scenario", reason).into());
        }
        let RecordSets { sets, left_out } = load_record_sets(&without_schemas(&self.files))?;
        for error in left_out {
            tell(&format!("Left out: {error}"));
        }
        let sets: Vec<Vec<NamedRecord>> = sets
            .into_iter()
            .map(|set| {
                let named = |(name, record)| NamedRecord { name, record };
                set.into_iter().map(named).collect()
            })
            .collect();
        let extras = PageExtras {
            investment: asked.as_ref(),
            built_in: BUILT_IN,
        };
        if let Some(file) = &self.out {
            let data = page_data(&sets, extras);
            self.write(file, &html(&data)?)?;
            for record in &data.records {
                if let Some(reason) = record.investment.as_ref().and_then(Reading::reason) {
                    tell(&format!("No scenario for {}: {reason}", record.file));
                }
            }
            tell(&format!("Page: {}", file.display()));
        } else if let Some(folder) = &self.site {
            let files = site(&sets, extras)?;
            for file in &files {
                self.write(&folder.join(&file.name), &file.text)?;
            }
            tell(&format!(
                "Site: {} ({} files)",
                folder.join("index.html").display(),
                files.len()
            ));
        } else {
            print(&terminal(
                &page_data(&sets, PageExtras::default()),
                to_terminal(),
                width(),
            ))?;
        }
        Ok(Exit::Done)
    }

    fn write(&self, path: &Path, text: &str) -> crate::Result<()> {
        let file = OutputFile {
            path,
            kind: OutputFileKind::Page,
            force: self.force,
        };
        file.write(text)
    }
}

/// Gives the sources of built-in kernels.
#[cfg(feature = "bench")]
const BUILT_IN: Option<BuiltInSources> = Some(super::support::kernel_sources::built_in_sources);

/// They are not known here.
#[cfg(not(feature = "bench"))]
const BUILT_IN: Option<BuiltInSources> = None;
