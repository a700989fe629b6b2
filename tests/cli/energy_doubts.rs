//! Readings and sensors that must not be believed, and sensors that must be left asleep.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use perwatt::record::{Outcome, Record, load};

use crate::support::fake_nvml::FakeNvml;
use crate::support::sysfs_tree::{Mover, Tree};
use crate::support::{has_device, perwatt};

/// One short case with a sensor.
fn run(power: &str, sysfs: &Path, nvml: &Path) -> (Output, Option<Record>) {
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("record.json");
    let output = perwatt()
        .args([
            "run",
            "--device",
            "0",
            "--invocations",
            "1",
            "--budget",
            "1",
        ])
        .args([
            "--case",
            "gemv/f32/131x257",
            "--kernel",
            "row-per-thread",
            "--power",
            power,
            "--out",
        ])
        .arg(&out)
        .env("PERWATT_SYSFS_ROOT", sysfs)
        .env("PERWATT_NVML", nvml)
        .output()
        .unwrap();
    let record = out.exists().then(|| load(&out).unwrap());
    (output, record)
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn list(sysfs: &Path, nvml: &Path) -> String {
    let output = perwatt()
        .args(["power", "list", "--look", "0.3"])
        .env("PERWATT_SYSFS_ROOT", sysfs)
        .env("PERWATT_NVML", nvml)
        .output()
        .unwrap();
    // Lines are folded to the width of a page.
    said(&output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_counter_that_runs_eight_times_too_fast_gives_no_joules_and_the_case_keeps_its_time() {
    if !has_device() {
        return;
    }
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:29:00.0", "xe", ("8086", "e20c"));
    let hwmon = format!("{device}/hwmon/hwmon0");
    tree.put(&format!("{hwmon}/energy1_label"), "card\n");
    tree.put(&format!("{hwmon}/power1_max"), "150000000\n");
    tree.put(&format!("{hwmon}/power1_crit"), "328000000\n");
    let file = tree.put(&format!("{hwmon}/energy1_input"), "700000000\n");
    let _mover = Mover::new(file, Duration::from_millis(10), |t| {
        format!("{}\n", ((700.0 + 8.0 * 150.0 * t) * 1e6) as u64).into_bytes()
    });
    let (output, record) = run("xe", tree.root(), Path::new("/nonexistent.so"));
    let record = record.unwrap_or_else(|| panic!("{}", said(&output)));
    assert!(record.cases[0].summary.measured().is_some());
    let reason = record
        .power
        .reason()
        .unwrap_or_else(|| panic!("{:?}", record.power));
    assert!(
        reason.contains("counts faster than") && reason.contains("limit of 150 W"),
        "{reason}"
    );
}

#[test]
fn a_meter_that_says_nothing_is_no_measurement() {
    let tree = Tree::new();
    for power in [
        "command:echo watts 0",
        "command:echo watts 1e-12",
        "command:echo watts 99999999",
    ] {
        let (output, record) = run(power, tree.root(), Path::new("/nonexistent.so"));
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{power}: {text}");
        assert!(record.is_none() && text.contains("says"), "{text}");
    }
}

#[test]
fn a_card_that_sleeps_is_left_asleep() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "7480"));
    tree.put(
        &format!("{device}/hwmon/hwmon0/power1_average"),
        "15000000\n",
    );
    tree.put(&format!("{device}/power/runtime_status"), "suspended\n");
    let listed = list(tree.root(), Path::new("/nonexistent.so"));
    assert!(
        listed.contains("sleeps") && !listed.contains("15 W"),
        "{listed}"
    );
    tree.put(&format!("{device}/power/runtime_status"), "active\n");
    let listed = list(tree.root(), Path::new("/nonexistent.so"));
    assert!(listed.contains("15.0 W now"), "{listed}");
}

#[test]
fn nvidias_library_is_not_loaded_for_a_card_that_sleeps_or_for_another_meter() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 180\n");
    let tree = Tree::new();
    let (output, _) = run("command:echo watts 50", tree.root(), &fake.path());
    assert!(!fake.was_started(), "{}", said(&output));
    for (file, text) in [
        ("vendor", "0x10de\n"),
        ("device", "0x2684\n"),
        ("class", "0x030000\n"),
        ("power/runtime_status", "suspended\n"),
    ] {
        tree.put(&format!("bus/pci/devices/0000:01:00.0/{file}"), text);
    }
    let listed = list(tree.root(), &fake.path());
    assert!(
        !fake.was_started() && listed.contains("would wake it"),
        "{listed}"
    );
    tree.put(
        "bus/pci/devices/0000:01:00.0/power/runtime_status",
        "active\n",
    );
    list(tree.root(), &fake.path());
    assert!(fake.was_started());
}

