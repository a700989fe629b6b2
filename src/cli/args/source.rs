//! Another tool's files: which tool wrote them, and what they do not say themselves.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::error::Error;
use crate::exchange::{IMPORTERS, ImportOptions, Importer, ROLES, TableColumn};

/// Where the numbers come from.
#[derive(Debug, Args)]
pub(in crate::cli) struct SourceArgs {
    /// The tool that wrote the files
    #[arg(long, value_name = "TOOL", value_parser = importers())]
    from: Option<&'static Importer>,

    /// criterion: the run that `--save-baseline NAME` kept [default: the latest]
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,

    /// csv, json: which column is what, as in case=name,time_ms=ms. For json, a path with dots. Beside case
    /// there are time_s, time_ms, time_us, time_ns, larger and smaller (a value and which way it improves),
    /// unit, process and device [default: by the columns' names]
    #[arg(long, value_name = "ROLE=COLUMN", value_delimiter = ',', value_parser = column)]
    columns: Vec<TableColumn>,
}

impl SourceArgs {
    /// The tool.
    ///
    /// # Errors
    /// None was named, or an option is given that it has no use for.
    pub(in crate::cli) fn tool(&self) -> crate::Result<&'static Importer> {
        let tool = self.from.ok_or_else(|| {
            let names: Vec<&str> = IMPORTERS.iter().map(Importer::name).collect();
            Error::usage(
                "--from",
                format!("name the tool that wrote the files: {}", names.join(", ")),
            )
        })?;
        tool.check_options(&self.options())?;
        Ok(tool)
    }

    /// The tool, where one was named.
    pub(in crate::cli) fn named_tool(&self) -> Option<&'static Importer> {
        self.from
    }

    /// All that is said of the files, as one text.
    #[cfg(feature = "bench")]
    pub(in crate::cli) fn identity(&self) -> String {
        let columns = self
            .columns
            .iter()
            .map(|column| (&column.role, &column.name));
        format!(
            "{:?}",
            (
                self.from.map(Importer::name),
                &self.saved,
                columns.collect::<Vec<_>>()
            )
        )
    }

    /// What the user says about the files.
    pub(in crate::cli) fn options(&self) -> ImportOptions {
        ImportOptions {
            device: None,
            saved: self.saved.clone(),
            columns: self.columns.clone(),
            process_per_file: false,
        }
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

/// Parses `ROLE=COLUMN`.
fn column(text: &str) -> Result<TableColumn, String> {
    let roles = ROLES.join(", ");
    match text.split_once('=') {
        Some((role, name)) if ROLES.contains(&role) && !name.is_empty() => Ok(TableColumn {
            role: role.to_owned(),
            name: name.to_owned(),
        }),
        Some((role, _)) if !ROLES.contains(&role) => {
            Err(format!("there is no role {role:?}; the roles are {roles}"))
        }
        _ => Err(format!(
            "ROLE=COLUMN is needed, as in case=name; roles: {roles}"
        )),
    }
}
