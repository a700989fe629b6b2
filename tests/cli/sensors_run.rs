//! Whole runs with sensors that are not real: the joules in the record are those that the script put in,
//! and what goes wrong in mid-run costs the energy and not the throughput.

use crate::support::perwatt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::fake_nvml::FakeNvml;
use crate::support::plug_server::{Answer, PlugServer};
use crate::support::sysfs_tree::{Mover, Tree};
use perwatt::record::{
    Boundary, EnergyWindow, Event, Outcome, PowerSetup, Reading, Record, Warning, load,
    read_journal, save,
};

/// How often writers move a counter.
const STEP: Duration = Duration::from_millis(10);

/// One short case with this sensor.
fn run(power: &str, sysfs: &Path, nvml: Option<&FakeNvml>) -> Record {
    run_and(power, sysfs, nvml, || {})
}

/// The same; `then` happens when the sensor is known and the case is about to be measured.
fn run_and(power: &str, sysfs: &Path, nvml: Option<&FakeNvml>, then: impl FnOnce()) -> Record {
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("record.json");
    let journal = out.with_added_extension("journal");
    let mut child = perwatt()
        .args(["run", "--invocations", "1", "--budget", "1"])
        .args(["--case", "gemv/f32/131x257", "--power", power, "--out"])
        .arg(&out)
        .env("PERWATT_SYSFS_ROOT", sysfs)
        .env(
            "PERWATT_NVML",
            nvml.map_or_else(|| "/nonexistent.so".into(), FakeNvml::path),
        )
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let known = || {
        let events = read_journal(&journal).map_or_else(|_| Vec::new(), |journal| journal.events);
        events
            .iter()
            .any(|event| matches!(event, Event::Setup { .. }))
    };
    while !known() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    then();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    load(&out).unwrap()
}

/// A run without a tree.
fn run_bare(power: &str, nvml: Option<&FakeNvml>) -> Record {
    run(power, Tree::new().root(), nvml)
}

/// The sensor of a record.
fn setup(record: &Record) -> &PowerSetup {
    let reason = record.power.reason().unwrap_or_default();
    record
        .power
        .measured()
        .unwrap_or_else(|| panic!("no sensor: {reason}"))
}

/// The energy of the case, which was measured in any event.
fn energy(record: &Record) -> &Reading<EnergyWindow> {
    match &record.cases[0].invocations[0].outcome {
        Outcome::Measured { energy, .. } => energy,
        other => panic!("{other:?}"),
    }
}

/// Sees that the window holds this power on the average, by its value and by its interval.
#[track_caller]
fn holds(record: &Record, watts: f64) -> &EnergyWindow {
    let energy = energy(record);
    let reason = energy.reason().unwrap_or_default();
    let window = energy
        .measured()
        .unwrap_or_else(|| panic!("no energy: {reason}"));
    let joules = watts * window.duration_s;
    assert!(
        (window.gross_j / joules - 1.0).abs() < 0.05,
        "{} J measured, {joules} J put in",
        window.gross_j
    );
    let interval = &window.gross_interval_j;
    assert!(
        interval.low <= joules && joules <= interval.high,
        "{interval:?} without {joules}"
    );
    window
}

/// Microjoules of a constant power, counted from a start and wrapping.
fn microjoules(start: u64, watts: f64, range: u64) -> impl Fn(f64) -> Vec<u8> {
    move |t| format!("{}\n", (start + (watts * t * 1e6) as u64) % range).into_bytes()
}

#[test]
fn nvidias_joules_are_those_of_the_card_that_was_named() {
    let fake = FakeNvml::new(
        "cards 2\n0.bus 00000000:C1:00.0\n0.watts 250\n1.bus 00000000:01:00.0\n1.watts 100\n1.swing 40\n1.throttle 4\n",
    );
    let record = run_bare("nvml:01:00.0", Some(&fake));
    assert_eq!(setup(&record).source, "nvml:0000:01:00.0:energy");
    assert!(setup(&record).notes.join(" ").contains("as you set it"));
    let window = holds(&record, 100.0);
    assert_eq!(
        window.conditions[0].core_clock_mhz.measured(),
        Some(&2520.0)
    );
    assert_eq!(window.throttled_by, ["power limit"]);
}

