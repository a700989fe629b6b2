//! What names a node, a person and a GPU; it stands in a record only where `--identify` asks for it.

use crate::cli::args::power::places_from_environment;
use crate::power::sensors::{PciAddress, gpu_number};
use crate::record::{Adapter, Placement, Scheduler};

/// The name of this machine.
pub(in crate::cli) fn node_name() -> Option<String> {
    sysinfo::System::host_name().filter(|name| !name.is_empty())
}

/// The number that the GPU's maker gave it, where its driver says.
pub(in crate::cli) fn gpu_uuid(adapter: &Adapter) -> Option<String> {
    let address: PciAddress = adapter.pci_id.measured()?.parse().ok()?;
    gpu_number(address, &places_from_environment())
}

/// A placement with every name in it.
pub(in crate::cli) fn identified(placement: Placement, adapter: &Adapter) -> Placement {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty());
    Placement {
        node: placement.node.or_else(node_name),
        user,
        gpu_uuid: gpu_uuid(adapter),
        pci: adapter.pci_id.measured().cloned(),
        ..placement
    }
}

/// Where a run by itself is placed.
pub(in crate::cli) fn by_itself() -> Placement {
    let scheduler = if std::env::var_os("SLURM_JOB_ID").is_some() {
        Scheduler::Slurm
    } else if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        Scheduler::Kubernetes
    } else {
        Scheduler::Local
    };
    Placement {
        exclusive: None,
        concurrent_gpus: None,
        scheduler,
        fleet: None,
        task: None,
        node: None,
        user: None,
        gpu_uuid: None,
        pci: None,
    }
}
