//! Real sensors' code on sensors that are not real: a fake NVML, trees like `/sys`, plugs on loopback.
//!
//! Time is handed to a sensor, so what a counter did "within 0.1 s" needs no waiting.

use crate::support::{PROGRAM, perwatt};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::fake_nvml::FakeNvml;
use crate::support::plug_server::{Answer, PlugServer};
use crate::support::sysfs_tree::{Mover, Tree};
use perwatt::power::sensors::{Belonging, Machine, NoSensor, Places};
use perwatt::power::{Fault, PowerSource, Quantity};
use perwatt::record::{Adapter, Boundary, DeviceType, EnergyProvenance, Limits, Reading};
use perwatt::units::Seconds;
use serde_json::Value;

/// Looks for sensors in a tree, with no NVIDIA library.
fn scan(tree: &Tree) -> Machine {
    Machine::scan(&Places {
        sysfs: tree.root().to_owned(),
        nvml: Some(PathBuf::from("/nonexistent/libnvidia-ml.so.1")),
        ..Places::default()
    })
}

/// An adapter as a driver would describe it; an empty address is one that it does not give.
fn adapter(device_type: DeviceType, pci: &str, ids: (u32, u32)) -> Adapter {
    Adapter {
        index: 0,
        group: 0,
        name: "Some GPU".to_owned(),
        backend: "vulkan".to_owned(),
        device_type,
        vendor_id: ids.0,
        device_id: ids.1,
        pci_id: if pci.is_empty() {
            Reading::unmeasured("not given")
        } else {
            Reading::Measured(pci.to_owned())
        },
        driver: String::new(),
        driver_info: String::new(),
        subgroup_sizes: Reading::unmeasured("not given"),
        features: vec![],
        coop_matrix: vec![],
        limits: Limits::default(),
        subgroup_width: None,
        robust_buffer_access: None,
        refused: Vec::new(),
    }
}

const RADEON: (u32, u32) = (0x1002, 0x744c);
const DISCRETE: DeviceType = DeviceType::DiscreteGpu;

/// What must be there, and what must not.
trait Outcome<T> {
    fn fine(self) -> T;
    fn reason(self) -> String;
}

impl<T> Outcome<T> for Result<T, NoSensor> {
    fn fine(self) -> T {
        self.unwrap_or_else(|reason| panic!("{reason}"))
    }

    fn reason(self) -> String {
        match self {
            Ok(_) => panic!("this must be refused"),
            Err(reason) => reason.to_string(),
        }
    }
}

fn joules(source: &mut dyn PowerSource, at: f64) -> f64 {
    match source.read(Seconds(at)).unwrap().value {
        Quantity::Energy(joules) => joules.get(),
        Quantity::Power(watts) => panic!("{watts} is no energy"),
    }
}

fn watts(source: &mut dyn PowerSource, at: f64) -> f64 {
    match source.read(Seconds(at)).unwrap().value {
        Quantity::Power(watts) => watts.get(),
        Quantity::Energy(joules) => panic!("{joules} is no power"),
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6 * b.abs().max(1.0)
}

fn first(belonging: &mut Belonging) -> &mut dyn PowerSource {
    belonging.sources[0].as_mut()
}

fn source(belonging: &Belonging) -> &str {
    &belonging.sources[0].setup().source
}

// ---- whose sensor it is ----

/// Two cards of one model, the first on the bus drawing 100 W, the second 250 W.
fn twins() -> Tree {
    let tree = Tree::new();
    for (number, address, microwatts) in [
        (1, "0000:03:00.0", "100000000"),
        (0, "0000:83:00.0", "250000000"),
    ] {
        let device = tree.gpu(number, address, "amdgpu", ("1002", "744c"));
        tree.put(
            &format!("{device}/hwmon/hwmon{number}/power1_average"),
            microwatts,
        );
    }
    tree
}

#[test]
fn twins_are_told_apart_by_address_and_by_nothing_else() {
    let tree = twins();
    let machine = scan(&tree);
    for (address, power) in [
        ("0000:03:00.0", 100.0),
        ("0000:83:00.0", 250.0),
        ("00000000:83:00.0", 250.0),
    ] {
        let mut found = machine
            .belonging_to(&adapter(DISCRETE, address, RADEON))
            .fine();
        assert!(near(watts(first(&mut found), 0.0), power), "{address}");
    }
    let unknown = machine
        .belonging_to(&adapter(DISCRETE, "", RADEON))
        .reason();
    assert!(
        unknown.contains("0000:03:00.0, 0000:83:00.0") && unknown.contains("--power"),
        "{unknown}"
    );
    let elsewhere = machine
        .belonging_to(&adapter(DISCRETE, "0000:07:00.0", RADEON))
        .reason();
    assert!(
        elsewhere.contains("no sensor sits at 0000:07:00.0"),
        "{elsewhere}"
    );
    // Direct3D gives both twins the address of the first.
    let mut direct3d = adapter(DISCRETE, "0000:03:00.0", RADEON);
    direct3d.backend = "dx12".to_owned();
    assert!(machine.belonging_to(&direct3d).is_err());
}

#[test]
fn without_an_address_the_only_one_of_its_model_is_taken_and_that_is_said() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    tree.put(&format!("{device}/hwmon/hwmon0/power1_input"), "42000000");
    tree.gpu(1, "0000:04:00.0", "nvidia", ("10de", "2684"));
    let machine = scan(&tree);
    let found = machine.belonging_to(&adapter(DISCRETE, "", RADEON)).fine();
    assert_eq!(source(&found), "amdgpu:0000:03:00.0:input");
    let notes = found.sources[0].setup().notes.join(" ");
    assert!(notes.contains("only 1002:744c"), "{notes}");
    let stranger = machine.belonging_to(&adapter(DISCRETE, "", (0x1002, 0x1234)));
    assert!(stranger.is_err());
}