#[test]
fn a_case_whose_energy_is_not_measured_says_what_slowed_it_down() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 200\n0.hot 1\n");
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("record.json");
    let output = perwatt()
        .args([
            "run",
            "--invocations",
            "1",
            "--budget",
            "4",
            "--energy-of",
            "once",
        ])
        .args([
            "--case",
            "matmul/f32/67x43x59@tiled",
            "--case",
            "softmax/f32/61x1021",
        ])
        .args(["--power", "nvml", "--out"])
        .arg(&out)
        .env("PERWATT_SYSFS_ROOT", Tree::new().root())
        .env("PERWATT_NVML", fake.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let record = load(&out).unwrap();
    let mut without_energy = 0;
    for case in &record.cases {
        let Outcome::Measured {
            sampling,
            energy,
            warnings,
            ..
        } = &case.invocations[0].outcome
        else {
            panic!("{}: {:?}", case.id(), case.invocations[0].outcome);
        };
        let states = sampling
            .device
            .measured()
            .unwrap_or_else(|| panic!("{:?}", sampling.device));
        let of = |series: &Reading<Vec<Option<f64>>>| series.measured().unwrap().clone();
        let clocks = of(&states.core_clock_mhz);
        assert!(
            clocks.contains(&Some(2520.0)) && clocks.contains(&Some(1260.0)),
            "{clocks:?}"
        );
        assert!(
            of(&states.temperature_c)
                .iter()
                .all(|degrees| *degrees == Some(61.0))
        );
        // The first values have no look before them, or no value of the counter; stretches are short against its steps.
        for watts in of(&states.power_w).into_iter().flatten() {
            assert!((watts / 200.0 - 1.0).abs() < 0.5, "{watts}");
        }
        // One look may lie before the first sample, and time runs forwards from there.
        assert!(
            states.at_s[1] > 0.0 && *states.at_s.last().unwrap() <= states.duration_s,
            "{states:?}"
        );
        let slowed = warnings.iter().any(Warning::is_slowdown);
        assert!(slowed, "{}: {warnings:?}", case.id());
        without_energy += usize::from(energy.measured().is_none());
    }
    assert!(
        without_energy > 0,
        "every case has its energy, so nothing was tested"
    );
}

#[test]
fn a_frozen_counter_gives_way_to_power_and_an_old_driver_to_what_it_has() {
    let frozen = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 180\n0.energy frozen\n");
    let record = run_bare("nvml", Some(&frozen));
    assert_eq!(setup(&record).source, "nvml:0000:01:00.0:instant");
    assert!(
        setup(&record).notes.join(" ").contains("frozen"),
        "{:?}",
        setup(&record).notes
    );
    holds(&record, 180.0);
    let old = FakeNvml::old("cards 1\n0.bus 00000000:01:00.0\n0.watts 90\n0.swing 20\n");
    let record = run_bare("nvml", Some(&old));
    assert_eq!(setup(&record).source, "nvml:0000:01:00.0:usage");
    assert!(setup(&record).notes.join(" ").contains("too old"));
    holds(&record, 90.0);
}

#[test]
fn a_card_lost_in_mid_run_costs_the_energy_and_not_the_throughput() {
    let script = "cards 1\n0.bus 00000000:01:00.0\n0.watts 180\n";
    let fake = FakeNvml::new(script);
    let record = run_and("nvml", Tree::new().root(), Some(&fake), || {
        fake.play(&format!("{script}0.lost_after 0\n"));
    });
    let reason = energy(&record).reason().unwrap();
    assert!(reason.contains("fell off the bus"), "{reason}");
    assert!(record.cases[0].summary.measured().is_some());
}

