//! `perwatt schema`: the formats of what perwatt writes, for readers other than perwatt.

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::invest::json::invest_schema;
use super::support::output::{print, print_json};
use crate::error::Error;
use crate::{record, report};

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaSubject {
    /// The result file
    Record,
    /// What `perwatt invest --json` prints
    Invest,
}

/// Print the JSON Schema of the result file, or of what `perwatt invest --json` prints.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What to describe
    #[arg(value_name = "WHAT", default_value = "record")]
    of: SchemaSubject,

    /// Print the result file's as a page for readers, in Markdown
    #[arg(long)]
    markdown: bool,
}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let schema = match self.of {
            SchemaSubject::Record => record::schema(),
            SchemaSubject::Invest if self.markdown => {
                return Err(Error::usage(
                    "--markdown",
                    "it is for the schema of the result file; leave it out",
                )
                .into());
            }
            SchemaSubject::Invest => invest_schema(),
        };
        if self.markdown {
            print(&report::schema_reference(&serde_json::to_value(&schema)?))?;
        } else {
            print_json(&schema)?;
        }
        Ok(Exit::Done)
    }
}
