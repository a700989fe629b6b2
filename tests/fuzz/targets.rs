//! Every parser with sound files for it.

use std::path::{Path, PathBuf};

use perwatt::bench::{assemble, tune};
use perwatt::compare::{Noise, Pairing, Policy, Session, Sides, compare};
use perwatt::escape;
use perwatt::exchange::{Format, IMPORTERS, ImportOptions, TableColumn, export, import};
use perwatt::fleet::spread::{
    FleetPlan, JobPaths, gpus_of_job, is_exclusive, is_node_name, job_of_sbatch, node_jobs,
    nodes_of_sinfo, queue_of_squeue, sbatch_arguments,
};
use perwatt::invest::{Changes, Draws, Evidence, Scenario, model};
use perwatt::power::calibration::Calibrations;
use perwatt::power::sensors::{LogChoice, Machine, Places, load_curve, load_log};
use perwatt::record::Boundary;
use perwatt::record::{
    CaseGlob, Event, Inspection, InvocationInfo, Reading, Record, Scheduler, Whereabouts,
    anonymize, parse, parse_document, parse_journal, save, save_document, tidy,
};
use perwatt::report;
use perwatt::units::Seconds;
use perwatt::workload::{ManifestCommands, load_custom};
use serde_json::json;
use tempfile::TempDir;

use crate::forms::FORMS;
use crate::records::{journal_of, record_of, with_energy};

/// What is fed with an input says whether it accepted it.
type Feed = Box<dyn FnMut(&[u8]) -> bool>;

/// A parser.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    pub(crate) feed: fn() -> Feed,
}

const fn target(name: &'static str, seeds: fn() -> Vec<Vec<u8>>, feed: fn() -> Feed) -> Target {
    Target { name, seeds, feed }
}

pub(crate) const TARGETS: &[Target] = &[
    target("record", records, || text(record)),
    target("journal", journals, || {
        Box::new(|bytes| {
            parse_journal(Path::new("x"), bytes)
                .is_ok_and(|(session, _)| assemble::record(&session).is_ok())
        })
    }),
    target("pairing", pairings, || text(document::<Pairing>)),
    target("noise", noises, || text(noise)),
    target("tuning", tunings, || text(document::<tune::Tuning>)),
    target("fleet", fleets, || text(fleet)),
    target("slurm", slurm_outputs, || text(slurm)),
    target("calibration", calibrations, || {
        text(document::<Calibrations>)
    }),
    target("inspection", inspections, || text(inspection)),
    target("policy", policies, || {
        text(|text| {
            Policy::parse(Path::new("p.toml"), text, None).is_ok_and(|policy| judged(&policy))
        })
    }),
    target("glob", globs, || {
        text(|text| {
            CaseGlob::new(text).is_ok_and(|glob| {
                let _ = glob.fits("matmul/f32/64x64x64@tiled");
                true
            })
        })
    }),
    target("manifest", manifests, || {
        file(
            "k.toml",
            &[
                ("s.wgsl", SHADER),
                ("t.wgsl", SHADER_OF_A_TABLE),
                ("x.bin", b"12345678"),
            ],
            |path| load_custom(path, ManifestCommands::Refused).is_ok(),
        )
    }),
    target("scenario", scenarios, || {
        file("s.toml", &[], |path| {
            let name = path.to_string_lossy().into_owned();
            Scenario::open(&name).is_ok_and(|scenario| {
                scenario
                    .assume(None, &Changes::default())
                    .is_ok_and(|assumptions| {
                        model(
                            &assumptions,
                            Draws {
                                count: 1000,
                                seed: 1,
                            },
                        )
                        .is_ok()
                    })
            })
        })
    }),
    target("curve", curves, || {
        file("c.csv", &[], |path| load_curve(path).is_ok())
    }),
    target("log", logs, || {
        let choice = LogChoice {
            boundary: Some(Boundary::Wall),
            column: None,
            device: None,
            address: None,
            zone: Some("UTC".to_owned()),
            date_order: None,
        };
        file("l.csv", &[], move |path| load_log(path, &choice).is_ok())
    }),
    target("hyperfine", hyperfines, || importer("hyperfine")),
    target("google-benchmark", googles, || importer("google-benchmark")),
    target("nvbench", nvbenches, || importer("nvbench")),
    target("criterion", criterions, criterion),
    target(
        "llama-bench",
        || form("llama-bench"),
        || importer("llama-bench"),
    ),
    target("clpeak", || form("clpeak"), || importer("clpeak")),
    target(
        "pytest-benchmark",
        || form("pytest-benchmark"),
        || importer("pytest-benchmark"),
    ),
    target("go", || form("go"), || importer("go")),
    target("bmf", || form("bmf"), || importer("bmf")),
    target("vkpeak", || form("vkpeak"), || importer("vkpeak")),
    target(
        "babelstream",
        || form("babelstream"),
        || importer("babelstream"),
    ),
    target("csv", tables, || importer("csv")),
    target("json", || form("json"), || importer("json")),
    target("simulated", simulations, || {
        text(|text| {
            perwatt::power::simulated::parse(text, &perwatt::power::Timeline::default()).is_ok()
        })
    }),
    target("sysfs", gpu_metrics, sysfs),
];

