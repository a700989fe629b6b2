//! The rooms of the house: a module imports only from layers below its own.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on standard error"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules by layer; `cli` may use everything.
const LAYERS: &[(&str, u32)] = &[
    ("units", 0),
    ("error", 0),
    ("stats", 1),
    ("record", 2),
    ("device", 3),
    ("power", 3),
    ("compare", 3),
    ("exchange", 3),
    ("invest", 3),
    ("workload", 4),
    ("clock", 4),
    ("report", 4),
    ("bench", 5),
    ("inspect", 5),
    ("cli", 6),
];

/// Imports that the layers alone would allow and the design does not.
const FORBIDDEN: &[(&str, &str)] = &[
    ("record", "stats"),
    ("report", "device"),
    ("report", "power"),
    ("workload", "stats"),
    ("bench", "compare"),
    ("bench", "invest"),
    ("bench", "report"),
];

fn layer(module: &str) -> Option<u32> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, layer)| *layer)
}

/// Why a module may not import another, if so.
fn objection(from: &str, to: &str) -> Option<String> {
    let (Some(own), Some(other)) = (layer(from), layer(to)) else {
        return Some(format!("{from} → {to}: not in the table of layers"));
    };
    let same = from == to;
    if same || (other < own && !FORBIDDEN.contains(&(from, to))) || (own == 0 && other == 0) {
        None
    } else {
        Some(format!("{from} (layer {own}) imports {to} (layer {other})"))
    }
}

/// Modules that a source text names after `crate::`.
fn imports(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect::<String>()
        })
        // `crate::Result` and `$crate::…` of a macro's own module are no module.
        .filter(|name| !name.is_empty())
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_import_goes_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut objections = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str();
        let module = first.to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            objections.extend(
                objection(module, &import).map(|why| format!("{}: {why}", inside.display())),
            );
        }
    }
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn the_table_objects_to_what_it_should() {
    assert!(objection("device", "bench").is_some());
    assert!(objection("compare", "invest").is_some());
    assert!(objection("bench", "report").is_some());
    assert!(objection("stats", "nonsense").is_some());
    assert_eq!(objection("bench", "clock"), None);
    assert_eq!(imports("use crate::{device, error};"), Vec::<String>::new());
}

#[test]
fn imports_are_written_one_module_a_line() {
    // `use crate::{a, b}` would hide its modules from the test above.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let hidden = text.contains("crate::{");
        let cli = file.starts_with(root.join("cli"));
        assert!(!hidden || cli, "{} imports crate::{{…}}", file.display());
    }
}

#[test]
fn main_stays_small() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs");
    assert!(fs::read_to_string(main).unwrap().lines().count() < 80);
}
