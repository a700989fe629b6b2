//! Which folder of the layout a record belongs to, and how names from elsewhere become names of folders.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::of_record::hex;
use super::row::RecordHead;

/// Most bytes of a name that stand in a folder's name.
const LONGEST: usize = 80;

/// What stands where a record says nothing.
const UNKNOWN: &str = "unknown";

/// One folder of the layout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Partition {
    date: String,
    model: String,
    node: String,
}

impl Partition {
    /// Where a record belongs.
    pub(super) fn of(head: &RecordHead) -> Self {
        Self {
            date: folder_name(head.date.as_deref().unwrap_or(UNKNOWN)),
            model: folder_name(&head.device),
            node: folder_name(&head.node),
        }
    }

    /// Its folder.
    pub(super) fn folder(&self, root: &Path) -> PathBuf {
        root.join(format!("date={}", self.date))
            .join(format!("model={}", self.model))
            .join(format!("node={}", self.node))
    }
}

/// A name as a part of a path on every system and in every engine. Letters and digits of ASCII, `-`, `.` and `_` stay,
/// everything else becomes `_`. Where that changed the name, a digest of the true one follows, so that no two names
/// share a folder; the true name stands in the columns.
fn folder_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .take(LONGEST)
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => c,
            _ => '_',
        })
        .collect();
    if plain == name && !plain.is_empty() && !plain.starts_with('.') {
        return plain;
    }
    let digest = hex(&Sha256::digest(name.as_bytes())[..4]);
    format!("{}~{digest}", plain.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_inside_and_apart() {
        assert_eq!(folder_name("node-07.rack_3"), "node-07.rack_3");
        let hostile = [
            "..",
            ".",
            "",
            "/etc/passwd",
            "../..",
            "a=b",
            "a/b",
            "a\\b",
            "a\nb",
            "a\u{202e}b",
            "a b",
            "CON:",
        ];
        let names: Vec<String> = hostile.iter().map(|name| folder_name(name)).collect();
        for (name, from) in names.iter().zip(hostile) {
            assert!(
                !name.contains(['/', '\\', '=', '\n', ':']) && !name.starts_with('.'),
                "{from:?}: {name}"
            );
            assert!(name.contains('~'), "{from:?}: {name}");
            assert!(
                names.iter().filter(|other| *other == name).count() == 1,
                "{names:?}"
            );
        }
        assert!(folder_name(&"n".repeat(5000)).len() < 100);
    }
}
