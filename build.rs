//! Tells the program which source it was built from, so that every record can name it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/index");
    println!("cargo:rerun-if-changed=Cargo.lock");
    if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=PERWATT_GIT_REVISION={revision}");
        let dirty =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|s| !s.is_empty());
        println!("cargo:rustc-env=PERWATT_GIT_DIRTY={dirty}");
    }
    if let Some(version) = locked_version("wgpu") {
        println!("cargo:rustc-env=PERWATT_WGPU_VERSION={version}");
    }
}

/// What a git command prints, if this is a checkout of perwatt itself and git is there.
fn git(arguments: &[&str]) -> Option<String> {
    std::path::Path::new(".git").exists().then_some(())?;
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The version of a package in the lock file.
fn locked_version(package: &str) -> Option<String> {
    let lock = std::fs::read_to_string("Cargo.lock").ok()?;
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{package}\"\n")))?;
    let line = entry
        .lines()
        .find_map(|line| line.strip_prefix("version = "))?;
    Some(line.trim_matches('"').to_owned())
}
