//! The envelope that all of perwatt's files share: what kind they are, of which version, and how a
//! reader refuses what it does not know.
//!
//! A new kind of file implements [`Document`] and has a line in [`KINDS`]; loading, saving, the check of
//! the version and telling the kinds apart follow.

use std::path::Path;

use semver::Version;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::disk::{read_text, write_file};
use crate::error::{Error, Result};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentKind {
    /// What one run measured.
    Record,
    /// Compiler statistics of kernels.
    Inspection,
    /// Which invocations of two records ran as pairs.
    Pairing,
    /// How much sessions of the same code differ.
    Noise,
    /// Tuned kernel parameters.
    Tuning,
    /// Gains of power sensors.
    Calibration,
    /// What a fleet run is to do.
    Fleet,
}

/// Every kind with the mark that a file of it carries.
const KINDS: [(DocumentKind, &str); 7] = [
    (DocumentKind::Record, "perwatt-record"),
    (DocumentKind::Inspection, "inspection"),
    (DocumentKind::Pairing, "perwatt-pairing"),
    (DocumentKind::Noise, "perwatt-noise"),
    (DocumentKind::Tuning, "perwatt-tuning"),
    (DocumentKind::Calibration, "perwatt-calibration"),
    (DocumentKind::Fleet, "perwatt-fleet"),
];

impl DocumentKind {
    /// The mark that a file of this kind carries as `kind`.
    pub fn mark(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, mark)| mark)
    }

    /// What a JSON text says that it is; nothing where it says nothing that perwatt knows.
    ///
    /// Files of the first versions carry no mark: a record is known by its `schema_version`, a tuning
    /// by its `tuning_version`, a calibration by its `sensors`.
    pub fn of(text: &str) -> Option<Self> {
        let head: Head = serde_json::from_str(text).ok()?;
        match head.kind {
            Some(mark) => KINDS
                .iter()
                .find(|(_, known)| *known == mark)
                .map(|(kind, _)| *kind),
            None if head.schema.is_some() => None,
            None if head.tuning_version.is_some() => Some(Self::Tuning),
            None if head.schema_version.is_some() => Some(Self::Record),
            None if head.sensors.is_some() => Some(Self::Calibration),
            None => None,
        }
    }

    /// What a regular file says that it is; nothing where it says nothing that perwatt knows. A pipe is
    /// left alone, since it can be read only once.
    pub fn of_file(path: &Path) -> Option<Self> {
        let text = path.is_file().then(|| read_text(path).ok()).flatten()?;
        Self::of(&text)
    }
}

/// The part of a file that tells what it is.
#[derive(Default, Deserialize)]
struct Head {
    kind: Option<String>,
    schema_version: Option<String>,
    tuning_version: Option<String>,
    sensors: Option<serde::de::IgnoredAny>,
    /// A JSON Schema says by this that it is one; the record's own lies beside records.
    #[serde(rename = "$schema")]
    schema: Option<String>,
}

impl Head {
    fn version(self) -> Option<String> {
        self.schema_version.or(self.tuning_version)
    }
}

/// The content of a file.
pub trait Document: serde::Serialize + DeserializeOwned + PartialEq {
    /// What kind of file it is.
    const KIND: DocumentKind;

    /// The version that this program writes; it reads every version of the same major number.
    const VERSION: &'static str;

    /// What the file is called in messages, with its article: `a result file`.
    const NAME: &'static str;

    /// How to get one, for messages: "`perwatt run --out FILE` writes one".
    const HINT: &'static str;

    /// The mark that the file carries; files of the first versions carry none.
    fn kind(&self) -> Option<&str>;

    /// The version that the file states.
    fn version(&self) -> &str;

