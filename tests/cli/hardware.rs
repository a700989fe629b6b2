//! A run on devices with other limits and faults than this machine's: lavapipe under a layer that alters it.

use std::path::Path;
use std::process::Command;

use perwatt::record::{ClockMethod, FailureKind, Outcome, Record, Status, Warning, load};

use crate::altered::{CardsThatAreNotThere, put_layer_over};
use crate::support::perwatt;

/// lavapipe's manifest.
pub(super) fn lavapipe() -> Option<&'static str> {
    let manifests = [
        "/usr/share/vulkan/icd.d/lvp_icd.json",
        "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
    ];
    let found = manifests.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        eprintln!("skipped: lavapipe is not installed; run scripts/setup --all");
    }
    found
}

pub(super) fn under_layer(manifest: &str) -> Command {
    let mut command = perwatt();
    put_layer_over(&mut command, Path::new(manifest));
    command
}

/// A short run of some cases; what it says on standard error comes with the record.
fn run(command: Command, invocations: &str, cases: &[&str]) -> (Record, String, Option<i32>) {
    run_with(command, invocations, cases, &[])
}

/// The same with more arguments.
fn run_with(
    mut command: Command,
    invocations: &str,
    cases: &[&str],
    more: &[&str],
) -> (Record, String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run.json");
    command
        .args([
            "run",
            "--device",
            "backend:vulkan",
            "--power",
            "none",
            "--budget",
            // Seconds a case; most take a fraction, but a case that a busy machine cannot fit in is skipped.
            "10",
        ])
        .args(["--invocations", invocations, "--out"])
        .arg(&out);
    for case in cases {
        command.args(["--case", case]);
    }
    command.args(more);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let record = load(&out).unwrap_or_else(|e| panic!("{e}: {said}"));
    (record, said, output.status.code())
}

#[test]
fn a_small_devices_limits_are_kept_to() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    command.env("ALTERED_WITHOUT", "f16").env(
        "ALTERED_LIMITS",
        "maxComputeSharedMemorySize=16384,maxComputeWorkGroupInvocations=256,maxComputeWorkGroupSizeX=256,\
         maxComputeWorkGroupSizeY=256,maxPerStageDescriptorStorageBuffers=8",
    );
    // lavapipe without f16 unpacks none either, so nothing quantised.
    let cases = [
        "matmul/f*/67x43x59",
        "matmul/f*/256x256x256",
        "gemv/f*/131x257",
        "softmax/f32/61x1021",
        "attention-*/f32/1x6x2x*",
    ];
    let (record, said, code) = run(command, "1", &cases);
    assert_eq!(code, Some(0), "{said}");
    let limits = &record.adapter.limits;
    assert_eq!(
        (limits.max_workgroup_bytes, limits.max_workgroup_threads),
        (16384, 256)
    );
    assert!(!record.adapter.has("SHADER_F16"));
    for case in &record.cases {
        match &case.status {
            Status::Measured => {}
            Status::Skipped { reason } => assert!(reason.contains("SHADER_F16"), "{reason}"),
            failed => panic!("{}: {failed:?}", case.id()),
        }
    }
    let measured = |case: &&perwatt::record::CaseResult| case.status == Status::Measured;
    assert!(record.cases.iter().filter(measured).count() > 8, "{said}");
}

#[test]
fn a_device_that_refuses_what_it_offers_is_opened_with_less() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    command.env("ALTERED_REFUSE", "f16");
    let cases = ["gemv/f16/2048x4096", "gemv/f32/131x257"];
    let (record, said, code) = run(command, "1", &cases);
    assert_eq!(code, Some(0), "{said}");
    let refused: Vec<_> = record
        .adapter
        .refused
        .iter()
        .map(|one| &*one.feature)
        .collect();
    assert_eq!(refused, ["SHADER_F16"], "{said}");
    assert!(record.adapter.has("TIMESTAMP_QUERY") && record.adapter.has("SUBGROUP"));
    assert!(said.contains("offers SHADER_F16"), "{said}");
    for case in &record.cases {
        let skipped = matches!(case.status, Status::Skipped { .. });
        assert_eq!(
            skipped,
            case.dtype() == "f16",
            "{}: {:?}",
            case.id(),
            case.status
        );
    }
}

#[test]
fn a_case_that_lost_the_device_is_not_tried_again() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    // After the clock was measured.
    command.env("ALTERED_LOSE_AT", "300");
    let cases = ["gemv/f32/131x257", "softmax/f32/61x1021"];
    let (record, said, code) = run(command, "3", &cases);
    assert_eq!(code, Some(1), "{said}");
    let mut lost = 0;
    for case in &record.cases {
        let mut outcomes = case.invocations.iter().map(|i| &i.outcome);
        let lost_by = |outcome: &Outcome| {
            matches!(
                outcome,
                Outcome::Failed {
                    failure: FailureKind::DeviceLost,
                    ..
                }
            )
        };
        if outcomes.any(lost_by) {
            lost += 1;
            for outcome in outcomes {
                assert!(
                    matches!(outcome, Outcome::Skipped { reason } if reason.contains("not tried again")),
                    "{outcome:?}"
                );
            }
        }
    }
    assert!(lost > 0, "{said}");
}

