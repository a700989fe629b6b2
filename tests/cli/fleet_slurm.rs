//! `perwatt fleet` on a Slurm cluster of four virtual nodes: what is finished survives whatever happens to a node, and what is
//! missing is named and measured in the end, once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use perwatt::record::{Record, Status, load};
use serde_json::Value;

use crate::support::slurm_cluster::{SlurmCluster, wait_until};
use crate::support::{has_device, one_case, perwatt};

const SHORT: [&str; 8] = one_case("1");

fn fleet(cluster: &SlurmCluster, arguments: &[&str], folder: &Path) -> Command {
    let mut command = perwatt();
    command.arg("fleet").args(arguments).arg(folder);
    cluster.give(&mut command);
    command
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
}

fn begin(cluster: &SlurmCluster, folder: &Path, options: &[&str], run: &[&str]) {
    let started = fleet(cluster, &["run", "--scheduler=slurm", "--out"], folder)
        .args(options)
        .arg("--")
        .args(run)
        .output()
        .unwrap();
    assert!(started.status.success(), "{}", text(&started));
}

/// How the tasks stand: the exit code, and each task's node, standing, reason and attempts.
fn status(cluster: &SlurmCluster, folder: &Path) -> (i32, Vec<(String, String, String, u64)>) {
    let output = fleet(cluster, &["status", "--json"], folder)
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
        panic!("{e}: {}", text(&output));
    });
    let text = |task: &Value, key: &str| task[key].as_str().unwrap_or_default().to_owned();
    let tasks = value["tasks"].as_array().unwrap().iter().map(|task| {
        let attempts = task["attempts"].as_u64().unwrap();
        (
            text(task, "node"),
            text(task, "standing"),
            text(task, "reason"),
            attempts,
        )
    });
    (output.status.code().unwrap(), tasks.collect())
}

fn standing_of(tasks: &[(String, String, String, u64)], node: &str) -> BTreeSet<String> {
    let of_node = tasks.iter().filter(|task| task.0 == node);
    of_node.map(|task| task.1.clone()).collect()
}

fn records(folder: &Path) -> Vec<(String, Record)> {
    let mut records: Vec<(String, Record)> = std::fs::read_dir(folder.join("records"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                load(&path).unwrap(),
            )
        })
        .collect();
    records.sort_by(|a, b| a.0.cmp(&b.0));
    records
}

#[test]
fn a_fleet_outlives_its_nodes() {
    if !SlurmCluster::is_installed() || !has_device() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let mut cluster = SlurmCluster::start(place.path());
    let first = place.path().join("a fleet; $(x) 100%");
    a_drained_node_waits_alone(&cluster, &first);
    // Each part of the way hands on to the next; one cluster serves them all.
    inside_an_allocation(&cluster, &place.path().join("allocated"));
    a_power_cut_costs_one_node(&mut cluster, &place.path().join("second"));
    cancelled_work_goes_on(&cluster, &place.path().join("third"));
}

fn a_drained_node_waits_alone(cluster: &SlurmCluster, folder: &Path) {
    cluster.ask(
        "scontrol",
        &["update", "nodename=n4", "state=drain", "reason=fan"],
    );
    begin(cluster, folder, &["--exclusive"], &SHORT);
    wait_until("all but the drained node are done", || {
        let (_, tasks) = status(cluster, folder);
        tasks.iter().filter(|task| task.1 == "done").count() == 4
    });
    let (code, tasks) = status(cluster, folder);
    assert_eq!(code, 3);
    let waiting: Vec<_> = tasks.iter().filter(|task| task.1 != "done").collect();
    assert_eq!(waiting.len(), 1, "{tasks:?}");
    assert_eq!(
        (waiting[0].0.as_str(), waiting[0].1.as_str()),
        ("n4", "waiting")
    );
    assert!(waiting[0].2.contains("UnavailableNodes:n4"), "{tasks:?}");

    cluster.ask("scontrol", &["update", "nodename=n4", "state=resume"]);
    wait_until("the node that came back is done", || {
        status(cluster, folder).0 == 0
    });
    let records = records(folder);
    let names: Vec<&str> = records.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["n1--gpu0", "n2--gpu0", "n3--gpu0", "n3--gpu1", "n4--gpu0"]
    );
    for (name, record) in &records {
        let placement = record.placement.as_ref().unwrap();
        assert_eq!(placement.exclusive, Some(true), "{name}");
        assert_eq!(placement.concurrent_gpus, Some(1), "{name}");
        let written = serde_json::to_string(record).unwrap();
        for word in ["n1", "n2", "n3", "n4", "fleet;"] {
            assert!(
                !written.contains(&format!("{word}--")),
                "{name} names {word}"
            );
        }
        assert!(
            !written.contains(&*place_text(folder)),
            "{name} names its folder"
        );
    }
}

fn place_text(folder: &Path) -> String {
    folder.to_str().unwrap().to_owned()
}

