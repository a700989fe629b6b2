//! Tells the program which source it was built from, so that every record can name it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=Cargo.toml");
    // In a worktree `.git` is a file that names the folder; a file that is not there would build anew
    // each time.
    for file in ["HEAD", "index"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(revision) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=PERWATT_GIT_REVISION={revision}");
        let dirty =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|s| !s.is_empty());
        println!("cargo:rustc-env=PERWATT_GIT_DIRTY={dirty}");
    }
    if let Some(version) = demanded_version("wgpu") {
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

/// The exact version that the manifest demands of a package: `wgpu = { version = "=30.0.1", …`.
fn demanded_version(package: &str) -> Option<String> {
    let manifest = std::fs::read_to_string("Cargo.toml").ok()?;
    let start = format!("{package} = {{ version = \"=");
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix(&start))?;
    line.split('"').next().map(str::to_owned)
}