#[test]
fn the_second_die_of_a_package_is_said_to_report_at_the_first() {
    let tree = Tree::new();
    let first = tree.gpu(0, "0000:31:00.0", "amdgpu", ("1002", "740c"));
    tree.gpu(1, "0000:34:00.0", "amdgpu", ("1002", "740c"));
    tree.put(
        &format!("{first}/hwmon/hwmon0/power1_average"),
        "237000000\n",
    );
    let listed = list(tree.root(), Path::new("/nonexistent.so"));
    assert!(
        listed.contains("reports the power of both dies"),
        "{listed}"
    );
    assert!(
        listed.contains("0000:34:00.0 is the second die"),
        "{listed}"
    );
}

#[test]
fn a_card_before_rdna_3_reports_its_chip() {
    let boundary = |id: &str| {
        let tree = Tree::new();
        let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", id));
        tree.put(
            &format!("{device}/hwmon/hwmon0/power1_average"),
            "15000000\n",
        );
        list(tree.root(), Path::new("/nonexistent.so"))
    };
    assert!(boundary("73bf").contains("GPU chip, integrated power"));
    assert!(boundary("744c").contains("board, integrated power"));
    assert!(boundary("7550").contains("board, integrated power"));
}

#[test]
fn a_sensor_too_slow_for_its_budget_says_so_and_the_case_keeps_its_time() {
    if !has_device() {
        return;
    }
    let tree = Tree::new();
    let sensor = "simulated:fermi-2,period_ms=1900";
    let (output, record) = run(sensor, tree.root(), Path::new("/nonexistent.so"));
    let text = said(&output);
    assert!(
        text.contains("Energy: ") && text.contains("too slow for screening"),
        "{text}"
    );
    let record = record.unwrap_or_else(|| panic!("{text}"));
    assert!(record.cases[0].summary.measured().is_some());
    match &record.cases[0].invocations[0].outcome {
        Outcome::Measured { energy, .. } => {
            let reason = energy.reason().unwrap();
            assert!(reason.contains("are allowed"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_is_measured_and_its_exit_code_passed_through() {
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("power.json");
    let output = perwatt()
        .args(["power", "measure", "--idle", "0.3", "--json"])
        .args(["--power", "simulated:rapl,idle_w=50,busy_w=250"])
        .args(["--power", "simulated:amd-accumulator,idle_w=50,busy_w=250", "--out"])
        .arg(&out)
        .args(["--", "sh", "-c"])
        .arg("sleep 0.3; echo begin inner >> $PERWATT_WINDOWS; sleep 0.5; echo end inner >> $PERWATT_WINDOWS; echo hi; exit 7")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{errors}");
    assert!(errors.contains("hi"), "{errors}");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(shown, kept);
    let windows = shown["windows"].as_array().unwrap();
    let names: Vec<&str> = windows
        .iter()
        .map(|w| w["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["inner", "whole"]);
    for window in windows {
        for energy in window["energies"].as_array().unwrap() {
            let interval = &energy["energy"]["gross_interval_j"];
            // 250 W for as long as the command ran.
            let truth = 250.0 * window["duration_s"].as_f64().unwrap();
            let low = interval["low"]
                .as_f64()
                .unwrap_or_else(|| panic!("{energy}"));
            assert!(
                low <= truth && truth <= interval["high"].as_f64().unwrap(),
                "{truth} {energy}"
            );
        }
        // Both make up the same device.
        assert_eq!(window["sums"], serde_json::json!([]), "{window}");
    }
}

#[test]
fn once_a_session_means_the_fastest_kernel_in_the_last_invocation() {
    if !has_device() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("record.json");
    let output = perwatt()
        .args([
            "run",
            "--device",
            "0",
            "--invocations",
            "2",
            "--budget",
            "1",
        ])
        .args([
            "--case",
            "matmul/f32/64x64x64",
            "--kernel",
            "naive",
            "--kernel",
            "tiled",
        ])
        .args(["--energy-of", "once", "--power", "simulated:rapl", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let record = load(&out).unwrap();
    let mut measured = Vec::new();
    for case in &record.cases {
        let summary = case.summary.measured().unwrap();
        for result in &case.invocations {
            let Outcome::Measured { energy, .. } = &result.outcome else {
                panic!("{result:?}");
            };
            match energy.reason() {
                Some(reason) => assert!(reason.contains("--energy-of all"), "{reason}"),
                None => measured.push((result.invocation, summary.time_ns.value)),
            }
        }
        assert_eq!(
            summary
                .window_time_ns
                .as_ref()
                .unwrap()
                .measured()
                .is_some(),
            summary.energy_j.measured().is_some()
        );
    }
    let quickest = record
        .cases
        .iter()
        .filter_map(|case| case.invocations.first())
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { sampling, .. } => Some(sampling.median_ns),
            _ => None,
        })
        .fold(f64::INFINITY, f64::min);
    assert_eq!(measured.len(), 1, "{measured:?}");
    assert_eq!(measured[0].0, 1);
    assert!(measured[0].1 < 3.0 * quickest, "{measured:?} {quickest}");
}