#[test]
fn what_a_watchdog_would_end_is_done_in_pieces_or_not_at_all() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    // A billion operations take any processor longer.
    command.env("PERWATT_LONGEST_DISPATCH", "0.002");
    let (record, said, _) = run(command, "1", &["peak-fma/f32/65536x8192@*"]);
    for case in &record.cases {
        match &case.invocations[0].outcome {
            Outcome::Measured { warnings, .. } => {
                let pieces = warnings.iter().find_map(|warning| match warning {
                    Warning::InPieces { pieces, .. } => Some(*pieces),
                    _ => None,
                });
                assert!(
                    pieces.is_some_and(|pieces| pieces > 1),
                    "{}: {said}",
                    case.id()
                );
            }
            // Where others use the processor, a part of it may be too long.
            Outcome::Skipped { reason } => {
                assert!(reason.contains("may reset the GPU"), "{reason}");
            }
            failed => panic!("{}: {failed:?}", case.id()),
        }
    }
}

#[test]
fn timestamps_that_are_written_early_deceive_no_watchdog() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    // A billion operations that seem to take nothing, on a driver whose clock is right where it is tried.
    command
        .env("ALTERED_TIMES", "early")
        .env("PERWATT_LONGEST_DISPATCH", "0.004");
    let (record, said, _) = run(command, "1", &["peak-fma/f32/65536x8192@*"]);
    let clock = record.clock.measured().unwrap();
    assert_eq!(clock.method, ClockMethod::TimestampQuery, "{said}");
    let mut measured = 0;
    for case in &record.cases {
        let Outcome::Measured {
            warnings, sampling, ..
        } = &case.invocations[0].outcome
        else {
            continue;
        };
        measured += 1;
        let in_pieces = |warning: &Warning| matches!(warning, Warning::InPieces { .. });
        assert!(warnings.iter().any(in_pieces), "{}: {said}", case.id());
        assert_eq!(sampling.clock, ClockMethod::WallClock, "{said}");
        assert!(sampling.batch < 64, "{}: {}", case.id(), sampling.batch);
    }
    assert!(measured > 0, "{said}");
}

