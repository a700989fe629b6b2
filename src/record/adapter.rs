//! What is known of an adapter without opening it, as files and `perwatt devices --json` show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reading;

/// What an adapter is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceType {
    /// A card with memory of its own.
    DiscreteGpu,
    /// A GPU that shares memory with the CPU.
    IntegratedGpu,
    /// A GPU seen through a hypervisor.
    VirtualGpu,
    /// A software driver: the CPU does the work.
    Software,
    /// The driver does not say.
    Other,
}

/// One adapter as one backend shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adapter {
    /// Position in `perwatt devices`; it changes when drivers come and go.
    pub index: u32,
    /// Adapters with the same group number are the same GPU behind different backends.
    pub group: u32,
    /// The name that the driver gives.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// What kind of device it is.
    pub device_type: DeviceType,
    /// PCI vendor id (0 where the driver gives none).
    pub vendor_id: u32,
    /// PCI device id (0 where the driver gives none).
    pub device_id: u32,
    /// PCI address, `0000:01:00.0`.
    pub pci_id: Reading<String>,
    /// Driver's name.
    pub driver: String,
    /// Driver's version and build, as the driver words it.
    pub driver_info: String,
    /// Smallest and largest subgroup.
    pub subgroup_sizes: Reading<(u32, u32)>,
    /// Features that matter to perwatt and are there, by wgpu's names.
    pub features: Vec<String>,
    /// Square cooperative-matrix configurations.
    pub coop_matrix: Vec<CoopMatrix>,
    /// The limits that decide what fits.
    pub limits: Limits,
    /// Threads of a subgroup as a kernel on the device saw them; a compiler may choose others for other kernels. Since
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup_width: Option<u32>,
    /// Whether the driver checked every access to a buffer (Vulkan's `robustBufferAccess`) on the device that ran the
    /// kernels. It is off where all of them are built in, unless `--checked` asks for checks. wgpu's own checks in shaders
    /// are `checked_shaders`. Since version 1.10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust_buffer_access: Option<Reading<bool>>,
    /// Features that the driver offers and gives no device with. Since version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedFeature>,
}

/// A feature that a driver offers and does not give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedFeature {
    /// By wgpu's name.
    pub feature: String,
    /// What the driver said to it.
    pub reason: String,
}

impl Adapter {
    /// Whether the CPU does this adapter's work.
    pub fn is_software(&self) -> bool {
        self.device_type == DeviceType::Software
    }

    /// Whether the GPU is known to keep 64 sums of f32 and their operands in a thread's registers with room
    /// for several subgroups.
    ///
    /// It is a matter of the compute units, which AMD and NVIDIA build alike into cards and processors: up to
    /// 256 registers a thread. Intel's have 128 registers of 32 bytes, 64 values a thread at subgroups of 16,
    /// and of Apple's, Qualcomm's and Arm's little is published. A card of whatever maker is taken to have
    /// them.
    pub fn has_many_registers(&self) -> bool {
        const AMD: u32 = 0x1002;
        const NVIDIA: u32 = 0x10de;
        match self.device_type {
            DeviceType::Software => false,
            DeviceType::DiscreteGpu => true,
            _ => [AMD, NVIDIA].contains(&self.vendor_id),
        }
    }