/// A target that takes text.
fn text(mut feed: impl FnMut(&str) -> bool + 'static) -> Feed {
    Box::new(move |bytes| feed(&String::from_utf8_lossy(bytes)))
}

/// A target that takes the path of a file.
fn file(
    name: &'static str,
    beside: &[(&str, &[u8])],
    mut feed: impl FnMut(&Path) -> bool + 'static,
) -> Feed {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in beside {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().join(name);
    Box::new(move |bytes| {
        // The folder lives as long as the target.
        let _ = &folder;
        std::fs::write(&path, bytes).unwrap();
        feed(&path)
    })
}

fn importer(name: &'static str) -> Feed {
    let importer = IMPORTERS
        .iter()
        .find(|importer| importer.name() == name)
        .unwrap();
    file("in.json", &[("t.bin", b"12345678")], move |path| {
        imported(importer, path)
    })
}

fn imported(importer: &'static perwatt::exchange::Importer, path: &Path) -> bool {
    let column = |role: &str, name: &str| TableColumn {
        role: role.to_owned(),
        name: name.to_owned(),
    };
    let columns = match importer.name() {
        "json" => vec![column("case", "name"), column("time_ms", "stats.ms")],
        _ => Vec::new(),
    };
    let options = ImportOptions {
        columns,
        ..ImportOptions::default()
    };
    let Ok(imported) = import(importer, &[path.to_owned()], &options) else {
        return false;
    };
    for note in imported.left_out.iter().chain(&imported.notes) {
        let _ = escape::page(note);
    }
    for mut record in imported.records {
        // What was measured elsewhere is a sound record here.
        assert_eq!(record.contradictions(), []);
        shown(&mut record);
    }
    true
}

/// The files of a tool in the form of the tests of imports.
fn form(name: &str) -> Vec<Vec<u8>> {
    FORMS
        .iter()
        .filter(|form| form.0 == name)
        .map(|form| form.2.as_bytes().to_vec())
        .collect()
}

fn criterion() -> Feed {
    let importer = IMPORTERS
        .iter()
        .find(|importer| importer.name() == "criterion")
        .unwrap();
    let folder = TempDir::new().unwrap();
    let new = folder.path().join("bench/new");
    std::fs::create_dir_all(&new).unwrap();
    Box::new(move |bytes| {
        let cut = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(bytes.len());
        std::fs::write(new.join("benchmark.json"), &bytes[..cut]).unwrap();
        std::fs::write(new.join("sample.json"), &bytes[cut..]).unwrap();
        imported(importer, folder.path())
    })
}

fn document<D: perwatt::record::Document>(text: &str) -> bool {
    parse_document::<D>(Path::new("x.json"), text).is_ok()
}

/// A record that is read can be written, shown, exported, judged and invested in.
fn record(text: &str) -> bool {
    let Ok(mut record) = parse(Path::new("x.json"), text) else {
        return false;
    };
    let _ = record.contradictions();
    shown(&mut record);
    true
}

fn shown(record: &mut Record) {
    let page = escape::page(&report::run(record, report::ShownKernels::Best, Some(80)));
    assert!(
        page.chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\t'))
    );
    for format in Format::ALL {
        let _ = export(
            std::slice::from_ref(record),
            format,
            Some(perwatt::exchange::Direction::Smaller),
        );
    }
    let session = Session::of(record, "x");
    let mut other = record.clone();
    other.session.push('2');
    let other = Session::of(&other, "y");
    let sides = Sides::Sessions {
        baseline: &[&session],
        candidate: &[&other],
        noise: None,
    };
    let policy = Policy::default();
    let compared = compare(sides, &policy);
    let _ = report::comparison(&compared, Some(compared.decision(&policy)), None);
    let _ = report::markdown(&compared, None);
    let _ = report::junit(&compared);
    if let Ok(scenario) = Scenario::open(perwatt::invest::RECORD_SCENARIO) {
        let evidence = Evidence::new("x", record.clone());
        let _ = scenario.assume(Some(&evidence), &Changes::default());
    }
    tidy(record, &Whereabouts::default());
    anonymize(record);
}

/// A calibration that is read is used.
fn noise(text: &str) -> bool {
    let Ok(noise) = parse_document::<Noise>(Path::new("x.json"), text) else {
        return false;
    };
    let _ = report::noise(&noise, None);
    let (baseline, candidate) = two_sessions();
    let sides = Sides::Sessions {
        baseline: &[&baseline],
        candidate: &[&candidate],
        noise: Some(&noise),
    };
    let _ = compare(sides, &Policy::default());
    true
}

/// A policy that is read judges.
fn judged(policy: &Policy) -> bool {
    let (baseline, candidate) = two_sessions();
    let sides = Sides::Sessions {
        baseline: &[&baseline],
        candidate: &[&candidate],
        noise: None,
    };
    let compared = compare(sides, policy);
    let _ = report::comparison(&compared, Some(compared.decision(policy)), None);
    true
}

fn inspection(text: &str) -> bool {
    let Ok(inspection) = parse_document::<Inspection>(Path::new("x.json"), text) else {
        return false;
    };
    let _ = report::inspection(&inspection, None);
    let _ = report::inspection_markdown(&inspection);
    let _ = perwatt::compare::compare_inspections(
        ("x", &inspection),
        ("y", &inspection),
        &Policy::default(),
    );
    true
}

fn two_sessions() -> (Session, Session) {
    (
        Session::of(&a_record("a", 1.0), "a"),
        Session::of(&a_record("b", 1.01), "b"),
    )
}

fn a_record(session: &str, factor: f64) -> Record {
    let medians = [1e6, 1.01e6, 0.99e6].map(|median| median * factor);
    let mut record = record_of(
        session,
        &[
            ("matmul/f32/64x64x64", &medians),
            ("peak-fma/f32/1048576", &medians),
            ("copy/f32/1024", &medians),
        ],
    );
    with_energy(&mut record, &[1.0, 1.1, 0.9]);
    record
}

fn one(value: &serde_json::Value) -> Vec<Vec<u8>> {
    vec![value.to_string().into_bytes()]
}

/// What a document looks like in its file.
fn saved(write: impl FnOnce(&Path) -> perwatt::Result<()>) -> Vec<Vec<u8>> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x");
    write(&path).unwrap();
    vec![std::fs::read(path).unwrap()]
}

