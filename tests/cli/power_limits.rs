//! `perwatt tune --power-limit` on drivers that are not real: each limit is in force while it is measured, and the one
//! of before is in force afterwards, however the command ended.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::fake_nvml::FakeNvml;
use crate::support::perwatt;
use crate::support::sysfs_tree::{Mover, Tree};
use perwatt::record::{Outcome, load};
use perwatt::units::Seconds;

/// A sweep over one short case.
fn sweep(limits: &str, power: &str, sysfs: &Path, nvml: Option<&FakeNvml>, out: &Path) -> Command {
    let mut command = perwatt();
    command
        .args(["tune", "--case", "gemv/f32/131x257@subgroup"])
        .args(["--power-limit", limits, "--power", power, "--out"])
        .arg(out)
        .env("PERWATT_SYSFS_ROOT", sysfs)
        .env(
            "PERWATT_NVML",
            nvml.map_or_else(|| "/nonexistent.so".into(), FakeNvml::path),
        )
        .stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What was set on the fake card, in watts.
fn set_on(fake: &FakeNvml) -> Vec<u32> {
    let log = fake.path().with_file_name("libnvidia-ml.so.1.limits");
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .map(|line| line.parse::<u32>().unwrap() / 1000)
        .collect()
}

#[test]
fn nvidias_card_is_measured_at_each_limit_and_gets_its_own_back() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 300\n");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("limits");
    let output = sweep(
        "150,200",
        "nvml:01:00.0",
        Tree::new().root(),
        Some(&fake),
        &out,
    )
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let mut set = set_on(&fake);
    assert_eq!(set.pop(), Some(450), "it had 450 W");
    for limit in [150, 200] {
        assert_eq!(
            set.iter().filter(|watts| **watts == limit).count(),
            3,
            "{set:?}"
        );
        let record = load(out.join(format!("{limit}W.json"))).unwrap();
        assert_eq!(record.cases[0].invocations.len(), 3);
        for invocation in &record.cases[0].invocations {
            let Outcome::Measured { energy, .. } = &invocation.outcome else {
                panic!("{invocation:?}");
            };
            let window = energy.measured().unwrap();
            for conditions in &window.conditions {
                assert_eq!(conditions.power_limit_w.measured(), Some(&f64::from(limit)));
            }
            assert!(!window.conditions.is_empty());
        }
        let power = record.cases[0]
            .summary
            .measured()
            .unwrap()
            .power_w
            .measured()
            .unwrap();
        assert!(
            (power.value / f64::from(limit) - 1.0).abs() < 0.05,
            "{power:?}"
        );
    }
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    // Time and energy are of the same executions.
    for limit in [150, 200] {
        let record = load(out.join(format!("{limit}W.json"))).unwrap();
        let summary = record.cases[0].summary.measured().unwrap().clone();
        let in_windows = summary.window_time_ns.unwrap();
        let time = in_windows
            .measured()
            .unwrap()
            .text(|ns| Seconds::from_ns(ns).to_string());
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("{limit} W")));
        assert!(line.unwrap().contains(&time), "{time}: {page}");
    }
    // The fake card computes as fast at any limit, so the times, and with them the energies, are this machine's.
    for part in ["150 W", "200 W", "±"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(
        page.contains("takes the least energy") || page.contains("cannot be told apart"),
        "{page}"
    );
    let shown = perwatt()
        .args(["show", "--mlperf"])
        .arg(out.join("150W.json"))
        .output()
        .unwrap();
    let summary = String::from_utf8(shown.stdout).unwrap();
    let line = summary.lines().find(|line| line.contains("gemv")).unwrap();
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    // Of a machine that is busy elsewhere the interval is wide, and its ends are told.
    let has_interval = |cell: &str| cell.contains('±') || cell.contains(" to ");
    let (watts, spread) = cells[4].split_once(" W ±").unwrap();
    assert!(
        (watts.parse::<f64>().unwrap() / 150.0 - 1.0).abs() < 0.02,
        "{line}"
    );
    assert!(
        spread.ends_with('%') && [cells[3], cells[5]].into_iter().all(has_interval),
        "{line}"
    );
    for part in [
        "at least 60 s of load: NOT MET; 0 of 3 windows",
        "at least one sample a second: met",
        "the whole system at the wall: NOT MET; the sensor sees: board",
        "an analyser known to 1 %: NOT MET",
    ] {
        assert!(summary.contains(part), "{part}:\n{summary}");
    }
    assert!(
        told(&output).contains("The power limit is 450 W again"),
        "{}",
        told(&output)
    );
}

