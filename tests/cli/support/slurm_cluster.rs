//! A Slurm cluster of virtual nodes on this machine: its own folder, key, ports and daemons, which end with it.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The daemons of a cluster.
pub(crate) struct SlurmCluster {
    folder: PathBuf,
    munged: Child,
    controller: Child,
    nodes: Vec<(String, Child)>,
}

/// Each node with the GPUs that Slurm is told of.
pub(crate) const NODES: [(&str, u32); 4] = [("n1", 1), ("n2", 1), ("n3", 2), ("n4", 0)];

/// A port that is free just now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    name.trim().to_owned()
}

fn daemon(folder: &Path, program: &str, arguments: &[&str], log: &str) -> Child {
    let log = fs::File::create(folder.join(log)).unwrap();
    Command::new(program)
        .args(arguments)
        .env("SLURM_CONF", folder.join("slurm.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl SlurmCluster {
    /// Whether Slurm is installed; without it the calling test says so and is skipped.
    pub(crate) fn is_installed() -> bool {
        let there = ["munged", "slurmctld", "slurmd", "srun"]
            .iter()
            .all(|program| {
                ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
                    .iter()
                    .any(|folder| Path::new(folder).join(program).exists())
            })
            && rustix::process::geteuid().is_root();
        assert!(
            there || std::env::var_os("PERWATT_TEST_ALL").is_none(),
            "no Slurm here (or not root), and PERWATT_TEST_ALL allows no skipping"
        );
        if !there {
            eprintln!("SKIPPED: needs Slurm's programs (scripts/setup --all) and root");
        }
        there
    }

    /// Starts a cluster in a folder and waits until its nodes are idle.
    pub(crate) fn start(folder: &Path) -> Self {
        for part in ["state", "spool"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        fs::write(folder.join("slurm.conf"), configuration(folder)).unwrap();
        let mut gpus = String::new();
        for (node, count) in NODES {
            for gpu in 0..count {
                let file = folder.join(format!("{node}-gpu{gpu}"));
                fs::write(&file, "").unwrap();
                writeln!(gpus, "NodeName={node} Name=gpu File={}", file.display()).unwrap();
            }
        }
        fs::write(folder.join("gres.conf"), gpus).unwrap();
        let key = folder.join("munge.key");
        fs::write(&key, rand::random::<[u8; 256]>()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        let at = |option: &str, name: &str| format!("{option}={}", folder.join(name).display());
        let munged = daemon(
            folder,
            "munged",
            &[
                "--foreground",
                "--force",
                "--num-threads=1",
                &at("--key-file", "munge.key"),
                &at("--socket", "munge.socket"),
                &at("--pid-file", "munged.pid"),
                &at("--seed-file", "munged.seed"),
                &at("--log-file", "munged.log"),
            ],
            "munged.out",
        );
        let socket = folder.join("munge.socket");
        wait_until("munged listens", || socket.exists());
        let controller = daemon(folder, "slurmctld", &["-D", "-c"], "slurmctld.out");
        let nodes = NODES
            .iter()
            .map(|(node, _)| ((*node).to_owned(), start_node(folder, node)))
            .collect();
        let cluster = Self {
            folder: folder.to_owned(),
            munged,
            controller,
            nodes,
        };
        wait_until("the nodes are idle", || {
            let shown = cluster.ask("sinfo", &["--noheader", "--Node", "--format=%T"]);
            shown.lines().filter(|state| *state == "idle").count() == NODES.len()
        });
        cluster
    }

    /// A command with this cluster's configuration.
    pub(crate) fn give(&self, command: &mut Command) {
        command.env("SLURM_CONF", self.folder.join("slurm.conf"));
        // Whoever runs the tests may be in a job of a real cluster.
        for variable in ["SLURM_JOB_ID", "SLURM_JOBID"] {
            command.env_remove(variable);
        }
    }

    /// What a command of Slurm's prints; nothing where it fails.
    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(arguments);
        self.give(&mut command);
        let output: Output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Kills everything that runs on a node, as a power cut does.
    pub(crate) fn cut_power(&mut self, node: &str) {
        if let Some((_, daemon)) = self.nodes.iter_mut().find(|(name, _)| name == node) {
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
        self.kill_jobs(Some(node));
    }

    /// Switches a node on again.
    pub(crate) fn power_on(&mut self, node: &str) {
        let started = start_node(&self.folder, node);
        self.nodes.retain(|(name, _)| name != node);
        self.nodes.push((node.to_owned(), started));
    }

    /// Ends the controller and starts it again with the state that it kept.
    pub(crate) fn restart_controller(&mut self) {
        signal(self.controller.id(), Signal::TERM);
        self.controller.wait().unwrap();
        self.controller = daemon(&self.folder, "slurmctld", &["-D"], "slurmctld-2.out");
        wait_until("the controller answers", || {
            self.ask("scontrol", &["ping"]).contains("UP")
        });
    }

    /// Kills what jobs of this cluster left, on one node or on all: the processes whose environment, or whose
    /// arguments, name its folder.
    fn kill_jobs(&self, node: Option<&str>) {
        let configuration = format!("SLURM_CONF={}", self.folder.join("slurm.conf").display());
        let on_node = node.map(|node| format!("SLURMD_NODENAME={node}"));
        let own = std::process::id();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let number = entry.file_name().to_string_lossy().parse::<u32>().ok();
            let Some(number) = number.filter(|number| *number != own) else {
                continue;
            };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let environment: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
            let has = |text: &str| environment.contains(&text.as_bytes());
            let of_cluster = has(&configuration);
            if of_cluster && on_node.as_ref().is_none_or(|node| has(node)) {
                signal(number, Signal::KILL);
            }
        }
    }
}

fn signal(number: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(number).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn start_node(folder: &Path, node: &str) -> Child {
    let log = format!("slurmd-{node}-{:08x}.out", rand::random::<u32>());
    daemon(folder, "slurmd", &["-D", "-N", node], &log)
}

/// Waits for something that takes a while and must come.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}: never");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn configuration(folder: &Path) -> String {
    let (host, folder) = (host_name(), folder.display());
    let mut text = format!(
        "ClusterName=perwatt
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdTimeout=8
KillWait=3
MinJobAge=300
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
",
        free_port()
    );
    for (node, gpus) in NODES {
        let gres = if gpus > 0 {
            format!(" Gres=gpu:{gpus}")
        } else {
            String::new()
        };
        writeln!(
            text,
            "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={} CPUs=2 RealMemory=100{gres} State=UNKNOWN",
            free_port()
        )
        .unwrap();
    }
    text + "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
}

impl Drop for SlurmCluster {
    fn drop(&mut self) {
        for (_, node) in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
        let _ = self.controller.kill();
        let _ = self.controller.wait();
        self.kill_jobs(None);
        let _ = self.munged.kill();
        let _ = self.munged.wait();
    }
}
