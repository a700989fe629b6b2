//! Asking a Vulkan driver what its compiler makes of a shader, through
//! `VK_KHR_pipeline_executable_properties`.
//!
//! wgpu cannot ask, and its device creation fails on the devices of [RADV's null
//! hardware](super::radv), so this talks to Vulkan itself. The device is created with the features that
//! perwatt would run it with and that reach into the compiler's output.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;

use ash::{ext, khr, vk};

use super::spirv::Abilities;
use super::vulkan_device::{VulkanDevice, c_text};
use super::vulkan_features::WantedFeatures;
use crate::record::{Adapter, CoopMatrix, DeviceType, Limits, Reading};

/// A loaded Vulkan with its devices.
pub struct Vulkan {
    instance: ash::Instance,
    /// Unloads the loader when dropped, so it must outlive `instance`.
    _entry: ash::Entry,
}

/// A device as Vulkan lists it.
pub struct ListedDevice {
    /// The device, described as wgpu's adapters are.
    pub adapter: Adapter,
    physical: vk::PhysicalDevice,
    /// Why its compiler cannot be asked, if so.
    pub obstacle: Option<String>,
}

impl Vulkan {
    /// Loads Vulkan.
    ///
    /// # Errors
    /// There is no loader or no driver.
    pub fn load() -> Result<Self, String> {
        // SAFETY: loading runs the initialisers of the system's Vulkan loader and of the drivers that it
        // finds, the same libraries that wgpu loads for every other command.
        let entry = unsafe { ash::Entry::load() }.map_err(|e| {
            format!(
                "no Vulkan loader ({e}); install libvulkan1 or your distribution's vulkan-loader"
            )
        })?;
        let application = vk::ApplicationInfo::default()
            .application_name(c"perwatt")
            .engine_name(c"wgpu-hal")
            .api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `info` and all it points to live until the call returns; `entry` outlives the
        // instance, since the struct drops the instance first.
        let instance = unsafe { entry.create_instance(&info, None) }
            .map_err(|e| format!("Vulkan finds no usable driver ({e})"))?;
        Ok(Self {
            instance,
            _entry: entry,
        })
    }

    /// Every device, in the driver's order.
    ///
    /// # Errors
    /// The driver fails to list them.
    pub fn list(&self) -> Result<Vec<ListedDevice>, String> {
        // SAFETY: the instance is alive.
        let physical = unsafe { self.instance.enumerate_physical_devices() }
            .map_err(|e| format!("Vulkan cannot list its devices ({e})"))?;
        Ok((0..)
            .zip(physical)
            .map(|(i, p)| self.listed(i, p))
            .collect())
    }