#[test]
fn the_processors_joules_are_the_sum_of_its_packages_through_a_wrap() {
    let tree = Tree::new();
    let range = 262_143_328_851;
    let mut movers = Vec::new();
    for (folder, name, start, watts) in [
        ("intel-rapl:0", "package-0", range - 300_000_000, 60.0),
        ("intel-rapl:1", "package-1", 0, 25.0),
        ("intel-rapl-mmio:0", "package-0", 0, 60.0),
    ] {
        let zone = format!("class/powercap/{folder}");
        tree.put(&format!("{zone}/name"), name);
        tree.put(&format!("{zone}/max_energy_range_uj"), "262143328850");
        let file = tree.put(&format!("{zone}/energy_uj"), "0");
        movers.push(Mover::new(file, STEP, microjoules(start, watts, range)));
    }
    let record = run("auto", tree.root(), None);
    assert_eq!(setup(&record).source, "rapl");
    assert_eq!(setup(&record).boundary, Boundary::CpuPackage);
    assert!(setup(&record).notes.join(" ").contains("software adapter"));
    holds(&record, 85.0);
}

#[test]
fn amds_joules_go_through_the_accumulators_wrap() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let file = tree.put(&format!("{device}/gpu_metrics"), "");
    let _mover = Mover::new(file, STEP, |t| {
        let mut table = vec![0xff; 120];
        table[..4].copy_from_slice(&[120, 0, 1, 3]);
        // 150 W in units of 2⁻¹⁶ J, 900 J before the wrap.
        let count = ((1_u64 << 32) - 900 * 65536 + (150.0 * t * 65536.0) as u64) % (1 << 32);
        table[24..32].copy_from_slice(&count.to_le_bytes());
        table
    });
    tree.put(
        &format!("{device}/hwmon/hwmon0/power1_average"),
        "150000000",
    );
    let record = run("amdgpu", tree.root(), None);
    assert_eq!(setup(&record).source, "amdgpu:0000:03:00.0:energy");
    holds(&record, 150.0);
}

#[test]
fn a_counter_at_odds_with_the_power_beside_it_gives_way_to_it() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let file = tree.put(&format!("{device}/gpu_metrics"), "");
    let _counts_double = Mover::new(file, STEP, |t| {
        let mut table = vec![0xff; 120];
        table[..4].copy_from_slice(&[120, 0, 1, 3]);
        let count = (300.0 * t * 65536.0) as u64;
        table[24..32].copy_from_slice(&count.to_le_bytes());
        table
    });
    let file = tree.put(&format!("{device}/hwmon/hwmon0/power1_average"), "1");
    let _says = Mover::new(file, STEP, |t| {
        format!("{}", (150e6 + 5e6 * (t * 9.0).sin()) as u64).into_bytes()
    });
    let record = run("amdgpu", tree.root(), None);
    assert_eq!(setup(&record).source, "amdgpu:0000:03:00.0:average");
    let notes = setup(&record).notes.join(" ");
    assert!(
        notes.contains("passed over") && notes.contains("the counter says"),
        "{notes}"
    );
    holds(&record, 150.0);
}

#[test]
fn a_counter_that_cannot_be_read_for_a_moment_keeps_its_joules() {
    let tree = Tree::new();
    let xe = tree.gpu(1, "0000:04:00.0", "xe", ("8086", "e20b"));
    let file = tree.put(&format!("{xe}/hwmon/hwmon1/energy1_input"), "1");
    let count = microjoules(5, 130.0, u64::MAX);
    let stutters = Arc::new(AtomicBool::new(false));
    let stutter = Arc::clone(&stutters);
    let _mover = Mover::new(file, STEP, move |t| {
        if stutter.load(Ordering::Relaxed) && t % 0.5 < 0.06 {
            b"busy\n".to_vec()
        } else {
            count(t)
        }
    });
    let record = run_and("xe", tree.root(), None, || {
        stutters.store(true, Ordering::Relaxed);
    });
    holds(&record, 130.0);
}