/// The record of a run, put together by a run's own means.
fn concluded() -> Record {
    let (session, _) = parse_journal(Path::new("x"), &journals()[0]).unwrap();
    assemble::record(&session).unwrap()
}

fn records() -> Vec<Vec<u8>> {
    saved(|path| save(&concluded(), path))
}

fn journals() -> Vec<Vec<u8>> {
    let mut session = journal_of(&a_record("a", 1.0));
    session.events.push(Event::Invocation {
        info: InvocationInfo {
            invocation: 0,
            started_utc: "2026-11-28T08:00:00Z".to_owned(),
            workers: 1,
            own_cpu_s: Reading::Measured(0.1),
        },
    });
    let later = session.events.iter().map(serde_json::to_string);
    let lines: Vec<String> = std::iter::once(session.first_line())
        .chain(later)
        .map(|line| line.unwrap() + "\n")
        .collect();
    vec![lines.concat().into_bytes()]
}

fn pairings() -> Vec<Vec<u8>> {
    one(&json!({
        "kind": "perwatt-pairing", "schema_version": "1.0.0", "baseline": "a.json", "candidate": "b.json",
        "baseline_session": "a", "candidate_session": "b", "order_seed": 1,
        "pairs": [{"baseline": 0, "candidate": 0, "first": "baseline"}, {"baseline": 1, "candidate": 1, "first": "candidate"}]
    }))
}

fn noises() -> Vec<Vec<u8>> {
    let (baseline, candidate) = two_sessions();
    let noise = Noise::calibrate(&[baseline, candidate]).unwrap();
    saved(|path| save_document(&noise, path))
}

