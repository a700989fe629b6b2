//! From wgpu's view of an adapter to the record's.

use super::vulkan;
use crate::record::{Adapter, CoopMatrix, DeviceType, Limits, Reading};

/// Features that decide what perwatt can run or how it measures, by the names that files use.
const FEATURES: [(&str, wgpu::Features); 12] = [
    ("SHADER_F16", wgpu::Features::SHADER_F16),
    ("SHADER_F64", wgpu::Features::SHADER_F64),
    ("SHADER_INT64", wgpu::Features::SHADER_INT64),
    ("SUBGROUP", wgpu::Features::SUBGROUP),
    ("SUBGROUP_BARRIER", wgpu::Features::SUBGROUP_BARRIER),
    ("TIMESTAMP_QUERY", wgpu::Features::TIMESTAMP_QUERY),
    ("IMMEDIATES", wgpu::Features::IMMEDIATES),
    ("FLOAT32_FILTERABLE", wgpu::Features::FLOAT32_FILTERABLE),
    ("BGRA8UNORM_STORAGE", wgpu::Features::BGRA8UNORM_STORAGE),
    (
        "TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES",
        wgpu::Features::TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES,
    ),
    ("PIPELINE_CACHE", wgpu::Features::PIPELINE_CACHE),
    (
        "EXPERIMENTAL_COOPERATIVE_MATRIX",
        wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX,
    ),
];

/// Describes an adapter; index and group are set by the enumeration.
pub fn describe(handle: &wgpu::Adapter) -> Adapter {
    let info = handle.get_info();
    let features = handle.features();
    Adapter {
        index: 0,
        group: 0,
        backend: info.backend.to_str().to_owned(),
        device_type: device_type(&info),
        vendor_id: info.vendor,
        device_id: info.device,
        pci_id: Some(info.device_pci_bus_id.clone())
            .filter(|address| !address.is_empty())
            .or_else(|| vulkan::pci_address(handle))
            .ok_or("the driver does not give the PCI address")
            .into(),
        driver: or_unknown(&info.driver),
        driver_info: or_unknown(&info.driver_info),
        subgroup_sizes: if features.contains(wgpu::Features::SUBGROUP) {
            Reading::Measured((info.subgroup_min_size, info.subgroup_max_size))
        } else {
            Reading::unmeasured("the adapter offers no subgroups through this backend")
        },
        features: FEATURES
            .iter()
            .filter(|(_, flag)| features.contains(*flag))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        coop_matrix: coop_matrix(handle),
        limits: limits(&handle.limits()),
        subgroup_width: None,
        robust_buffer_access: None,
        refused: Vec::new(),
        name: or_unknown(&info.name),
    }
}

/// wgpu's feature flags for names as files and programs write them.
pub(super) fn feature_flags<'a>(names: impl IntoIterator<Item = &'a str>) -> wgpu::Features {
    names
        .into_iter()
        .filter_map(|name| FEATURES.iter().find(|(known, _)| *known == name))
        .fold(wgpu::Features::empty(), |all, (_, flag)| all | *flag)
}

/// Drivers leave fields empty; an empty cell in a table would look like a fault of ours.
fn or_unknown(text: &str) -> String {
    if text.trim().is_empty() {
        "unknown".to_owned()
    } else {
        text.trim().to_owned()
    }
}

/// wgpu's device type, corrected where drivers are known to call a software renderer something else.
fn device_type(info: &wgpu::AdapterInfo) -> DeviceType {
    let name = info.name.to_lowercase();
    let software = [
        "llvmpipe",
        "swiftshader",
        "softpipe",
        "microsoft basic render",
        "softwarerenderer",
    ];
    if software.iter().any(|known| name.contains(known)) {
        return DeviceType::Software;
    }
    match info.device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceType::DiscreteGpu,
        wgpu::DeviceType::IntegratedGpu => DeviceType::IntegratedGpu,
        wgpu::DeviceType::VirtualGpu => DeviceType::VirtualGpu,
        wgpu::DeviceType::Cpu => DeviceType::Software,
        wgpu::DeviceType::Other => DeviceType::Other,
    }
}

/// The square configurations, which are the ones WGSL can express.
fn coop_matrix(handle: &wgpu::Adapter) -> Vec<CoopMatrix> {
    handle
        .cooperative_matrix_properties()
        .into_iter()
        .filter(|p| p.m_size == p.n_size && p.n_size == p.k_size)
        .map(|p| CoopMatrix {
            size: p.m_size,
            ab_dtype: format!("{:?}", p.ab_type).to_lowercase(),
            c_dtype: format!("{:?}", p.cr_type).to_lowercase(),
        })
        .collect()
}

/// The limits that decide what fits.
fn limits(limits: &wgpu::Limits) -> Limits {
    Limits {
        max_buffer_bytes: limits.max_buffer_size,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        max_workgroup_threads: limits.max_compute_invocations_per_workgroup,
        max_workgroup_x: limits.max_compute_workgroup_size_x,
        max_workgroups: limits.max_compute_workgroups_per_dimension,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
    }
}
