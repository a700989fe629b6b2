//! A user's kernel on the two sides of a comparison, and manifests that are wrong by a little.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use perwatt::compare::Pairing;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::custom_kernels::run;
use crate::support::{has_device, perwatt};

const SHADER: &str = "const STEPS = 8u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> root: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= arrayLength(&x) { return; }
    var y = x[id.x];
    for (var step = 0u; step < STEPS; step++) { y = 0.5 * (y + x[id.x] / y); }
    root[id.x] = y;
}
";

const MANIFEST: &str = "[[workload]]
case = \"root/f32/${n}\"
params = { n = 1000 }
bytes = \"8 * n\"
[[workload.buffer]]
name = \"x\"
elements = \"n\"
uniform = [1, 4]
[[workload.buffer]]
name = \"root\"
elements = \"n\"
formula = \"sqrt(x[i])\"
relative = 1e-6
[[workload.dispatch]]
shader = \"s.wgsl\"
threads = \"n\"
";

fn write(folder: &Path, shader: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("k.toml"), MANIFEST).unwrap();
    std::fs::write(folder.join("s.wgsl"), shader).unwrap();
}

#[test]
fn a_kernel_that_changes_while_the_sides_take_turns_ends_the_comparison() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("base"), SHADER);
    write(&at("candidate"), &SHADER.replace("8u", "9u"));
    let child = perwatt()
        .args(["ab", "--pairs", "40", "--budget", "0.2", "--power", "none"])
        .arg("--base-workloads")
        .arg(at("base/k.toml"))
        .arg("--candidate-workloads")
        .arg(at("candidate/k.toml"))
        .arg("--out")
        .arg(at("ab"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pairs = || {
        let pairing = Pairing::load(&at("ab/pairing.json"));
        pairing.map_or(0, |(pairing, ..)| pairing.pairs.len())
    };
    while pairs() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Another text of the same program: no time and no output tells.
    write(&at("base"), &SHADER.replace("0.5 *", "0.50 *"));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("differ in a custom kernel's program or data"),
        "{said}"
    );
    assert!(pairs() < 40, "{said}");
}

#[test]
fn a_kernel_that_computes_wrongly_passes_under_no_manifest_that_is_wrong_by_a_little() {
    let wrong = SHADER.replace("root[id.x] = y;", "root[id.x] = 1.02 * y;");
    let mut random = Pcg64::seed_from_u64(3);
    let lines: Vec<&str> = MANIFEST.lines().collect();
    for _ in 0..8 {
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let at = random.random_range(1..lines.len());
        let number = lines[at].split(|c: char| !c.is_ascii_digit());
        let number = number.clone().find(|digits| !digits.is_empty());
        // What tolerates more is the user's word.
        match number.and_then(|digits| Some((digits, digits.parse::<u32>().ok()?))) {
            Some((digits, number)) if !lines[at].starts_with("relative") => {
                let other = if random.random() {
                    number + 1
                } else {
                    number.saturating_sub(1)
                };
                changed[at] = lines[at].replacen(digits, &other.to_string(), 1);
            }
            _ => drop(changed.remove(at)),
        }
        let toml = changed.join("\n") + "\n";
        let folder = tempfile::tempdir().unwrap();
        let files = [("s.wgsl", wrong.as_bytes())];
        let output = run(folder.path(), &toml, &files, &["--power", "none"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(1..=3)),
            "{toml}\n{:?}: {said}",
            output.status
        );
        assert!(!said.contains("panicked"), "{said}");
    }
}
