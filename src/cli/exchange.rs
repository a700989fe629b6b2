//! `perwatt import` and `perwatt export`: other tools' files.

use std::path::{Path, PathBuf};

#[cfg(feature = "fleet")]
use anyhow::bail;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::args::source::SourceArgs;
use super::exit::Exit;
#[cfg(not(feature = "fleet"))]
use super::fleet::engine_lacking::without_engine;
#[cfg(feature = "fleet")]
use super::fleet::source::{each_record, record_files};
use super::support::input::load_record;
use super::support::output::{print_as_is, tell};
use super::support::output_file::{OutputFile, OutputFileKind};
use crate::exchange::{Direction, Format, ImportOptions, export, import};
#[cfg(feature = "fleet")]
use crate::fleet::table::{ParquetFolder, file_stem, rows_of};
use crate::record::{self, Record, Whereabouts};
use crate::units::counted;

/// Convert another tool's results to a record that `compare` and `gate` can judge.
///
/// Each process is one invocation. In hyperfine's files each time is one. In the files of other tools the whole file
/// is one (criterion: the folder), and its repetitions are samples; give several files, each from one process. Times
/// (less is better) and rates (more is better) are imported. A row without a usable value is left out with a note. A
/// file with several devices gives one record for each.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(flatten)]
    source: SourceArgs,

    /// Files of the tool (criterion: folders), all of one session
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Name of the device that was measured [default: as the tool states it]; of several, the one to take
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Record to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
}

/// Convert records to another tool's format.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Format to write
    #[arg(long, value_parser = formats())]
    format: ExportFormat,

    /// Records; for parquet also folders of records
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Export only values for which smaller (time, energy) or larger (rates) is better
    #[arg(long, value_parser = directions())]
    direction: Option<Direction>,

    /// File to write [default: standard output]; for parquet the folder of the layout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace whatever file is there
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        self.file(&self.out).check()?;
        let options = ImportOptions {
            device: self.device.clone(),
            ..self.source.options()
        };
        let imported = import(self.source.tool()?, &self.files, &options)?;
        for what in &imported.left_out {
            tell(&format!("Left out: {what}"));
        }
        for note in &imported.notes {
            tell(&format!("Note: {note}"));
        }
        let mut records = imported.records;
        let count = records.len();
        for (number, record) in (1..).zip(&mut records) {
            let out = match number {
                1 => self.out.clone(),
                _ => numbered(&self.out, number),
            };
            self.file(&out).check()?;
            record::tidy(record, &Whereabouts::of_this_process());
            record::save(record, &out)?;
            let device = match count {
                1 => String::new(),
                _ => format!("{}, ", record.adapter.name),
            };
            tell(&format!(
                "Record: {} ({device}{}, {})",
                out.display(),
                counted(record.cases.len(), "case"),
                counted(record.plan.invocations as usize, "invocation")
            ));
        }
        Ok(Exit::Done)
    }
}

/// The file of a further device: `out-2.json`.
fn numbered(out: &Path, number: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let name = match out.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    out.with_file_name(name)
}

impl Import {
    fn file<'a>(&self, path: &'a Path) -> OutputFile<'a> {
        OutputFile {
            path,
            kind: OutputFileKind::Imported,
            force: self.force,
        }
    }
}

/// What records are exported as.
#[derive(Clone, Copy, Debug)]
enum ExportFormat {
    /// One text.
    Text(Format),
    /// A folder of Parquet files.
    Parquet,
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        match self.format {
            ExportFormat::Text(format) => self.text(format),
            ExportFormat::Parquet => self.parquet(),
        }
    }

    #[cfg(not(feature = "fleet"))]
    fn parquet(&self) -> anyhow::Result<Exit> {
        Err(without_engine("--format parquet"))
    }

    #[cfg(feature = "fleet")]
    fn parquet(&self) -> anyhow::Result<Exit> {
        let Some(out) = &self.out else {
            bail!("--format parquet: a layout is a folder; name it with --out DIR");
        };
        if self.direction.is_some() {
            bail!("--direction: the column `better` says it of each figure; leave it out");
        }
        let files = record_files(&self.files)?;
        let mut folder = ParquetFolder::open(out)?;
        let taken = each_record(&files, |path, record| {
            folder.add(&rows_of(record, &file_stem(path)))
        })?;
        let count = folder.finish()?;
        if count.records == 0 {
            bail!("none of the files is a record that can be used, so nothing was exported");
        }
        let twice = match count.twice {
            0 => String::new(),
            1 => "; 1 was given twice".to_owned(),
            twice => format!("; {twice} were given twice"),
        };
        tell(&format!(
            "{}: {}, {} in {}, {:.1} MB{twice}",
            out.display(),
            counted(count.records, "record"),
            counted(count.rows, "row"),
            counted(count.files, "file"),
            count.bytes as f64 / 1e6
        ));
        // What was named above is missing in the layout.
        Ok(match taken.refused {
            0 => Exit::Done,
            _ => Exit::Inconclusive,
        })
    }

    fn text(&self, format: Format) -> anyhow::Result<Exit> {
        let records = self
            .files
            .iter()
            .map(|file| load_record(file))
            .collect::<crate::Result<Vec<Record>>>()?;
        let text = export(&records, format, self.direction)?;
        match &self.out {
            Some(file) => OutputFile {
                path: file,
                kind: OutputFileKind::Exported(format),
                force: self.force,
            }
            .write(&text)?,
            None => print_as_is(&text)?,
        }
        Ok(Exit::Done)
    }
}

/// Parses the name of a format.
fn formats() -> impl TypedValueParser<Value = ExportFormat> {
    const PARQUET: &str = "parquet";
    let names = Format::ALL.map(Format::name).into_iter().chain([PARQUET]);
    PossibleValuesParser::new(names).try_map(|name| match name.as_str() {
        PARQUET => Ok(ExportFormat::Parquet),
        name => Format::parse(name)
            .map(ExportFormat::Text)
            .ok_or("not a known format"),
    })
}

/// Parses a direction.
fn directions() -> impl TypedValueParser<Value = Direction> {
    PossibleValuesParser::new(["smaller", "larger"]).map(|name| match name.as_str() {
        "smaller" => Direction::Smaller,
        _ => Direction::Larger,
    })
}