    /// Whether what it says makes sense.
    ///
    /// # Errors
    /// What does not, and what to do.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Reads a document.
///
/// # Errors
/// The file cannot be read, is of another kind, is damaged, has a version of another major number, or
/// says what makes no sense.
pub fn load_document<D: Document>(path: &Path) -> Result<D> {
    parse_document(path, &read_text(path)?)
}

/// Reads a document from `text`; `path` is for messages.
///
/// # Errors
/// As [`load_document`], but for reading the file.
pub fn parse_document<D: Document>(path: &Path, text: &str) -> Result<D> {
    // What a damaged or foreign file is can be said only after its head; a sound one needs no second look.
    let document: D = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return Err(explain::<D>(path, text, &error)),
    };
    match document.kind() {
        Some(mark) if mark != D::KIND.mark() => return Err(other_kind::<D>(path, mark)),
        _ => check_version::<D>(path, document.version())?,
    }
    document.check().map_err(|why| Error::file(path, why))?;
    Ok(document)
}

/// Writes a document; one that could not be read back is refused.
///
/// # Errors
/// It holds a number that is not finite or something that makes no sense, or the file cannot be written.
pub fn save_document<D: Document>(document: &D, path: &Path) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document)
        .map_err(|e| Error::file(path, format!("cannot be written as JSON: {e}")))?;
    text.push('\n');
    // JSON has no NaN: serde_json writes `null`, which no number accepts on the way back.
    let read_back: D = parse_document(path, &text).map_err(|e| {
        Error::file(
            path,
            format!("refused to write {} that cannot be read back: {e}", D::NAME),
        )
    })?;
    if read_back != *document {
        return Err(Error::file(
            path,
            format!("refused to write {} that reads back differently", D::NAME),
        ));
    }
    write_file(path, text.as_bytes())
}

/// Why a text is no document of this kind.
fn explain<D: Document>(path: &Path, text: &str, error: &serde_json::Error) -> Error {
    let Ok(head) = serde_json::from_str::<Head>(text) else {
        return Error::file(path, format!("not {} ({error}); {}", D::NAME, D::HINT));
    };
    match DocumentKind::of(text) {
        Some(kind) if kind == D::KIND => {}
        Some(kind) => return other_kind::<D>(path, kind.mark()),
        None => {
            return Error::file(
                path,
                format!(
                    "JSON without a `schema_version`, so not {}; {}",
                    D::NAME,
                    D::HINT
                ),
            );
        }
    }
    if let Some(version) = head.version()
        && let Err(refusal) = check_version::<D>(path, &version)
    {
        return refusal;
    }
    Error::file(
        path,
        format!("damaged: {error}; restore the file ({})", D::HINT),
    )
}

fn other_kind<D: Document>(path: &Path, mark: &str) -> Error {
    Error::file(
        path,
        format!("a file of kind {mark:?}, not {}; {}", D::NAME, D::HINT),
    )
}

/// Refuses another major version.
fn check_version<D: Document>(path: &Path, stated: &str) -> Result<()> {
    let supported = Version::parse(D::VERSION).map_or(0, |version| version.major);
    let version = Version::parse(stated).map_err(|e| {
        Error::file(
            path,
            format!("its version is {stated:?}, which is not a version ({e}); restore the file"),
        )
    })?;
    if version.major == supported {
        return Ok(());
    }
    Err(Error::SchemaVersion {
        path: path.to_owned(),
        found: stated.to_owned(),
        supported,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_mark_of_its_own_and_is_known_by_it() {
        for (kind, mark) in KINDS {
            assert_eq!(kind.mark(), mark);
            let text = format!("{{\"kind\": \"{mark}\", \"schema_version\": \"1.0.0\"}}");
            assert_eq!(DocumentKind::of(&text), Some(kind));
        }
    }

    #[test]
    fn files_of_the_first_versions_are_known_without_a_mark() {
        for (text, kind) in [
            (r#"{"schema_version": "1.0.0"}"#, Some(DocumentKind::Record)),
            (r#"{"tuning_version": "1.0.0"}"#, Some(DocumentKind::Tuning)),
            (r#"{"sensors": {}}"#, Some(DocumentKind::Calibration)),
            (r#"{"$schema": "x", "schema_version": "1"}"#, None),
            (r#"{"kind": "somebody-elses"}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(DocumentKind::of(text), kind, "{text}");
        }
    }
}