/// A plan, and what is told to schedulers by it.
fn fleet(text: &str) -> bool {
    let Ok(plan) = parse_document::<FleetPlan>(Path::new("fleet.json"), text) else {
        return false;
    };
    let all = plan.tasks.iter().map(|task| task.id).collect();
    let paths = JobPaths {
        folder: "/f",
        script: "/f/job.sh",
        program: "perwatt",
    };
    for job in node_jobs(&plan, &all) {
        assert!(is_node_name(&job.node));
        let script = sbatch_arguments(&plan, &job, &paths);
        assert!(script.contains(&"/f/job.sh".to_owned()));
    }
    true
}

fn fleets() -> Vec<Vec<u8>> {
    let places = [("n1", Some(0)), ("n1", Some(1)), ("n2", None)];
    let places = places.map(|(node, gpu)| (Some(node.to_owned()), gpu));
    let mut plan = FleetPlan::new(Scheduler::Slurm, places.to_vec());
    plan.options = vec!["--case=matmul".to_owned()];
    vec![serde_json::to_vec(&plan).unwrap()]
}

/// What Slurm prints, by each of its readers.
fn slurm(text: &str) -> bool {
    let nodes = nodes_of_sinfo(text);
    let named = nodes.as_ref().is_ok_and(|nodes| {
        assert!(nodes.iter().all(|node| is_node_name(&node.name)));
        !nodes.is_empty()
    });
    let queued = !queue_of_squeue(text).is_empty();
    let job = job_of_sbatch(text).is_some();
    let shown = is_exclusive(text).is_some() || gpus_of_job(text).is_some();
    named || queued || job || shown
}

fn slurm_outputs() -> Vec<Vec<u8>> {
    [
        "n1|gpu:h100:8(S:0-1),nic:1\nn2|(null)\n",
        "12|RUNNING|None\n13|PENDING|Resources\n",
        "123;main\n",
        "JobId=1 OverSubscribe=NO Nodes=n1 GRES=gpu:2(IDX:0-1)\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn tunings() -> Vec<Vec<u8>> {
    one(&json!({
        "kind": "perwatt-tuning", "tuning_version": "1.1.0",
        "adapter": {"name": "x", "backend": "vulkan", "vendor_id": 1, "device_id": 2, "driver": "d", "driver_info": "1"},
        "entries": [{
            "case": "matmul/f32/64x64x64", "kernel": "tiled", "objective": "time", "parameters": {"tile": 16},
            "shader_hash": "0", "perwatt_version": "0.1.0", "tuned_utc": "2026-11-28T08:00:00Z", "time_ns": 1.0,
            "default_time_ns": 2.0, "energy_j": {"unmeasured": "no sensor"}, "measured": 3, "complete": true
        }]
    }))
}

fn calibrations() -> Vec<Vec<u8>> {
    one(&json!({
        "kind": "perwatt-calibration", "schema_version": "1.0.0",
        "sensors": {"nvml:x": {"factor": 1.1, "uncertainty": {"standard": 0.01}, "from": {"kind": "assumed"}}}
    }))
}

fn inspections() -> Vec<Vec<u8>> {
    let mix: serde_json::Map<String, serde_json::Value> = [
        "instructions",
        "operations",
        "fma",
        "fma_dual",
        "fma_packed",
        "matrix",
        "dot",
        "vector",
        "lds",
        "global",
        "scratch",
        "scalar_memory",
        "scalar",
        "branch",
        "wait",
        "other",
    ]
    .map(|key| (key.to_owned(), json!(3)))
    .into_iter()
    .collect();
    one(&json!({
        "kind": "inspection", "schema_version": "1.0.0", "perwatt_version": "0.1.0", "checked_shaders": false,
        "targets": [{
            "target": "navi31", "present": false,
            "device": {"name": "n", "device_type": "discrete-gpu", "driver": "d", "driver_info": "1"},
            "shaders": [{
                "name": "matmul/f32/64x64x64@tiled", "shader": "s.wgsl", "entry": "main", "parameters": {"tile": 16.0},
                "workgroup_threads": [8, 8, 1],
                "figures": {
                    "subgroup_threads": 32, "vector_registers": 64, "scalar_registers": 32,
                    "spilled_vector_registers": 0, "spilled_scalar_registers": 0, "scratch_bytes": 0,
                    "workgroup_bytes": 2048, "subgroups_per_simd": 16, "code_bytes": 4096, "instructions": 500,
                    "latency_cycles": 1000.0, "inverse_throughput_cycles": 200.0,
                    "loops": [{"label": "BB1", "depth": 1, "trips": 16, "weight": 100.0, "mix": mix, "matrix_per_vector": 0.5}],
                    "statistics": {"VGPRs": 64.0}
                }
            }]
        }]
    }))
}

fn policies() -> Vec<Vec<u8>> {
    vec![
        b"metrics = [\"time\", \"energy\"]\nalpha = 0.05\npower = 0.8\nsessions = 10\nunstable_share = 0.1\n\
          across = [\"driver\"]\n[margin_percent]\ntime = 2.0\nenergy = 5.0\n[equivalence_percent]\ntime = 3.0\n\
          energy = 6.0\n[[case]]\nglob = \"matmul/*\"\ngate = true\n[case.margin_percent]\ntime = 4.0\n"
            .to_vec(),
    ]
}

fn globs() -> Vec<Vec<u8>> {
    ["matmul/*", "*@tiled", "{gemv,matmul}/f[13]?/*", "[!a-z]**"]
        .map(|glob| glob.as_bytes().to_vec())
        .to_vec()
}

const SHADER: &[u8] = b"@group(0) @binding(0) var<storage> x: array<f32>;
@group(0) @binding(1) var<storage> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) at: vec3u) { z[at.x] = 2.0 * x[at.x] + y[at.x]; }
";

