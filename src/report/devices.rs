//! The adapters of a machine as a page for the terminal.

use schemars::JsonSchema;
use serde::Serialize;

use super::table::fold;
use crate::record::{Adapter, DeviceType, Reading};
use crate::units::Bytes;

/// An adapter as `perwatt devices` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ListedAdapter {
    /// What is known of it.
    #[serde(flatten)]
    pub adapter: Adapter,
    /// The power sensor that belongs to it, or why none does.
    pub power_sensor: Reading<String>,
}

/// Adapters, the same GPU's backends under one heading.
pub fn devices(adapters: &[ListedAdapter], width: Option<u16>) -> String {
    let mut page = String::new();
    let mut groups: Vec<u32> = adapters.iter().map(|listed| listed.adapter.group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let members: Vec<&ListedAdapter> = adapters
            .iter()
            .filter(|listed| listed.adapter.group == group)
            .collect();
        if let Some(ListedAdapter { adapter: first, .. }) = members.first() {
            page += &format!("{}  [{}]\n", first.name, kind(first.device_type));
        }
        for listed in members {
            page += &backend(listed, width);
        }
        page.push('\n');
    }
    page
}

/// What a device type is called.
fn kind(device_type: DeviceType) -> &'static str {
    match device_type {
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Software => "SOFTWARE: the CPU does the work",
        DeviceType::Other => "unknown kind",
    }
}

/// What there is to say of an adapter of a backend, a line each.
fn facts(listed: &ListedAdapter) -> [String; 5] {
    let adapter = &listed.adapter;
    let or_reason = |reading: Option<String>, reason: Option<&str>| {
        reading.unwrap_or_else(|| format!("unknown ({})", reason.unwrap_or("no reason given")))
    };
    let pci = or_reason(adapter.pci_id.measured().cloned(), adapter.pci_id.reason());
    let subgroups = or_reason(
        adapter.subgroup_sizes.measured().map(|(low, high)| {
            if low == high {
                format!("{low}")
            } else {
                format!("{low} to {high}")
            }
        }),
        adapter.subgroup_sizes.reason(),
    );
    let sensor = match (listed.power_sensor.measured(), listed.power_sensor.reason()) {
        (Some(sensor), _) => sensor.clone(),
        (None, reason) => format!("none: {}", reason.unwrap_or("no reason given")),
    };
    let yes_no = |feature: &str| if adapter.has(feature) { "yes" } else { "no" };
    let limits = &adapter.limits;
    let matrices: Vec<String> = adapter
        .coop_matrix
        .iter()
        .map(|m| format!("{0}x{0}x{0} {1}→{2}", m.size, m.ab_dtype, m.c_dtype))
        .collect();
    [
        format!(
            "{}: {}  {} {}",
            adapter.index, adapter.backend, adapter.driver, adapter.driver_info
        ),
        format!(
            "PCI {pci}; vendor {:#06x}, device {:#06x}",
            adapter.vendor_id, adapter.device_id
        ),
        format!(
            "f16 {}; timestamps {}; subgroups {subgroups}; matrix units {}",
            yes_no("SHADER_F16"),
            yes_no("TIMESTAMP_QUERY"),
            if matrices.is_empty() {
                "none that WGSL can use".to_owned()
            } else {
                matrices.join(", ")
            }
        ),
        format!(
            "buffer {}, binding {}, workgroup {} threads and {}",
            Bytes(limits.max_buffer_bytes as f64),
            Bytes(limits.max_binding_bytes as f64),
            limits.max_workgroup_threads,
            Bytes(f64::from(limits.max_workgroup_bytes)),
        ),
        format!("power sensor {sensor}"),
    ]
}

/// One adapter in a few lines.
fn backend(listed: &ListedAdapter, width: Option<u16>) -> String {
    let lines = facts(listed);
    let adapter = &listed.adapter;
    let hindrance = adapter
        .hindrance()
        .map(|hindrance| format!("NOTE: {hindrance}"));
    let mut page = format!("  {}\n", lines[0]);
    for line in lines[1..].iter().chain(&hindrance) {
        page += &format!(
            "     {}",
            fold(line, "     ", width.map(|w| w.saturating_sub(5)))
        );
    }
    page
}
