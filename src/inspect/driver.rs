//! Asking a Vulkan driver what its compiler makes of a shader, through
//! `VK_KHR_pipeline_executable_properties`.
//!
//! wgpu cannot ask, and its device creation fails on the devices of [RADV's null
//! hardware](super::target), so this talks to Vulkan itself. The device is created with the features that
//! wgpu would enable and that reach into the compiler's output: robust buffer access above all.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};

use ash::{ext, khr, vk};

use super::shader::{Abilities, BoundKind, Shader};
use crate::record::{Adapter, CoopMatrix, DeviceType, Limits, Reading};

/// What the driver says of one compiled shader.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compiled {
    /// The driver's name for the executable.
    pub(super) name: String,
    /// Threads of a subgroup, 0 where the driver does not say.
    pub(super) subgroup_size: u32,
    /// Named figures, in the driver's words.
    pub(super) statistics: Vec<(String, f64)>,
    /// Texts: the compiler's intermediate forms and the assembly.
    pub(super) texts: Vec<(String, String)>,
}

/// A loaded Vulkan with its devices.
pub struct Vulkan {
    instance: ash::Instance,
    /// Unloads the loader when dropped, so it must outlive `instance`.
    _entry: ash::Entry,
}

/// A device as Vulkan lists it.
pub struct Listed {
    /// The device, described as wgpu's adapters are.
    pub adapter: Adapter,
    physical: vk::PhysicalDevice,
    /// Why its compiler cannot be asked, if so.
    pub obstacle: Option<String>,
}

/// An open device.
pub struct Device<'v> {
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
    abilities: Abilities,
    /// Lets pipelines choose among subgroup sizes, as wgpu does where it can.
    varying_subgroups: bool,
    _vulkan: &'v Vulkan,
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
    pub fn list(&self) -> Result<Vec<Listed>, String> {
        // SAFETY: the instance is alive.
        let physical = unsafe { self.instance.enumerate_physical_devices() }
            .map_err(|e| format!("Vulkan cannot list its devices ({e})"))?;
        Ok((0..)
            .zip(physical)
            .map(|(i, p)| self.listed(i, p))
            .collect())
    }

    /// Describes a device.
    fn listed(&self, index: u32, physical: vk::PhysicalDevice) -> Listed {
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
            Wanted::default()
        };
        let name = text(&core.device_name);
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
            driver: text(&driver.driver_name),
            driver_info: text(&driver.driver_info),
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
        };
        Listed {
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
    ) -> Wanted {
        let mut wanted = Wanted::new(api_version, has);
        let mut chain = wanted.chain(vk::PhysicalDeviceFeatures2::default());
        // SAFETY: `physical` comes from this living instance, and `Wanted` chains only structures that
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

    /// Opens a device that has no obstacle.
    ///
    /// # Errors
    /// The driver gives no device.
    pub fn open(&self, listed: &Listed) -> Result<Device<'_>, String> {
        let physical = listed.physical;
        // SAFETY: `physical` comes from this living instance.
        let core = unsafe { self.instance.get_physical_device_properties(physical) };
        let extensions = self.extensions(physical);
        let has = |name: &CStr| extensions.iter().any(|e| e == name);
        let mut wanted = self.offered(physical, core.api_version, &has);
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
        Ok(Device {
            executables: khr::pipeline_executable_properties::Device::new(&self.instance, &device),
            device,
            abilities,
            varying_subgroups,
            _vulkan: self,
        })
    }
}

impl Drop for Vulkan {
    fn drop(&mut self) {
        // SAFETY: a `Device` borrows this, so none is alive; nothing else of the instance is kept.
        unsafe { self.instance.destroy_instance(None) };
    }
}

