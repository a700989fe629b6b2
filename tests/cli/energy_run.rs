//! A whole run on a real device with a simulated sensor: its record holds the joules put in, and every
//! page says that they are simulated.

use crate::support::{has_device, perwatt};
use std::path::Path;
use std::process::{Command, Output};

use perwatt::record::{EnergyWindow, Origin, Outcome, Reading, Record, Warning, load};

fn calibrated(folder: &Path) -> Command {
    let mut command = perwatt();
    command.env("PERWATT_CALIBRATION", folder.join("calibration.json"));
    command
}

fn run(folder: &Path, name: &str, power: &str) -> (Output, std::path::PathBuf) {
    let out = folder.join(name);
    let output = calibrated(folder)
        .args([
            "run",
            "--device",
            "0",
            "--invocations",
            "1",
            "--budget",
            "1",
        ])
        .args(["--case", "matmul/f32/64x64x64", "--kernel", "naive"])
        .args(["--power", power, "--out"])
        .arg(&out)
        .output()
        .unwrap();
    (output, out)
}

fn windows(record: &Record) -> Vec<&Reading<EnergyWindow>> {
    record
        .cases
        .iter()
        .flat_map(|case| &case.invocations)
        .filter_map(|result| match &result.outcome {
            Outcome::Measured { energy, .. } => Some(&**energy),
            _ => None,
        })
        .collect()
}

#[test]
fn the_record_holds_the_joules_that_were_put_in() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sensor = "simulated:ada-instant,busy_w=200,idle_w=40,reads=0.96";
    let (output, out) = run(folder.path(), "a.json", sensor);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        page.contains("SIMULATED W") && page.contains("SIMULATED /W"),
        "{page}"
    );
    assert!(page.contains("SIMULATED: the power readings"), "{page}");
    let record = load(&out).unwrap();
    assert_eq!(record.provenance.origin, Origin::Simulated);
    let simulated = |w: &Warning| matches!(w, Warning::SimulatedPower { .. });
    assert!(record.warnings.iter().any(simulated));
    let setup = record.power.measured().unwrap();
    assert!((setup.update_period_s.measured().unwrap() - 0.1).abs() < 0.01);
    assert!(setup.sampler.measured().is_some());
    let windows = windows(&record);
    assert_eq!(windows.len(), 1);
    for window in windows {
        let window = window.measured().expect("a figure");
        let watts = |joules: f64| joules / window.duration_s;
        assert!((watts(window.gross_j) / (0.96 * 200.0) - 1.0).abs() < 0.01);
        let net = window.net_j.measured().unwrap();
        assert!((watts(*net) / (0.96 * 160.0) - 1.0).abs() < 0.02);
        // The sensor is off by 4 %, of which nobody told perwatt; its interval allows for that.
        let truth = 200.0 * window.duration_s;
        let interval = window.gross_interval_j;
        assert!(interval.low < truth && truth < interval.high, "{window:?}");
    }
    let summary = record.cases[0].summary.measured().unwrap();
    let per_joule = summary.flop_per_j.measured().unwrap();
    let energy = summary.energy_j.measured().unwrap();
    let flop = record.cases[0].counts.flop as f64;
    assert!((per_joule.value * energy.value / flop - 1.0).abs() < 1e-9);
    let interval = per_joule.interval.measured().unwrap();
    assert!(interval.low < per_joule.value && per_joule.value < interval.high);
}

#[test]
fn what_a_simulated_sensor_made_up_is_marked_in_every_export() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (output, out) = run(
        folder.path(),
        "s.json",
        "simulated:ada-instant,busy_w=200,idle_w=40",
    );
    assert!(output.status.success(), "{output:?}");
    for format in ["csv", "bencher", "github-action-benchmark"] {
        let exported = perwatt()
            .args(["export", "--format", format, "--direction", "smaller"])
            .arg(&out)
            .output()
            .unwrap();
        let text = String::from_utf8(exported.stdout).unwrap();
        let of_energy: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("energy"))
            .collect();
        assert!(!of_energy.is_empty(), "{format}: {text}");
        for line in of_energy {
            assert!(
                line.to_lowercase().contains("simulated"),
                "{format}: {line}"
            );
        }
        let times = text
            .lines()
            .filter(|line| line.contains("latency") || line.contains(",time,"));
        assert!(
            times.into_iter().all(|line| !line.contains("SIMULATED")),
            "{format}: {text}"
        );
    }
}

