//! `perwatt tune` from outside: what it finds is kept, used and named, and transferred to no other
//! kind of device.

use crate::support::perwatt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use perwatt::bench::tune::{Objective, Tuning};
use perwatt::record::load;
use rustix::process::{Pid, Signal, kill_process};

const CASE: &str = "copy/f32/20004@vec4";

fn with_tuning(tuning: &Path, arguments: &[&str]) -> Command {
    let mut command = perwatt();
    command
        .arg(arguments[0])
        .arg("--tuning")
        .arg(tuning)
        .args(&arguments[1..])
        .stdin(Stdio::null());
    command
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// The only tuning file of a folder.
fn tuning_file(folder: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[test]
fn what_tune_finds_is_used_named_and_transferred_to_the_same_kind_of_device_only() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let out = folder.path().join("run.json");
    done(&mut with_tuning(
        &here,
        &["tune", "--case", CASE, "--time", "40"],
    ));
    let known = Tuning::load(&tuning_file(&here)).unwrap();
    let entry = &known.entries[0];
    assert_eq!((known.entries.len(), entry.kernel.as_str()), (1, "vec4"));
    assert!(entry.measured > 1, "{entry:?}");

    let run = |tuned: &str| {
        let out = out.with_extension(tuned);
        let arguments = ["run", "--case", CASE, "--invocations", "1", "--budget", "1"];
        let mut command = with_tuning(&here, &arguments);
        done(command.args(["--tuned", tuned]).arg("--out").arg(&out));
        load(&out).unwrap().cases[0].clone()
    };
    let tuned = run("time");
    assert_eq!(tuned.parameters, entry.parameters);
    assert!(tuned.parameters_from.contains(&entry.tuned_utc));
    assert_eq!(run("off").parameters_from, "default");
    // No sensor, so nothing is known of energy.
    assert_eq!(run("energy").parameters_from, "default");

    let file = folder.path().join("export.json");
    done(with_tuning(&here, &["tune", "--export"]).arg(&file));
    done(with_tuning(&there, &["tune", "--import"]).arg(&file));
    assert_eq!(Tuning::load(&tuning_file(&there)).unwrap(), known);

    let mut other = known;
    other.adapter.driver_info += " of another version";
    other.save(&file).unwrap();
    let refused = with_tuning(&there, &["tune", "--import"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    std::fs::write(&file, "{}").unwrap();
    let damaged = with_tuning(&there, &["tune", "--import"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(damaged.status.code(), Some(2), "{damaged:?}");
}

#[test]
fn with_a_sensor_the_most_efficient_is_kept_beside_the_fastest_and_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let tuning = folder.path().join("tuning");
    let sensor = "simulated:rapl";
    let search = ["tune", "--case", CASE, "--time", "70", "--power", sensor];
    let table = done(&mut with_tuning(&tuning, &search)).stdout;
    let known = Tuning::load(&tuning_file(&tuning)).unwrap();
    let of = |objective| {
        let mut entries = known.entries.iter();
        entries.find(|e| e.objective == objective).unwrap()
    };
    let (quick, efficient) = (of(Objective::Time), of(Objective::Energy));
    assert_eq!(quick.sensor, None);
    let named = efficient.sensor.as_deref().unwrap();
    assert!(named.starts_with("simulated"), "{named}");
    assert!(*efficient.energy_j.measured().unwrap() > 0.0);
    assert!(String::from_utf8_lossy(&table).contains("simulated"));

    let run = |tuned: &str, case: &str| {
        let out = folder.path().join(format!("{tuned}.json"));
        let arguments = ["run", "--case", case, "--invocations", "1", "--budget", "1"];
        let mut command = with_tuning(&tuning, &arguments);
        done(
            command
                .args(["--power", "none", "--tuned", tuned])
                .arg("--out")
                .arg(&out),
        );
        load(&out).unwrap().cases[0].clone()
    };
    for (tuned, entry) in [("energy", efficient), ("time", quick)] {
        let measured = run(tuned, CASE);
        assert_eq!(measured.parameters, entry.parameters);
        let from = &measured.parameters_from;
        assert!(from.contains(&format!("for {tuned}")), "{from}");
        assert_eq!(from.contains(named), tuned == "energy", "{from}");
    }
}

#[test]
fn an_interrupted_search_keeps_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["tune", "--case", "triad/f32/20004", "--time", "3000"];
    let mut search = with_tuning(folder.path(), &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Two kernels are searched, scalar and vec4; the first is kept while the second is looked for.
    let start = Instant::now();
    while std::fs::read_dir(folder.path()).unwrap().count() == 0 {
        assert!(start.elapsed() < Duration::from_secs(120), "nothing kept");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&search), Signal::INT).unwrap();
    assert_eq!(search.wait().unwrap().code(), Some(130));
    let known = Tuning::load(&tuning_file(folder.path())).unwrap();
    assert!(!known.entries.is_empty());
}