impl Device<'_> {
    /// What the translation to SPIR-V must know of the device.
    pub(super) fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Compiles a shader and reads what the driver says of it.
    ///
    /// # Errors
    /// The driver refuses the shader.
    pub(super) fn compile(&self, shader: &Shader) -> Result<Vec<Compiled>, String> {
        let mut made = Made {
            device: &self.device,
            module: vk::ShaderModule::null(),
            sets: Vec::new(),
            layout: vk::PipelineLayout::null(),
            pipeline: vk::Pipeline::null(),
        };
        self.make(shader, &mut made)
            .map_err(|e| format!("the driver refuses the shader ({e})"))?;
        self.read(made.pipeline).map_err(|e| {
            format!("the driver compiled the shader and cannot say what it made ({e})")
        })
    }

    /// Creates the pipeline with all that it needs; what was created before a failure is in `made`.
    fn make(&self, shader: &Shader, made: &mut Made<'_>) -> Result<(), vk::Result> {
        let info = vk::ShaderModuleCreateInfo::default().code(&shader.spirv);
        // SAFETY: the SPIR-V was written by naga from a validated module, for the version and the
        // capabilities of this device.
        made.module = unsafe { self.device.create_shader_module(&info, None) }?;
        let mut groups: BTreeMap<u32, Vec<vk::DescriptorSetLayoutBinding<'_>>> = BTreeMap::new();
        for bound in &shader.bindings {
            groups.entry(bound.group).or_default().push(
                vk::DescriptorSetLayoutBinding::default()
                    .binding(bound.binding)
                    .descriptor_type(descriptor(bound.kind))
                    .descriptor_count(bound.count)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE),
            );
        }
        let sets = groups.keys().last().map_or(0, |last| last + 1);
        for group in 0..sets {
            let bindings = groups.remove(&group).unwrap_or_default();
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            // SAFETY: the binding numbers of one group differ, which naga's validator checked.
            made.sets
                .push(unsafe { self.device.create_descriptor_set_layout(&info, None) }?);
        }
        let ranges = [vk::PushConstantRange::default()
            .stage_flags(vk::ShaderStageFlags::ALL)
            .size(shader.immediate_bytes)];
        let ranges = if shader.immediate_bytes == 0 {
            &[][..]
        } else {
            &ranges[..]
        };
        let info = vk::PipelineLayoutCreateInfo::default()
            .set_layouts(&made.sets)
            .push_constant_ranges(ranges);
        // SAFETY: the set layouts were created above and are alive.
        made.layout = unsafe { self.device.create_pipeline_layout(&info, None) }?;
        let entry = CString::new(shader.entry.as_str()).map_err(|_| vk::Result::ERROR_UNKNOWN)?;
        let flags = if self.varying_subgroups {
            vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE
        } else {
            vk::PipelineShaderStageCreateFlags::empty()
        };
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .flags(flags)
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(made.module)
            .name(&entry);
        let capture = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
            | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
        let info = vk::ComputePipelineCreateInfo::default()
            .flags(capture)
            .stage(stage)
            .layout(made.layout);
        // SAFETY: module, layout and entry point belong together and live until the call returns; the
        // layout has every binding that the entry point uses, and the device has the extension whose
        // flags are set.
        let pipelines = unsafe {
            self.device
                .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
        }
        .map_err(|(_, error)| error)?;
        made.pipeline = pipelines.first().copied().unwrap_or_default();
        Ok(())
    }

    /// Reads everything that the driver says of a pipeline.
    fn read(&self, pipeline: vk::Pipeline) -> Result<Vec<Compiled>, vk::Result> {
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline is alive and of this device, which has the extension enabled.
        let executables = unsafe { self.executables.get_pipeline_executable_properties(&info) }?;
        (0..)
            .zip(executables)
            .map(|(index, executable)| {
                let info = vk::PipelineExecutableInfoKHR::default()
                    .pipeline(pipeline)
                    .executable_index(index);
                // SAFETY: the pipeline was created with CAPTURE_STATISTICS and has this executable.
                let statistics =
                    unsafe { self.executables.get_pipeline_executable_statistics(&info) }?;
                Ok(Compiled {
                    name: text(&executable.name),
                    subgroup_size: executable.subgroup_size,
                    statistics: statistics
                        .iter()
                        .map(|s| (text(&s.name), value(s)))
                        .collect(),
                    texts: self.texts(&info)?,
                })
            })
            .collect()
    }

    /// Reads the texts of an executable: first their sizes, then the texts.
    fn texts(
        &self,
        info: &vk::PipelineExecutableInfoKHR<'_>,
    ) -> Result<Vec<(String, String)>, vk::Result> {
        let ask = self
            .executables
            .fp()
            .get_pipeline_executable_internal_representations_khr;
        let mut count = 0;
        // SAFETY: without an array the call only counts; the pipeline was created with
        // CAPTURE_INTERNAL_REPRESENTATIONS.
        unsafe {
            ask(
                self.device.handle(),
                info,
                &raw mut count,
                std::ptr::null_mut(),
            )
        }
        .result()?;
        let mut forms =
            vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
        // SAFETY: the array has `count` elements whose `p_data` are null, which asks for the sizes.
        unsafe {
            ask(
                self.device.handle(),
                info,
                &raw mut count,
                forms.as_mut_ptr(),
            )
        }
        .result()?;
        forms.truncate(count as usize);
        let mut data: Vec<Vec<u8>> = forms.iter().map(|form| vec![0; form.data_size]).collect();
        for (form, data) in forms.iter_mut().zip(&mut data) {
            form.p_data = data.as_mut_ptr().cast();
        }
        // SAFETY: the array has `count` elements, each of which points to a buffer of its own of
        // `data_size` bytes that lives in `data`.
        let outcome = unsafe {
            ask(
                self.device.handle(),
                info,
                &raw mut count,
                forms.as_mut_ptr(),
            )
        };
        // Mesa before 23 says INCOMPLETE where a text fits its buffer exactly; what there is, counts.
        if outcome != vk::Result::INCOMPLETE {
            outcome.result()?;
        }
        Ok(forms
            .iter()
            .zip(&data)
            .filter(|(form, _)| form.is_text == vk::TRUE)
            .map(|(form, data)| {
                let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
                let body = String::from_utf8_lossy(&data[..end]).into_owned();
                (text(&form.name), body)
            })
            .collect())
    }
}

