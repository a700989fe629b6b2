//! Which adapter is meant: numbering, grouping and selection, on descriptions alone so that it can be
//! tested with adapters that this machine lacks.

use super::same_gpu::{groups, lend_addresses, pci_of_gpu};
use crate::error::{Error, Result};
use crate::record::{Adapter, DeviceType};

/// Gives each adapter its index and its group, and an address where another backend knows it.
pub(super) fn number(adapters: &mut [&mut Adapter]) {
    lend_addresses(adapters);
    let described: Vec<&Adapter> = adapters.iter().map(|adapter| &**adapter).collect();
    let groups = groups(&described);
    for (index, (adapter, group)) in adapters.iter_mut().zip(groups).enumerate() {
        adapter.index = u32::try_from(index).unwrap_or(u32::MAX);
        adapter.group = u32::try_from(group).unwrap_or(u32::MAX);
    }
}

/// The one adapter that `selection` means; with none, the best hardware adapter, or the only software
/// one where there is no hardware.
///
/// A selection is an index, a part of the name, a PCI address or `backend:NAME`; several, separated by
/// commas, must all fit. `hardware` demands a GPU, `software` takes the processor.
///
/// # Errors
/// Nothing fits, or more than one GPU does; the message lists what there is.
pub fn choose<'a>(adapters: &[&'a Adapter], selection: Option<&str>) -> Result<&'a Adapter> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter(no_adapter_help()));
    }
    match selection {
        None => choose_default(adapters, "no --device given"),
        Some("hardware") => choose_hardware(adapters),
        Some("software") => choose_software(adapters),
        Some("all") => Err(Error::usage(
            "--device all",
            "one device is needed here; `perwatt run` takes each in turn",
        )),
        Some(selection) => choose_by(adapters, selection),
    }
}

/// Every GPU once, through its own driver and its best backend; the software drivers where there is none.
///
/// # Errors
/// There is no adapter.
pub fn each_gpu<'a>(adapters: &[&'a Adapter]) -> Result<Vec<&'a Adapter>> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter(no_adapter_help()));
    }
    let only_software = adapters.iter().all(|adapter| adapter.is_software());
    let groups = groups(adapters);
    let mut each: Vec<usize> = groups.clone();
    each.sort_unstable();
    each.dedup();
    let best = |group: usize| {
        let of_group = adapters
            .iter()
            .zip(&groups)
            .filter(|(_, other)| **other == group);
        of_group
            .map(|(adapter, _)| *adapter)
            .filter(|adapter| only_software || !adapter.is_software())
            .min_by_key(|adapter| (adapter.is_layered(), backend_rank(&adapter.backend)))
    };
    Ok(each.into_iter().filter_map(best).collect())
}

/// The adapter to use when none was named.
fn choose_default<'a>(adapters: &[&'a Adapter], what: &str) -> Result<&'a Adapter> {
    if adapters.iter().all(|adapter| adapter.is_software()) {
        // Software drivers are alike in kind; the first in the enumeration's order is the fullest.
        return Ok(adapters[0]);
    }
    let groups = groups(adapters);
    let rank = |group: usize| {
        let members = adapters.iter().zip(&groups);
        let of_group = members.filter(|(_, other)| **other == group);
        of_group.map(|(adapter, _)| default_rank(adapter)).min()
    };
    let best = groups.iter().filter_map(|group| rank(*group)).min();
    let fitting: Vec<&Adapter> = adapters
        .iter()
        .zip(&groups)
        .filter(|(_, group)| rank(**group) == best)
        .map(|(adapter, _)| *adapter)
        .collect();
    one_gpu(&fitting, adapters, what)
}

/// How far from being what most people mean by their GPU an adapter is.
fn default_rank(adapter: &Adapter) -> (bool, bool, u8) {
    let kind = match adapter.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Software | DeviceType::Other => 3,
    };
    (adapter.is_software(), adapter.is_layered(), kind)
}

