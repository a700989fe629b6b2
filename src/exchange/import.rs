//! What every importer is and reads.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::text::{json_fault, read_text};
use crate::error::{Error, Result};
use crate::record::{
    Better, ClockMethod, MOST_CASES, MOST_IMPORTED, MOST_NAME_BYTES, Measure, ToolSetup,
};
use crate::units::{Seconds, counted};

/// A tool whose files can be imported.
#[derive(Debug)]
pub struct Importer {
    /// As `--from` takes it.
    pub(super) name: &'static str,
    /// How the tool writes such a file: a sentence of the help and of the errors.
    pub(super) hint: &'static str,
    /// Texts that a file of the tool holds and no other tool's does; for saying what a file is.
    pub(super) marks: &'static [&'static str],
    /// Reads one file or folder.
    pub(super) read: fn(&Path, &ImportOptions) -> Result<ImportedFile>,
}

/// What a user says about the files beside the tool.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// What they were measured on, for tools that do not say; of several devices in a file, the one that is
    /// meant.
    pub device: Option<String>,
    /// criterion: the name under which the run was saved.
    pub saved: Option<String>,
    /// csv and json: which column is what.
    pub columns: Vec<TableColumn>,
    /// Whether each file is one process whatever the tool calls its rows, as in a file per turn.
    pub process_per_file: bool,
}

/// A column of a table and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// What it is: `case`, `time_ms` and so on.
    pub role: String,
    /// Its name, or for JSON a path with dots.
    pub name: String,
}

impl Importer {
    /// As `--from` takes it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How the tool writes such a file.
    pub fn hint(&self) -> &'static str {
        self.hint
    }

    /// Refuses what a user says that the tool's files have no use for: it was meant for another tool, and would
    /// otherwise be passed over without a word.
    ///
    /// # Errors
    /// The option, and the tools that take it.
    pub fn check_options(&self, options: &ImportOptions) -> Result<()> {
        for (option, given, takers) in [
            (
                "--columns",
                !options.columns.is_empty(),
                &["csv", "json"][..],
            ),
            ("--saved", options.saved.is_some(), &["criterion"]),
        ] {
            if given && !takers.contains(&self.name) {
                let reason = format!(
                    "{} takes it and {} does not; leave it out, or choose another --from",
                    takers.join(" or "),
                    self.name
                );
                return Err(Error::usage(option, reason));
            }
        }
        Ok(())
    }

    /// Reads a JSON file of the tool.
    pub(super) fn read_json<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        self.parse_json(path, &read_text(path)?)
    }

    /// Reads the text of a JSON file of the tool.
    pub(super) fn parse_json<T: DeserializeOwned>(&self, path: &Path, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|e| self.refuse(path, &json_fault(&e)))
    }

    /// Reads the rows of a JSON array, of a single object, or of objects one per line or one after the other.
    pub(super) fn read_json_rows(&self, path: &Path) -> Result<Vec<Value>> {
        let text = read_text(path)?;
        let mut rows = Vec::new();
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            match value {
                Ok(Value::Array(all)) => rows.extend(all),
                Ok(row) => rows.push(row),
                Err(e) => return Err(self.refuse(path, &e)),
            }
        }
        Ok(rows)
    }

    /// Says that a file is not of the tool.
    pub(super) fn refuse(&self, path: &Path, why: &dyn fmt::Display) -> Error {
        let Self { name, hint, .. } = self;
        Error::file(path, format!("not a file of {name} ({why}); {hint}"))
    }

    /// Reads one file and leaves out the rows without a usable value.
    ///
    /// # Errors
    /// No row is left, or the file is another tool's.
    pub(super) fn read_usable(&self, path: &Path, options: &ImportOptions) -> Result<ImportedFile> {
        let mut file = (self.read)(path, options)?;
        for case in std::mem::take(&mut file.cases) {
            match case.fault() {
                Some(fault) => file.leave_out(&case.name, &fault),
                None => file.cases.push(case),
            }
        }
        // Rows of a table that are one process are one invocation each, and only further ones count as such.
        let further = file
            .cases
            .iter()
            .map(|case| case.processes.len().saturating_sub(1));
        let processes: usize = further.sum();
        if processes > MOST_IMPORTED || file.cases.len() > MOST_CASES {
            return Err(Error::file(
                path,
                format!(
                    "holds {} with {}, more than the {MOST_CASES} with {MOST_IMPORTED} that a record takes \
                     from a file; export fewer",
                    counted(file.cases.len(), "benchmark"),
                    counted(processes, "invocation")
                ),
            ));
        }
        if file.cases.is_empty() {
            let mut reason = "holds no benchmark with a usable value".to_owned();
            for note in file.left_out.iter().take(SHOWN_NOTES) {
                reason += &format!("; {note}");
            }
            return Err(Error::file(
                path,
                format!("{reason}; measure again ({})", self.hint),
            ));
        }
        Ok(file)
    }
}

/// Notes that the refusal of a file shows.
const SHOWN_NOTES: usize = 3;

