//! Which invocation of one record ran beside which of another.
//!
//! The records alone cannot say: two files with ten invocations each may be an alternation or two
//! nights apart, and the statistics of the two have nothing in common. So `perwatt ab` writes it down.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::{Absence, Session};
use crate::error::{Error, FilePlace, Result};
use crate::record::{self, Document, DocumentKind, Record, load_document, save_document};

/// The version of the file.
const VERSION: &str = "1.4.0";

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What was there before.
    Baseline,
    /// What is judged.
    Candidate,
}

impl Side {
    /// The opposite side.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Baseline => Self::Candidate,
            Self::Candidate => Self::Baseline,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        })
    }
}

/// The pairing of two records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pairing {
    /// `perwatt-pairing`.
    pub kind: String,
    /// Semantic version of this format.
    pub schema_version: String,
    /// The baseline's record, relative to this file.
    pub baseline: PathBuf,
    /// The candidate's record, relative to this file.
    pub candidate: PathBuf,
    /// Identity of the baseline's session, so that another record in its place is noticed.
    pub baseline_session: String,
    /// Identity of the candidate's session.
    pub candidate_session: String,
    /// Seed of the order in which the two took turns.
    pub order_seed: u64,
    /// The pairs, in the order in which they ran.
    pub pairs: Vec<Pair>,
    /// Cases that were not measured, because program and data are the same on both sides. Since version 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// Cases that have another name than the same program had in the baseline; not measured. Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Renamed>,
    /// What a reader must know of the whole. Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Cases of the baseline that were not measured, because the candidate does not have them. Since 1.1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Numbers of pairs after which `--until-decided` was to look, fixed before the first; empty where the number
    /// of pairs was. Since 1.2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<u32>,
    /// A hash of all that was asked: options, programs, environments and limits, so that a comparison which was
    /// interrupted goes on as it began. Since 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Cases that a side's workload file declares and that cannot be measured there. Since 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedCase>,
}

/// A case that a side declares and that cannot be measured: its shader is no WGSL, or its entry is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedCase {
    /// The side.
    pub side: Side,
    /// `case@kernel`.
    pub case: String,
    /// Why.
    pub reason: String,
    /// Where that is to be mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<FilePlace>,
}

/// A case under its former and its present name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// The baseline's name.
    pub from: String,
    /// The candidate's name.
    pub to: String,
}

/// Two invocations that ran one right after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// Number of the baseline's invocation.
    pub baseline: u32,
    /// Number of the candidate's invocation.
    pub candidate: u32,
    /// Which ran first.
    pub first: Side,
}

impl Pairing {
    /// A pairing of two sessions.
    pub fn new(
        (baseline, baseline_session): (PathBuf, String),
        (candidate, candidate_session): (PathBuf, String),
        order_seed: u64,
        pairs: Vec<Pair>,
    ) -> Self {
        Self {
            kind: DocumentKind::Pairing.mark().to_owned(),
            schema_version: VERSION.to_owned(),
            baseline,
            candidate,
            baseline_session,
            candidate_session,
            order_seed,
            pairs,
            unchanged: Vec::new(),
            renamed: Vec::new(),
            notes: Vec::new(),
            lost: Vec::new(),
            looks: Vec::new(),
            asked: None,
            failed: Vec::new(),
        }
    }

    /// The file of the pairing that a path means: itself, or the one in the folder that `perwatt ab` wrote.
    pub fn at(path: &Path) -> PathBuf {
        let inside = path.join("pairing.json");
        if inside.is_file() {
            inside
        } else {
            path.to_owned()
        }
    }

    /// Reads a pairing and the two records that it names.
    ///
    /// # Errors
    /// A file cannot be read, a record is not the one that was paired, or an invocation stands in two
    /// pairs, which would count its evidence twice.
    pub fn load(path: &Path) -> Result<(Self, Session, Session)> {
        let pairing: Self = load_document(path)?;
        let [baseline, candidate] = pairing.records(path)?.map(|(file, record)| {
            let name = file.display().to_string();
            Session::read(&file, &record, name)
        });
        let (mut baseline, mut candidate) = (baseline?, candidate?);
        for id in &pairing.unchanged {
            baseline.leave_out(id, Absence::Unchanged);
            candidate.leave_out(id, Absence::Unchanged);
        }
        for Renamed { from, to } in &pairing.renamed {
            baseline.leave_out(to, Absence::Renamed(from.clone()));
            candidate.leave_out(to, Absence::Unchanged);
        }
        for id in &pairing.lost {
            baseline.leave_out(id, Absence::Alone);
        }
        for failed in &pairing.failed {
            let side = match failed.side {
                Side::Baseline => &mut baseline,
                Side::Candidate => &mut candidate,
            };
            side.fail(&failed.case, &failed.reason, failed.place.as_ref());
        }
        Ok((pairing, baseline, candidate))
    }

    /// The baseline's record and the candidate's, each with its file; `path` is the pairing's own.
    ///
    /// # Errors
    /// One cannot be read, or is not the one that was paired.
    pub fn records(&self, path: &Path) -> Result<[(PathBuf, Record); 2]> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let paired = |name: &Path, session: &str| {
            let file = folder.join(name);
            let record = record::load(&file)?;
            if record.session == session {
                return Ok((file, record));
            }
            Err(Error::file(
                path,
                format!(
                    "{} is not the record that was paired (session {}, not {session}); restore it",
                    file.display(),
                    record.session
                ),
            ))
        };
        Ok([
            paired(&self.baseline, &self.baseline_session)?,
            paired(&self.candidate, &self.candidate_session)?,
        ])
    }

    /// Writes the pairing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_document(self, path)
    }
}

impl Document for Pairing {
    const KIND: DocumentKind = DocumentKind::Pairing;
    const VERSION: &'static str = VERSION;
    const NAME: &'static str = "a pairing of records";
    const HINT: &'static str = "`perwatt ab` writes one";

    fn kind(&self) -> Option<&str> {
        Some(&self.kind)
    }

    fn version(&self) -> &str {
        &self.schema_version
    }

    fn check(&self) -> Result<(), String> {
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        for pair in &self.pairs {
            if !left.insert(pair.baseline) || !right.insert(pair.candidate) {
                return Err(
                    "an invocation stands in two pairs, which would count its evidence twice; \
                     restore the file"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}