    /// What to do where the backend does less than the GPU, if it does: Direct3D 12 without `dxcompiler.dll` compiles by
    /// the old compiler, which knows neither f16 nor subgroups.
    pub fn hindrance(&self) -> Option<&'static str> {
        (self.backend == "dx12" && !self.is_software() && !self.has("SUBGROUP")).then_some(
            "Direct3D 12 found no dxcompiler.dll, so there are no f16 and no subgroups and shaders compile slowly; put \
             the one of github.com/microsoft/DirectXShaderCompiler beside perwatt.exe, or take --device backend:vulkan",
        )
    }

    /// Whether a feature is there, by wgpu's name.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }

    /// Whether the matrix units, through this backend, have a configuration.
    pub fn multiplies(&self, configuration: &CoopMatrix) -> bool {
        self.has("EXPERIMENTAL_COOPERATIVE_MATRIX") && self.coop_matrix.contains(configuration)
    }

    /// Threads that each subgroup of a workgroup with so many is taken to have where it multiplies matrices: as many as a
    /// kernel on the device saw. The most of any where nobody looked, or where a workgroup would not be full of the
    /// largest, which Vulkan demands for matrices.
    pub fn matrix_subgroup_threads(&self, subgroups: u32) -> Option<u32> {
        let (_, most) = *self.subgroup_sizes.measured()?;
        let is_full = |width: &u32| (subgroups * width).is_multiple_of(most);
        Some(self.subgroup_width.filter(is_full).unwrap_or(most))
    }

    /// The name without what drivers and backends add around it: `Intel(R) Arc(TM) A770 Graphics (DG2)`
    /// and `Mesa Intel(R) Arc(tm) A770 Graphics (DG2)` are both `intel arc a770 graphics`.
    pub fn model(&self) -> String {
        let name = native_name(&self.name)
            .unwrap_or(&self.name)
            .to_lowercase()
            .replace("(r)", "")
            .replace("(tm)", "");
        let name = name.strip_prefix("mesa ").unwrap_or(&name);
        let end = name.find(['(', ',', '/']).unwrap_or(name.len());
        name[..end].trim().to_owned()
    }

    /// Whether the driver is a layer over another one's: Direct3D 12 seen as Vulkan or GL, Vulkan seen as GL.
    pub fn is_layered(&self) -> bool {
        native_name(&self.name).is_some()
    }

    /// The driver and its version, where that is known.
    pub fn driver_and_version(&self) -> String {
        format!("{} {}", self.driver, self.driver_info)
            .trim()
            .to_owned()
    }

    /// Name and backend, for messages.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.backend)
    }
}

/// The name of the GPU inside the name that a layered driver gives: Mesa's dzn and d3d12 (`Microsoft Direct3D12
/// (NAME)`, `D3D12 (NAME)`), its zink (`zink Vulkan 1.3(NAME (DRIVER))`), ANGLE (`ANGLE (VENDOR, NAME …, API)`).
fn native_name(name: &str) -> Option<&str> {
    let (layer, inner) = name.split_once('(')?;
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    let layer = layer.to_lowercase();
    match layer.trim() {
        "microsoft direct3d12" | "d3d12" => Some(inner),
        "angle" => inner.split(',').nth(1).map(str::trim),
        layer if layer.starts_with("zink") => Some(inner),
        _ => None,
    }
}

/// A cooperative-matrix configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoopMatrix {
    /// M = N = K.
    pub size: u32,
    /// Element type of A and B.
    pub ab_dtype: String,
    /// Element type of C and the result.
    pub c_dtype: String,
}

impl std::fmt::Display for CoopMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{0}×{0} {1} with {2} sums",
            self.size, self.ab_dtype, self.c_dtype
        )
    }
}

/// Limits of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Largest buffer, bytes.
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a shader can see at once, bytes.
    pub max_binding_bytes: u64,
    /// Workgroup memory, bytes.
    pub max_workgroup_bytes: u32,
    /// Threads in a workgroup.
    pub max_workgroup_threads: u32,
    /// Threads in a workgroup along x.
    pub max_workgroup_x: u32,
    /// Workgroups along one dimension of a dispatch.
    pub max_workgroups: u32,
    /// Storage buffers that one shader stage can bind.
    pub max_storage_buffers: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_multiplied_by_subgroups_as_wide_as_the_device_runs_them() {
        let threads = |sizes, width, subgroups| {
            let text = r#"{"index":0,"group":0,"name":"","backend":"vulkan","device_type":"other","vendor_id":0,
                "device_id":0,"pci_id":{"unmeasured":""},"driver":"","driver_info":"","features":[],"coop_matrix":[],
                "subgroup_sizes":{"unmeasured":"none"},"limits":{"max_buffer_bytes":0,"max_binding_bytes":0,
                "max_workgroup_bytes":0,"max_workgroup_threads":0,"max_workgroup_x":0,"max_workgroups":0,
                "max_storage_buffers":0}}"#;
            let mut adapter: Adapter = serde_json::from_str(text).unwrap();
            if let Some(sizes) = sizes {
                adapter.subgroup_sizes = Reading::Measured(sizes);
            }
            adapter.subgroup_width = width;
            adapter.matrix_subgroup_threads(subgroups)
        };
        // AMD's cards on Windows, and Intel's.
        assert_eq!(threads(Some((32, 64)), Some(32), 4), Some(32));
        assert_eq!(threads(Some((8, 32)), Some(16), 4), Some(16));
        // One of 32 would leave a subgroup of 64 half empty.
        assert_eq!(threads(Some((32, 64)), Some(32), 1), Some(64));
        assert_eq!(threads(Some((32, 64)), None, 4), Some(64));
        assert_eq!(threads(None, Some(32), 4), None);
    }
}
