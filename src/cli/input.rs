//! Records that the user names, for looking at: what in one contradicts itself is told, by name. And where the
//! user is, which records are not to say.

use std::path::{Path, PathBuf};

use super::output::tell;
use crate::record::{self, Record, Whereabouts};

/// As many contradictions of a file as are told.
const SHOWN: usize = 5;

/// Reads a record.
///
/// # Errors
/// As [`record::load`].
pub(super) fn load_record(path: &Path) -> crate::Result<Record> {
    let record = record::load(path)?;
    let contradictions = record.contradictions();
    for contradiction in contradictions.iter().take(SHOWN) {
        tell(&format!(
            "Warning: {} contradicts itself: {contradiction}",
            path.display()
        ));
    }
    if let more @ 1.. = contradictions.len().saturating_sub(SHOWN) {
        tell(&format!("Warning: and {more} more like it"));
    }
    Ok(record)
}

/// Where the person who measures keeps things.
pub(super) fn whereabouts() -> Whereabouts {
    let text = |path: PathBuf| path.to_str().map(str::to_owned);
    let home = ["HOME", "USERPROFILE"]
        .into_iter()
        .find_map(std::env::var_os);
    Whereabouts {
        working: std::env::current_dir().ok().and_then(text),
        home: home.map(PathBuf::from).and_then(text),
    }
}
