//! `perwatt compare`: results side by side, or judged against the first, for people.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::args::at_scale::{AtScaleArgs, Scaled};
use super::args::verdict::{JudgeArgs, append};
use super::exit::Exit;
use super::support::input::without_schemas;
use super::support::output::{print, print_json, width};
use crate::compare::{
    Comparison, Description, DescriptionChoice, Metric, Pairing, RowOrder, StoredFiles, describe,
    load_sets,
};
use crate::record::{CaseGlob, DocumentKind};
use crate::report;

/// Show results side by side: one row per case, one column per device, driver or date.
///
/// Each argument is a result file, several results in one file, or a folder of them. Every case shows its best
/// verified kernel and, from the second column on, the ratio to the first with its 95 % confidence interval.
/// --verdicts judges each argument against the first instead, as `perwatt gate` does, and so does any option
/// about verdicts. What `perwatt ab` or `perwatt inspect --json` wrote is always judged. Always exits 0; use
/// `perwatt gate` for an exit code.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Result files or folders to compare; or one pairing, or the folder that `perwatt ab` wrote
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Judge each argument against the first: what changed, by how much, and how sure that is
    #[arg(long)]
    verdicts: bool,

    #[command(flatten)]
    table: TableArgs,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    at_scale: AtScaleArgs,

    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print CSV, one line per case and column
    #[arg(long)]
    csv: bool,

    /// Append Markdown to a file
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// What of the results is shown side by side.
#[derive(Debug, Args)]
struct TableArgs {
    /// The figure [default: the rate that suits each case, and its work per joule]
    #[arg(long, value_name = "METRIC", value_parser = metrics())]
    metric: Option<Metric>,

    /// Show this kernel only, instead of each case's best
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,

    /// Show only cases matching GLOB (repeatable)
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// Order of the rows: as in the files, largest ratio first, or by name
    #[arg(long, value_name = "ORDER", default_value = "file", value_parser = orders())]
    sort: RowOrder,
}

impl TableArgs {
    /// Whether anything but the defaults was asked for.
    fn asked(&self) -> bool {
        self.metric.is_some()
            || self.kernel.is_some()
            || !self.only.is_empty()
            || self.sort != RowOrder::default()
    }

    fn choice(&self) -> crate::Result<DescriptionChoice> {
        let only: Result<Vec<CaseGlob>, crate::Error> = self
            .only
            .iter()
            .map(|glob| CaseGlob::of_option("--only", glob))
            .collect();
        Ok(DescriptionChoice {
            metric: self.metric,
            kernel: self.kernel.clone(),
            only: only?,
            order: self.sort,
        })
    }
}

/// Parses a metric.
fn metrics() -> impl TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::name)).try_map(|name| {
        let mut all = Metric::ALL.into_iter();
        all.find(|metric| metric.name() == name)
            .ok_or("not a known metric")
    })
}

/// Parses an order of rows.
fn orders() -> impl TypedValueParser<Value = RowOrder> {
    PossibleValuesParser::new(RowOrder::ALL.map(|(name, _)| name)).try_map(|name| {
        let mut all = RowOrder::ALL.into_iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, order)| order)
            .ok_or("not a known order")
    })
}

/// All comparisons as JSON.
#[derive(Serialize)]
struct Comparisons<'a> {
    comparisons: &'a [Comparison],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_scale: Vec<Scaled>,
}

/// Results side by side as JSON.
#[derive(Serialize)]
struct Described<'a> {
    side_by_side: &'a Description,
}

impl Compare {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        if self.judges() {
            if self.table.asked() || self.csv {
                bail!(
                    "--metric, --kernel, --only, --sort and --csv apply only to the table; drop them, or drop the verdict \
                     options"
                );
            }
            self.show_verdicts()
        } else {
            self.describe()
        }
    }

    /// Whether verdicts were asked for, or the files are only good for that.
    fn judges(&self) -> bool {
        let asked = self.verdicts || self.judge.asked() || self.at_scale.asked();
        let first = self.files.first().map(|file| Pairing::at(file));
        let kind = first.and_then(|file| DocumentKind::of_file(&file));
        asked || matches!(kind, Some(DocumentKind::Pairing | DocumentKind::Inspection))
    }

    fn describe(&self) -> anyhow::Result<Exit> {
        let description = describe(
            &load_sets(&without_schemas(&self.files))?,
            &self.table.choice()?,
        );
        let nothing = description.sections.is_empty() && description.alone.is_empty();
        if nothing && (self.table.kernel.is_some() || !self.table.only.is_empty()) {
            bail!(
                "--only and --kernel leave nothing of these files; `perwatt show --all-kernels` lists what they hold"
            );
        }
        if self.json {
            print_json(&Described {
                side_by_side: &description,
            })?;
        } else if self.csv {
            print(&report::side_by_side_csv(&description)?)?;
        } else {
            print(&report::side_by_side(&description, width()))?;
        }
        if let Some(file) = &self.markdown {
            append(file, &report::side_by_side_markdown(&description))?;
        }
        Ok(Exit::Done)
    }

    fn show_verdicts(&self) -> anyhow::Result<Exit> {
        let scale = self.at_scale.scale()?;
        let policy = self.judge.rules.policy()?;
        let comparisons = self
            .judge
            .compare(&self.files, || self.stored(), false, &policy)?;
        let at_scale: Vec<Scaled> = scale
            .iter()
            .flat_map(|scale| {
                comparisons
                    .iter()
                    .map(|comparison| Scaled::of(comparison, scale))
            })
            .collect();
        if self.json {
            print_json(&Comparisons {
                comparisons: &comparisons,
                at_scale,
            })?;
        } else {
            let scaled: String = at_scale.iter().map(|scaled| scaled.page(width())).collect();
            print(&(report::comparisons(&comparisons, width()) + &scaled))?;
        }
        if let Some(file) = &self.markdown {
            let pages: Vec<String> = comparisons
                .iter()
                .map(|comparison| report::markdown(comparison, None))
                .collect();
            append(file, &pages.concat())?;
        }
        Ok(Exit::Done)
    }

    /// What the command line names, other than files in turn: a pairing alone, or a baseline and what is compared
    /// with it.
    fn stored(&self) -> anyhow::Result<StoredFiles> {
        let [baseline, candidates @ ..] = self.files.as_slice() else {
            bail!("there is nothing to compare; give result files");
        };
        if !candidates.is_empty() {
            let candidates = candidates.iter().map(|file| vec![file.clone()]).collect();
            return Ok(StoredFiles::of(vec![baseline.clone()], candidates)?);
        }
        let pairing = Pairing::at(baseline);
        if DocumentKind::of_file(&pairing) != Some(DocumentKind::Pairing) {
            bail!(
                "{}: a single file is compared only if it is a pairing that `perwatt ab` wrote; \
                 give a second file, or view this one with `perwatt show`",
                pairing.display()
            );
        }
        Ok(StoredFiles::Pairing(pairing))
    }
}
