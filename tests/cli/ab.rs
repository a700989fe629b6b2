//! `perwatt ab` from outside, on a software driver.

use crate::support::perwatt;
use std::path::Path;
use std::process::Output;

use perwatt::compare::Pairing;
use perwatt::record::{Status, load};

fn ab(folder: &Path, options: &[&str]) -> Output {
    perwatt()
        .args(["ab", "--case", "matmul/f32/67x43x59@naive", "--budget", "1"])
        .args(["--order-seed", "5", "--out"])
        .arg(folder)
        .args(options)
        .output()
        .unwrap()
}

#[test]
fn both_records_and_the_pairing_are_written_and_can_be_judged_later() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ab");
    let output = ab(&out, &["--pairs", "3"]);
    assert!(output.status.success(), "{output:?}");
    let (pairing, ..) = Pairing::load(&out.join("pairing.json")).unwrap();
    assert_eq!(pairing.pairs.len(), 3);
    for side in ["baseline.json", "candidate.json"] {
        let record = load(out.join(side)).unwrap();
        assert_eq!(record.plan.invocations, 3);
        assert_eq!(record.cases[0].status, Status::Measured);
        let numbers = record.cases[0].invocations.iter().map(|i| i.invocation);
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2]);
        let summary = record.cases[0].summary.measured().unwrap();
        assert_eq!(summary.invocations, 3);
        assert!(summary.time_ns.interval.measured().is_some());
    }
    let gate = perwatt()
        .args(["gate", "--allow-inconclusive", "--pairing"])
        .arg(out.join("pairing.json"))
        .output()
        .unwrap();
    // Identical code: whatever is decided, it is never a regression.
    assert_eq!(gate.status.code(), Some(0), "{gate:?}");

    // What was measured is not overwritten.
    let again = ab(&out, &["--pairs", "1"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
}

#[test]
fn another_driver_is_incomparable_until_it_is_the_question() {
    let Some(old) = other_driver() else {
        return;
    };
    let base = format!("VK_DRIVER_FILES={old}");
    let options = ["--pairs", "2", "--device", "backend:vulkan", "--base-env"];
    let folder = tempfile::tempdir().unwrap();
    let mut judged = options.to_vec();
    judged.extend([base.as_str(), "--gate"]);
    let output = ab(&folder.path().join("a"), &judged);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("INCOMPARABLE"));
    judged.extend(["--across", "driver"]);
    let output = ab(&folder.path().join("b"), &judged);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("INCOMPARABLE"));
}

/// Debian 12's own lavapipe, where `scripts/setup --all` has put it beside the one in use.
fn other_driver() -> Option<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/drivers/mesa-22.3/icd.json"
    );
    let there = Path::new(file).exists();
    assert!(
        there || std::env::var_os("PERWATT_TEST_ALL").is_none(),
        "{file} is missing; `scripts/setup --all` makes it"
    );
    if !there {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: no second lavapipe; `scripts/setup --all` gives one\n",
        );
    }
    there.then(|| file.to_owned())
}

/// A file of one kernel for a tiny case, whose elements are computed `times` times.
fn kernels(folder: &Path, name: &str, times: u32) -> String {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    if id.x >= 67u * 43u {{ return; }}
    let row = id.x / 43u;
    let column = id.x % 43u;
    for (var again = 0u; again < {times}u; again++) {{
        var sum = 0.0;
        for (var k = 0u; k < 59u; k++) {{ sum += a[row * 59u + k] * b[k * 43u + column]; }}
        c[id.x] = sum;
    }}
}}"
    );
    std::fs::write(folder.join(format!("{name}.wgsl")), wgsl).unwrap();
    let toml = format!(
        r#"[[kernel]]
name = "mine"
case = "matmul/f32/67x43x59"
[[kernel.dispatch]]
shader = "{name}.wgsl"
workgroups = [46]
bind = ["A", "B", "C"]
"#
    );
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, toml).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn two_workload_files_are_told_apart_by_the_work_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let once = kernels(folder.path(), "once", 1);
    // So much more that a machine on which others compute shows it too.
    let often = kernels(folder.path(), "often", 20);
    let output = perwatt()
        .args(["ab", "--gate", "--json", "--pairs", "5", "--budget", "1"])
        .args(["--kernel", "mine", "--base-workloads", &once])
        .args(["--candidate-workloads", &often, "--out"])
        .arg(folder.path().join("ab"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &report["comparison"]["rows"][0];
    assert_eq!(row["case"], "matmul/f32/67x43x59@mine");
    assert_eq!(row["verdict"], "REGRESSED", "{row}");
    assert!(row["ratio"]["low"].as_f64().unwrap() > 1.2, "{row}");
    let shader = row["shader"].as_str().unwrap();
    assert!(shader.ends_with("often.wgsl") && Path::new(shader).is_file());
}

#[test]
fn wrong_sides_are_said_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    for (options, says) in [
        (
            &["--base-bin", "/no/such/perwatt", "--pairs", "1"][..],
            "/no/such/perwatt",
        ),
        (&["--base-env", "NONSENSE", "--pairs", "1"], "KEY=VALUE"),
        (&["--junit", "x.xml", "--pairs", "1"], "--gate"),
        (
            &["--base-device", "0", "--pairs", "1"],
            "--candidate-device",
        ),
        (&["--pairs", "0"], "--pairs"),
        (
            &["--base-workloads", "x.toml", "--pairs", "1"],
            "--candidate-workloads",
        ),
        (
            &[
                "--base-env",
                "VK_DRIVER_FILES=/no/icd.json",
                "--device",
                "backend:vulkan",
                "--pairs",
                "1",
            ],
            "baseline",
        ),
    ] {
        let output = ab(&folder.path().join("ab"), options);
        assert_eq!(output.status.code(), Some(2), "{options:?} {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(says), "{options:?}: {said}");
    }
}