#[test]
fn a_session_that_is_resumed_measures_with_the_sensor_it_began_with() {
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("record.json");
    let journal = out.with_added_extension("journal");
    let mut child = perwatt()
        .args(["run", "--invocations", "2", "--budget", "1", "--out"])
        .arg(&out)
        .args(["--case", "gemv/f32/131x257", "--power"])
        .arg("simulated:ada-instant,busy_w=200,idle_w=40")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let measured = || {
        let events = read_journal(&journal).map_or_else(|_| Vec::new(), |journal| journal.events);
        events
            .iter()
            .any(|event| matches!(event, Event::Case { .. }))
    };
    while !measured() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.exists(), "it was killed before it had finished");
    let resumed = perwatt()
        .args(["run", "--resume"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    let record = load(&out).unwrap();
    assert!(setup(&record).simulated);
    assert_eq!(record.cases[0].invocations.len(), 2);
    for invocation in &record.cases[0].invocations {
        let Outcome::Measured { energy, .. } = &invocation.outcome else {
            panic!("{invocation:?}");
        };
        let window = energy.measured().unwrap();
        assert!((window.gross_j / window.duration_s / 200.0 - 1.0).abs() < 0.01);
    }
}

#[test]
fn intels_joules_go_through_a_wrap_of_32_bits() {
    let tree = Tree::new();
    let i915 = tree.gpu(0, "0000:03:00.0", "i915", ("8086", "56a0"));
    let file = tree.put(&format!("{i915}/hwmon/hwmon0/energy1_input"), "1");
    let _first = Mover::new(
        file,
        STEP,
        microjoules((1 << 32) - 500_000_000, 70.0, 1 << 32),
    );
    let xe = tree.gpu(1, "0000:04:00.0", "xe", ("8086", "e20b"));
    let file = tree.put(&format!("{xe}/hwmon/hwmon1/energy1_input"), "1");
    tree.put(&format!("{xe}/hwmon/hwmon1/energy1_label"), "card");
    let _second = Mover::new(file, STEP, microjoules(5, 130.0, u64::MAX));
    holds(&run("i915", tree.root(), None), 70.0);
    let record = run("xe:04:00.0", tree.root(), None);
    assert_eq!(setup(&record).source, "xe:0000:04:00.0:card");
    holds(&record, 130.0);
}

#[test]
fn modules_joules_are_those_of_their_meters() {
    let tree = Tree::new();
    for (file, text) in [
        ("name", "ina3221"),
        ("in1_label", "VDD_IN"),
        ("in1_input", "19000"),
        ("curr1_input", "1500"),
    ] {
        tree.put(&format!("class/hwmon/hwmon0/{file}"), text);
    }
    // The current moves between 1.4 and 1.6 A.
    let file = tree.root().join("class/hwmon/hwmon0/curr1_input");
    let _mover = Mover::new(file, STEP, |t| {
        format!("{}", (1500.0 + 100.0 * (t * 9.0).sin()) as u64).into_bytes()
    });
    let record = run("jetson", tree.root(), None);
    assert_eq!(setup(&record).boundary, Boundary::Module);
    holds(&record, 28.5);
    tree.put("class/hwmon/hwmon1/name", "power_meter");
    tree.put(
        "class/hwmon/hwmon1/power1_oem_info",
        "Module Power Socket 0",
    );
    let file = tree.put("class/hwmon/hwmon1/power1_average", "1");
    let _second = Mover::new(file, STEP, |t| {
        format!("{}", (400e6 + 20e6 * (t * 9.0).sin()) as u64).into_bytes()
    });
    holds(&run("acpi:module-power-socket-0", tree.root(), None), 400.0);
}

#[test]
fn a_file_that_vanishes_in_mid_run_costs_the_energy() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "xe", ("8086", "e20b"));
    let file = tree.put(&format!("{device}/hwmon/hwmon0/energy1_input"), "1");
    let mover = Mover::new(file.clone(), STEP, microjoules(5, 130.0, u64::MAX));
    let record = run_and("xe", tree.root(), None, || {
        // The writer would put the file back.
        drop(mover);
        std::fs::remove_file(&file).unwrap();
    });
    let reason = energy(&record).reason().unwrap();
    assert!(reason.contains("energy1_input"), "{reason}");
    assert!(record.cases[0].summary.measured().is_some());
}

