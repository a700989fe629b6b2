//! `perwatt fleet summary`: which cards are slow, hot or wasteful, and what that costs.

use std::path::PathBuf;

use clap::Args;

#[cfg(not(feature = "fleet"))]
use crate::cli::exit::Exit;

/// Show which cards of a fleet are slow, hot or wasteful, and what that costs
///
/// Cards are compared with their peers: those of the same model, through the same graphics API. A card's records are
/// repetitions of it. At most a share of --fdr of the listed cards is expected to be there by chance; large fleets with
/// heavy-tailed noise have more, as docs/fleet.md says. Cards within --min-effect of their peers are not listed.
/// Software drivers and simulated or unverified figures are excluded and counted.
#[derive(Debug, Args)]
#[cfg_attr(
    not(feature = "fleet"),
    allow(
        dead_code,
        reason = "the options are read where the engine is built in"
    )
)]
pub(super) struct FleetSummaryArgs {
    /// A fleet's folder, folders of records, records, or one folder of Parquet files that `perwatt export` wrote
    #[arg(required_unless_present = "show_sql", value_name = "DIR|FILE")]
    pub(super) paths: Vec<PathBuf>,

    /// Print the summary as JSON
    #[arg(long, conflicts_with_all = ["csv", "prometheus"])]
    pub(super) json: bool,

    /// Print the list of what to look at first as CSV
    #[arg(long, conflicts_with = "prometheus")]
    pub(super) csv: bool,

    /// Print metrics in Prometheus' text format, for node_exporter's textfile collector or a push
    #[arg(long)]
    pub(super) prometheus: bool,

    /// Also write a page for a browser
    #[arg(long, value_name = "FILE")]
    pub(super) page: Option<PathBuf>,

    /// Replace whatever file is there
    #[arg(long)]
    pub(super) force: bool,

    /// Lines of the list of what to look at first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) top: usize,

    /// Share of the listed cards that may be there by chance
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    pub(super) fdr: f64,

    /// What lies nearer to its peers than this is not listed
    #[arg(long, value_name = "SHARE", default_value = "3%", value_parser = share)]
    pub(super) min_effect: f64,

    /// Cards of a job that waits for the slowest of its cards at every step [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) job_size: Option<u32>,

    /// What an hour of a card costs, in dollars [default: the investment model's, for the model of the cards]
    #[arg(long, value_name = "DOLLARS", value_parser = amount)]
    pub(super) price_per_hour: Option<f64>,

    /// What electricity costs, in dollars per kWh [default: the investment model's]
    #[arg(long, value_name = "DOLLARS", value_parser = amount)]
    pub(super) electricity: Option<f64>,

    /// Include software drivers, to rehearse on a machine without GPUs; every page says so
    #[arg(long)]
    pub(super) allow_software: bool,

    /// Print the SQL queries, for DuckDB, Spark or a warehouse on the same files, and exit
    #[arg(long)]
    pub(super) show_sql: bool,
}

/// Parses a share: `3%` or `0.03`.
fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 0.01),
        None => (text.trim(), 1.0),
    };
    match number.parse::<f64>().map(|number| number * scale) {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("a share from 0 to below 1 is needed, as 3% or 0.03".to_owned()),
    }
}

/// Parses dollars.
fn amount(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(dollars) if dollars.is_finite() && dollars >= 0.0 => Ok(dollars),
        _ => Err("a number of dollars is needed, as 2.50".to_owned()),
    }
}

impl FleetSummaryArgs {
    /// Without the engine there is no summary.
    #[cfg(not(feature = "fleet"))]
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        Err(crate::cli::fleet::engine_lacking::without_engine(
            "fleet summary",
        ))
    }
}

#[cfg(feature = "fleet")]
mod engine {
    //! The summary itself, where the engine is built in.