#[test]
fn a_name_means_what_a_user_means_by_it() {
    let tree = twins();
    let machine = scan(&tree);
    for name in [
        "amdgpu:0000:83:00.0:average",
        "amdgpu:83:00.0",
        "amdgpu:0000:83:00.0",
        "amdgpu:83:00.0:average",
    ] {
        let found = machine.named(name, None).fine();
        assert_eq!(source(&found), "amdgpu:0000:83:00.0:average", "{name}");
    }
    assert!(
        machine
            .named("amdgpu", None)
            .reason()
            .contains("several devices")
    );
    let own = adapter(DISCRETE, "0000:83:00.0", RADEON);
    assert_eq!(
        source(&machine.named("amdgpu", Some(&own)).fine()),
        "amdgpu:0000:83:00.0:average"
    );
    let software = adapter(DeviceType::Software, "", (0, 0));
    let notes = machine
        .named("amdgpu:83:00.0", Some(&software))
        .fine()
        .sources[0]
        .setup()
        .notes
        .join(" ");
    assert!(notes.contains("as you set it"), "{notes}");
    let message = machine.named("amdgpu:83:00.0:energy", None).reason();
    assert!(message.contains("amdgpu:0000:83:00.0:average"), "{message}");
    assert!(
        machine
            .named("nvml", None)
            .reason()
            .contains("/nonexistent/libnvidia-ml.so.1")
    );
}

// ---- AMD ----

/// A gpu_metrics table of version 1.3 with this accumulator.
fn metrics(energy: u64) -> Vec<u8> {
    let mut table = vec![0xff; 120];
    table[..4].copy_from_slice(&[120, 0, 1, 3]);
    table[24..32].copy_from_slice(&energy.to_le_bytes());
    table[112..120].copy_from_slice(&(1_u64 << 36).to_le_bytes());
    table
}

#[test]
fn amds_accumulator_counts_through_its_wrap() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let table = format!("{device}/gpu_metrics");
    tree.put(
        &format!("{device}/hwmon/hwmon0/power1_average"),
        "300000000",
    );
    let start: u64 = (1 << 32) - 65536 * 50;
    tree.put(&table, metrics(start));
    let mut found = scan(&tree)
        .belonging_to(&adapter(DISCRETE, "0000:03:00.0", RADEON))
        .fine();
    let names: Vec<&str> = found
        .sources
        .iter()
        .map(|s| s.setup().source.as_str())
        .collect();
    assert_eq!(
        names,
        ["amdgpu:0000:03:00.0:energy", "amdgpu:0000:03:00.0:average"]
    );
    let counter = first(&mut found);
    assert_eq!(counter.setup().provenance, EnergyProvenance::Counter);
    for tick in 0..5_u64 {
        // 30 J every 0.1 s, in a register of 32 bits.
        tree.put(&table, metrics((start + tick * 30 * 65536) % (1 << 32)));
        let at = tick as f64 * 0.1;
        assert!(near(joules(counter, at), tick as f64 * 30.0), "{tick}");
    }
    // Not filled, of an unknown version, cut off, gone: never a number.
    let mut strange = metrics(1);
    strange[3] = 77;
    for (table_now, word) in [
        (metrics(u64::MAX), "does not fill"),
        (strange, "1.77"),
        (vec![120, 0, 1, 3, 0], "5 bytes"),
    ] {
        tree.put(&table, table_now);
        let fault = counter.read(Seconds(0.6)).unwrap_err();
        assert!(
            matches!(fault, Fault::Unusable(_)) && fault.to_string().contains(word),
            "{fault}"
        );
    }
    fs::remove_file(tree.root().join(&table)).unwrap();
    assert!(matches!(counter.read(Seconds(0.7)), Err(Fault::Gone(_))));
}

#[test]
fn a_card_that_says_zero_watts_does_not_know() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let file = tree.put(&format!("{device}/hwmon/hwmon0/power1_average"), "0");
    tree.put(&format!("{device}/gpu_metrics"), metrics(0));
    let machine = scan(&tree);
    let card = adapter(DISCRETE, "0000:03:00.0", RADEON);
    let message = machine.belonging_to(&card).reason();
    assert!(
        message.contains("says 0 W") && message.contains("stands at 0"),
        "{message}"
    );
    fs::write(&file, "nonsense").unwrap();
    let message = machine.belonging_to(&card).reason();
    assert!(message.contains("holds no number"), "{message}");
    // The accumulator is passed over, and the power that works says so.
    fs::write(&file, "55000000\n").unwrap();
    let found = machine.belonging_to(&card).fine();
    assert_eq!(source(&found), "amdgpu:0000:03:00.0:average");
    assert!(
        found.sources[0]
            .setup()
            .notes
            .join(" ")
            .contains("passed over amdgpu:0000:03:00.0:energy")
    );
}

