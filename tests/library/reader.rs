//! A reader of result files declared apart from perwatt's own types, as a stranger with the schema in
//! hand would write it. It refuses fields that it does not know.

#![expect(
    dead_code,
    reason = "most fields are declared only so that a change of them is seen"
)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A value, or the reason why there is none.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Or<T> {
    Absent(Absent),
    There(T),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Absent {
    unmeasured: String,
}

/// Declares structs that refuse unknown fields; most fields are there only to be refused otherwise.
macro_rules! strict {
    ($($name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }
    )*};
}

strict! {
    File {
        kind: Option<String>, schema_version: String, session: String, started_utc: String, provenance: Provenance,
        host: Host, placement: Option<Value>, adapter: Adapter, clock: Or<Clock>, power: Or<Value>, plan: Plan,
        invocations: Vec<Invocation>, cases: Vec<Case>, roofline: Vec<Roof>, warnings: Vec<Value>,
    }
    Provenance {
        origin: String, argv: Vec<String>, perwatt_version: String, git_revision: Or<String>,
        git_dirty: Or<bool>, wgpu_version: Or<String>, checked_shaders: bool,
    }
    Host {
        os: String, kernel: Or<String>, cpu: Or<String>, cpu_threads: Or<u32>, memory_bytes: Or<u64>, described: Option<Value>,
    }
    Adapter {
        index: u32, group: u32, name: String, backend: String, device_type: String, vendor_id: u32,
        device_id: u32, pci_id: Or<String>, driver: String, driver_info: String,
        subgroup_sizes: Or<(u32, u32)>, features: Vec<String>, coop_matrix: Vec<Value>,
        limits: BTreeMap<String, u64>, subgroup_width: Option<u32>, refused: Option<Vec<Value>>,
        robust_buffer_access: Option<Or<bool>>,
    }
    Clock {
        method: String, tick_ns: Or<f64>, precision_ns: f64, overhead_ns: Or<f64>, dispatch_gap_ns: Option<f64>,
    }
    Plan {
        suite: Option<String>, invocations: u32, budget_s: f64, seed: u64, power: Option<String>,
        energy: Option<String>, energy_of: Option<Value>, order: Option<String>, cases: Vec<String>,
    }
    Invocation { invocation: u32, started_utc: String, workers: u32, own_cpu_s: Or<f64> }
    Roof { resource: String, rate_per_s: Estimate, from: String }
    Estimate { value: f64, interval: Or<Interval> }
    Interval { low: f64, high: f64, level: f64 }
    Counts { flop: u64, bytes: u64, tokens: Option<u64> }
    Case {
        case: String, kernel: String, parameters: BTreeMap<String, u32>, parameters_from: String,
        counts: Counts, resources: Option<Resources>, setup: Option<Value>, instead_of: Option<Value>, status: Value, invocations: Vec<Value>,
        summary: Or<Summary>, warnings: Vec<Value>,
    }
    Resources { arithmetic: String, memory: Option<String>, measures: Option<String> }
    Summary {
        invocations: u32, time_ns: Estimate, flop_per_s: Or<Estimate>, bytes_per_s: Or<Estimate>,
        tokens_per_s: Or<Estimate>, roofline_share: Or<Estimate>, power_w: Or<Estimate>,
        energy_j: Or<Estimate>, flop_per_j: Or<Estimate>, bytes_per_j: Or<Estimate>,
        tokens_per_j: Or<Estimate>, window_time_ns: Option<Or<Estimate>>, worst_error_over_bound: Or<f64>,
    }
}

impl Case {
    /// Time of one execution, where it was measured.
    pub(crate) fn time_ns(&self) -> Option<f64> {
        match &self.summary {
            Or::There(summary) => Some(summary.time_ns.value),
            Or::Absent(_) => None,
        }
    }
}