    use crate::cli::exit::Exit;
    use crate::cli::fleet::source::{each_record, files_below, record_files};
    use crate::cli::fleet::summary::FleetSummaryArgs;
    use crate::cli::fleet::worth::{PriceOptions, priced};
    use crate::cli::support::output::{print, print_as_is, print_json, tell, width};
    use crate::cli::support::output_file::{OutputFile, OutputFileKind};
    use crate::error::{Error, Result};
    use crate::fleet::summary::{FleetEngine, FleetSummary, SummaryOptions, sql_text, summarize};
    use crate::fleet::table::{TableBuilder, file_stem, rows_of};
    use crate::{page, report};

    /// Rows of a piece of the table in memory.
    const PIECE: usize = 65_536;

    /// Cards of a job where nothing is said: one server.
    const JOB: usize = 8;

    impl FleetSummaryArgs {
        pub(in crate::cli::fleet) fn run(&self) -> anyhow::Result<Exit> {
            if self.show_sql {
                print_as_is(&sql_text(self.allow_software))?;
                return Ok(Exit::Done);
            }
            let page_file = self.page.as_deref().map(|path| OutputFile {
                path,
                kind: OutputFileKind::Page,
                force: self.force,
            });
            if let Some(file) = &page_file {
                file.check()?;
            }
            let (engine, refused) = self.engine()?;
            let mut summary = summarize(&engine, &self.options())?;
            if refused > 0 {
                summary.notes.push(format!(
                    "{refused} files could not be used; they were named"
                ));
            }
            let prices = PriceOptions {
                per_hour: self.price_per_hour,
                electricity: self.electricity,
                job_cards: self.job_size.map_or(JOB, |job| job as usize),
            };
            let worth = priced(&summary, &prices)?;
            if let Some(file) = &page_file {
                file.write(&page::html(&page::fleet_page(&summary, &worth))?)?;
                tell(&format!("Page: {}", file.path.display()));
            }
            if self.json {
                print_json(&serde_json::json!({"summary": summary, "worth": worth}))?;
            } else if self.csv {
                print_as_is(&report::fleet_csv(&summary, &worth)?)?;
            } else if self.prometheus {
                print_as_is(&report::fleet_prometheus(&summary))?;
            } else {
                print(&report::fleet(&summary, &worth, width()))?;
            }
            Ok(exit(&summary))
        }

        fn options(&self) -> SummaryOptions {
            SummaryOptions {
                fdr: self.fdr,
                min_effect: self.min_effect,
                job_cards: Some(self.job_size.map_or(JOB, |job| job as usize)),
                top: self.top,
                with_software: self.allow_software,
            }
        }

        /// The engine over what the paths mean, and how many files could not be used.
        fn engine(&self) -> Result<(FleetEngine, usize)> {
            if let [folder] = self.paths.as_slice()
                && folder.is_dir()
                && !files_below(folder, "parquet")?.is_empty()
            {
                return Ok((FleetEngine::of_parquet(folder)?, 0));
            }
            let files = record_files(&self.paths)?;
            let failed = |e: &dyn std::fmt::Display| Error::usage("fleet summary", e.to_string());
            let (mut table, mut batches) = (TableBuilder::default(), Vec::new());
            let taken = each_record(&files, |path, record| {
                // What a summary asks for; the rest need not fill the memory.
                let wanted = ["time", "value"];
                table.add(&rows_of(record, &file_stem(path)), |figure| {
                    figure.is_none_or(|figure| wanted.contains(&figure.metric))
                });
                if table.rows() > PIECE {
                    batches.push(table.finish().map_err(|e| failed(&e))?);
                }
                Ok(())
            })?;
            if taken.records == 0 {
                return Err(Error::usage(
                    "fleet summary",
                    "none of the files is a record that can be used; `perwatt fleet run` writes some",
                ));
            }
            batches.push(table.finish().map_err(|e| failed(&e))?);
            Ok((FleetEngine::of_rows(batches)?, taken.refused))
        }
    }

    /// Wrong outputs are a failed verification. Where no card could be judged, nothing was found and nothing ruled out.
    fn exit(summary: &FleetSummary) -> Exit {
        if summary
            .failed
            .iter()
            .any(|failed| failed.failure == "verification")
        {
            Exit::Regression
        } else if summary.models.iter().any(|model| model.enough_cards) {
            Exit::Done
        } else {
            Exit::Inconclusive
        }
    }
}
