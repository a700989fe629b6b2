//! A broken Vulkan driver beside a good one costs its own adapters and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use perwatt::record::{Status, load};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::altered::compile;
use crate::support::fake_nvml::FakeNvml;
use crate::support::{has_device, perwatt};

/// The manifest of a driver that is broken as its environment says.
fn manifest() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = compile("cli/support/broken_vulkan_library.rs", "new");
        let manifest = library.with_extension("json");
        let text = serde_json::json!({
            "file_format_version": "1.0.0",
            "ICD": { "library_path": library, "api_version": "1.3.0" },
        });
        std::fs::write(&manifest, text.to_string()).unwrap();
        manifest
    })
}

/// A call beside that driver.
fn beside(how: &str) -> Command {
    let mut command = perwatt();
    command
        .env("VK_ADD_DRIVER_FILES", manifest())
        .env("PERWATT_DRIVER_TIMEOUT", "5")
        .env("BROKEN", how);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Names of the adapters of `perwatt devices`.
fn names(mut command: Command) -> (Vec<Value>, String) {
    let output = command.args(["devices", "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = listed.as_array().unwrap().iter().map(|a| a["name"].clone());
    (names.collect(), said(&output))
}

#[test]
fn a_broken_driver_is_named_and_the_others_are_there() {
    if !has_device() {
        return;
    }
    let (whole, _) = names(perwatt());
    for (how, says) in [
        ("create-crash", "signal: 11"),
        ("list-crash", "signal: 11"),
        ("exit", "exit status: 0"),
        ("list-hang", "within 5 s"),
    ] {
        let (left, said) = names(beside(how));
        assert_eq!(left, whole, "{how}: {said}");
        let file = manifest().file_name().unwrap().to_string_lossy();
        let cure = format!("VK_LOADER_DRIVERS_DISABLE={file}");
        assert!(said.contains(says) && said.contains(&cure), "{how}: {said}");
    }
    let (left, said) = names(beside("print"));
    assert_eq!((left, said), (whole, String::new()));
}

#[test]
fn a_run_goes_on_without_a_driver_that_crashes_and_beside_one_that_talks() {
    if !has_device() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for how in ["list-crash", "print"] {
        let out = folder.path().join(format!("{how}.json"));
        let output = beside(how)
            .args(["run", "--case", "gemv/f32/131x257", "--invocations", "2"])
            .args(["--budget", "1", "--power", "none", "--out"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let record = load(&out).unwrap();
        for case in &record.cases {
            assert_eq!(case.status, Status::Measured, "{how}: {}", case.id());
            assert_eq!(case.invocations.len(), 2);
        }
        assert!(!said(&output).contains("failed"), "{output:?}");
    }
}

#[test]
fn ctrl_c_ends_a_command_that_waits_for_a_driver() {
    for arguments in [&["devices"][..], &["run", "--power", "none"], &["inspect"]] {
        let mut child = beside("list-hang")
            .env("PERWATT_DRIVER_TIMEOUT", "1000")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Its signals are caught once it has a child.
        let tasks = format!("/proc/{}/task", child.id());
        let has_child = || {
            std::fs::read_dir(&tasks).is_ok_and(|tasks| {
                tasks.flatten().any(|task| {
                    std::fs::read_to_string(task.path().join("children"))
                        .is_ok_and(|text| !text.is_empty())
                })
            })
        };
        while !has_child() {
            assert!(child.try_wait().unwrap().is_none(), "{arguments:?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{arguments:?}: {output:?}");
    }
}

#[test]
fn nvidias_library_that_hangs_is_left_out_and_named() {
    let nvml = FakeNvml::new("hang 1");
    for arguments in [&["devices"][..], &["power", "list", "--look", "0.1"]] {
        let output = perwatt()
            .args(arguments)
            .env("PERWATT_NVML", nvml.path())
            .env("PERWATT_DRIVER_TIMEOUT", "2")
            .output()
            .unwrap();
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("nvml") && said.contains("within 2 s"),
            "{said}"
        );
    }
}

#[test]
fn a_gpu_that_no_driver_shows_is_named_with_the_cure() {
    if !has_device() {
        return;
    }
    let tree = crate::support::sysfs_tree::Tree::new();
    tree.put("bus/pci/devices/0000:01:00.0/class", "0x030200\n");
    tree.put("bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
    let run = |device: &[&str]| {
        let output = perwatt()
            .env("PERWATT_SYSFS_ROOT", tree.root())
            .args(["run", "--case", "no-such-case/*"])
            .args(device)
            .output()
            .unwrap();
        (output.status.code(), said(&output))
    };
    let (_, text) = run(&[]);
    assert!(
        text.contains("NVIDIA (0000:01:00.0)") && text.contains("NVIDIA_DRIVER_CAPABILITIES"),
        "{text}"
    );
    let (_, text) = run(&["--device", "software"]);
    assert!(!text.contains("NVIDIA"), "{text}");
    let (code, text) = run(&["--device", "hardware"]);
    assert_eq!(code, Some(2), "{text}");
}
