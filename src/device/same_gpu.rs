//! Which adapters are one GPU: seen through several backends, through two drivers of one backend, or through a
//! layer over another driver.
//!
//! Descriptions are all there is to go by, and they are not all true: Direct3D 12 gives twin cards the PCI address
//! of the first one, OpenGL gives none, and a layered driver shows a GPU a second time under another name. This is
//! the one place that knows.

use crate::record::{Adapter, Reading};

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

/// Gives adapters whose backend states no PCI address, as OpenGL does not, the one that another backend states of the
/// only such GPU. Sensors are found by it. Of two equal cards nobody can say which is which.
pub(super) fn lend_addresses(adapters: &mut [&mut Adapter]) {
    let described: Vec<&Adapter> = adapters.iter().map(|adapter| &**adapter).collect();
    let lent: Vec<Option<String>> = (0..described.len())
        .map(|at| only_address_of_model(&described, at))
        .collect();
    for (adapter, address) in adapters.iter_mut().zip(lent) {
        if let Some(address) = address {
            adapter.pci_id = Reading::Measured(address);
        }
    }
}

/// The one address of all GPUs of an adapter's model, where it has none itself.
fn only_address_of_model(adapters: &[&Adapter], at: usize) -> Option<String> {
    let own = adapters[at];
    if own.pci_id.measured().is_some() || own.is_software() {
        return None;
    }
    let model = own.model();
    let mut addresses: Vec<String> = (0..adapters.len())
        .filter(|other| !model.is_empty() && adapters[*other].model() == model)
        .filter_map(|other| address(adapters, other))
        .map(str::to_lowercase)
        .collect();
    addresses.sort();
    addresses.dedup();
    let is_only = addresses.len() == 1 && is_alone(adapters, own);
    addresses.pop().filter(|_| is_only)
}

/// Whether no backend shows two GPUs of an adapter's model.
fn is_alone(adapters: &[&Adapter], own: &Adapter) -> bool {
    let model = own.model();
    let shown_by = |backend: &str| {
        let same = |other: &&&Adapter| other.backend == backend && other.model() == model;
        adapters.iter().filter(same).count()
    };
    adapters.iter().all(|other| shown_by(&other.backend) < 2)
}