impl Drop for Device<'_> {
    fn drop(&mut self) {
        // SAFETY: every object of the device lives in a `Made` inside `compile`, which has returned.
        unsafe { self.device.destroy_device(None) };
    }
}

/// The Vulkan objects of one pipeline, destroyed together.
struct Made<'d> {
    device: &'d ash::Device,
    module: vk::ShaderModule,
    sets: Vec<vk::DescriptorSetLayout>,
    layout: vk::PipelineLayout,
    pipeline: vk::Pipeline,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        // SAFETY: the objects were created on this device, are used by nothing (nothing was ever
        // submitted) and are destroyed once; null handles are ignored by Vulkan.
        unsafe {
            self.device.destroy_pipeline(self.pipeline, None);
            self.device.destroy_pipeline_layout(self.layout, None);
            for set in &self.sets {
                self.device.destroy_descriptor_set_layout(*set, None);
            }
            self.device.destroy_shader_module(self.module, None);
        }
    }
}

/// The features that wgpu enables for perwatt and that can change compiled code.
#[derive(Default)]
struct Wanted {
    core: vk::PhysicalDeviceFeatures,
    storage16: vk::PhysicalDevice16BitStorageFeatures<'static>,
    float16: vk::PhysicalDeviceShaderFloat16Int8Features<'static>,
    memory_model: vk::PhysicalDeviceVulkanMemoryModelFeatures<'static>,
    subgroup_sizes: vk::PhysicalDeviceSubgroupSizeControlFeatures<'static>,
    zeroed: vk::PhysicalDeviceZeroInitializeWorkgroupMemoryFeatures<'static>,
    dot_product: vk::PhysicalDeviceShaderIntegerDotProductFeatures<'static>,
    robustness2: vk::PhysicalDeviceRobustness2FeaturesEXT<'static>,
    cooperative_matrix: vk::PhysicalDeviceCooperativeMatrixFeaturesKHR<'static>,
    /// Extensions to enable, where the device has them and its version does not include them.
    names: Vec<&'static CStr>,
    /// Whether Vulkan 1.3's structures are known, by version or by extension.
    has_subgroup_sizes: bool,
    has_zeroed: bool,
    has_dot_product: bool,
}

