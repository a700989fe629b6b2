//! Follows CONTRIBUTING.md to the letter: writes its files into a copy of the source, applies its
//! changes, builds, and runs its commands. A step that a contributor could not take fails here.
//!
//! Of the fenced blocks, these three kinds are steps; the word after the language is the file:
//!
//! - `wgsl FILE`, `rust FILE`, `toml FILE` …: a new file with this content;
//! - `diff FILE`: a change; its unchanged and removed lines must stand in the file exactly once;
//! - `console`: commands, and under each the words that its output must hold.
//!
//! It builds perwatt anew, so it is run by name:
//! `cargo test --test contributing -- --ignored`
#![cfg(all(feature = "bench", feature = "cli", target_os = "linux"))]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a build needs.
const NEEDED: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "shaders",
    "assets",
    "benches",
    "examples",
    "tests",
];

/// A fenced block of the page.
struct Block<'a> {
    language: &'a str,
    file: Option<&'a str>,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let mut words = info.split_whitespace();
                open = Some(Block {
                    language: words.next().unwrap_or_default(),
                    file: words.next(),
                    lines: Vec::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block does not end");
    blocks
}

/// Copies a file or a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "target" {
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// The text after a change; its old lines must stand in it exactly once.
fn changed(text: &str, change: &[&str], file: &str) -> String {
    let side = |other: char| -> String {
        change
            .iter()
            .filter(|line| !line.starts_with(other))
            .map(|line| format!("{}\n", line.get(1..).unwrap_or_default()))
            .collect()
    };
    let (old, new) = (side('+'), side('-'));
    let count = text.matches(&old).count();
    assert_eq!(count, 1, "{file}: found {count} times, not once:\n{old}");
    text.replace(&old, &new)
}

/// Runs the commands of a console block with the program that was built, in an empty folder.
fn run(lines: &[&str], program: &Path, folder: &Path) {
    let mut said = String::new();
    let mut command = "";
    for line in lines {
        if let Some(next) = line.strip_prefix("$ ") {
            command = next;
            let shell = next.replacen("perwatt", &program.display().to_string(), 1);
            let output = Command::new("sh")
                .args(["-c", &shell])
                .current_dir(folder)
                .output()
                .unwrap();
            said = String::from_utf8_lossy(&output.stdout).into_owned();
            said += &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}\n{said}");
        } else if !line.trim().is_empty() {
            let words = line.trim();
            assert!(said.contains(words), "{command}: no {words:?} in\n{said}");
        }
    }
}

/// Builds the copy; its program has a name of its own, so that the tests' program stays what it is.
fn build(source: &Path) -> PathBuf {
    let manifest = source.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let text = text
        .replace(
            "[[bin]]\nname = \"perwatt\"",
            "[[bin]]\nname = \"perwatt-contributing\"\npath = \"src/main.rs\"",
        )
        .replace("default-run = \"perwatt\"\n", "");
    fs::write(&manifest, text).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--bin", "perwatt-contributing"])
        .current_dir(source)
        .env("CARGO_TARGET_DIR", target)
        .status()
        .unwrap();
    assert!(status.success(), "the copy does not build");
    target.join("debug/perwatt-contributing")
}

#[test]
#[ignore = "builds perwatt anew; .ci/run runs it by name"]
fn every_step_of_the_page_can_be_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = folder.path().join("perwatt");
    fs::create_dir(&source).unwrap();
    for name in NEEDED {
        copy(&root.join(name), &source.join(name));
    }

    let page = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let blocks = blocks(&page);
    for block in &blocks {
        let Some(file) = block.file else { continue };
        let path = source.join(file);
        if block.language == "diff" {
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
            fs::write(&path, changed(&text, &block.lines, file)).unwrap();
        } else {
            assert!(!path.exists(), "{file} is there already");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, block.lines.join("\n") + "\n").unwrap();
        }
    }

    let program = build(&source);
    let empty = tempfile::tempdir().unwrap();
    let consoles: Vec<_> = blocks.iter().filter(|b| b.language == "console").collect();
    assert!(
        consoles.len() >= 5,
        "a console block for each kind of addition"
    );
    for console in consoles {
        run(&console.lines, &program, empty.path());
    }
}

#[test]
fn a_change_that_fits_nowhere_or_twice_is_refused() {
    let text = "a\nb\nc\nb\n";
    assert_eq!(changed(text, &[" a", "+x"], "f"), "a\nx\nb\nc\nb\n");
    assert_eq!(changed(text, &[" a", "-b"], "f"), "a\nc\nb\n");
    for wrong in [[" d", "+x"], [" b", "+x"]] {
        let result = std::panic::catch_unwind(|| changed(text, &wrong, "f"));
        assert!(result.is_err(), "{wrong:?}");
    }
}
