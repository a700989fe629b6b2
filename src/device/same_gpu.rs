//! Which adapters are one GPU: seen through several backends, through two drivers of one backend, or through a
//! layer over another driver.
//!
//! Descriptions are all there is to go by, and they are not all true: Direct3D 12 gives twin cards the PCI address
//! of the first one, OpenGL gives none, and a layered driver shows a GPU a second time under another name. This is
//! the one place that knows.

use crate::record::Adapter;

/// The group of each adapter; adapters of one group are one GPU. Groups are numbered in the order of their first
/// adapter.
pub(super) fn groups(adapters: &[&Adapter]) -> Vec<usize> {
    let mut members: Vec<Vec<usize>> = Vec::new();
    // A layered adapter is compared with the GPUs that show themselves, wherever it stands among them.
    for layered in [false, true] {
        for at in (0..adapters.len()).filter(|at| adapters[*at].is_layered() == layered) {
            match members
                .iter_mut()
                .find(|group| belongs(adapters, group, at))
            {
                Some(group) => group.push(at),
                None => members.push(vec![at]),
            }
        }
    }
    members.sort_by_key(|group| group.iter().min().copied());
    let group_of = |at| members.iter().position(|group| group.contains(&at));
    (0..adapters.len())
        .map(|at| group_of(at).unwrap_or(at))
        .collect()
}

/// Whether an adapter is the GPU of a group.
fn belongs(adapters: &[&Adapter], group: &[usize], at: usize) -> bool {
    let adapter = adapters[at];
    if adapter.is_software() != adapters[group[0]].is_software() {
        return false;
    }
    let same_model = |other: usize| {
        let model = adapter.model();
        !model.is_empty() && model == adapters[other].model()
    };
    if adapter.is_layered() {
        return group.iter().any(|other| same_model(*other));
    }
    let same_address = |other: usize| {
        let (a, b) = (address(adapters, at)?, address(adapters, other)?);
        Some(a.eq_ignore_ascii_case(b))
    };
    let behind_same_backend = |other: &&usize| adapters[**other].backend == adapter.backend;
    if let Some(other) = group.iter().find(behind_same_backend) {
        // Two drivers of one card; without an address nothing tells them from two cards.
        return same_address(*other) == Some(true);
    }
    group.iter().any(|other| {
        same_address(*other).unwrap_or_else(|| {
            let ids = |adapter: &Adapter| (adapter.vendor_id, adapter.device_id);
            let (own, others) = (ids(adapter), ids(adapters[*other]));
            own != (0, 0) && own == others || same_model(*other)
        })
    })
}

/// An adapter's PCI address, where it can be believed.
fn address<'a>(adapters: &[&'a Adapter], at: usize) -> Option<&'a str> {
    let adapter = adapters[at];
    let address = adapter.pci_id.measured()?;
    let same = |other: &&Adapter| {
        other.backend == adapter.backend
            && other
                .pci_id
                .measured()
                .is_some_and(|id| id.eq_ignore_ascii_case(address))
    };
    let shared = adapters.iter().filter(|other| same(other)).count() > 1;
    (!(shared && adapter.backend == "dx12")).then_some(address)
}

/// The PCI address of the GPU that an adapter shows, by whichever backend states it.
pub(super) fn pci_of_gpu<'a>(adapter: &Adapter, adapters: &[&'a Adapter]) -> Option<&'a str> {
    let groups = groups(adapters);
    let own = adapters
        .iter()
        .position(|other| std::ptr::eq(*other, adapter))
        .map(|at| groups[at]);
    (0..adapters.len())
        .filter(|at| Some(groups[*at]) == own)
        .find_map(|at| address(adapters, at))
}
