//! A program of one's own that writes what it sampled: the file is shown, compared and gated like perwatt's.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use perwatt::clock::Lap;
use perwatt::device::enumerate;
use perwatt::harness::HarnessRecord;
use perwatt::record::{CaseResult, Record, load};
use perwatt::sampling::{Readings, Sampler};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::support::{has_device, perwatt};

/// What a process samples of a kernel that takes so many nanoseconds, a little more or less from process to process.
fn readings(takes_ns: f64, random: &mut Pcg64) -> Readings {
    let of_process = takes_ns * (1.0 + 0.01 * (random.random::<f64>() - 0.5));
    let sampled = Sampler::with_time_limit(Duration::from_secs(60)).sample(|executions| {
        let ns =
            of_process * f64::from(executions) * (1.0 + 0.004 * (random.random::<f64>() - 0.5));
        Ok::<_, Infallible>(Lap {
            device_ns: Ok(ns),
            wall_ns: ns + 10_000.0,
        })
    });
    sampled.unwrap()
}

/// A file of so many processes that measured two kernels.
fn file(path: &Path, processes: u32, takes_ns: [f64; 2], random: &mut Pcg64) -> Record {
    let adapters = enumerate();
    for _ in 0..processes {
        let mut record = HarnessRecord::on(&adapters[0].handle);
        record.add("blur/f32/1920x1080@rows", &readings(takes_ns[0], random));
        record.add("sum/f32/4096", &readings(takes_ns[1], random));
        record.append_to(path).unwrap();
    }
    load(path).unwrap()
}

#[test]
fn what_a_program_sampled_is_shown_compared_and_gated() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut random = Pcg64::seed_from_u64(8);
    let sides = [("before", 9_000.0), ("same", 9_000.0), ("slower", 9_900.0)];
    for (side, sum_ns) in sides {
        for run in 0..8 {
            let path = at(&format!("{side}-{run}.json"));
            file(&path, 1, [50_000.0, sum_ns], &mut random);
        }
    }
    let before = load(at("before-0.json")).unwrap();
    let ids: Vec<String> = before.cases.iter().map(CaseResult::id).collect();
    assert_eq!(ids, ["blur/f32/1920x1080@rows", "sum/f32/4096@own"]);
    // The command line is kept as `perwatt run` keeps it: as seen from here.
    let here = std::env::current_dir().unwrap().display().to_string();
    let argv = &before.provenance.argv;
    assert!(
        !argv.is_empty() && argv.iter().all(|word| !word.contains(&here)),
        "{argv:?}"
    );
    let run = |words: &[&str]| {
        let output = perwatt()
            .current_dir(folder.path())
            .args(words)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let files =
        |side: &str| -> Vec<String> { (0..8).map(|run| format!("{side}-{run}.json")).collect() };
    let gate = |candidate: &str| {
        let (before, after) = (files("before"), files(candidate));
        let mut words = vec!["gate", "--baseline"];
        words.extend(before.iter().map(String::as_str));
        words.push("--candidate");
        words.extend(after.iter().map(String::as_str));
        run(&words)
    };
    let (code, said) = gate("same");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = gate("slower");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("sum"), "{said}");
    let (code, said) = run(&["show", "before-0.json"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified"), "{said}");
    let (code, said) = run(&["compare", "before-0.json", "slower-0.json"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_does_not_belong_together_is_not_appended() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.json");
    let mut random = Pcg64::seed_from_u64(9);
    let mut written = file(&path, 8, [1_000.0, 2_000.0], &mut random);
    let adapters = enumerate();
    let append = |name: &str, times: usize| {
        let mut record = HarnessRecord::on(&adapters[0].handle);
        let mut random = Pcg64::seed_from_u64(10);
        for _ in 0..times {
            record.add(name, &readings(3_000.0, &mut random));
        }
        record.append_to(&path).map_err(|e| e.to_string())
    };
    let twice = append("sum/f32/4096", 2).unwrap_err();
    assert!(twice.contains("added twice"), "{twice}");
    assert_eq!(load(&path).unwrap(), written);
    // A process that measures another kernel leaves the first's number out.
    append("sum/f32/8192", 1).unwrap();
    let cases = load(&path).unwrap().cases;
    assert_eq!(cases[2].invocations[0].invocation, 8);
    written.adapter.driver_info += " of another version";
    perwatt::record::save(&written, &path).unwrap();
    let other = append("sum/f32/4096", 1).unwrap_err();
    assert!(other.contains("of another version"), "{other}");
}