impl Wanted {
    fn new(api_version: u32, has: &dyn Fn(&CStr) -> bool) -> Self {
        let mut wanted = Self::default();
        let modern = api_version >= vk::API_VERSION_1_3;
        let mut known = |name: &'static CStr| {
            let there = has(name);
            if there && !modern {
                wanted.names.push(name);
            }
            modern || there
        };
        let subgroup_sizes = known(ext::subgroup_size_control::NAME);
        let zeroed = known(khr::zero_initialize_workgroup_memory::NAME);
        let dot_product = known(khr::shader_integer_dot_product::NAME);
        wanted.has_subgroup_sizes = subgroup_sizes;
        wanted.has_zeroed = zeroed;
        wanted.has_dot_product = dot_product;
        for name in [ext::robustness2::NAME, khr::cooperative_matrix::NAME] {
            if has(name) {
                wanted.names.push(name);
            }
        }
        wanted
    }

    /// Extensions to enable.
    fn extensions(&self) -> Vec<&'static CStr> {
        self.names.clone()
    }

    /// Links the structures that the device knows, anew: an earlier chain's links point to where the
    /// structures lay then.
    fn chain<'a>(
        &'a mut self,
        start: vk::PhysicalDeviceFeatures2<'a>,
    ) -> vk::PhysicalDeviceFeatures2<'a> {
        self.storage16.p_next = std::ptr::null_mut();
        self.float16.p_next = std::ptr::null_mut();
        self.memory_model.p_next = std::ptr::null_mut();
        self.subgroup_sizes.p_next = std::ptr::null_mut();
        self.zeroed.p_next = std::ptr::null_mut();
        self.dot_product.p_next = std::ptr::null_mut();
        self.robustness2.p_next = std::ptr::null_mut();
        self.cooperative_matrix.p_next = std::ptr::null_mut();
        let mut chain = start
            .push_next(&mut self.storage16)
            .push_next(&mut self.float16)
            .push_next(&mut self.memory_model);
        if self.has_subgroup_sizes {
            chain = chain.push_next(&mut self.subgroup_sizes);
        }
        if self.has_zeroed {
            chain = chain.push_next(&mut self.zeroed);
        }
        if self.has_dot_product {
            chain = chain.push_next(&mut self.dot_product);
        }
        if self.names.contains(&ext::robustness2::NAME) {
            chain = chain.push_next(&mut self.robustness2);
        }
        if self.names.contains(&khr::cooperative_matrix::NAME) {
            chain = chain.push_next(&mut self.cooperative_matrix);
        }
        chain
    }

    /// Turns off what wgpu leaves off although a device has it.
    fn keep_what_wgpu_enables(&mut self) {
        self.robustness2.null_descriptor = vk::FALSE;
        self.subgroup_sizes.compute_full_subgroups = vk::FALSE;
        self.storage16.storage_push_constant16 = vk::FALSE;
        self.cooperative_matrix
            .cooperative_matrix_robust_buffer_access = vk::FALSE;
        self.memory_model
            .vulkan_memory_model_availability_visibility_chains = vk::FALSE;
    }

    /// What there is, by wgpu's names.
    fn names(&self, subgroup_operations: vk::SubgroupFeatureFlags) -> Vec<String> {
        use vk::SubgroupFeatureFlags as Operation;
        let subgroups = Operation::BASIC
            | Operation::VOTE
            | Operation::ARITHMETIC
            | Operation::BALLOT
            | Operation::SHUFFLE
            | Operation::SHUFFLE_RELATIVE
            | Operation::QUAD;
        let all = [
            (
                "SHADER_F16",
                self.float16.shader_float16 == vk::TRUE
                    && self.storage16.storage_buffer16_bit_access == vk::TRUE
                    && self.storage16.uniform_and_storage_buffer16_bit_access == vk::TRUE,
            ),
            ("SHADER_F64", self.core.shader_float64 == vk::TRUE),
            ("SHADER_INT64", self.core.shader_int64 == vk::TRUE),
            ("SUBGROUP", subgroup_operations.contains(subgroups)),
            ("SUBGROUP_BARRIER", subgroup_operations.contains(subgroups)),
            (
                "EXPERIMENTAL_COOPERATIVE_MATRIX",
                self.cooperative_matrix.cooperative_matrix == vk::TRUE
                    && self.memory_model.vulkan_memory_model == vk::TRUE,
            ),
        ];
        all.into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name.to_owned())
            .collect()
    }
}

/// A fixed-size C string.
fn text(raw: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = raw
        .iter()
        .map(|c| c.to_ne_bytes()[0])
        .take_while(|b| *b != 0)
        .collect();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// A statistic as a number.
fn value(statistic: &vk::PipelineExecutableStatisticKHR<'_>) -> f64 {
    use vk::PipelineExecutableStatisticFormatKHR as Format;
    // SAFETY: the driver wrote the member of the union that `format` names, all members are plain
    // numbers, and ash zeroed the rest.
    unsafe {
        match statistic.format {
            Format::BOOL32 => f64::from(statistic.value.b32),
            Format::INT64 => statistic.value.i64 as f64,
            Format::FLOAT64 => statistic.value.f64,
            _ => statistic.value.u64 as f64,
        }
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

fn descriptor(kind: BoundKind) -> vk::DescriptorType {
    match kind {
        BoundKind::StorageBuffer => vk::DescriptorType::STORAGE_BUFFER,
        BoundKind::UniformBuffer => vk::DescriptorType::UNIFORM_BUFFER,
        BoundKind::StorageTexture => vk::DescriptorType::STORAGE_IMAGE,
        BoundKind::Texture => vk::DescriptorType::SAMPLED_IMAGE,
        BoundKind::Sampler => vk::DescriptorType::SAMPLER,
    }
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
