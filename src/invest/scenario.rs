//! A scenario: a built-in one by its name, or a user's file.

use std::path::Path;

use super::catalog::{CatalogEntry, ScenarioFile, catalog, find};
use super::inputs::known;
use crate::error::{Error, Result};

/// The scenario of a call that names none.
pub const DEFAULT_SCENARIO: &str = "article-155bn";

/// The scenario of a call that names a record and no scenario.
pub const RECORD_SCENARIO: &str = "desk";

/// A scenario, ready to be asked for.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(super) id: String,
    pub(super) file: ScenarioFile,
}

impl Scenario {
    /// A built-in scenario by its name, or a file's.
    ///
    /// # Errors
    /// No such name; no such file, or one that is no scenario.
    pub fn open(name: &str) -> Result<Self> {
        let looks_like_a_file = name.ends_with(".toml") || name.contains(std::path::MAIN_SEPARATOR);
        if !looks_like_a_file {
            let scenarios = &catalog()?.scenarios;
            let (id, file) = find("scenario", scenarios, name).map_err(|error| match error {
                Error::Usage { what, reason } => {
                    Error::usage(what, format!("{reason}; or give a file that ends in .toml"))
                }
                other => other,
            })?;
            return Ok(Self {
                id: id.to_owned(),
                file: file.clone(),
            });
        }
        let path = Path::new(name);
        let text = crate::record::read_text(path)?;
        let file: ScenarioFile = toml::from_str(&text).map_err(|e| {
            Error::file(
                path,
                format!("no scenario: {e}docs/invest.md has an example"),
            )
        })?;
        if file.title.trim().is_empty() {
            return Err(Error::file(
                path,
                "its title is empty; say what it is about",
            ));
        }
        let scenario = Self {
            id: name.to_owned(),
            file,
        };
        for key in scenario
            .file
            .inputs
            .keys()
            .chain(scenario.file.inputs_hbm.keys())
            .chain(scenario.file.inputs_mac_q4.keys())
            .chain(scenario.file.fallback.keys())
            .chain(scenario.file.fallback_laptop.keys())
            .chain(scenario.file.fallback_integrated.keys())
        {
            known(key).map_err(|reason| Error::file(path, reason))?;
        }
        Ok(scenario)
    }

    /// As it is asked for: a built-in one's name, or the file.
    pub fn name(&self) -> &str {
        &self.id
    }

    /// The built-in scenarios.
    ///
    /// # Errors
    /// As [`Scenario::open`].
    pub fn list() -> Result<Vec<CatalogEntry>> {
        let scenarios = &catalog()?.scenarios;
        Ok(scenarios
            .iter()
            .map(|(id, file)| CatalogEntry {
                id: id.clone(),
                title: file.title.clone(),
            })
            .collect())
    }

    /// Where messages say a figure stands.
    pub(super) fn at(&self, key: &str) -> String {
        format!("scenario {}, {key}", self.id)
    }
}