/// What to tell somebody who named no device and has several GPUs: which one it is, and how to take another.
pub fn passed_over(adapters: &[&Adapter], chosen: &Adapter) -> Option<String> {
    let groups = groups(adapters);
    let own = adapters
        .iter()
        .position(|adapter| adapter.index == chosen.index)
        .map(|at| groups[at]);
    let mut seen = Vec::new();
    let mut others = Vec::new();
    for (adapter, group) in adapters.iter().zip(groups) {
        if Some(group) != own && !adapter.is_software() && !seen.contains(&group) {
            seen.push(group);
            others.push(format!("{} (--device {})", adapter.name, adapter.index));
        }
    }
    (!others.is_empty() && !chosen.is_software())
        .then(|| format!("Using {}, not {}.", chosen.label(), others.join(" or ")))
}

/// The adapter to use where only hardware will do.
fn choose_hardware<'a>(adapters: &[&'a Adapter]) -> Result<&'a Adapter> {
    let hardware: Vec<&Adapter> = adapters
        .iter()
        .copied()
        .filter(|adapter| !adapter.is_software())
        .collect();
    if hardware.is_empty() {
        return Err(Error::usage(
            "--device hardware",
            format!(
                "only software drivers were found; {}install your GPU's Vulkan driver\n{}",
                known_gaps(),
                list(adapters)
            ),
        ));
    }
    choose_default(&hardware, "--device hardware")
}

/// The first software driver.
fn choose_software<'a>(adapters: &[&'a Adapter]) -> Result<&'a Adapter> {
    let mut software = adapters.iter().copied();
    software
        .find(|adapter| adapter.is_software())
        .ok_or_else(|| {
            Error::usage(
                "--device software",
                format!(
                    "no software driver was found; there are\n{}",
                    list(adapters)
                ),
            )
        })
}

/// The adapter that a selection means.
fn choose_by<'a>(adapters: &[&'a Adapter], selection: &str) -> Result<&'a Adapter> {
    let parts: Vec<&str> = selection
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        return Err(Error::usage(
            "--device",
            "an empty selection; give an index, a name, a PCI id or backend:NAME",
        ));
    }
    let fitting: Vec<&Adapter> = adapters
        .iter()
        .copied()
        .filter(|adapter| parts.iter().all(|part| fits(adapter, part, adapters)))
        .collect();
    if fitting.is_empty() {
        return Err(Error::usage(
            format!("--device {selection}"),
            format!(
                "no adapter fits; {}there are\n{}",
                backend_hint(selection, adapters),
                list(adapters)
            ),
        ));
    }
    one_gpu(&fitting, adapters, &format!("--device {selection}"))
}

/// How to ask for a backend, where that seems to be meant.
fn backend_hint(selection: &str, adapters: &[&Adapter]) -> String {
    let named = |adapter: &&&Adapter| adapter.backend.eq_ignore_ascii_case(selection);
    adapters
        .iter()
        .find(named)
        .map_or(String::new(), |adapter| {
            format!("for a backend, write backend:{}; ", adapter.backend)
        })
}

/// Digits of a number that names a model, as in `4090`; a shorter one is an index and nothing else.
const DIGITS_OF_A_MODEL: usize = 3;

/// Whether one part of a selection fits an adapter. A number is an index; a long one of which there are not so
/// many adapters is a part of a model's name, without what stands in brackets behind it.
fn fits(adapter: &Adapter, part: &str, adapters: &[&Adapter]) -> bool {
    let count = adapters.len();
    if let Some(backend) = part.strip_prefix("backend:") {
        return adapter.backend.eq_ignore_ascii_case(backend);
    }
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        return match part.parse::<usize>() {
            Ok(index) if index < count => adapter.index as usize == index,
            _ => part.len() >= DIGITS_OF_A_MODEL && adapter.model().contains(part),
        };
    }
    let part = part.to_lowercase();
    let at_address = |id: &str| {
        // `01:00.0` is how most tools print an address in the first domain.
        let id = id.to_lowercase();
        id == part || id.strip_prefix("0000:") == Some(&part)
    };
    pci_of_gpu(adapter, adapters).is_some_and(at_address)
        || adapter.name.to_lowercase().contains(&part)
}

