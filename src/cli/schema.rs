//! `perwatt schema`: the format of the result file, for whoever reads records without perwatt.

use clap::Args;

use super::exit::Exit;
use super::output::{print, print_json};
use crate::{record, report};

/// Print the JSON Schema of the result file.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Print it as a page for readers, in Markdown
    #[arg(long)]
    markdown: bool,
}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let schema = record::schema();
        if self.markdown {
            print(&report::schema_reference(&serde_json::to_value(&schema)?))?;
        } else {
            print_json(&schema)?;
        }
        Ok(Exit::Done)
    }
}