#[test]
fn who_may_not_set_the_limit_is_told_so_before_anything_is_measured() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 300\nlimit refused\n");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("limits");
    let tree = Tree::new();
    let refused = |limits: &str, power: &str, why: &str| {
        let output = sweep(limits, power, tree.root(), Some(&fake), &out)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(why), "{}", told(&output));
        let files = std::fs::read_dir(&out).map_or(0, Iterator::count);
        assert_eq!(files, 0, "{limits} {power}");
    };
    refused("150", "nvml:01:00.0", "sudo");
    refused("50,150", "nvml:01:00.0", "takes 100 W to 600 W");
    refused("150", "simulated:ada-instant", "simulated");
    refused("150", "none", "no sensor");
    assert_eq!(set_on(&fake), Vec::<u32>::new());
}

/// A tree with a card of AMD's at 300 W, whose power moves.
fn amd(tree: &Tree) -> (PathBuf, Mover) {
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let hwmon = format!("{device}/hwmon/hwmon0");
    tree.put(&format!("{hwmon}/power1_cap_min"), "100000000\n");
    tree.put(&format!("{hwmon}/power1_cap_max"), "350000000\n");
    let cap = tree.put(&format!("{hwmon}/power1_cap"), "300000000\n");
    let power = tree.put(&format!("{hwmon}/power1_average"), "120000000\n");
    let moving = Mover::new(power, Duration::from_millis(20), |t| {
        format!("{}\n", 120_000_000 + (1e6 * (t * 9.0).sin()) as i64).into_bytes()
    });
    (cap, moving)
}

/// A tree with two packages whose limits differ, and whose energy moves.
fn packages(tree: &Tree) -> (Vec<PathBuf>, Vec<Mover>) {
    let zone = |number: u32, limit: &str| {
        let zone = format!("class/powercap/intel-rapl:{number}");
        tree.put(&format!("{zone}/name"), format!("package-{number}\n"));
        tree.put(&format!("{zone}/max_energy_range_uj"), "262143328850\n");
        let energy = tree.put(&format!("{zone}/energy_uj"), "1\n");
        let moving = Mover::new(energy, Duration::from_millis(5), |t| {
            format!("{}\n", 1_000_000 + (20e6 * t) as u64).into_bytes()
        });
        (
            tree.put(&format!("{zone}/constraint_0_power_limit_uw"), limit),
            moving,
        )
    };
    [zone(0, "65000000\n"), zone(1, "35000000\n")]
        .into_iter()
        .unzip()
}

/// Waits until a file no longer says what it said.
fn wait_for_change(file: &Path, from: &str) {
    let started = Instant::now();
    while std::fs::read_to_string(file).unwrap_or_default().trim() == from {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{} stays",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a file says so.
fn wait_for(file: &Path, text: &str) {
    let started = Instant::now();
    while std::fs::read_to_string(file).unwrap_or_default().trim() != text {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{} is not {text}",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    let process = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .unwrap();
    kill_process(process, signal).unwrap();
}

/// Begins a sweep over one limit.
fn begin(limit: &str, power: &str, tree: &Tree, nvml: Option<&FakeNvml>, out: &Path) -> Child {
    sweep(limit, power, tree.root(), nvml, out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_was_finished_is_kept_where_the_driver_takes_no_further_limit() {
    let script = "cards 1\n0.bus 00000000:01:00.0\n0.watts 300\n";
    let fake = FakeNvml::new(script);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("limits");
    let tree = Tree::new();
    let child = begin("150,200", "nvml:01:00.0", &tree, Some(&fake), &out);
    let started = Instant::now();
    while set_on(&fake).len() < 2 {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{:?}",
            set_on(&fake)
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    fake.play(&format!("{script}limit refused\n"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(
        told(&output).contains("could not be put back to 450 W"),
        "{}",
        told(&output)
    );
    let first = set_on(&fake)[0];
    let record = load(out.join(format!("{first}W.json"))).unwrap();
    assert_eq!(record.cases[0].invocations.len(), 1);
}

#[test]
fn an_interrupt_puts_the_limit_back() {
    let tree = Tree::new();
    let (cap, _moving) = amd(&tree);
    let folder = tempfile::tempdir().unwrap();
    let child = begin("150", "amdgpu", &tree, None, &folder.path().join("limits"));
    wait_for_change(&cap, "300000000");
    assert_eq!(std::fs::read_to_string(&cap).unwrap().trim(), "150000000");
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    assert_eq!(std::fs::read_to_string(&cap).unwrap().trim(), "300000000");
}

#[test]
fn even_a_kill_puts_each_limit_back() {
    let tree = Tree::new();
    let (limits, _moving) = packages(&tree);
    let folder = tempfile::tempdir().unwrap();
    let mut child = begin("80", "rapl", &tree, None, &folder.path().join("limits"));
    wait_for_change(&limits[1], "35000000");
    wait_for(&limits[0], "40000000");
    wait_for(&limits[1], "40000000");
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    wait_for(&limits[0], "65000000");
    wait_for(&limits[1], "35000000");
}