/// The single GPU among `fitting`, through its own driver and its best backend.
fn one_gpu<'a>(
    fitting: &[&'a Adapter],
    adapters: &[&'a Adapter],
    what: &str,
) -> Result<&'a Adapter> {
    let groups = groups(adapters);
    let group_of = |adapter: &Adapter| {
        let same = |other: &&Adapter| std::ptr::eq(*other, adapter);
        adapters.iter().position(same).map(|at| groups[at])
    };
    if fitting
        .iter()
        .all(|adapter| group_of(adapter) == group_of(fitting[0]))
    {
        let best = |adapter: &&&Adapter| (adapter.is_layered(), backend_rank(&adapter.backend));
        return Ok(fitting
            .iter()
            .min_by_key(best)
            .map_or(fitting[0], |best| *best));
    }
    Err(Error::usage(
        what,
        format!(
            "more than one GPU fits; choose one by its index with --device\n{}",
            list(fitting)
        ),
    ))
}

/// The backend that shows most of a GPU first.
pub(super) fn backend_rank(backend: &str) -> u8 {
    match backend {
        "vulkan" | "metal" => 0,
        "dx12" => 1,
        _ => 2,
    }
}

/// Adapters, one per line.
fn list(adapters: &[&Adapter]) -> String {
    let lines: Vec<String> = adapters
        .iter()
        .map(|a| {
            let pci = a.pci_id.measured().map_or("no PCI id", String::as_str);
            format!("  {}  {}  {}  {pci}", a.index, a.label(), a.driver_info)
        })
        .collect();
    lines.join("\n")
}

/// What to install where no adapter was found.
pub fn no_adapter_help() -> String {
    let install = if cfg!(target_os = "linux") {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        let like = |names: &[&str]| {
            release
                .lines()
                .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="))
                .any(|line| names.iter().any(|name| line.contains(name)))
        };
        if like(&["debian", "ubuntu"]) {
            "install your GPU's Vulkan driver, or a software one: run scripts/setup, \
             or `apt-get install mesa-vulkan-drivers`"
        } else if like(&["fedora", "rhel", "suse"]) {
            "install your GPU's Vulkan driver, or a software one: `dnf install mesa-vulkan-drivers`"
        } else if like(&["arch"]) {
            "install your GPU's Vulkan driver, or a software one: `pacman -S vulkan-swrast`"
        } else {
            "install your GPU's Vulkan driver, or Mesa's software driver (lavapipe)"
        }
    } else if cfg!(target_os = "macos") {
        "Metal comes with macOS; a virtual machine needs a paravirtualised GPU"
    } else {
        "install your GPU's driver; Windows' own software adapter needs Direct3D 12"
    };
    format!("no adapter found by any backend; {}{install}", known_gaps())
}

/// What is known to keep Vulkan from drivers that may be there, to begin a sentence with.
#[cfg(feature = "power")]
fn known_gaps() -> String {
    let gaps = super::vulkan_gaps().into_iter();
    gaps.map(|gap| format!("{gap}; ")).collect()
}

