//! `perwatt schema`: the JSON Schema of the result file, for whoever reads records without perwatt.

use std::process::ExitCode;

use super::output::print_json;
use crate::record;

/// Prints the schema.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    print_json(&record::schema())?;
    Ok(ExitCode::SUCCESS)
}
