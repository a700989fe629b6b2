//! `perwatt report`: records as pictures, in a browser or in the terminal.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::input::without_schemas;
use super::output::{print, tell, to_terminal, width};
use super::output_file::{OutputFile, OutputFileKind};
use crate::compare::load_record_sets;
use crate::page::{NamedRecord, html, page_data, site, terminal};

/// Draw result files: as a page for a browser, as a site, or in the terminal.
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
}

impl Report {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let sets: Vec<Vec<NamedRecord>> = load_record_sets(&without_schemas(&self.files))?
            .into_iter()
            .map(|set| {
                let named = |(name, record)| NamedRecord { name, record };
                set.into_iter().map(named).collect()
            })
            .collect();
        if let Some(file) = &self.out {
            self.write(file, &html(&page_data(&sets))?)?;
            tell(&format!("Page: {}", file.display()));
        } else if let Some(folder) = &self.site {
            let files = site(&sets)?;
            for file in &files {
                self.write(&folder.join(&file.name), &file.text)?;
            }
            tell(&format!(
                "Site: {} ({} files)",
                folder.join("index.html").display(),
                files.len()
            ));
        } else {
            print(&terminal(&page_data(&sets), to_terminal(), width()))?;
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