/// The same of a build that looks for no drivers.
#[cfg(not(feature = "power"))]
const fn known_gaps() -> &'static str {
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Limits, Reading};

    fn adapter(
        name: &str,
        backend: &str,
        device_type: DeviceType,
        pci: &str,
        ids: (u32, u32),
    ) -> Adapter {
        Adapter {
            index: 0,
            group: 0,
            name: name.to_owned(),
            backend: backend.to_owned(),
            device_type,
            vendor_id: ids.0,
            device_id: ids.1,
            pci_id: if pci.is_empty() {
                Reading::unmeasured("none")
            } else {
                Reading::Measured(pci.to_owned())
            },
            driver: String::new(),
            driver_info: String::new(),
            subgroup_sizes: Reading::unmeasured("none"),
            features: vec![],
            coop_matrix: vec![],
            limits: Limits::default(),
            subgroup_width: None,
            robust_buffer_access: None,
            refused: vec![],
        }
    }

    fn numbered(mut adapters: Vec<Adapter>) -> Vec<Adapter> {
        number(&mut adapters.iter_mut().collect::<Vec<_>>());
        adapters
    }

    const CARD: (u32, u32) = (0x10de, 0x2684);

    fn workstation() -> Vec<Adapter> {
        use DeviceType::{DiscreteGpu, Software};
        numbered(vec![
            adapter(
                "NVIDIA GeForce RTX 4090",
                "vulkan",
                DiscreteGpu,
                "0000:01:00.0",
                CARD,
            ),
            adapter(
                "NVIDIA GeForce RTX 4090",
                "vulkan",
                DiscreteGpu,
                "0000:41:00.0",
                CARD,
            ),
            adapter(
                "NVIDIA GeForce RTX 4090/PCIe/SSE2",
                "gl",
                DiscreteGpu,
                "",
                CARD,
            ),
            adapter(
                "llvmpipe (LLVM 15.0.6, 256 bits)",
                "vulkan",
                Software,
                "",
                (0x10005, 0),
            ),
            adapter(
                "llvmpipe (LLVM 15.0.6, 256 bits)",
                "gl",
                Software,
                "",
                (0, 0),
            ),
        ])
    }

    fn index(adapters: &[Adapter], selection: Option<&str>) -> Result<u32> {
        choose(&adapters.iter().collect::<Vec<_>>(), selection).map(|a| a.index)
    }

    #[test]
    fn one_gpu_behind_two_backends_is_one_group_and_twins_are_two() {
        let groups: Vec<u32> = workstation().iter().map(|a| a.group).collect();
        assert_eq!(groups, [0, 1, 0, 2, 2]);
    }

    #[test]
    fn an_address_is_lent_to_the_backend_that_states_none_where_there_is_one_such_gpu() {
        let mut adapters = workstation();
        let gl = |adapters: &[Adapter]| adapters[2].pci_id.measured().cloned();
        assert_eq!(gl(&adapters), None, "two cards");
        adapters[1].name = "NVIDIA GeForce RTX 3060".to_owned();
        let adapters = numbered(adapters);
        assert_eq!(gl(&adapters), Some("0000:01:00.0".to_owned()));
        assert_eq!(adapters[3].pci_id.measured(), None);
        assert_eq!(adapters[0].group, adapters[2].group);
    }

    #[test]
    fn trade_marks_do_not_split_a_gpu_and_do_not_join_two() {
        use DeviceType::{DiscreteGpu, IntegratedGpu};
        let groups: Vec<u32> = numbered(vec![
            adapter(
                "Intel(R) Arc(TM) A770 Graphics (DG2)",
                "vulkan",
                DiscreteGpu,
                "",
                (0x8086, 1),
            ),
            adapter(
                "Intel(R) UHD Graphics 770 (ADL-S GT1)",
                "vulkan",
                IntegratedGpu,
                "",
                (0x8086, 2),
            ),
            adapter(
                "Mesa Intel(R) UHD Graphics 770 (ADL-S GT1)",
                "gl",
                IntegratedGpu,
                "",
                (0x8086, 0),
            ),
        ])
        .iter()
        .map(|a| a.group)
        .collect();
        assert_eq!(groups, [0, 1, 1]);
    }

    #[test]
    fn twins_must_be_told_apart() {
        let adapters = workstation();
        for ambiguous in [None, Some("4090"), Some("nvidia")] {
            let message = index(&adapters, ambiguous).unwrap_err().to_string();
            assert!(
                message.contains("0000:01:00.0") && message.contains("0000:41:00.0"),
                "{message}"
            );
        }
        assert_eq!(index(&adapters, Some("41:00.0")).unwrap(), 1);
        assert_eq!(index(&adapters, Some("0000:01:00.0")).unwrap(), 0);
        assert_eq!(index(&adapters, Some("1")).unwrap(), 1);
        assert_eq!(index(&adapters, Some("4090,backend:gl")).unwrap(), 2);
    }

    #[test]
    fn a_number_is_an_index_and_no_part_of_a_name() {
        let adapters = workstation();
        for none in ["5", "9", "15", "09", "256", "512"] {
            let message = index(&adapters, Some(none)).unwrap_err().to_string();
            assert!(message.contains("no adapter fits"), "{none}: {message}");
        }
        assert_eq!(index(&adapters, Some("4")).unwrap(), 4);
        let message = index(&adapters, Some("4090")).unwrap_err().to_string();
        assert!(message.contains("more than one GPU fits"), "{message}");
    }

    #[test]
    fn software_is_never_chosen_over_hardware() {
        let mut adapters = workstation();
        adapters.remove(1);
        adapters.reverse();
        let adapters = numbered(adapters);
        let chosen = choose(&adapters.iter().collect::<Vec<_>>(), None).unwrap();
        assert!(!chosen.is_software());
        let chosen = choose(&adapters.iter().collect::<Vec<_>>(), Some("llvmpipe")).unwrap();
        assert!(chosen.is_software());
    }

    /// Name, backend, kind, PCI address, and vendor and device id.
    type Reported<'a> = (&'a str, &'a str, DeviceType, &'a str, (u32, u32));

    /// A machine's adapters as public reports show them, in the order of the enumeration.
    fn reported(adapters: &[Reported<'_>]) -> Vec<Adapter> {
        let adapters = adapters.iter();
        numbered(
            adapters
                .map(|(name, backend, kind, pci, ids)| adapter(name, backend, *kind, pci, *ids))
                .collect(),
        )
    }

    #[test]
    fn one_card_behind_layers_and_beside_an_integrated_gpu_is_the_default() {
        use DeviceType::{DiscreteGpu, IntegratedGpu, Other, Software};
        let radeon = (0x1002, 0x73bf);
        for (machine, adapters, selection, chosen) in [
            (
                "a desktop with an integrated GPU",
                reported(&[
                    (
                        "AMD Ryzen 9 7950X 16-Core Processor (RADV RAPHAEL_MENDOCINO)",
                        "vulkan",
                        IntegratedGpu,
                        "0000:0d:00.0",
                        (0x1002, 0x164e),
                    ),
                    (
                        "NVIDIA GeForce RTX 4090",
                        "vulkan",
                        DiscreteGpu,
                        "0000:01:00.0",
                        CARD,
                    ),
                    (
                        "NVIDIA GeForce RTX 4090/PCIe/SSE2",
                        "gl",
                        Other,
                        "",
                        (0x10de, 0),
                    ),
                ]),
                None,
                1,
            ),
            (
                "Windows with the compatibility pack (llama.cpp 9516)",
                reported(&[
                    (
                        "Microsoft Direct3D12 (AMD Radeon RX 6800 XT)",
                        "vulkan",
                        DiscreteGpu,
                        "",
                        radeon,
                    ),
                    (
                        "AMD Radeon RX 6800 XT",
                        "vulkan",
                        DiscreteGpu,
                        "0000:03:00.0",
                        radeon,
                    ),
                    (
                        "AMD Radeon RX 6800 XT",
                        "dx12",
                        DiscreteGpu,
                        "0000:03:00.0",
                        radeon,
                    ),
                    ("AMD Radeon RX 6800 XT", "gl", Other, "", (0x1002, 0)),
                    (
                        "Microsoft Direct3D12 (Microsoft Basic Render Driver)",
                        "vulkan",
                        Software,
                        "",
                        (0x1414, 0x8c),
                    ),
                ]),
                Some("6800"),
                1,
            ),
            (
                "WSL2 (wslg 1340)",
                reported(&[
                    (
                        "Microsoft Direct3D12 (NVIDIA GeForce RTX 3070 Ti)",
                        "vulkan",
                        DiscreteGpu,
                        "",
                        (0x10de, 0x2482),
                    ),
                    (
                        "Microsoft Direct3D12 (NVIDIA GeForce RTX 3070 Ti)",
                        "vulkan",
                        DiscreteGpu,
                        "",
                        (0x10de, 0x2482),
                    ),
                    (
                        "D3D12 (NVIDIA GeForce RTX 3070 Ti)",
                        "gl",
                        Other,
                        "",
                        (0, 0),
                    ),
                    (
                        "llvmpipe (LLVM 19, 256 bits)",
                        "vulkan",
                        Software,
                        "",
                        (0x10005, 0),
                    ),
                ]),
                Some("3070"),
                0,
            ),
            (
                "two Vulkan drivers of one card",
                reported(&[
                    (
                        "AMD Radeon RX 7900 XTX (RADV NAVI31)",
                        "vulkan",
                        DiscreteGpu,
                        "0000:03:00.0",
                        (0x1002, 0x744c),
                    ),
                    (
                        "AMD Radeon RX 7900 XTX",
                        "vulkan",
                        DiscreteGpu,
                        "0000:03:00.0",
                        (0x1002, 0x744c),
                    ),
                ]),
                None,
                0,
            ),
            (
                "OpenGL over Vulkan",
                reported(&[
                    (
                        "zink Vulkan 1.3(NVIDIA GeForce RTX 3060 (NVK GA106) (MESA_NVK))",
                        "gl",
                        Other,
                        "",
                        (0x10de, 0),
                    ),
                    (
                        "NVIDIA GeForce RTX 3060 (NVK GA106)",
                        "vulkan",
                        DiscreteGpu,
                        "0000:01:00.0",
                        (0x10de, 0x2504),
                    ),
                ]),
                None,
                1,
            ),
        ] {
            assert_eq!(index(&adapters, None).unwrap(), chosen, "{machine}");
            assert_eq!(index(&adapters, selection).unwrap(), chosen, "{machine}");
            assert_eq!(
                index(&adapters, Some("hardware")).unwrap(),
                chosen,
                "{machine}"
            );
        }
    }

    #[test]
    fn twins_behind_direct3d_are_told_apart_by_their_order() {
        use DeviceType::{DiscreteGpu, Other, Software};
        let name = "NVIDIA GeForce RTX 4090";
        let adapters = reported(&[
            (name, "vulkan", DiscreteGpu, "0000:01:00.0", CARD),
            (name, "vulkan", DiscreteGpu, "0000:41:00.0", CARD),
            (name, "dx12", DiscreteGpu, "0000:01:00.0", CARD),
            (name, "dx12", DiscreteGpu, "0000:01:00.0", CARD),
            (
                "NVIDIA GeForce RTX 4090/PCIe/SSE2",
                "gl",
                Other,
                "",
                (0x10de, 0),
            ),
            (
                "Microsoft Basic Render Driver",
                "dx12",
                Software,
                "",
                (0x1414, 0x8c),
            ),
        ]);
        let groups: Vec<u32> = adapters.iter().map(|a| a.group).collect();
        assert_eq!(groups, [0, 1, 0, 1, 0, 2]);
        assert!(index(&adapters, None).is_err());
        for (selection, chosen) in [
            ("0000:01:00.0", 0),
            ("41:00.0", 1),
            ("backend:dx12,01:00.0", 2),
            ("backend:dx12,41:00.0", 3),
        ] {
            assert_eq!(
                index(&adapters, Some(selection)).unwrap(),
                chosen,
                "{selection}"
            );
        }
    }

    #[test]
    fn the_gpu_that_was_not_taken_is_named() {
        use DeviceType::{DiscreteGpu, IntegratedGpu};
        let adapters = reported(&[
            (
                "AMD Radeon 780M",
                "vulkan",
                IntegratedGpu,
                "0000:0d:00.0",
                (0x1002, 0x15bf),
            ),
            (
                "NVIDIA GeForce RTX 4070",
                "vulkan",
                DiscreteGpu,
                "0000:01:00.0",
                (0x10de, 0x2786),
            ),
        ]);
        let all: Vec<&Adapter> = adapters.iter().collect();
        let chosen = choose(&all, None).unwrap();
        let note = passed_over(&all, chosen).unwrap();
        assert!(
            note.contains("RTX 4070 (vulkan), not AMD Radeon 780M (--device 0)"),
            "{note}"
        );
        assert_eq!(passed_over(&all[..1], all[0]), None);
    }

    #[test]
    fn each_gpu_is_taken_once() {
        let adapters = workstation();
        let all: Vec<&Adapter> = adapters.iter().collect();
        let each: Vec<u32> = each_gpu(&all).unwrap().iter().map(|a| a.index).collect();
        assert_eq!(each, [0, 1]);
        let software: Vec<&Adapter> = all.iter().copied().filter(|a| a.is_software()).collect();
        assert_eq!(each_gpu(&software).unwrap().len(), 1);
        assert!(each_gpu(&[]).is_err());
        let message = choose(&all, Some("all")).unwrap_err().to_string();
        assert!(message.contains("perwatt run"), "{message}");
    }

    #[test]
    fn hardware_is_demanded() {
        use DeviceType::Software;
        let adapters = reported(&[(
            "llvmpipe (LLVM 19, 256 bits)",
            "vulkan",
            Software,
            "",
            (0x10005, 0),
        )]);
        let message = index(&adapters, Some("hardware")).unwrap_err().to_string();
        assert!(message.contains("only software drivers"), "{message}");
    }

    #[test]
    fn nothing_fitting_lists_what_there_is() {
        let message = index(&workstation(), Some("radeon"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("llvmpipe"), "{message}");
        let message = index(&[], None).unwrap_err().to_string();
        assert!(message.contains("no adapter found"), "{message}");
    }
}