#[test]
fn amds_conditions_are_read_and_a_bit_that_is_always_up_is_no_throttling() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "amdgpu", ("1002", "744c"));
    let hwmon = format!("{device}/hwmon/hwmon0");
    for (file, text) in [
        ("power1_average", "100000000"),
        ("power1_cap", "303000000"),
        ("freq1_input", "2500000000"),
        ("freq1_label", "sclk"),
        ("freq2_input", "1249000000"),
        ("freq2_label", "mclk"),
        ("temp1_input", "55000"),
        ("temp1_label", "edge"),
    ] {
        tree.put(&format!("{hwmon}/{file}"), text);
    }
    tree.put(&format!("{device}/gpu_metrics"), metrics(u64::MAX));
    let mut found = scan(&tree)
        .belonging_to(&adapter(DISCRETE, "0000:03:00.0", RADEON))
        .fine();
    let now = first(&mut found).conditions();
    let measured = |reading: &Reading<f64>| reading.measured().copied();
    assert_eq!(measured(&now.core_clock_mhz), Some(2500.0));
    assert_eq!(measured(&now.memory_clock_mhz), Some(1249.0));
    assert_eq!(measured(&now.temperature_c), Some(55.0));
    assert_eq!(measured(&now.power_limit_w), Some(303.0));
    assert_eq!(now.throttled_by.measured(), Some(&vec![]));
    let mut hot = metrics(u64::MAX);
    hot[112] = 1;
    tree.put(&format!("{device}/gpu_metrics"), hot);
    let now = first(&mut found).conditions();
    assert_eq!(
        now.throttled_by.measured(),
        Some(&vec!["power limit".to_owned()])
    );
}

#[test]
fn an_apus_power_is_the_whole_chips() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:c4:00.0", "amdgpu", ("1002", "15bf"));
    tree.put(&format!("{device}/hwmon/hwmon0/power1_input"), "15000000");
    let mut table = vec![0xff; 128];
    table[..4].copy_from_slice(&[128, 0, 2, 2]);
    tree.put(&format!("{device}/gpu_metrics"), table);
    let apu = adapter(DeviceType::IntegratedGpu, "0000:c4:00.0", (0x1002, 0x15bf));
    let found = scan(&tree).belonging_to(&apu).fine();
    assert_eq!(found.sources.len(), 1);
    assert_eq!(found.sources[0].setup().boundary, Boundary::Soc);
}

// ---- Intel ----

#[test]
fn intels_counters_wrap_reset_and_vanish() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "i915", ("8086", "56a0"));
    let file = format!("{device}/hwmon/hwmon0/energy1_input");
    let range: u64 = 1 << 32;
    tree.put(&file, (range - 1_000_000).to_string());
    let card = adapter(DISCRETE, "0000:03:00.0", (0x8086, 0x56a0));
    let mut found = scan(&tree).belonging_to(&card).fine();
    assert_eq!(source(&found), "i915:0000:03:00.0:package");
    let counter = first(&mut found);
    assert!(near(joules(counter, 0.0), 0.0));
    tree.put(&file, "9000000");
    assert!(near(joules(counter, 0.1), 10.0));
    tree.put(&file, "500000000000");
    // One reading out of line is doubted, and a reset is one when the next goes on from it.
    assert!(matches!(counter.read(Seconds(0.2)), Err(Fault::Doubted(_))));
    tree.put(&file, "100");
    assert!(matches!(counter.read(Seconds(0.3)), Err(Fault::Doubted(_))));
    tree.put(&file, "10000100");
    assert!(matches!(counter.read(Seconds(0.35)), Err(Fault::Reset(_))));
    tree.put(&file, "25000100");
    assert!(near(joules(counter, 0.45), 25.0));
    let frozen = counter.read(Seconds(4.0)).unwrap_err();
    assert!(frozen.to_string().contains("frozen"), "{frozen}");
    fs::remove_file(tree.root().join(&file)).unwrap();
    let gone = counter.read(Seconds(4.1)).unwrap_err();
    assert!(
        matches!(gone, Fault::Gone(_)) && gone.to_string().contains("energy1_input"),
        "{gone}"
    );
}

#[test]
fn xes_card_counter_stands_for_the_board_unless_it_does_not_count() {
    let tree = Tree::new();
    let device = tree.gpu(0, "0000:03:00.0", "xe", ("8086", "e20b"));
    let hwmon = format!("{device}/hwmon/hwmon0");
    tree.put(&format!("{hwmon}/energy1_input"), "123456");
    tree.put(&format!("{hwmon}/energy1_label"), "card\n");
    tree.put(&format!("{hwmon}/energy2_input"), "100000");
    tree.put(&format!("{hwmon}/energy2_label"), "pkg\n");
    tree.put(&format!("{device}/tile0/gt0/freq0/act_freq"), "2850");
    tree.put(&format!("{device}/tile0/gt0/freq0/throttle/status"), "1");
    tree.put(
        &format!("{device}/tile0/gt0/freq0/throttle/reason_pl1"),
        "1",
    );
    tree.put(
        &format!("{device}/tile0/gt0/freq0/throttle/reason_thermal"),
        "0",
    );
    let card = adapter(DISCRETE, "0000:03:00.0", (0x8086, 0xe20b));
    let machine = scan(&tree);
    let mut found = machine.belonging_to(&card).fine();
    assert_eq!(
        (source(&found), found.sources.len()),
        ("xe:0000:03:00.0:card", 1)
    );
    assert_eq!(found.sources[0].setup().boundary, Boundary::Board);
    let now = first(&mut found).conditions();
    assert_eq!(now.core_clock_mhz.measured(), Some(&2850.0));
    assert_eq!(now.throttled_by.measured(), Some(&vec!["pl1".to_owned()]));
    tree.put(&format!("{hwmon}/energy1_input"), "0");
    let found = machine.belonging_to(&card).fine();
    assert_eq!(source(&found), "xe:0000:03:00.0:package");
    assert_eq!(found.sources[0].setup().boundary, Boundary::GpuChip);
    assert!(
        found.sources[0]
            .setup()
            .notes
            .join(" ")
            .contains("stands at 0 J")
    );
}