fn inside_an_allocation(cluster: &SlurmCluster, folder: &Path) {
    let run = fleet(cluster, &["run", "--out"], folder);
    let mut inside = Command::new("salloc");
    inside
        .args([
            "--quiet",
            "--nodes=2",
            "--nodelist=n1,n2",
            "--gpus-per-node=1",
            "--ntasks-per-node=1",
        ])
        .arg(run.get_program())
        .args(run.get_args())
        .args(["--identify", "--"])
        .args(SHORT);
    for (name, value) in run.get_envs() {
        inside.env(name, value.unwrap_or_default());
    }
    cluster.give(&mut inside);
    let output = inside.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let records = records(folder);
    let nodes: Vec<_> = records
        .iter()
        .map(|(_, record)| record.placement.as_ref().unwrap().node.as_deref().unwrap())
        .collect();
    assert_eq!(nodes, ["n1", "n2"]);
}

/// Enough work to be caught in the middle.
const LONG: [&str; 8] = one_case("12");

fn a_power_cut_costs_one_node(cluster: &mut SlurmCluster, folder: &Path) {
    begin(cluster, folder, &["--at-once"], &LONG);
    let journal = folder.join("records/n2--gpu0.json.journal");
    let has_a_case = || {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        text.contains("\"event\":\"case\"")
    };
    wait_until("n2 has finished something", has_a_case);
    cluster.cut_power("n2");
    cluster.restart_controller();
    let kept = std::fs::read_to_string(&journal).unwrap();
    let session = kept.lines().next().unwrap().to_owned();
    wait_until("the others are done", || {
        let (_, tasks) = status(cluster, folder);
        tasks.iter().filter(|task| task.1 == "done").count() == 4
    });
    // Slurm would start it again by itself once the node is back; here somebody has cancelled it.
    let plan: Value =
        serde_json::from_slice(&std::fs::read(folder.join("fleet.json")).unwrap()).unwrap();
    let task = plan["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| task["node"] == "n2");
    cluster.ask("scancel", &[task.unwrap()["job"].as_str().unwrap()]);
    cluster.power_on("n2");
    wait_until("the job of n2 is over", || {
        standing_of(&status(cluster, folder).1, "n2") == BTreeSet::from(["missing".to_owned()])
    });
    let (code, tasks) = status(cluster, folder);
    assert_eq!(code, 3);
    let lost = tasks.iter().find(|task| task.0 == "n2").unwrap();
    assert!(lost.2.contains("journal keeps"), "{lost:?}");
    let before = records(folder);

    // Two at once submit it once.
    let gathers: Vec<_> = (0..2)
        .map(|_| {
            fleet(cluster, &["gather", "--resubmit"], folder)
                .spawn()
                .unwrap()
        })
        .collect();
    for mut gather in gathers {
        let code = gather.wait().unwrap().code().unwrap();
        assert!([0, 3].contains(&code), "{code}");
    }
    wait_until("all are done", || status(cluster, folder).0 == 0);
    let (_, tasks) = status(cluster, folder);
    let attempts = |node: &str| tasks.iter().find(|task| task.0 == node).unwrap().3;
    assert_eq!((attempts("n1"), attempts("n2")), (1, 2), "{tasks:?}");
    let after = records(folder);
    for record in &before {
        assert!(after.contains(record), "{} changed", record.0);
    }
    let resumed = &after.iter().find(|(name, _)| name == "n2--gpu0").unwrap().1;
    assert!(session.contains(&resumed.session), "it began anew");
}

fn cancelled_work_goes_on(cluster: &SlurmCluster, folder: &Path) {
    begin(cluster, folder, &["--nodes=n1"], &LONG);
    let journal = folder.join("records/n1--gpu0.json.journal");
    wait_until("it has begun", || journal.exists());
    let plan: Value =
        serde_json::from_slice(&std::fs::read(folder.join("fleet.json")).unwrap()).unwrap();
    cluster.ask("scancel", &[plan["tasks"][0]["job"].as_str().unwrap()]);
    wait_until("it was cancelled", || {
        let (_, tasks) = status(cluster, folder);
        ["failed", "missing"].contains(&tasks[0].1.as_str())
    });
    let resubmitted = fleet(cluster, &["gather", "--resubmit"], folder)
        .output()
        .unwrap();
    assert!(resubmitted.status.success(), "{}", text(&resubmitted));
    wait_until("it is done", || status(cluster, folder).0 == 0);
    assert!(!journal.exists());
    // Slurm sends its request to every process of the job; none of them took that for a crash.
    for (name, record) in records(folder) {
        let all_measured = record
            .cases
            .iter()
            .all(|case| case.status == Status::Measured && case.invocations.len() == 12);
        assert!(all_measured, "{name}: {:?}", record.cases[0].status);
        assert!(
            record
                .invocations
                .iter()
                .all(|invocation| invocation.workers <= 2),
            "{name}"
        );
    }
}
