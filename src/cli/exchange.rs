//! `perwatt import` and `perwatt export`: other tools' files.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::exit::Exit;
use super::output::{print, tell};
use crate::exchange::{Direction, Format, IMPORTERS, Importer, export, import};
use crate::record::{self, Record, write_file};

/// Convert another tool's results to a record that `compare` and `gate` can judge.
///
/// What ran as its own process is an invocation. For hyperfine that is every time. For the other tools
/// it is every file (criterion: every folder), and its repetitions are samples; give several files, each
/// of one process. Only times are imported, for which less is better. A row without a usable time is
/// left out with a note.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The tool that wrote the files
    #[arg(long, value_name = "TOOL", value_parser = importers())]
    from: &'static Importer,

    /// Files of the tool (criterion: folders), all of one session
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// Name of the device that was measured [default: as the tool states it]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Record to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Convert records to another tool's format.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Format to write
    #[arg(long, value_parser = formats())]
    format: Format,

    /// Records
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Export only values for which smaller (time, energy) or larger (rates) is better
    #[arg(long, value_parser = directions())]
    direction: Option<Direction>,

    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let (record, left_out) = import(self.from, &self.files, self.device.as_deref())?;
        for what in &left_out {
            tell(&format!("Left out: {what}"));
        }
        record::save(&record, &self.out)?;
        tell(&format!(
            "Record: {} ({} cases, {} invocations)",
            self.out.display(),
            record.cases.len(),
            record.plan.invocations
        ));
        Ok(Exit::Done)
    }
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let records = self
            .files
            .iter()
            .map(record::load)
            .collect::<crate::Result<Vec<Record>>>()?;
        let text = export(&records, self.format, self.direction)?;
        match &self.out {
            Some(file) => write_file(file, text.as_bytes())?,
            None => print(&text)?,
        }
        Ok(Exit::Done)
    }
}

/// Parses the name of a tool; the help lists how each writes its files.
fn importers() -> impl TypedValueParser<Value = &'static Importer> {
    let named = |importer: &Importer| PossibleValue::new(importer.name()).help(importer.hint());
    PossibleValuesParser::new(IMPORTERS.iter().map(named)).try_map(|name| {
        IMPORTERS
            .iter()
            .find(|importer| importer.name() == name)
            .ok_or("not a known tool")
    })
}

/// Parses the name of a format.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::parse(&name).ok_or("not a known format"))
}

/// Parses a direction.
fn directions() -> impl TypedValueParser<Value = Direction> {
    PossibleValuesParser::new(["smaller", "larger"]).map(|name| match name.as_str() {
        "smaller" => Direction::Smaller,
        _ => Direction::Larger,
    })
}
