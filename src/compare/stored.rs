//! Which design stored files are compared by. The files decide it by their kinds, here and nowhere else, so that
//! `perwatt compare` and `perwatt gate` judge the same files alike.

use std::path::{Path, PathBuf};

use super::comparison::Comparison;
use super::judge::compare;
use super::load::load_sets;
use super::looks::Looks;
use super::noise::Noise;
use super::pairing::Pairing;
use super::policy::Policy;
use super::session::Session;
use super::shaders::compare_inspections;
use super::sides::Sides;
use crate::error::{Error, Result};
use crate::record::{DocumentKind, Inspection, load_document};

/// Stored files that are compared, by what they hold.
#[derive(Debug)]
pub enum StoredFiles {
    /// A pairing, which names its two records.
    Pairing(PathBuf),
    /// What compilers state.
    Inspections {
        /// The inspection that the others are compared with.
        baseline: PathBuf,
        /// The others, one comparison each.
        candidates: Vec<PathBuf>,
    },
    /// Records of sessions that know nothing of each other.
    Sessions {
        /// Files and folders of the baseline.
        baseline: Vec<PathBuf>,
        /// Files and folders of each candidate, one comparison each.
        candidates: Vec<Vec<PathBuf>>,
    },
}

impl StoredFiles {
    /// A baseline and what is compared with it, each side files and folders.
    ///
    /// # Errors
    /// A side has several files where one is an inspection.
    pub fn of(baseline: Vec<PathBuf>, candidates: Vec<Vec<PathBuf>>) -> Result<Self> {
        let inspection = |path: &&PathBuf| {
            DocumentKind::of_file(path.as_path()) == Some(DocumentKind::Inspection)
        };
        let Some(first) = baseline.iter().find(inspection) else {
            return Ok(Self::Sessions {
                baseline,
                candidates,
            });
        };
        let alone = |side: &[PathBuf]| match side {
            [file] => Ok(file.clone()),
            _ => Err(Error::file(
                first,
                "an inspection is judged against one other; give one file per side",
            )),
        };
        Ok(Self::Inspections {
            baseline: alone(&baseline)?,
            candidates: candidates
                .iter()
                .map(|side| alone(side))
                .collect::<Result<_>>()?,
        })
    }

    /// The baseline beside which a noise calibration may lie; nothing where the design needs no calibration.
    pub fn baseline_with_noise(&self) -> Option<&Path> {
        match self {
            Self::Pairing(_) | Self::Inspections { .. } => None,
            Self::Sessions { baseline, .. } => baseline.first().map(PathBuf::as_path),
        }
    }

    /// Compares each candidate with the baseline. A baseline that is not there is a note and no error if
    /// `baseline_may_lack`, since the first change that a gate sees has none yet.
    ///
    /// # Errors
    /// A file cannot be read or is of another kind.
    pub fn compare(
        &self,
        noise: Option<&Noise>,
        baseline_may_lack: bool,
        policy: &Policy,
    ) -> Result<Vec<Comparison>> {
        match self {
            Self::Pairing(file) => Ok(vec![compare_pairing(file, policy)?]),
            Self::Inspections {
                baseline,
                candidates,
            } => candidates
                .iter()
                .map(|candidate| inspections(baseline, candidate, policy))
                .collect(),
            Self::Sessions {
                baseline,
                candidates,
            } => {
                let (there, lacking): (Vec<&PathBuf>, Vec<&PathBuf>) = baseline
                    .iter()
                    .partition(|path| !baseline_may_lack || holds_files(path));
                let mut comparisons = sessions(&there, candidates, noise, policy)?;
                for comparison in &mut comparisons {
                    let notes = lacking.iter().map(|path| no_baseline(path));
                    comparison.notes.extend(notes);
                }
                Ok(comparisons)
            }
        }
    }
}

/// Compares the two records of a pairing.
///
/// # Errors
/// As [`Pairing::load`].
pub fn compare_pairing(file: &Path, policy: &Policy) -> Result<Comparison> {
    let (pairing, baseline, candidate) = Pairing::load(file)?;
    let sides = Sides::Paired {
        baseline: &baseline,
        candidate: &candidate,
        pairs: &pairing.pairs,
        looks: Looks::planned(&pairing.looks),
    };
    let mut comparison = compare(sides, policy);
    comparison.notes.extend(pairing.notes);
    Ok(comparison)
}

/// What is said of a baseline that is not there; a misspelt path must not pass in silence.
pub fn no_baseline(path: &Path) -> String {
    format!(
        "there is no baseline at {}, so every case is new; if there should be one, check the path",
        path.display()
    )
}

/// Compares what compilers state in one file with another.
fn inspections(baseline: &Path, candidate: &Path, policy: &Policy) -> Result<Comparison> {
    let before = load_document::<Inspection>(baseline)?;
    let after = load_document::<Inspection>(candidate)?;
    Ok(compare_inspections(
        (&baseline.display().to_string(), &before),
        (&candidate.display().to_string(), &after),
        policy,
    ))
}

/// Compares the sessions of each candidate with those of the baseline; all files are read at once.
fn sessions(
    baseline: &[&PathBuf],
    candidates: &[Vec<PathBuf>],
    noise: Option<&Noise>,
    policy: &Policy,
) -> Result<Vec<Comparison>> {
    let paths: Vec<PathBuf> = baseline
        .iter()
        .copied()
        .chain(candidates.iter().flatten())
        .cloned()
        .collect();
    let mut sets = load_sets(&paths)?.into_iter();
    let mut side = |paths: usize| -> Vec<Session> { sets.by_ref().take(paths).flatten().collect() };
    let before = side(baseline.len());
    Ok(candidates
        .iter()
        .map(|candidate| {
            let after = side(candidate.len());
            let sides = Sides::Sessions {
                baseline: &before.iter().collect::<Vec<_>>(),
                candidate: &after.iter().collect::<Vec<_>>(),
                noise,
            };
            compare(sides, policy)
        })
        .collect())
}

/// Whether there is anything to read at a path.
fn holds_files(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}
