//! `perwatt fleet` without a cluster: one machine, the manifest for Kubernetes, and folders that others have been at.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::{has_device, one_case, perwatt};

/// A short run on a software driver, as it stands behind a fleet's options.
fn short() -> Vec<&'static str> {
    [&["--", "--device=software"], &one_case("1")[..]].concat()
}

fn fleet(arguments: &[&str], folder: &Path, more: &[&str]) -> Output {
    perwatt()
        .arg("fleet")
        .args(arguments)
        .arg(folder)
        .args(more)
        .env_remove("SLURM_JOB_ID")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn write(file: &Path, value: &Value) {
    fs::write(file, serde_json::to_vec(value).unwrap()).unwrap();
}

/// The one record of a fleet of this machine.
fn record_in(folder: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder.join("records")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[test]
fn what_others_did_to_a_folder_is_named_and_loses_nothing() {
    if !has_device() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("it's a; fleet");
    let ran = fleet(&["run", "--scheduler=local", "--out"], &folder, &short());
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let again = fleet(&["run", "--scheduler=local", "--out"], &folder, &short());
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let file = record_in(&folder);
    let sound = read(&file);
    assert_eq!(sound["placement"]["concurrent_gpus"], 1);
    assert_eq!(sound["placement"].get("node"), None);
    assert!(
        !sound.to_string().contains("it's a; fleet"),
        "it names its folder"
    );

    let records = folder.join("records");
    let altered = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut record = sound.clone();
        change(&mut record);
        write(&records.join(name), &record);
    };
    altered("copy.json", &|_| {});
    altered("second.json", &|record| {
        record["session"] = json!("0000000000000001");
        record["started_utc"] = json!("2100-01-01T00:00:00Z");
    });
    altered("newer.json", &|record| {
        record["schema_version"] = json!("2.0.0");
    });
    altered("stranger.json", &|record| record["placement"] = Value::Null);
    altered("beyond.json", &|record| {
        record["placement"]["task"] = json!(70_000);
    });
    fs::write(records.join("torn.json"), "{\"schema_version\": \"1.5").unwrap();
    fs::write(records.join("\u{1b}[2J::error::x.json"), "no").unwrap();
    let status = fleet(&["status"], &folder, &[]);
    assert_eq!(status.status.code(), Some(0), "{}", said(&status));
    let page = said(&status);
    for (name, reason) in [
        ("copy.json", "the same session"),
        ("second.json", "a second record of task 0"),
        ("newer.json", "schema version 2.0.0"),
        ("stranger.json", "no record of this fleet run"),
        ("beyond.json", "no task 70000"),
        ("torn.json", "not counted"),
    ] {
        let line = page
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{name}: {page}"));
        assert!(line.contains(reason), "{line}");
    }
    assert!(!page.contains('\u{1b}'), "{page:?}");

    // A node whose clock is off is named, and its record kept.
    let mut off = sound.clone();
    off["started_utc"] = json!("2001-01-01T00:00:00Z");
    write(&file, &off);
    fs::remove_file(records.join("copy.json")).unwrap();
    let status = fleet(&["status"], &folder, &[]);
    assert_eq!(status.status.code(), Some(0), "{}", said(&status));
    assert!(said(&status).contains("clock is off"), "{}", said(&status));
    assert_eq!(read(&file), off);
}

#[test]
fn what_is_missing_is_named_brought_in_and_run_again() {
    if !has_device() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("fleet");
    let ran = fleet(&["run", "--scheduler=local", "--out"], &folder, &short());
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let file = record_in(&folder);
    let elsewhere = place.path().join("copied");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(&file, elsewhere.join("x.json")).unwrap();
    let status = fleet(&["status"], &folder, &[]);
    assert_eq!(status.status.code(), Some(3), "{}", said(&status));
    assert!(
        said(&status).contains("not here any more"),
        "{}",
        said(&status)
    );
    assert!(said(&status).contains("gather"), "{}", said(&status));

    let brought = fleet(&["gather"], &folder, &[elsewhere.to_str().unwrap()]);
    assert_eq!(brought.status.code(), Some(0), "{}", said(&brought));
    assert_eq!(
        read(&folder.join("records/x.json")),
        read(&elsewhere.join("x.json"))
    );

    // A journal that a crash tore goes on; what is damaged is set aside, and the run begins anew.
    fs::remove_file(folder.join("records/x.json")).unwrap();
    let mut journal = file.clone().into_os_string();
    journal.push(".journal");
    fs::write(&journal, "{\"event\": \"session\", \"rec").unwrap();
    // The lock of somebody who died.
    let lock = folder.join("fleet.lock");
    fs::write(&lock, "dead\n").unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&lock)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let resubmitted = fleet(&["gather", "--resubmit"], &folder, &[]);
    assert_eq!(resubmitted.status.code(), Some(0), "{}", said(&resubmitted));
    assert!(file.exists() && !lock.exists());
    let kept = fs::read_dir(folder.join("records")).unwrap();
    let kept = kept.filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("damaged")
    });
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_plan_from_somebody_else_commands_nothing() {
    let place = tempfile::tempdir().unwrap();
    let plan = |node: &str, options: &[&str]| {
        json!({
            "kind": "perwatt-fleet", "schema_version": "1.0.0", "id": "0123456789abcdef",
            "created_utc": "2026-01-01T00:00:00Z", "perwatt_version": "0.1.0", "scheduler": "local",
            "at_once": false, "identify": false, "options": options, "working_folder": "/", "program": "/bin/false",
            "scheduler_options": [], "tasks": [{"id": 0, "node": node, "gpu": 0, "attempts": 0}],
        })
    };
    let file = place.path().join("fleet.json");
    for part in ["records", "tasks", "logs"] {
        fs::create_dir(place.path().join(part)).unwrap();
    }
    for node in ["../../x", "$(touch x)", "n1\n::error::x", "-x", "\u{1b}[2J"] {
        write(&file, &plan(node, &[]));
        for command in [
            &["status"][..],
            &["gather", "--resubmit"],
            &["task", "--task=0"],
        ] {
            let output = fleet(command, place.path(), &[]);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{node:?} {command:?}: {}",
                said(&output)
            );
            assert!(!said(&output).contains('\u{1b}'));
        }
    }
    // A whole one of somebody else would run in one's own name.
    if rustix::process::getuid().is_root() {
        write(&file, &plan("n1", &[]));
        std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
        let output = fleet(&["gather", "--resubmit"], place.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("12345"), "{}", said(&output));
        fs::remove_file(&file).unwrap();
    }
    // Options that would write elsewhere are refused where they are read, too.
    write(
        &file,
        &plan("n1", &["--out=/tmp/perwatt-elsewhere.json", "--force"]),
    );
    let output = fleet(&["task", "--task=0"], place.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let status = fleet(&["status"], place.path(), &[]);
    assert!(
        said(&status).contains("--out: not for a fleet"),
        "{}",
        said(&status)
    );
    // A plan of a later kind.
    let mut later = plan("n1", &[]);
    later["schema_version"] = json!("2.0.0");
    write(&file, &later);
    let status = fleet(&["status"], place.path(), &[]);
    assert!(
        said(&status).contains("schema version 2.0.0"),
        "{}",
        said(&status)
    );
}