#[test]
fn a_curve_of_ones_own_can_be_the_truth() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A saw with a mean of 200 W, over and over.
    let curve = folder.path().join("curve.csv");
    std::fs::write(&curve, "seconds,watts\n0,100\n0.3,300\n0.5,100\n").unwrap();
    let sensor = format!("simulated:amd-accumulator,curve={}", curve.display());
    let (output, out) = run(folder.path(), "f.json", &sensor);
    assert!(output.status.success(), "{output:?}");
    let record = load(&out).unwrap();
    assert_eq!(record.provenance.origin, Origin::Simulated);
    let window = windows(&record)[0].measured().expect("a figure");
    let interval = window.gross_interval_j;
    let truth = 200.0 * window.duration_s;
    assert!((window.gross_j / truth - 1.0).abs() < 0.02, "{window:?}");
    assert!(interval.low < truth && truth < interval.high, "{window:?}");
    for (bad, words) in [
        ("0,100\n", "two rows"),
        ("0,100\n1,lots\n", "line 2"),
        ("0,100\n0,200\n", "line 2"),
    ] {
        std::fs::write(&curve, bad).unwrap();
        let (output, _) = run(folder.path(), "g.json", &sensor);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && said.contains("curve.csv"), "{said}");
    }
    std::fs::write(&curve, "0,100\n1,200\n").unwrap();
    let (output, _) = run(folder.path(), "h.json", &format!("{sensor},busy_w=3"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("busy_w cannot be given"), "{said}");
}

#[test]
fn a_sensor_that_goes_away_leaves_the_time_and_a_reason() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (output, out) = run(folder.path(), "b.json", "simulated:rapl,gone_at_s=4");
    assert!(output.status.success(), "{output:?}");
    let record = load(&out).unwrap();
    let reason = windows(&record)[0].reason().expect("no figure");
    assert!(reason.contains("gone"), "{reason}");
    assert!(record.cases[0].summary.measured().is_some());
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("No power for matmul"), "{page}");
}

#[test]
fn none_spends_nothing_and_nonsense_is_refused() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (output, out) = run(folder.path(), "c.json", "none");
    assert!(output.status.success(), "{output:?}");
    let record = load(&out).unwrap();
    assert_eq!(record.power.reason(), Some("switched off by --power none"));
    assert_eq!(record.provenance.origin, Origin::Measured);
    for (power, hint) in [
        ("simulated:ada-instnt", "did you mean \"ada-instant\""),
        ("simulated:turing,busy_w=lots", "a number"),
        ("simulated:turing,watts=3", "there are idle_w"),
        ("no-such-sensor", "no-such-sensor"),
    ] {
        let (output, out) = run(folder.path(), "d.json", power);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{power}: {said}");
        assert!(said.contains(hint), "{power}: {said}");
        assert!(!out.exists());
    }
}

#[test]
fn a_calibrated_gain_is_used_and_said() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sensor = "simulated:ada-instant,busy_w=200,idle_w=40,reads=0.8";
    let output = calibrated(folder.path())
        .args([
            "power",
            "calibrate",
            "--device",
            "0",
            "--windows",
            "2",
            "--seconds",
            "1",
        ])
        .args(["--sensor", sensor, "--reference"])
        .arg("simulated:nvml-energy,busy_w=200,idle_w=40")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("SIMULATED"), "{said}");
    let (output, out) = run(folder.path(), "e.json", sensor);
    assert!(output.status.success(), "{output:?}");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.contains("calibrated"), "{page}");
    let record = load(&out).unwrap();
    let window = windows(&record)[0].measured().expect("a figure");
    assert!((window.gross_j / window.duration_s / 200.0 - 1.0).abs() < 0.02);
}
