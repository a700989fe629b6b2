//! clpeak's XML and JSON. A file is one process; each metric of a test is one figure: a rate, a time, or another
//! latency. A figure whose unit and category say not which way it improves is left out. Runs on several devices are
//! kept apart.

use std::borrow::Cow;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;
use serde_json::Value;

use super::import::{ImportOptions, ImportedCase, ImportedFile, Importer};
use super::text::read_text;
use crate::error::Result;
use crate::record::{Better, Measure};

/// A file is one process.
pub(super) const IMPORTER: Importer = Importer {
    name: "clpeak",
    hint: "`clpeak --xml-file FILE` or `--json-file FILE` writes one",
    marks: &["clpeak", "gflops"],
    read,
};

/// One figure, from either form.
#[derive(Default, Deserialize)]
struct ClpeakEntry {
    #[serde(default)]
    backend: String,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    category: String,
    test: String,
    metric: String,
    #[serde(default)]
    unit: String,
    value: Option<f64>,
    status: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct ClpeakFile {
    clpeak_version: Option<String>,
    entries: Vec<Value>,
}

fn read(path: &Path, _options: &ImportOptions) -> Result<ImportedFile> {
    let text = read_text(path)?;
    if text.trim_start().starts_with('<') {
        return read_xml(&text).map_err(|e| IMPORTER.refuse(path, &e));
    }
    let read: ClpeakFile = IMPORTER.parse_json(path, &text)?;
    let mut file = ImportedFile {
        version: read.clpeak_version,
        ..ImportedFile::default()
    };
    for entry in file.rows(read.entries) {
        add(&mut file, entry);
    }
    Ok(file)
}

/// Where a reader of the XML stands: the attributes of the elements around it.
#[derive(Default)]
struct Position {
    backend: String,
    platform: String,
    device: String,
    category: String,
    test: String,
    unit: String,
    /// Open `<metric>`, whose text is the value.
    metric: Option<ClpeakEntry>,
}

fn read_xml(text: &str) -> std::result::Result<ImportedFile, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut file = ImportedFile::default();
    let mut at = Position::default();
    loop {
        match reader.read_event()? {
            Event::Start(element) => at.enter(&element, &mut file)?,
            Event::Empty(element) => {
                at.enter(&element, &mut file)?;
                at.leave(element.name().as_ref(), &mut file);
            }
            Event::Text(value) => at.take(value.decode()?.trim()),
            Event::End(element) => at.leave(element.name().as_ref(), &mut file),
            Event::Eof => return Ok(file),
            _ => {}
        }
    }
}

impl Position {
    /// Takes an element's attributes in.
    fn enter(
        &mut self,
        element: &BytesStart<'_>,
        file: &mut ImportedFile,
    ) -> std::result::Result<(), quick_xml::Error> {
        let attribute = |wanted: &str| -> std::result::Result<Option<String>, quick_xml::Error> {
            let found = element.try_get_attribute(wanted)?;
            let Some(found) = found else { return Ok(None) };
            let text = String::from_utf8_lossy(&found.value).into_owned();
            Ok(Some(
                quick_xml::escape::unescape(&text).map_or(text.clone(), Cow::into_owned),
            ))
        };
        let or_empty = |text: Option<String>| text.unwrap_or_default();
        match element.name().as_ref() {
            b"clpeak" => file.version = attribute("clpeak_version")?.or(attribute("version")?),
            b"run" => {
                self.backend = or_empty(attribute("backend")?);
                self.platform = or_empty(attribute("platform")?);
                self.device = or_empty(attribute("device")?);
            }
            // The files of version 1 nest the two.
            b"platform" => self.platform = or_empty(attribute("name")?),
            b"device" => self.device = or_empty(attribute("name")?),
            b"category" => self.category = or_empty(attribute("name")?),
            b"test" => {
                self.test = or_empty(attribute("name")?);
                self.unit = or_empty(attribute("unit")?);
            }
            b"metric" => {
                let name = or_empty(attribute("name")?);
                self.metric = Some(ClpeakEntry {
                    status: attribute("status")?,
                    reason: attribute("reason")?,
                    ..self.entry(name)
                });
            }
            // Version 1 has an element for each test, and in it one for each metric.
            name => {
                let name = String::from_utf8_lossy(name).into_owned();
                if !self.test.is_empty() {
                    self.metric = Some(self.entry(name));
                } else if TESTS.iter().any(|kind| name.contains(kind)) {
                    self.test = name;
                    self.unit = or_empty(attribute("unit")?);
                }
            }
        }
        Ok(())
    }

