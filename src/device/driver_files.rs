//! Where the Vulkan loader finds its drivers: the manifests on this machine, so that each driver can be
//! tried by itself when all together fail.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use super::access::{ALSO, ONLY};

/// The manifests that the loader would read, in its order. Empty on Windows, where they stand in the
/// registry.
pub(super) fn vulkan_manifests() -> Vec<PathBuf> {
    let listed = |variable: &str| -> Option<Vec<PathBuf>> {
        let value = env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(env::split_paths(&value).collect())
    };
    if let Some(only) = ONLY.into_iter().find_map(listed) {
        return manifests_in(only);
    }
    if cfg!(windows) {
        return Vec::new();
    }
    let mut places = listed(ALSO).unwrap_or_default();
    places.extend(
        folders()
            .into_iter()
            .map(|folder| folder.join("vulkan/icd.d")),
    );
    manifests_in(places)
}

/// The folders below which the loader looks.
fn folders() -> Vec<PathBuf> {
    let home = |below: &str| env::home_dir().map(|home| home.join(below));
    let list = |variable: &str, usual: &[&str]| -> Vec<PathBuf> {
        match env::var_os(variable).filter(|value| !value.is_empty()) {
            Some(value) => env::split_paths(&value).collect(),
            None => usual.iter().map(PathBuf::from).collect(),
        }
    };
    let one = |variable: &str, usual: &str| {
        let given = env::var_os(variable).filter(|value| !value.is_empty());
        given.map(PathBuf::from).or_else(|| home(usual))
    };
    let mut folders: Vec<PathBuf> = Vec::new();
    folders.extend(one("XDG_CONFIG_HOME", ".config"));
    folders.extend(list("XDG_CONFIG_DIRS", &["/etc/xdg"]));
    folders.push(PathBuf::from("/etc"));
    folders.extend(one("XDG_DATA_HOME", ".local/share"));
    folders.extend(list("XDG_DATA_DIRS", &["/usr/local/share", "/usr/share"]));
    folders
}

/// The manifests among files and folders, each once.
fn manifests_in(places: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    places
        .into_iter()
        .flat_map(|place| {
            if place.is_dir() {
                json_files(&place)
            } else {
                vec![place]
            }
        })
        .filter(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())))
        .collect()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_taken_each_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.json", "a.json", "readme"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let (a, b) = (folder.path().join("a.json"), folder.path().join("b.json"));
        let gone = folder.path().join("gone.json");
        let found = manifests_in(vec![b.clone(), gone.clone(), folder.path().to_owned()]);
        assert_eq!(found, [b, gone, a]);
    }
}
