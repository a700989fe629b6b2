//! Where a record of a fleet was measured, and beside what: whether the node was its own, and how many GPUs of
//! the node worked at the same time, since they share power, air and the bus.
//!
//! What names a machine or a person stands here only where `--identify` asked for it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What spread the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheduler {
    /// Slurm.
    Slurm,
    /// Kubernetes.
    Kubernetes,
    /// perwatt itself, on one machine.
    Local,
}

impl Scheduler {
    /// As files and options write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slurm => "slurm",
            Self::Kubernetes => "kubernetes",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a run was placed. Since version 1.5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// Whether the run had its node for itself; absent where that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// GPUs of the node that this fleet measured at the same time, this one among them; absent where that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_gpus: Option<u32>,
    /// What spread the runs.
    pub scheduler: Scheduler,
    /// Random identity of the fleet run, the same in all of its records; absent outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<String>,
    /// Number of the task in the fleet run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// The node's name, only with `--identify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Who ran it, only with `--identify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The GPU's own number as its maker gives it, only with `--identify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_uuid: Option<String>,
    /// The GPU's address on the bus, only with `--identify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci: Option<String>,
}

impl Placement {
    /// Whether it names a node, a person or a GPU.
    pub fn identifies(&self) -> bool {
        [&self.node, &self.user, &self.gpu_uuid, &self.pci]
            .iter()
            .any(|name| name.is_some())
    }
}