    /// Describes a device.
    fn listed(&self, index: u32, physical: vk::PhysicalDevice) -> ListedDevice {
        // SAFETY: `physical` comes from this living instance.
        let core = unsafe { self.instance.get_physical_device_properties(physical) };
        let extensions = self.extensions(physical);
        let has = |name: &CStr| extensions.iter().any(|e| e == name);
        let mut obstacle = None;
        if core.api_version < vk::API_VERSION_1_2 {
            obstacle = Some("the driver is older than Vulkan 1.2".to_owned());
        } else if !has(khr::pipeline_executable_properties::NAME) {
            obstacle = Some(
                "the driver does not offer VK_KHR_pipeline_executable_properties, so it cannot say what \
                 its compiler made"
                    .to_owned(),
            );
        }
        let mut driver = vk::PhysicalDeviceDriverProperties::default();
        let mut subgroup = vk::PhysicalDeviceSubgroupProperties::default();
        let mut sizes = vk::PhysicalDeviceSubgroupSizeControlProperties::default();
        let offered = if core.api_version >= vk::API_VERSION_1_2 {
            let mut chain = vk::PhysicalDeviceProperties2::default()
                .push_next(&mut driver)
                .push_next(&mut subgroup);
            if core.api_version >= vk::API_VERSION_1_3 || has(ext::subgroup_size_control::NAME) {
                chain = chain.push_next(&mut sizes);
            }
            // SAFETY: as above; each structure in the chain is known to the device's version or
            // extensions, and the instance is of version 1.3.
            unsafe {
                self.instance
                    .get_physical_device_properties2(physical, &mut chain);
            };
            self.offered(physical, core.api_version, &has)
        } else {
            WantedFeatures::default()
        };
        let name = c_text(&core.device_name);
        let limits = &core.limits;
        let adapter = Adapter {
            index,
            group: index,
            device_type: device_type(&name, core.device_type),
            name,
            backend: "vulkan".to_owned(),
            vendor_id: core.vendor_id,
            device_id: core.device_id,
            pci_id: Reading::unmeasured("not asked for"),
            driver: c_text(&driver.driver_name),
            driver_info: c_text(&driver.driver_info),
            subgroup_sizes: match (sizes.min_subgroup_size, subgroup.subgroup_size) {
                (0, 0) => Reading::unmeasured("the driver does not say"),
                (0, one) => Reading::Measured((one, one)),
                (least, _) => Reading::Measured((least, sizes.max_subgroup_size)),
            },
            features: offered.names(subgroup.supported_operations),
            coop_matrix: if offered.cooperative_matrix.cooperative_matrix == vk::TRUE {
                self.coop_matrix(physical)
            } else {
                Vec::new()
            },
            limits: Limits {
                max_buffer_bytes: limits.max_storage_buffer_range.into(),
                max_binding_bytes: limits.max_storage_buffer_range.into(),
                max_workgroup_bytes: limits.max_compute_shared_memory_size,
                max_workgroup_threads: limits.max_compute_work_group_invocations,
                max_workgroup_x: limits.max_compute_work_group_size[0],
                max_workgroups: limits
                    .max_compute_work_group_count
                    .into_iter()
                    .min()
                    .unwrap_or(0),
                max_storage_buffers: limits.max_per_stage_descriptor_storage_buffers,
            },
            subgroup_width: None,
            robust_buffer_access: None,
            refused: Vec::new(),
        };
        ListedDevice {
            adapter,
            physical,
            obstacle,
        }
    }

    /// Names of a device's extensions.
    fn extensions(&self, physical: vk::PhysicalDevice) -> Vec<CString> {
        // SAFETY: `physical` comes from this living instance.
        unsafe {
            self.instance
                .enumerate_device_extension_properties(physical)
        }
        .unwrap_or_default()
        .iter()
        .filter_map(|e| e.extension_name_as_c_str().ok().map(ToOwned::to_owned))
        .collect()
    }

    /// Of the features that reach into compiled code, those that a device of Vulkan 1.2 has.
    fn offered(
        &self,
        physical: vk::PhysicalDevice,
        api_version: u32,
        has: &dyn Fn(&CStr) -> bool,
    ) -> WantedFeatures {
        let mut wanted = WantedFeatures::new(api_version, has);
        let mut chain = wanted.chain(vk::PhysicalDeviceFeatures2::default());
        // SAFETY: `physical` comes from this living instance, and `WantedFeatures` chains only structures that
        // the device's version or extensions know.
        unsafe {
            self.instance
                .get_physical_device_features2(physical, &mut chain);
        };
        let core = chain.features;
        wanted.core = vk::PhysicalDeviceFeatures::default()
            .robust_buffer_access(core.robust_buffer_access == vk::TRUE)
            .shader_int64(core.shader_int64 == vk::TRUE)
            .shader_float64(core.shader_float64 == vk::TRUE)
            .shader_int16(core.shader_int16 == vk::TRUE);
        wanted.keep_what_wgpu_enables();
        wanted
    }

    /// The square cooperative-matrix configurations of subgroup scope.
    fn coop_matrix(&self, physical: vk::PhysicalDevice) -> Vec<CoopMatrix> {
        let extension = khr::cooperative_matrix::Instance::new(&self._entry, &self.instance);
        // SAFETY: the device has the extension, and the loader resolves its physical-device functions.
        unsafe { extension.get_physical_device_cooperative_matrix_properties(physical) }
            .unwrap_or_default()
            .into_iter()
            .filter(|p| p.scope == vk::ScopeKHR::SUBGROUP)
            .filter(|p| p.m_size == p.n_size && p.n_size == p.k_size)
            .filter_map(|p| {
                Some(CoopMatrix {
                    size: p.m_size,
                    ab_dtype: component(p.a_type).filter(|_| p.a_type == p.b_type)?,
                    c_dtype: component(p.c_type).filter(|_| p.c_type == p.result_type)?,
                })
            })
            .collect()
    }

