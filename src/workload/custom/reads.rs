//! What the files and commands that a manifest names gave. Each is read, digested, parsed or run once, however many cases
//! and combinations of `tune` ask for it, so a file that changes meanwhile is the same to all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::record::{MOST_SOURCE_BYTES, read_within};
use crate::workload::kit::template::{is_braced, is_template};
use crate::workload::wgsl::WgslModule;

/// Most bytes of shaders and numbers that the cases of one manifest hold together.
const MOST_KEPT_BYTES: u64 = 256 << 20;

/// Most parsed shaders that are held at a time. One is many times as large as its text, and a template has another text
/// for each case.
const MOST_PARSED: usize = 64;

/// What was found out already, by what was asked.
type ReadOnce<K, V> = Mutex<BTreeMap<K, V>>;

/// A shader as naga reads it, or why it does not.
pub(super) type ParsedShader = std::result::Result<Arc<WgslModule>, String>;

/// Everything that was read for a manifest.
#[derive(Debug, Default)]
pub(super) struct ManifestReads {
    texts: ReadOnce<PathBuf, Arc<str>>,
    digests: ReadOnce<PathBuf, Option<String>>,
    printed: ReadOnce<Vec<String>, Arc<str>>,
    parsed: ReadOnce<Arc<str>, ParsedShader>,
    kept_bytes: AtomicU64,
}

impl ManifestReads {
    /// The text of a file.
    pub(super) fn text(&self, path: &Path) -> Result<Arc<str>> {
        once(&self.texts, &path.to_owned(), || {
            read_within(path, MOST_SOURCE_BYTES).map(Arc::from)
        })
    }

    /// Whether a shader that is a template names something.
    pub(super) fn has_template_with(&self, name: &str) -> bool {
        let texts = locked(&self.texts);
        texts
            .values()
            .any(|text| (is_template(text) || is_braced(text)) && has_word(text, name))
    }

    /// Whether a text that was read has a word.
    pub(super) fn has_word(&self, name: &str) -> bool {
        locked(&self.texts)
            .values()
            .any(|text| has_word(text, name))
    }

    /// The digest of a data file.
    pub(super) fn digest(
        &self,
        path: &Path,
        take: impl FnOnce() -> Result<Option<String>>,
    ) -> Result<Option<String>> {
        once(&self.digests, &path.to_owned(), take)
    }

    /// What a command with its arguments prints.
    pub(super) fn printed(
        &self,
        words: &[String],
        run: impl FnOnce() -> Result<String>,
    ) -> Result<Arc<str>> {
        once(&self.printed, &words.to_vec(), || run().map(Arc::from))
    }

    /// A shader as naga reads it.
    pub(super) fn parsed(&self, wgsl: &str) -> ParsedShader {
        let mut known = locked(&self.parsed);
        if let Some(parsed) = known.get(wgsl) {
            return parsed.clone();
        }
        let parsed = WgslModule::parse(wgsl).map(Arc::new);
        if known.len() >= MOST_PARSED {
            known.clear();
        }
        known.insert(wgsl.into(), parsed.clone());
        parsed
    }

    /// Counts what a case holds.
    ///
    /// # Errors
    /// All cases together hold more than a machine should.
    pub(super) fn keep(&self, bytes: usize) -> std::result::Result<(), String> {
        let before = self.kept_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) <= MOST_KEPT_BYTES {
            return Ok(());
        }
        Err(format!(
            "the shaders and `values` of all cases and combinations of `tune` have more than {} MiB together; give \
             `params` and `tune` fewer values, or put the numbers in a `file`",
            MOST_KEPT_BYTES >> 20
        ))
    }
}

/// What is known for a key, or what is found out now.
fn once<K: Ord + Clone, V: Clone, E>(
    known: &ReadOnce<K, V>,
    key: &K,
    find: impl FnOnce() -> std::result::Result<V, E>,
) -> std::result::Result<V, E> {
    if let Some(value) = locked(known).get(key) {
        return Ok(value.clone());
    }
    let value = find()?;
    locked(known).insert(key.clone(), value.clone());
    Ok(value)
}

/// A map to look at. No insertion stops half-way, so one that panicked left it whole.
fn locked<K, V>(known: &ReadOnce<K, V>) -> MutexGuard<'_, BTreeMap<K, V>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a name stands in a text as a word.
pub(super) fn has_word(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}