/// As much of a name as a note shows.
const SHOWN_NAME: usize = 200;

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct ImportedFile {
    /// The device, where the tool names it.
    pub(super) device: Option<String>,
    /// The tool's version, where it says.
    pub(super) version: Option<String>,
    /// Machine and build, where it names them.
    pub(super) host: Option<String>,
    /// The last digit of its times in nanoseconds, where it was written as a person or a table writes it.
    pub(super) last_digit_ns: Option<f64>,
    /// When it was measured, where it says; the first of several times.
    pub(super) measured_at: Option<Timestamp>,
    /// The file whose time of writing is that of the measurement, where that is not the file given.
    pub(super) written_as: Option<PathBuf>,
    /// Its benchmarks.
    pub(super) cases: Vec<ImportedCase>,
    /// What was left out, and why.
    pub(super) left_out: Vec<String>,
}

impl ImportedFile {
    /// Whether its cases name devices of their own.
    pub(super) fn is_of_several_devices(&self) -> bool {
        let mut devices = self.cases.iter().map(|case| &case.device);
        devices
            .next()
            .is_some_and(|first| devices.any(|other| other != first))
    }

    /// Takes a time at which something of it was measured.
    pub(super) fn measured(&mut self, at: Option<Timestamp>) {
        self.measured_at = self.measured_at.into_iter().chain(at).min();
    }

    /// Notes that a benchmark was left out.
    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        let name: String = name.chars().take(SHOWN_NAME).collect();
        self.left_out.push(format!("{name:?}: {why}"));
    }

    /// Reads the rows of a file; one that cannot be read is left out with a note.
    pub(super) fn rows<T: DeserializeOwned>(&mut self, rows: Vec<Value>) -> Vec<T> {
        let mut read = Vec::with_capacity(rows.len());
        for (index, row) in rows.into_iter().enumerate() {
            match serde_json::from_value(row) {
                Ok(row) => read.push(row),
                Err(e) => {
                    let place = index + 1;
                    self.left_out
                        .push(format!("row {place}: {}", json_fault(&e)));
                }
            }
        }
        read
    }
}

/// One benchmark of a file.
#[derive(Debug)]
pub(super) struct ImportedCase {
    /// Its name.
    pub(super) name: String,
    /// The device, where a file holds several.
    pub(super) device: Option<String>,
    /// For each process, the times of one execution in nanoseconds, or what stands for them in a measure.
    pub(super) processes: Vec<Vec<f64>>,
    /// What the values are, where they are no times.
    pub(super) measure: Option<Measure>,
    /// The settings with which it ran, where the tool states them; its name mentions none.
    pub(super) setup: Option<ToolSetup>,
    /// Bytes of one execution, where the tool counts them.
    pub(super) bytes: Option<u64>,
    /// Why it has no figure, where it failed.
    pub(super) failed: Option<String>,
    /// Whose clock it was timed by.
    pub(super) clock: ClockMethod,
}

impl ImportedCase {
    /// A benchmark that was timed by the host's clock: for each process, nanoseconds of one execution.
    pub(super) fn timed(name: impl Into<String>, processes: Vec<Vec<f64>>) -> Self {
        Self {
            name: name.into(),
            device: None,
            processes,
            measure: None,
            setup: None,
            bytes: None,
            failed: None,
            clock: ClockMethod::WallClock,
        }
    }

    /// A benchmark of which a figure is known, in the tool's own unit, as samples of one process.
    pub(super) fn measured(
        name: impl Into<String>,
        values: &[f64],
        unit: &str,
        better: Better,
    ) -> Self {
        let (measure, factor) = Measure::of(unit, better);
        if measure.is_time() {
            let times = values.iter().map(|value| Seconds(value * factor).ns());
            return Self::timed(name, vec![times.collect()]);
        }
        let costs = values.iter().map(|value| measure.cost(value * factor));
        let costs = costs.collect();
        Self {
            measure: Some(measure),
            ..Self::timed(name, vec![costs])
        }
    }

    /// What its values are, in words.
    pub(super) fn unit(&self) -> &str {
        self.measure
            .as_ref()
            .map_or("time", |measure| measure.unit.as_str())
    }

    /// Why the benchmark cannot be used. One bad time costs the whole benchmark: without the times that
    /// were too short for the clock, the rest would look slower than it is.
    fn fault(&self) -> Option<String> {
        if self.name.len() > MOST_NAME_BYTES {
            return Some(format!("has a name longer than {MOST_NAME_BYTES} bytes"));
        }
        if self.failed.is_some() {
            return None;
        }
        if self.processes.iter().all(Vec::is_empty) {
            return Some("has no time".to_owned());
        }
        let bad = self
            .processes
            .iter()
            .flatten()
            .find(|ns| !(**ns > 0.0 && ns.is_finite()))?;
        Some(match &self.measure {
            None => format!("has a time of {bad} ns, which no run takes"),
            Some(measure) => format!(
                "has a value of {} {}, which is no measurement",
                measure.value(*bad),
                measure.unit
            ),
        })
    }
}