#[test]
fn a_folder_that_takes_nothing_is_said_to_be_so() {
    let place = tempfile::tempdir().unwrap();
    let full = place.path().join("full");
    fs::create_dir(&full).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs"])
        .arg(&full)
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted || !has_device() {
        eprintln!("SKIPPED: needs root and a device, to fill a file system of its own");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        let folder = full.join("fleet");
        fs::write(full.join("filler"), vec![0; 40 << 10]).unwrap();
        let ran = fleet(&["run", "--scheduler=local", "--out"], &folder, &short());
        assert_ne!(ran.status.code(), Some(0), "{}", said(&ran));
        let text = said(&ran).to_lowercase();
        assert!(text.contains("no space left"), "{text}");
        // Once there is room, it goes on.
        fs::remove_file(full.join("filler")).unwrap();
        let remounted = std::process::Command::new("mount")
            .args(["-o", "remount,size=8m"])
            .arg(&full)
            .status()
            .unwrap();
        assert!(remounted.success());
        let resumed = fleet(&["gather", "--resubmit"], &folder, &[]);
        assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
        let read_only = std::process::Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(&full)
            .status()
            .unwrap();
        assert!(read_only.success());
        let status = fleet(&["status"], &folder, &[]);
        assert_eq!(status.status.code(), Some(0), "{}", said(&status));
        assert!(said(&status).contains("WARNING"), "{}", said(&status));
        let gathered = fleet(&["gather"], &folder, &[]);
        assert_eq!(gathered.status.code(), Some(0), "{}", said(&gathered));
    });
    let unmounted = std::process::Command::new("umount")
        .arg(&full)
        .status()
        .unwrap();
    assert!(unmounted.success());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The Kubernetes API's own description of what may stand in the manifest.