#[test]
fn a_plug_measures_the_wall_and_its_death_is_told() {
    let plug = PlugServer::new(|_, turn| {
        std::thread::sleep(Duration::from_millis(100));
        Answer::json(&format!(
            r#"{{"output":true,"apower":{}}}"#,
            80.0 + f64::from(turn % 2)
        ))
    });
    let record = run_bare(&format!("shelly:{}", plug.address()), None);
    assert_eq!(setup(&record).boundary, Boundary::Wall);
    holds(&record, 80.5);
    let dead = Arc::new(AtomicBool::new(false));
    let dies = Arc::clone(&dead);
    let dying = PlugServer::new(move |_, turn| {
        if !dies.load(Ordering::Relaxed) {
            return Answer::json(&format!(
                r#"{{"StatusSNS":{{"ENERGY":{{"Power":{}}}}}}}"#,
                80 + turn % 2
            ));
        }
        Answer::Cut
    });
    let name = format!("tasmota:{}", dying.address());
    let record = run_and(&name, Tree::new().root(), None, || {
        dead.store(true, Ordering::Relaxed);
    });
    let reason = energy(&record).reason().unwrap();
    assert!(reason.contains("plug"), "{reason}");
}

#[test]
fn any_command_can_be_the_meter_of_a_run() {
    let line =
        "command:i=0; while :; do i=$((i+1)); echo watts $((45 + i % 2 * 10)); sleep 0.02; done";
    holds(&run_bare(line, None), 50.0);
}

/// Seconds since 1970.
fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

#[test]
fn a_log_that_comes_afterwards_replaces_what_was_made_up() {
    let folder = tempfile::TempDir::new().unwrap();
    let before = unix_now();
    let record = run_bare("simulated:ada-instant", None);
    let after = unix_now();
    assert!(setup(&record).simulated);
    let first = folder.path().join("first.json");
    save(&record, &first).unwrap();
    // 321 W at 10 Hz, from before the run until after it.
    let mut log = "time,watts\n".to_owned();
    let mut at = before - 5.0;
    while at < after + 5.0 {
        log += &format!(
            "{at:.3},{}\n",
            321.0 + f64::from(u8::from(((at * 10.0) as u64).is_multiple_of(2))) * 2.0 - 1.0
        );
        at += 0.1;
    }
    let csv = folder.path().join("meter.csv");
    std::fs::write(&csv, log).unwrap();
    let out = folder.path().join("second.json");
    let attach = |more: &[&str]| {
        let mut command = perwatt();
        command
            .args(["power", "attach"])
            .arg(&first)
            .arg("--csv")
            .arg(&csv)
            .arg("--out")
            .arg(&out);
        command.args(more).output().unwrap()
    };
    let early = attach(&["--ahead", "100000"]);
    assert_eq!(early.status.code(), Some(2), "{early:?}");
    assert!(!out.exists());
    let told = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(told.contains("--ahead"), "{told}");
    let output = attach(&["--accuracy", "0.5", "--boundary", "wall"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("SIMULATED"));
    let record = load(&out).unwrap();
    let sensor = setup(&record);
    assert_eq!((sensor.boundary, sensor.simulated), (Boundary::Wall, false));
    let window = holds(&record, 321.0);
    assert!(window.gross_uncertainty_j < 0.02 * window.gross_j);
    let power = record.cases[0]
        .summary
        .measured()
        .unwrap()
        .power_w
        .measured()
        .unwrap()
        .value;
    assert!((power / 321.0 - 1.0).abs() < 0.01, "{power}");
    // A meter of another socket says the same all the time, and has no driver.
    let flat: String = (0..200)
        .map(|n| format!("{:.3},0\n", before - 5.0 + 0.1 * f64::from(n)))
        .collect();
    std::fs::write(&csv, flat).unwrap();
    let flat = attach(&["--force"]);
    let told = String::from_utf8_lossy(&flat.stderr).into_owned();
    assert!(
        !told.contains("driver") && !told.contains("--power"),
        "{told}"
    );
}

#[test]
fn a_sensor_that_is_not_there_stops_the_run_before_it_begins() {
    let output = perwatt()
        .args(["run", "--case", "gemv/f32/131x257", "--power", "nvml"])
        .env("PERWATT_NVML", "/nonexistent.so")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("/nonexistent.so"), "{text}");
}
