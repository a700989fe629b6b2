//! Which adapter is meant: numbering, grouping and selection, on descriptions alone so that it can be
//! tested with adapters that this machine lacks.

use crate::error::{Error, Result};
use crate::record::Adapter;

/// Gives each adapter its index and its group.
pub(super) fn number(adapters: &mut [&mut Adapter]) {
    let mut groups: Vec<usize> = Vec::new();
    for i in 0..adapters.len() {
        // The first adapter of a group stands for it; a twin card behind the same backend is its own.
        let same = groups.iter().position(|first| {
            let members: Vec<usize> = (0..i)
                .filter(|j| adapters[*j].group == adapters[*first].group)
                .collect();
            same_gpu(adapters[*first], adapters[i])
                && members
                    .iter()
                    .all(|j| adapters[*j].backend != adapters[i].backend)
        });
        let group = same.unwrap_or_else(|| {
            groups.push(i);
            groups.len() - 1
        });
        adapters[i].index = u32::try_from(i).unwrap_or(u32::MAX);
        adapters[i].group = u32::try_from(group).unwrap_or(u32::MAX);
    }
}

/// Whether two adapters are the same GPU seen through different backends.
fn same_gpu(a: &Adapter, b: &Adapter) -> bool {
    if a.backend == b.backend || a.is_software() != b.is_software() {
        return false;
    }
    if let (Some(a), Some(b)) = (a.pci_id.measured(), b.pci_id.measured()) {
        return a.eq_ignore_ascii_case(b);
    }
    let ids = |adapter: &Adapter| (adapter.vendor_id, adapter.device_id);
    if ids(a) != (0, 0) && ids(b) != (0, 0) && ids(a) == ids(b) {
        return true;
    }
    let (a, b) = (a.model(), b.model());
    !a.is_empty() && a == b
}

/// The one adapter that `selection` means; with none, the best hardware adapter, or the only software
/// one where there is no hardware.
///
/// A selection is an index, a part of the name, a PCI address or `backend:NAME`; several, separated by
/// commas, must all fit.
///
/// # Errors
/// Nothing fits, or more than one GPU does; the message lists what there is.
pub fn choose<'a>(adapters: &[&'a Adapter], selection: Option<&str>) -> Result<&'a Adapter> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter(no_adapter_help()));
    }
    match selection {
        None => choose_default(adapters),
        Some(selection) => choose_by(adapters, selection),
    }
}

/// The adapter to use when none was named.
fn choose_default<'a>(adapters: &[&'a Adapter]) -> Result<&'a Adapter> {
    let hardware: Vec<&Adapter> = adapters
        .iter()
        .copied()
        .filter(|a| !a.is_software())
        .collect();
    if hardware.is_empty() {
        // Software drivers are alike in kind; the first in the enumeration's order is the fullest.
        return Ok(adapters[0]);
    }
    one_gpu(&hardware, "no --device given")
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
        .filter(|adapter| parts.iter().all(|part| fits(adapter, part, adapters.len())))
        .collect();
    if fitting.is_empty() {
        return Err(Error::usage(
            format!("--device {selection}"),
            format!("no adapter fits; there are\n{}", list(adapters)),
        ));
    }
    one_gpu(&fitting, &format!("--device {selection}"))
}

/// Digits of a number that names a model, as in `4090`; a shorter one is an index and nothing else.
const DIGITS_OF_A_MODEL: usize = 3;

/// Whether one part of a selection fits an adapter. A number is an index; a long one of which there are not so
/// many adapters is a part of a model's name, without what stands in brackets behind it.
fn fits(adapter: &Adapter, part: &str, count: usize) -> bool {
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
    let pci = adapter.pci_id.measured().map(|id| id.to_lowercase());
    // `01:00.0` is how most tools print an address in the first domain.
    let by_pci = pci.is_some_and(|id| id == part || id.strip_prefix("0000:") == Some(&part));
    by_pci || adapter.name.to_lowercase().contains(&part)
}

/// The single GPU among `fitting`, through its best backend.
fn one_gpu<'a>(fitting: &[&'a Adapter], what: &str) -> Result<&'a Adapter> {
    let first = fitting[0];
    if fitting.iter().all(|adapter| adapter.group == first.group) {
        return Ok(first);
    }
    Err(Error::usage(
        what,
        format!(
            "more than one GPU fits; choose one by its index with --device\n{}",
            list(fitting)
        ),
    ))
}

/// Adapters, one a line.
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
    format!("no adapter found by any backend; {install}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{DeviceType, Limits, Reading};

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