const SHADER_OF_A_TABLE: &[u8] = b"@group(0) @binding(0) var<storage, read_write> t: array<u32>;
@compute @workgroup_size(1) fn main() { t[0] = 1u; }
";

fn manifests() -> Vec<Vec<u8>> {
    vec![
        b"[[workload]]\ncase = \"saxpy/f32/2\"\nflop = 4\nbytes = 24\n[[workload.buffer]]\nname = \"x\"\ntype = \"f32\"\n\
          file = \"x.bin\"\n[[workload.buffer]]\nname = \"y\"\ntype = \"f32\"\nelements = 2\nfill = 0.5\n\
          [[workload.buffer]]\nname = \"z\"\ntype = \"f32\"\nexpected = \"x.bin\"\nrelative = 1e-6\n\
          [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = [2]\nbind = [\"x\", \"y\", \"z\"]\n"
            .to_vec(),
        b"[[kernel]]\nname = \"mine\"\ncase = \"matmul/f32/64x64x64\"\n[[kernel.buffer]]\nname = \"t\"\ntype = \"u32\"\n\
          values = [1, 2, 3]\n[[kernel.dispatch]]\nshader = \"t.wgsl\"\nworkgroups = [4, 4]\nbind = [\"t\"]\n"
            .to_vec(),
    ]
}

fn scenarios() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/invest.md");
    let page = std::fs::read_to_string(folder).unwrap();
    // The example of the page is a whole scenario.
    let example = page
        .split("```toml")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    vec![example.unwrap_or_default().trim_start().as_bytes().to_vec()]
}

fn curves() -> Vec<Vec<u8>> {
    vec![
        b"time,watts\n0,100\n0.5,200\n1.5,150\n".to_vec(),
        b"0;1,5\n1;2,5\n2;1\n".to_vec(),
    ]
}

fn logs() -> Vec<Vec<u8>> {
    vec![
        b"time,watts\n1700000000,100\n1700000000.5,200\n1700000001,150\n".to_vec(),
        b"timestamp;power_w\n2026-11-28T08:00:00Z;100,5\n2026-11-28T08:00:01Z;101,5\n2026-11-28T08:00:02Z;100\n".to_vec(),
    ]
}

fn hyperfines() -> Vec<Vec<u8>> {
    one(
        &json!({"results": [{"command": "x", "times": [1.0, 1.1, 1.2], "exit_codes": [0, 0, 0], "parameters": {"n": "4"}}]}),
    )
}

fn googles() -> Vec<Vec<u8>> {
    one(
        &json!({"context": {"library_version": "1.8"}, "benchmarks": [
            {"name": "a", "run_name": "a", "run_type": "iteration", "real_time": 1.5, "time_unit": "us", "bytes_per_second": 1e9},
            {"name": "a", "run_name": "a", "run_type": "iteration", "real_time": 1.6, "time_unit": "us", "items": 3.0},
            {"name": "b", "error_occurred": true, "error_message": "no"}
        ]}),
    )
}