// ---- the processor ----

/// Two packages, one of them listed twice, with the zones that lie inside and beside them.
fn packages() -> Tree {
    let tree = Tree::new();
    for (folder, name, energy) in [
        ("intel-rapl:0", "package-0", 262_143_000_000_u64),
        ("intel-rapl:0:0", "core", 1),
        ("intel-rapl:0:2", "dram", 1),
        ("intel-rapl:1", "package-1", 5_000_000),
        ("intel-rapl:2", "psys", 7),
        ("intel-rapl-mmio:0", "package-0", 9_000_000),
    ] {
        let zone = format!("class/powercap/{folder}");
        tree.put(&format!("{zone}/name"), format!("{name}\n"));
        tree.put(&format!("{zone}/energy_uj"), format!("{energy}\n"));
        tree.put(&format!("{zone}/max_energy_range_uj"), "262143328850\n");
    }
    tree
}

#[test]
fn packages_are_summed_once_and_through_their_wraps() {
    let tree = packages();
    let software = adapter(DeviceType::Software, "", (0, 0));
    let machine = scan(&tree);
    let mut found = machine.belonging_to(&software).fine();
    assert_eq!(source(&found), "rapl");
    let setup = found.sources[0].setup();
    assert_eq!(setup.boundary, Boundary::CpuPackage);
    assert!(
        setup.notes.join(" ").contains("package-0 and package-1"),
        "{:?}",
        setup.notes
    );
    let counter = first(&mut found);
    assert!(near(joules(counter, 0.0), 0.0));
    // Package 0 goes 20 J over its range, package 1 draws 5 J, the duplicate runs wild.
    tree.put(
        "class/powercap/intel-rapl:0/energy_uj",
        (262_143_000_000_u64 + 20_000_000 - 262_143_328_851).to_string(),
    );
    tree.put("class/powercap/intel-rapl:1/energy_uj", "10000000");
    tree.put("class/powercap/intel-rapl-mmio:0/energy_uj", "999000000");
    assert!(near(joules(counter, 0.2), 25.0));
    assert_eq!(
        source(&machine.named("rapl:package-1", None).fine()),
        "rapl:package-1"
    );
    let integrated = adapter(DeviceType::IntegratedGpu, "", (0x8086, 0x4680));
    let shared = machine.belonging_to(&integrated).fine();
    assert!(
        shared.sources[0]
            .setup()
            .notes
            .join(" ")
            .contains("integrated GPU")
    );
}

#[test]
fn memory_mapped_zones_serve_where_there_are_no_others() {
    let tree = packages();
    for folder in ["intel-rapl:0", "intel-rapl:1"] {
        fs::remove_dir_all(tree.root().join("class/powercap").join(folder)).unwrap();
    }
    let software = adapter(DeviceType::Software, "", (0, 0));
    let mut found = scan(&tree).belonging_to(&software).fine();
    joules(first(&mut found), 0.0);
    tree.put("class/powercap/intel-rapl-mmio:0/energy_uj", "10000000");
    assert!(near(joules(first(&mut found), 0.1), 1.0));
}

/// Runs `perwatt power …` as a user without rights, where the test has them to give away.
fn as_nobody(command: &mut Command) -> &mut Command {
    if fs::metadata("/root").is_ok() && fs::read_dir("/root").is_ok() {
        command.uid(65534).gid(65534);
    }
    command
}

#[test]
fn a_refusal_says_how_it_is_lifted() {
    let tree = packages();
    for folder in ["intel-rapl:0", "intel-rapl:1"] {
        let file = tree
            .root()
            .join("class/powercap")
            .join(folder)
            .join("energy_uj");
        fs::set_permissions(file, fs::Permissions::from_mode(0o400)).unwrap();
    }
    fs::set_permissions(tree.root(), fs::Permissions::from_mode(0o755)).unwrap();
    // The program lies where that user may not look, so it gets a copy.
    let program = tree.root().join("perwatt");
    fs::copy(PROGRAM, &program).unwrap();
    let mut command = Command::new(program);
    command
        .args(["power", "list", "--json", "--look", "0.1", "--sysfs-root"])
        .arg(tree.root());
    let list = json(&as_nobody(&mut command).output().unwrap());
    let rapl = sensor(&list, "rapl");
    let reason = rapl["power_w"]["unmeasured"].as_str().unwrap();
    assert!(
        reason.contains("permission denied") && reason.contains("chmod a+r"),
        "{reason}"
    );
}

// ---- modules ----

#[test]
fn a_jetsons_rails_are_volts_times_amperes_and_its_input_comes_first() {
    let tree = Tree::new();
    for (file, text) in [
        ("name", "ina3221"),
        ("in1_label", "VDD_GPU_SOC"),
        ("in1_input", "5000"),
        ("curr1_input", "1200"),
        ("in2_label", "VDD_CPU_CV"),
        ("in2_input", "5000"),
        ("curr2_input", "0"),
        ("in3_label", "VDD_IN"),
        ("in3_input", "19000"),
        ("curr3_input", "1500"),
        ("in4_label", "Sum of shunt voltages"),
        ("in4_input", "12"),
    ] {
        tree.put(&format!("class/hwmon/hwmon3/{file}"), text);
    }
    let orin = adapter(DeviceType::IntegratedGpu, "", (0x10de, 0));
    let machine = scan(&tree);
    let mut found = machine.belonging_to(&orin).fine();
    assert_eq!(source(&found), "jetson:VDD_IN");
    assert_eq!(found.sources[0].setup().boundary, Boundary::Module);
    assert!(near(watts(first(&mut found), 0.0), 28.5));
    let mut rail = machine.named("jetson:VDD_GPU_SOC", Some(&orin)).fine();
    assert!(near(watts(first(&mut rail), 0.0), 6.0));
    // A rail that is switched off draws nothing, and that is a reading.
    let mut off = machine.named("jetson:VDD_CPU_CV", Some(&orin)).fine();
    assert!(near(watts(first(&mut off), 0.0), 0.0));
}

