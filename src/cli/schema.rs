//! `perwatt schema`: the JSON Schema of the result file, for whoever reads records without perwatt.

use clap::Args;

use super::exit::Exit;
use super::output::print_json;
use crate::record;

/// Print the JSON Schema of the result file.
#[derive(Debug, Args)]
pub(super) struct Schema;

impl Schema {
    pub(super) fn run() -> anyhow::Result<Exit> {
        print_json(&record::schema())?;
        Ok(Exit::Done)
    }
}
