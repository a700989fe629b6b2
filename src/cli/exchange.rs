//! `perwatt import` and `perwatt export`: other tools' files.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::exit::Exit;
use super::output::{print, tell};
use crate::exchange::{Direction, Format, Tool, export, import};
use crate::record::{self, Record, write_atomically};

/// Turn another tool's results into a record, so that `compare` and `gate` can judge them.
///
/// What ran as a process of its own is an invocation: every time of hyperfine; every file of Google
/// Benchmark and nvbench and every folder of criterion, whose repetitions are samples. So give those
/// several files, each of one process. Only times are taken, of which less is better.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The tool that wrote the files
    #[arg(long, value_parser = tools())]
    from: Tool,

    /// The tool's files (criterion: folders), all of one session
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,

    /// What they were measured on, where the tool does not say
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// The record
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Write records in another tool's format.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The format
    #[arg(long, value_parser = formats())]
    format: Format,

    /// Result files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Only values of which less (time, energy) or more (rates) is better
    #[arg(long, value_parser = directions())]
    direction: Option<Direction>,

    /// Where it goes [default: standard output]
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
            Some(file) => write_atomically(file, text.as_bytes())?,
            None => print(&text)?,
        }
        Ok(Exit::Done)
    }
}

/// Parses the name of a tool.
fn tools() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::ALL.map(Tool::name))
        .try_map(|name| Tool::parse(&name).ok_or("no such tool"))
}

/// Parses the name of a format.
fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::parse(&name).ok_or("no such format"))
}

/// Parses a direction.
fn directions() -> impl TypedValueParser<Value = Direction> {
    PossibleValuesParser::new(["smaller", "larger"]).map(|name| match name.as_str() {
        "smaller" => Direction::Smaller,
        _ => Direction::Larger,
    })
}