#[test]
fn graces_meters_are_told_apart_by_what_they_call_themselves() {
    let tree = Tree::new();
    for (number, info, microwatts) in [
        (1, "CPU Power Socket 0", "80000000"),
        (2, "Module Power Socket 0", "400000000"),
    ] {
        let folder = format!("class/hwmon/hwmon{number}");
        tree.put(&format!("{folder}/name"), "power_meter\n");
        tree.put(&format!("{folder}/device/power1_oem_info"), info);
        tree.put(&format!("{folder}/device/power1_average"), microwatts);
        tree.put(&format!("{folder}/device/power1_average_interval"), "50");
    }
    let machine = scan(&tree);
    let software = adapter(DeviceType::Software, "", (0, 0));
    let mut found = machine.belonging_to(&software).fine();
    assert_eq!(source(&found), "acpi:cpu-power-socket-0");
    assert_eq!(found.sources[0].setup().averaging_s.measured(), Some(&0.05));
    assert!(near(watts(first(&mut found), 0.0), 80.0));
    let module = machine.named("acpi:module-power-socket-0", None).fine();
    assert_eq!(module.sources[0].setup().boundary, Boundary::Module);
}

// ---- NVIDIA, through the real binary and its real loading code ----

fn call(arguments: &[&str]) -> Command {
    let mut command = perwatt();
    command.args(arguments);
    command
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `perwatt power list --json` on a fake library and an empty tree.
fn list(fake: &FakeNvml) -> Value {
    let tree = Tree::new();
    let mut command = call(&["power", "list", "--json", "--look", "0.5", "--nvml"]);
    json(
        &command
            .arg(fake.path())
            .arg("--sysfs-root")
            .arg(tree.root())
            .output()
            .unwrap(),
    )
}

/// The listed sensor of this name.
fn sensor<'a>(list: &'a Value, name: &str) -> &'a Value {
    let sensors = list["sensors"].as_array().unwrap();
    let found = sensors
        .iter()
        .find(|sensor| sensor["setup"]["source"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

/// Why a listed sensor has no power.
fn why_not(list: &Value, name: &str) -> String {
    let power = &sensor(list, name)["power_w"];
    let reason = power["unmeasured"].as_str();
    reason
        .unwrap_or_else(|| panic!("{name} says {power}"))
        .to_owned()
}

const SWAPPED: &str = "cards 2
0.bus 00000000:C1:00.0
0.watts 250
1.bus 00000000:01:00.0
1.watts 100
1.throttle 5
";

#[test]
fn nvidias_cards_go_by_address_whatever_the_librarys_order() {
    let fake = FakeNvml::new(SWAPPED);
    let list = list(&fake);
    for (place, power) in [("0000:c1:00.0", 250.0), ("0000:01:00.0", 100.0)] {
        for kind in ["energy", "instant", "usage"] {
            let shown = sensor(&list, &format!("nvml:{place}:{kind}"))["power_w"]
                .as_f64()
                .unwrap();
            assert!((shown / power - 1.0).abs() < 0.1, "{place} {kind}: {shown}");
        }
    }
    let card = sensor(&list, "nvml:0000:01:00.0:energy");
    assert_eq!(card["conditions"]["core_clock_mhz"], 2520.0);
    assert_eq!(
        card["conditions"]["throttled_by"],
        serde_json::json!(["power limit"])
    );
    // And in the process: an adapter's own card.
    let empty = Tree::new();
    let places = Places {
        sysfs: empty.root().to_owned(),
        nvml: Some(fake.path()),
        ..Places::default()
    };
    let machine = Machine::scan(&places);
    let ids = (0x10de, 0x2684);
    let found = machine
        .belonging_to(&adapter(DISCRETE, "0000:c1:00.0", ids))
        .fine();
    assert_eq!(source(&found), "nvml:0000:c1:00.0:energy");
    let twins = machine.belonging_to(&adapter(DISCRETE, "", ids)).reason();
    assert!(twins.contains("0000:01:00.0, 0000:c1:00.0"), "{twins}");
}

#[test]
fn an_old_driver_loses_readings_and_not_the_card() {
    let list = list(&FakeNvml::old(
        "cards 1\n0.bus 00000000:01:00.0\n0.watts 120\n",
    ));
    for kind in ["energy", "instant"] {
        let reason = why_not(&list, &format!("nvml:0000:01:00.0:{kind}"));
        assert!(reason.contains("too old"), "{reason}");
    }
    let usage = sensor(&list, "nvml:0000:01:00.0:usage")["power_w"]
        .as_f64()
        .unwrap();
    assert!((usage - 120.0).abs() < 1.0, "{usage}");
}

#[test]
fn a_frozen_counter_is_seen_and_a_module_is_its_own_boundary() {
    let list = list(&FakeNvml::new(
        "cards 2\n0.bus 00000000:01:00.0\n0.energy frozen\n1.bus 00000009:01:00.0\n1.name NVIDIA GH200 480GB\n1.arch 9\n1.fields module\n1.usage no\n",
    ));
    let reason = why_not(&list, "nvml:0000:01:00.0:energy");
    assert!(reason.contains("frozen"), "{reason}");
    let module = sensor(&list, "nvml:0009:01:00.0:module-instant");
    assert_eq!(module["setup"]["boundary"], "module");
    assert_eq!(
        sensor(&list, "nvml:0009:01:00.0:energy")["setup"]["boundary"],
        "module"
    );
    assert!(why_not(&list, "nvml:0009:01:00.0:instant").contains("does not offer"));
}

#[test]
fn a_slice_of_a_card_has_no_sensor_of_its_own() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.mig 1\n");
    let empty = Tree::new();
    let machine = Machine::scan(&Places {
        sysfs: empty.root().to_owned(),
        nvml: Some(fake.path()),
        ..Places::default()
    });
    let slice = adapter(DISCRETE, "0000:01:00.0", (0x10de, 0x2684));
    let message = machine.belonging_to(&slice).reason();
    assert!(
        message.contains("MIG") && message.contains("--power nvml:0000:01:00.0"),
        "{message}"
    );
    let named = machine.named("nvml:0000:01:00.0", Some(&slice)).fine();
    assert!(named.sources[0].setup().notes.join(" ").contains("MIG"));
}

#[test]
fn a_library_that_does_not_start_says_what_to_do() {
    let absent = |path: &str| {
        let tree = Tree::new();
        let mut command = call(&["power", "list", "--json", "--nvml", path, "--sysfs-root"]);
        let list = json(&command.arg(tree.root()).output().unwrap());
        let lines: Vec<String> = serde_json::from_value(list["absent"].clone()).unwrap();
        lines
            .into_iter()
            .find(|line| line.starts_with("nvml"))
            .unwrap()
    };
    let unloaded = FakeNvml::new("init 9\n");
    assert!(absent(unloaded.path().to_str().unwrap()).contains("driver is not loaded"));
    let none = FakeNvml::new("cards 0\n");
    assert!(absent(none.path().to_str().unwrap()).contains("knows no card"));
    assert!(absent("/nonexistent.so").contains("/nonexistent.so cannot be loaded"));
    assert!(absent("libm.so.6").contains("no NVML"));
}

/// `perwatt power watch` on a fake library: rows of seconds and watts or a reason, and the last words.
fn watch(fake: &FakeNvml, name: &str, length: &str) -> (Vec<(f64, String)>, String) {
    let tree = Tree::new();
    let mut command = call(&[
        "power",
        "watch",
        name,
        "--for",
        length,
        "--interval",
        "0.1",
        "--nvml",
    ]);
    let output = command
        .arg(fake.path())
        .arg("--sysfs-root")
        .arg(tree.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let parts: Vec<&str> = line.split('\t').collect();
        (parts[0].parse().unwrap(), parts[2].to_owned())
    });
    (rows.collect(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_card_that_falls_off_the_bus_is_gone_and_what_was_read_stays() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 200\n0.lost_after 1\n");
    let (rows, words) = watch(&fake, "nvml:01:00.0:instant", "2");
    assert!(rows.iter().any(|(_, power)| power == "200.000"), "{rows:?}");
    let (_, last) = rows.last().unwrap();
    assert!(last.contains("fell off the bus"), "{last}");
    assert!(words.contains("J in all"), "{words}");
}

#[test]
fn a_driver_reload_is_a_reset_and_no_energy() {
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 200\n0.reset_at 1\n");
    let (rows, words) = watch(&fake, "nvml:01:00.0:energy", "2");
    let powers: Vec<f64> = rows
        .iter()
        .filter_map(|(_, power)| power.parse().ok())
        .collect();
    assert!(
        powers.len() > 3 && powers.iter().all(|power| *power < 400.0),
        "{rows:?}"
    );
    assert!(words.contains("J in all"), "{words}");
}

// ---- plugs and commands ----

/// A machine with nothing in it.
fn bare() -> Machine {
    scan(&Tree::new())
}

/// Reads until a reading satisfies, for at most 20 s.
fn until(
    source: &mut dyn PowerSource,
    so: impl Fn(&Result<f64, Fault>) -> bool,
) -> Result<f64, Fault> {
    let start = std::time::Instant::now();
    loop {
        let now = start.elapsed().as_secs_f64();
        let reading = source.read(Seconds(now)).map(|sample| match sample.value {
            Quantity::Power(watts) => watts.get(),
            Quantity::Energy(joules) => joules.get(),
        });
        if so(&reading) || now > 20.0 {
            return reading;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn plugs_of_both_makes_are_read_over_http() {
    let shelly = PlugServer::new(|path, turn| match path {
        "/rpc/Switch.GetStatus?id=2" => Answer::json(&format!(
            r#"{{"id":2,"output":true,"apower":{}}}"#,
            80 + turn
        )),
        _ => Answer::status(404),
    });
    let mut found = bare()
        .named(&format!("shelly:{}/2", shelly.address()), None)
        .fine();
    assert_eq!(found.sources[0].setup().boundary, Boundary::Wall);
    let later = until(first(&mut found), |reading| {
        reading.as_ref().is_ok_and(|watts| *watts > 81.0)
    });
    assert!(later.is_ok_and(|watts| watts > 81.0));
    let meter = PlugServer::new(|path, _| match path {
        "/rpc/PM1.GetStatus?id=0" => Answer::json(r#"{"id":0,"apower":33.5}"#),
        _ => Answer::status(404),
    });
    let mut found = bare()
        .named(&format!("shelly:{}", meter.address()), None)
        .fine();
    assert!(near(watts(first(&mut found), 0.0), 33.5));
    let tasmota = PlugServer::new(|path, _| match path {
        "/cm?cmnd=Status%208" => {
            Answer::json(r#"{"StatusSNS":{"ENERGY":{"Power":54,"Total":3.185}}}"#)
        }
        _ => Answer::status(404),
    });
    let mut found = bare()
        .named(&format!("tasmota:{}", tasmota.address()), None)
        .fine();
    assert!(near(watts(first(&mut found), 0.0), 54.0));
}

#[test]
fn a_plug_that_is_wrong_or_silent_is_named() {
    let refused = |answer: fn() -> Answer| {
        let server = PlugServer::new(move |_, _| answer());
        bare()
            .named(&format!("shelly:{}", server.address()), None)
            .reason()
    };
    for (answer, word) in [
        (
            (|| Answer::json("<html>")) as fn() -> Answer,
            "not how a shelly answers",
        ),
        (
            || Answer::json(r#"{"output":false,"apower":0}"#),
            "switched off",
        ),
        (|| Answer::status(401), "password"),
        (|| Answer::status(404), "does not know"),
        (|| Answer::status(500), "HTTP 500"),
        (
            || Answer::json(r#"{"output":true}"#),
            "does not say its power",
        ),
        (|| Answer::Cut, "the plug at"),
        (|| Answer::Silence, "no answer within 3.00 s"),
    ] {
        let message = refused(answer);
        assert!(message.contains(word), "{word}: {message}");
    }
    let nobody = bare().named("tasmota:127.0.0.1:1", None).reason();
    assert!(nobody.contains("refused"), "{nobody}");
}

#[test]
fn a_plug_that_dies_is_gone_and_one_that_stumbles_recovers() {
    let dying = PlugServer::new(|_, turn| match turn {
        0 | 1 => Answer::json(r#"{"apower":50}"#),
        _ => Answer::Cut,
    });
    let mut found = bare()
        .named(&format!("shelly:{}", dying.address()), None)
        .fine();
    let end = until(first(&mut found), |reading| {
        matches!(reading, Err(Fault::Gone(_)))
    });
    assert!(
        matches!(end, Err(Fault::Gone(ref text)) if text.contains("3 times")),
        "{end:?}"
    );
    let stumbling = PlugServer::new(|_, turn| match turn {
        1 | 2 => Answer::status(503),
        turn => Answer::json(&format!(r#"{{"apower":{}}}"#, 50 + turn)),
    });
    let mut found = bare()
        .named(&format!("shelly:{}", stumbling.address()), None)
        .fine();
    assert!(until(first(&mut found), Result::is_err).is_err());
    assert!(until(first(&mut found), Result::is_ok).is_ok_and(|watts| watts > 52.0));
}

#[test]
fn any_command_can_be_a_meter() {
    let mut ticking = bare()
        .named(
            "command:while :; do echo watts 12.5; sleep 0.05; done",
            None,
        )
        .fine();
    assert!(near(watts(first(&mut ticking), 0.0), 12.5));
    let mut once = bare()
        .named("command:echo '# meter'; echo joules: 7", None)
        .fine();
    assert_eq!(
        once.sources[0].setup().provenance,
        EnergyProvenance::Counter
    );
    assert!(near(joules(first(&mut once), 0.0), 0.0));
    for (line, word) in [
        ("command:echo hello", "`hello`"),
        ("command:echo 'out of order' >&2; exit 3", "out of order"),
        ("command:true", "without a `watts X`"),
        ("command:/nonexistent/meter", "/nonexistent/meter"),
        ("command:", "needs a command line"),
    ] {
        let message = bare().named(line, None).reason();
        assert!(message.contains(word), "{line}: {message}");
    }
    let mut ending = bare()
        .named("command:echo watts 5; sleep 0.2; exit 1", None)
        .fine();
    let end = until(first(&mut ending), Result::is_err);
    assert!(matches!(end, Err(Fault::Gone(_))), "{end:?}");
}

#[test]
fn a_meter_is_read_without_loading_the_library_of_the_gpu() {
    let tree = Tree::new();
    for (sensor, loads) in [("command:echo watts 5; sleep 1", false), ("nvml", true)] {
        let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 120\n");
        let watched = call(&["power", "watch", sensor, "--for", "0.2", "--sysfs-root"])
            .arg(tree.root())
            .arg("--nvml")
            .arg(fake.path())
            .output()
            .unwrap();
        assert!(watched.status.success(), "{watched:?}");
        assert_eq!(fake.was_started(), loads, "{sensor}");
    }
}

/// `perwatt power measure` of a shell's command with simulated sensors, as JSON and with what was told.
fn measured(arguments: &[&str], script: &str) -> (Option<Value>, Output) {
    let output = call(&["power", "measure", "--json", "--idle", "0.1"])
        .args(arguments)
        .args(["--", "sh", "-c", script])
        .output()
        .unwrap();
    (serde_json::from_slice(&output.stdout).ok(), output)
}

#[test]
fn a_window_that_nobody_ends_ends_with_the_command_and_says_so() {
    let script = "echo 'begin done' >> $PERWATT_WINDOWS; sleep 0.3; echo 'end done' >> $PERWATT_WINDOWS; \
                  printf 'begin eval' >> $PERWATT_WINDOWS; echo >> $PERWATT_WINDOWS; sleep 0.5";
    let (json, output) = measured(&["--power", "simulated:ada-instant"], script);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = json.unwrap_or_else(|| panic!("{told}"));
    let windows = json["windows"].as_array().unwrap();
    let of = |name: &str| {
        let found = windows.iter().find(|window| window["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {windows:?}"))
    };
    assert_eq!(of("eval")["left_open"], true);
    assert_eq!(of("done")["left_open"], false);
    assert_eq!(of("whole")["left_open"], false);
    assert_eq!(windows.last().unwrap()["name"], "whole");
    assert!(of("eval")["duration_s"].as_f64().unwrap() > 0.3);
    assert!(told.contains("never wrote `end eval`"), "{told}");
    // Windows this short have no energy, and nobody is told of an option of `run`.
    assert!(!json.to_string().contains("--energy"), "{json}");
}

#[test]
fn a_sensor_that_is_named_twice_is_not_counted_twice() {
    let sensor = "simulated:ada-instant";
    let (_, output) = measured(&["--power", sensor, "--power", sensor], "true");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("named twice"), "{told}");
    let fake = FakeNvml::new("cards 1\n0.bus 00000000:01:00.0\n0.watts 120\n");
    let library = fake.path();
    let library = library.to_str().unwrap();
    let names = ["--power", "nvml", "--power", "nvml:0000:01:00.0", "--nvml"];
    let mut arguments = names.to_vec();
    arguments.push(library);
    let (_, output) = measured(&arguments, "true");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && told.contains("named twice"),
        "{told}"
    );
}

#[test]
fn what_was_measured_is_not_lost_to_the_next_measurement() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("m.json");
    let out = out.to_str().unwrap();
    let marker = folder.path().join("ran");
    let script = format!("echo x >> {}", marker.display());
    let arguments = ["--power", "simulated:ada-instant", "--out", out];
    let (_, first) = measured(&arguments, &script);
    assert!(first.status.success(), "{first:?}");
    let kept = fs::read(out).unwrap();
    let (_, second) = measured(&arguments, &script);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(2), "{told}");
    assert!(told.contains("--force"), "{told}");
    assert_eq!(fs::read(out).unwrap(), kept);
    // It is refused before the command runs.
    assert_eq!(fs::read_to_string(&marker).unwrap(), "x\n");
    let mut forced = arguments.to_vec();
    forced.push("--force");
    let (_, third) = measured(&forced, &script);
    assert!(third.status.success(), "{third:?}");
    assert_ne!(fs::read(out).unwrap(), kept);
}

#[test]
fn a_file_that_cannot_be_made_stops_the_command_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("ran");
    let script = format!("echo x >> {}", marker.display());
    let arguments = ["--power", "simulated:ada-instant", "--out", "/proc/nowhere"];
    let (_, refused) = measured(&arguments, &script);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(
        told.contains("/proc/nowhere") && !told.contains(".perwatt-"),
        "{told}"
    );
    assert!(!marker.exists());
}

#[test]
fn simulated_is_said_once_and_notes_are_sentences() {
    let output = call(&["power", "measure", "--idle", "0.1", "--power"])
        .args(["simulated:ada-instant", "--", "true"])
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(page.matches("SIMULATED").count(), 1, "{page}");
}

#[test]
fn a_power_that_no_card_draws_is_no_reading() {
    let list = list(&FakeNvml::new(
        "cards 1\n0.bus 00000000:01:00.0\n0.watts 4294967\n0.energy no\n",
    ));
    let reason = why_not(&list, "nvml:0000:01:00.0:usage");
    assert!(
        reason.contains("no such device draws more than"),
        "{reason}"
    );
}

// ---- the commands ----

#[test]
fn list_shows_moving_counters_and_says_what_is_not_there() {
    let tree = packages();
    let file = tree.root().join("class/powercap/intel-rapl:0/energy_uj");
    let _mover = Mover::new(file, std::time::Duration::from_millis(5), |t| {
        format!("{}", (t * 60e6) as u64 + 1_000_000).into_bytes()
    });
    let run = |json: bool| {
        let mut command = call(&["power", "list", "--sysfs-root"]);
        command
            .arg(tree.root())
            .args(json.then_some("--json"))
            .env("PERWATT_NVML", "/nonexistent.so");
        command.output().unwrap()
    };
    let list = json(&run(true));
    let package = sensor(&list, "rapl:package-0")["power_w"].as_f64().unwrap();
    assert!((package / 60.0 - 1.0).abs() < 0.1, "{package}");
    assert!(why_not(&list, "rapl:package-1").contains("frozen"));
    let page = String::from_utf8(run(false).stdout).unwrap();
    for word in [
        "rapl\n",
        "CPU package, counter",
        "good to 1 %",
        "/nonexistent.so",
        "Not detected",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    if cfg!(feature = "bench") && page.contains("Adapters") {
        assert!(
            page.contains("(vulkan) rapl") || page.contains("(gl) rapl"),
            "{page}"
        );
    }
}

#[test]
fn watch_ends_in_good_order() {
    let meter = "command:echo watts 40";
    let json = call(&[
        "power",
        "watch",
        meter,
        "--for",
        "0.5",
        "--interval",
        "0.1",
        "--json",
    ])
    .output()
    .unwrap();
    let rows: Vec<Value> = String::from_utf8(json.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        rows.len() > 1 && rows.iter().all(|row| row["power_w"] == 40.0),
        "{rows:?}"
    );
    // A reader that has seen enough, and a Ctrl-C.
    let piped = Command::new("sh")
        .args([
            "-c",
            "\"$0\" power watch 'command:echo watts 40' --interval 0.05 | head -2",
        ])
        .arg(PROGRAM)
        .output()
        .unwrap();
    assert!(
        !String::from_utf8_lossy(&piped.stderr).contains("panicked"),
        "{piped:?}"
    );
    let child = call(&["power", "watch", meter])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let nothing = call(&["power", "watch", "nonsense"]).output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
}