fn kubernetes_schema() -> jsonschema::Validator {
    let text = include_str!("../kubernetes/job-1.33.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

#[test]
fn the_manifest_is_what_kubernetes_takes() {
    let place = tempfile::tempdir().unwrap();
    let options = [
        "--scheduler=kubernetes",
        "--gpus=3",
        "--image=registry.example/perwatt:1",
        "--claim=fleet",
        "--gpu-resource=amd.com/gpu",
        "--namespace=bench",
        "--",
        "--case=$(reboot); \"x\": {}",
    ];
    let folder = place.path().join("fleet");
    let made = fleet(&["run", "--out"], &folder, &options);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let list: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        (
            list["kind"].as_str(),
            list["items"].as_array().unwrap().len()
        ),
        (Some("List"), 2)
    );
    let schema = kubernetes_schema();
    for item in list["items"].as_array().unwrap() {
        assert_eq!(item["metadata"]["namespace"], "bench");
        let errors: Vec<String> = schema.iter_errors(item).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut misspelt = item.clone();
        misspelt["metadata"]["labells"] = json!({});
        assert!(!schema.is_valid(&misspelt), "the schema takes anything");
    }
    let job = &list["items"][1];
    let mut misspelt = job.clone();
    misspelt["spec"]["template"]["spec"]["containers"][0]["volumeMount"] = json!([]);
    assert!(!schema.is_valid(&misspelt));
    let spec = &job["spec"];
    assert_eq!(
        (&spec["completions"], &spec["parallelism"]),
        (&json!(3), &json!(3))
    );
    let container = &spec["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["limits"]["amd.com/gpu"], "1");
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    // What the user typed stands in the plan, as data, and in no argument.
    assert!(!container.to_string().contains("reboot"));
    let plan: Value =
        serde_json::from_str(list["items"][0]["data"]["fleet.json"].as_str().unwrap()).unwrap();
    assert_eq!(plan["options"][0], "--case=$(reboot); \"x\": {}");
    let status = fleet(&["status"], &folder, &[]);
    assert_eq!(status.status.code(), Some(3), "{}", said(&status));
}

#[test]
fn a_pod_finds_its_task_and_brings_the_plan_along() {
    if !has_device() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let planned = place.path().join("planned");
    let options = [
        &[
            "--scheduler=kubernetes",
            "--gpus=2",
            "--image=x",
            "--claim=y",
        ][..],
        &short(),
    ]
    .concat();
    assert!(
        fleet(&["run", "--out"], &planned, &options)
            .status
            .success()
    );
    let volume = place.path().join("volume");
    let plan = format!("--plan={}", planned.join("fleet.json").display());
    let pod = |index: &str, node: &str| {
        perwatt()
            .args(["fleet", "task"])
            .arg(&volume)
            .args([plan.as_str(), "--tasks=1,0"])
            .env("JOB_COMPLETION_INDEX", index)
            .env("PERWATT_NODE", node)
            .output()
            .unwrap()
    };
    let first = pod("0", "node-a");
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    // The same GPU once more is no second GPU.
    let second = pod("1", "node-a");
    assert_eq!(second.status.code(), Some(2), "{}", said(&second));
    assert!(
        said(&second).contains("measured already"),
        "{}",
        said(&second)
    );
    assert_eq!(pod("1", "$(x)").status.code(), Some(2));
    let second = pod("1", "node-b");
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    let status = fleet(&["status"], &volume, &[]);
    assert_eq!(status.status.code(), Some(0), "{}", said(&status));
    let record = read(&volume.join("records/node-a--gpu0.json"));
    assert_eq!(record["placement"]["task"], 1);
    assert_eq!(record["placement"].get("concurrent_gpus"), None);
}