    /// A figure that begins here.
    fn entry(&self, metric: String) -> ClpeakEntry {
        ClpeakEntry {
            backend: self.backend.clone(),
            platform: self.platform.clone(),
            device: self.device.clone(),
            category: self.category.clone(),
            test: self.test.clone(),
            metric,
            unit: self.unit.clone(),
            ..ClpeakEntry::default()
        }
    }

    /// Takes the text of an element: a metric's, or in version 1 that of a test with one metric.
    fn take(&mut self, text: &str) {
        let Ok(value) = text.parse::<f64>() else {
            return;
        };
        if self.metric.is_none() && !self.test.is_empty() {
            self.metric = Some(self.entry(String::new()));
        }
        if let Some(metric) = &mut self.metric {
            metric.value = Some(value);
        }
    }

    /// Ends an element.
    fn leave(&mut self, name: &[u8], file: &mut ImportedFile) {
        if let Some(entry) = self.metric.take() {
            add(file, entry);
        }
        if name == b"test" || name == self.test.as_bytes() {
            self.test.clear();
        }
    }
}

/// Parts of the names of version 1's tests.
const TESTS: [&str; 3] = ["_compute", "_bandwidth", "_latency"];

/// Which way a figure improves, where its unit or its category says so.
fn better(unit: &str, is_latency: bool) -> Option<Better> {
    let is_time = Measure::of(unit, Better::Smaller).0.is_time();
    let (measure, _) = Measure::of(unit, Better::Larger);
    if is_latency || is_time {
        return Some(Better::Smaller);
    }
    // Version 1 leaves the seconds out of the rate of its textures.
    let is_rate = measure.unit.ends_with("/s") || unit.eq_ignore_ascii_case("gtexels");
    is_rate.then_some(Better::Larger)
}

/// Adds one figure.
fn add(file: &mut ImportedFile, entry: ClpeakEntry) {
    let ClpeakEntry {
        backend,
        platform,
        device,
        category,
        test,
        metric,
        unit,
        value,
        status,
        reason,
    } = entry;
    let name = format!("{test} {metric}").trim().to_owned();
    let status = status.unwrap_or_else(|| "ok".to_owned());
    let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
    let is_latency = category == "latency" || test.contains("latency");
    let case = match (status.as_str(), value, better(&unit, is_latency)) {
        ("error" | "failed", ..) => ImportedCase {
            failed: Some(reason),
            ..ImportedCase::timed(name, Vec::new())
        },
        ("ok", None, _) => return file.leave_out(&name, "has no value"),
        ("ok", ..) if unit.is_empty() => return file.leave_out(&name, "has no unit"),
        ("ok", Some(_), None) => {
            let why = format!("nothing says which way its unit {unit:?} improves");
            return file.leave_out(&name, &why);
        }
        ("ok", Some(value), Some(better)) => ImportedCase::measured(name, &[value], &unit, better),
        (status, ..) => return file.leave_out(&name, &format!("{status}, {reason}")),
    };
    // One card answers to several APIs and drivers, which are as different as two cards.
    let api = match (backend.as_str(), platform.as_str()) {
        ("", platform) => platform.to_owned(),
        (backend, platform) if platform.is_empty() || platform == backend => backend.to_owned(),
        (backend, platform) => format!("{backend}, {platform}"),
    };
    let device = match (device.trim(), api.trim()) {
        ("", _) => None,
        (device, "") => Some(device.to_owned()),
        (device, api) => Some(format!("{device} ({api})")),
    };
    file.cases.push(ImportedCase { device, ..case });
}