fn nvbenches() -> Vec<Vec<u8>> {
    one(
        &json!({"meta": {"version": {"json": {"major": 1}, "nvbench": {"string": "0.1"}}},
            "devices": [{"id": 0, "name": "card"}], "benchmarks": [{"name": "b", "states": [
            {"name": "s", "device": 0, "is_skipped": true, "skip_reason": "big"},
            {"name": "t", "device": 0, "summaries": [
                {"tag": "nv/cold/time/gpu/mean", "data": [{"name": "value", "value": "1e-3"}]},
                {"tag": "nv/json/bin:nv/cold/sample_times", "data": [{"name": "filename", "value": "t.bin"}]}
            ]}
        ]}]}),
    )
}

fn tables() -> Vec<Vec<u8>> {
    vec![b"name,time_us\nx,12.5\ny,13\n".to_vec()]
}

fn criterions() -> Vec<Vec<u8>> {
    let benchmark = json!({"full_id": "b", "throughput": {"Bytes": 64}}).to_string();
    let sample = json!({"iters": [1.0, 2.0, 3.0], "times": [2.0, 4.0, 6.5]}).to_string();
    vec![format!("{benchmark}\n{sample}").into_bytes()]
}

fn simulations() -> Vec<Vec<u8>> {
    vec![
        b"ada-instant".to_vec(),
        b"fermi-2,period_ms=20,busy_w=300,idle_w=50".to_vec(),
    ]
}

/// The files that an AMD card's driver shows, as `name=content` in lines, the table of metrics last.
fn gpu_metrics() -> Vec<Vec<u8>> {
    let mut table = vec![0_u8; 120];
    table[..4].copy_from_slice(&[120, 0, 1, 3]);
    table[40..48].copy_from_slice(&123_456_789_u64.to_le_bytes());
    let mut file = b"power1_average=150000000\npower1_input=151000000\npower1_cap=300000000\nfreq1_input=2000000000\n\
                     temp1_input=60000\nvendor=0x1002\ndevice=0x744c\n\n"
        .to_vec();
    file.extend(table);
    vec![file]
}

/// A card whose files say anything, looked for and read.
fn sysfs() -> Feed {
    let tree = TempDir::new().unwrap();
    let device = tree.path().join("devices/pci0000:00/0000:03:00.0");
    let hwmon = device.join("hwmon/hwmon0");
    std::fs::create_dir_all(&hwmon).unwrap();
    for class in ["drm", "hwmon"] {
        std::fs::create_dir_all(tree.path().join("class").join(class)).unwrap();
    }
    std::fs::create_dir_all(tree.path().join("devices/cards/card0")).unwrap();
    link(&device, &tree.path().join("devices/cards/card0/device"));
    link(
        &tree.path().join("devices/cards/card0"),
        &tree.path().join("class/drm/card0"),
    );
    link(&hwmon, &tree.path().join("class/hwmon/hwmon0"));
    link(&device, &hwmon.join("device"));
    let places = Places {
        sysfs: tree.path().to_owned(),
        nvml: Some(PathBuf::from("/nowhere/libnvidia-ml.so")),
        ..Places::default()
    };
    Box::new(move |bytes| {
        let _ = &tree;
        std::fs::write(
            device.join("uevent"),
            "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n",
        )
        .unwrap();
        std::fs::write(hwmon.join("name"), "amdgpu\n").unwrap();
        let cut = bytes
            .windows(2)
            .position(|two| two == b"\n\n")
            .unwrap_or(bytes.len());
        for line in bytes[..cut].split(|byte| *byte == b'\n') {
            let mut parts = line.splitn(2, |byte| *byte == b'=');
            let (Some(name), Some(content)) = (parts.next(), parts.next()) else {
                continue;
            };
            let name = String::from_utf8_lossy(name).into_owned();
            // A mutated name must not lead elsewhere.
            if !name.is_empty()
                && name.len() < 64
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            {
                let folder = if name.contains('_') && name != "gpu_metrics" {
                    &hwmon
                } else {
                    &device
                };
                let _ = std::fs::write(folder.join(name), content);
            }
        }
        std::fs::write(
            device.join("gpu_metrics"),
            bytes.get(cut + 2..).unwrap_or_default(),
        )
        .unwrap();
        let (mut sources, _) = Machine::scan(&places).best_of_each();
        let mut read = false;
        for source in &mut sources {
            for second in [0.0, 1.0] {
                read |= source.read(Seconds(second)).is_ok();
            }
            let _ = source.conditions();
        }
        read
    })
}

#[cfg(unix)]
fn link(to: &Path, from: &Path) {
    std::os::unix::fs::symlink(to, from).unwrap();
}

#[cfg(not(unix))]
fn link(_to: &Path, _from: &Path) {}