    /// Opens a device that has no obstacle; the driver checks accesses to buffers if shaders are `checked`, as in a run.
    ///
    /// # Errors
    /// The driver gives no device.
    pub fn open(&self, listed: &ListedDevice, checked: bool) -> Result<VulkanDevice<'_>, String> {
        let physical = listed.physical;
        // SAFETY: `physical` comes from this living instance.
        let core = unsafe { self.instance.get_physical_device_properties(physical) };
        let extensions = self.extensions(physical);
        let has = |name: &CStr| extensions.iter().any(|e| e == name);
        let mut wanted = self.offered(physical, core.api_version, &has);
        if !checked {
            wanted.core.robust_buffer_access = vk::FALSE;
            wanted.robustness2.robust_buffer_access2 = vk::FALSE;
        }
        let abilities = Abilities {
            spirv: match core.api_version {
                version if version >= vk::API_VERSION_1_3 => (1, 6),
                _ => (1, 5),
            },
            integer_dot_product: wanted.dot_product.shader_integer_dot_product == vk::TRUE,
            robust_buffers: wanted.robustness2.robust_buffer_access2 == vk::TRUE,
        };
        let varying_subgroups = wanted.subgroup_sizes.subgroup_size_control == vk::TRUE;
        let mut executable_properties =
            vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
                .pipeline_executable_info(true);
        let names: Vec<*const std::ffi::c_char> = wanted
            .extensions()
            .into_iter()
            .chain([khr::pipeline_executable_properties::NAME])
            .map(CStr::as_ptr)
            .collect();
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(0)
            .queue_priorities(&priorities)];
        let features = wanted.core;
        let mut chain = wanted
            .chain(vk::PhysicalDeviceFeatures2::default().features(features))
            .push_next(&mut executable_properties);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&names)
            .push_next(&mut chain);
        // SAFETY: every extension and feature asked for is one that the device lists; queue family 0
        // exists on every device; all pointers live until the call returns.
        let device = unsafe { self.instance.create_device(physical, &info, None) }
            .map_err(|e| format!("the driver gives no device ({e})"))?;
        Ok(VulkanDevice {
            executables: khr::pipeline_executable_properties::Device::new(&self.instance, &device),
            device,
            abilities,
            varying_subgroups,
            instance: PhantomData,
        })
    }
}

impl Drop for Vulkan {
    fn drop(&mut self) {
        // SAFETY: a `VulkanDevice` borrows this, so none is alive; nothing else of the instance is kept.
        unsafe { self.instance.destroy_instance(None) };
    }
}

/// WGSL's name for a component type, where it has one.
fn component(ty: vk::ComponentTypeKHR) -> Option<String> {
    let name = match ty {
        vk::ComponentTypeKHR::FLOAT16 => "f16",
        vk::ComponentTypeKHR::FLOAT32 => "f32",
        vk::ComponentTypeKHR::SINT32 => "i32",
        vk::ComponentTypeKHR::UINT32 => "u32",
        _ => return None,
    };
    Some(name.to_owned())
}

fn device_type(name: &str, ty: vk::PhysicalDeviceType) -> DeviceType {
    match ty {
        _ if name.to_lowercase().contains("swiftshader") => DeviceType::Software,
        vk::PhysicalDeviceType::DISCRETE_GPU => DeviceType::DiscreteGpu,
        vk::PhysicalDeviceType::INTEGRATED_GPU => DeviceType::IntegratedGpu,
        vk::PhysicalDeviceType::VIRTUAL_GPU => DeviceType::VirtualGpu,
        vk::PhysicalDeviceType::CPU => DeviceType::Software,
        _ => DeviceType::Other,
    }
}