/// What was created by a process, by whether its driver checks accesses to buffers.
fn devices_by_checks(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn only_built_in_kernels_run_without_the_drivers_checks() {
    let Some(manifest) = lavapipe() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(
        file("k.toml"),
        "[[workload]]\ncase = \"own/u32/64\"\n[[workload.buffer]]\nname = \"z\"\nelements = 64\nformula = \"i\"\n\
         [[workload.dispatch]]\nshader = \"s.wgsl\"\nworkgroups = 1\n",
    )
    .unwrap();
    std::fs::write(
        file("s.wgsl"),
        "@group(0) @binding(0) var<storage, read_write> z: array<u32>;\n\
         @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { z[i] = i; }",
    )
    .unwrap();
    let own = file("k.toml");
    let own: [&str; 4] = ["--case", "own/*", "--workloads", own.to_str().unwrap()];
    for (name, more, robust) in [
        ("built-in", &[][..], false),
        ("checked", &["--checked"][..], true),
        ("own", &own[..], true),
    ] {
        let created = file(name);
        let mut command = under_layer(manifest);
        command.env("ALTERED_ROBUST", &created);
        let (record, said, code) = run_with(command, "1", &["gemv/f32/131x257"], more);
        assert_eq!(code, Some(0), "{name}: {said}");
        for case in &record.cases {
            assert_eq!(case.status, Status::Measured, "{name}: {}", case.id());
        }
        let stated = record.adapter.robust_buffer_access.as_ref();
        assert_eq!(stated.and_then(|on| on.measured()), Some(&robust), "{name}");
        let created = devices_by_checks(&created);
        // The last one is the worker's; a survey opens adapters before it.
        let word = if robust { "on" } else { "off" };
        assert_eq!(
            created.last().map(String::as_str),
            Some(word),
            "{name}: {created:?}"
        );
    }
}

#[test]
fn a_device_on_bus_0_of_its_own_domain_keeps_its_address() {
    let Some(manifest) = lavapipe() else { return };
    // As virtual machines show GPUs, and as drivers write that know of no address.
    for (place, expected) in [
        ("1:0:0.0", Some("0001:00:00.0")),
        ("0:0:2.0", Some("0000:00:02.0")),
        ("0:0:0.0", None),
    ] {
        let mut command = under_layer(manifest);
        command
            .env("ALTERED_PCI", place)
            .args(["devices", "--json"]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let devices: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
        let adapters = devices.as_array().expect("a list");
        let vulkan = adapters.iter().find(|one| one["backend"] == "vulkan");
        let address = &vulkan.expect("a Vulkan adapter")["pci_id"];
        assert_eq!(address.as_str(), expected, "{place}: {address}");
    }
}

#[test]
fn a_case_that_other_programs_leave_no_memory_for_is_skipped_with_the_reason() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    command.env("ALTERED_FREE", "50000000");
    let (record, said, _) = run(
        command,
        "1",
        &["copy/f32/8388608@vec4", "gemv/f32/2048x4096"],
    );
    let mut skipped = 0;
    for case in &record.cases {
        match (&case.status, &case.invocations[0].outcome) {
            (Status::Skipped { reason }, _) => {
                skipped += 1;
                assert!(case.case.starts_with("copy"), "{}: {reason}", case.id());
                assert!(
                    reason.contains(
                        "needs 67.1 MB of the device's memory, and other programs leave 50.0 MB"
                    ),
                    "{reason}"
                );
            }
            (Status::Measured, Outcome::Measured { sampling, .. }) => {
                let footprint = sampling.footprint.as_ref().unwrap();
                assert!(
                    footprint.bytes <= 50_000_000,
                    "{}: {footprint:?}",
                    case.id()
                );
            }
            (failed, _) => panic!("{}: {failed:?}: {said}", case.id()),
        }
    }
    assert_eq!(skipped, 1, "{said}");
}

#[test]
fn timestamps_of_another_pace_are_no_clock() {
    let Some(manifest) = lavapipe() else { return };
    let mut command = under_layer(manifest);
    // Ticks of 50 ns, by a driver that says they are of one: every time would be a fiftieth of what it is.
    command.env("ALTERED_LIMITS", "timestampPeriod=0.02");
    let (record, said, code) = run(command, "1", &["copy/f32/8388608@vec4"]);
    assert_eq!(code, Some(0), "{said}");
    let clock = record.clock.measured().unwrap();
    assert!(
        clock.tick_ns.reason().unwrap().contains("another pace"),
        "{clock:?}"
    );
    let Outcome::Measured { sampling, .. } = &record.cases[0].invocations[0].outcome else {
        panic!("{said}");
    };
    assert_eq!(sampling.clock, ClockMethod::WallClock);
    assert_eq!(sampling.samples_ns, sampling.wall_samples_ns);
}

#[test]
fn every_device_is_measured_in_turn() {
    let Some(manifest) = lavapipe() else { return };
    let folder = tempfile::tempdir().unwrap();
    let run = |out: &Path| {
        let mut command = perwatt();
        command
            .env("VK_DRIVER_FILES", manifest)
            .env("VK_ICD_FILENAMES", manifest)
            .args([
                "run",
                "--device",
                "all",
                "--power",
                "none",
                "--budget",
                "1",
                "--invocations",
                "1",
            ])
            .args(["--case", "gemv/f32/131x257", "--out"])
            .arg(out);
        command.output().unwrap()
    };
    let output = run(folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Device 1 of"), "{said}");
    let records = std::fs::read_dir(folder.path()).unwrap().flatten();
    let records: Vec<Record> = records.map(|entry| load(entry.path()).unwrap()).collect();
    let device = |line: &&str| {
        let number = line
            .strip_prefix("Device ")
            .and_then(|rest| rest.chars().next());
        number.is_some_and(|first| first.is_ascii_digit())
    };
    assert_eq!(records.len(), said.lines().filter(device).count(), "{said}");
    let refused = run(&folder.path().join("one.json"));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// AMD's own driver on a card that is not there says of every batch that it is done, at once. Nothing may come of it.
#[test]
fn a_device_that_runs_nothing_has_no_figure() {
    let cards = match CardsThatAreNotThere::look() {
        Ok(cards) => cards,
        Err(why) => {
            assert!(std::env::var_os("PERWATT_TEST_ALL").is_none(), "{why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    let mut command = perwatt();
    cards.show(&mut command, "navi31");
    let (record, said, code) = run(
        command,
        "1",
        &["copy/f32/8388608", "matmul/f16/256x256x256"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(record.adapter.has("SHADER_F16"), "{said}");
    assert!(!record.adapter.coop_matrix.is_empty(), "{said}");
    assert!(record.cases.len() > 4, "{said}");
    for case in &record.cases {
        let Status::Failed { reason, .. } = &case.status else {
            panic!("{}: {:?}", case.id(), case.status);
        };
        assert!(reason.contains("did not run it"), "{reason}");
    }
}
