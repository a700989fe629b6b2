//! An open Vulkan device that compiles shaders and reports what its compiler says of each.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::marker::PhantomData;

use ash::{khr, vk};

use super::spirv::{Abilities, BoundKind, SpirvShader};

/// What the driver says of one compiled shader.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DriverReport {
    /// The driver's name for the executable.
    pub(super) name: String,
    /// Threads of a subgroup, 0 where the driver does not say.
    pub(super) subgroup_size: u32,
    /// Named figures, in the driver's words.
    pub(super) statistics: Vec<(String, f64)>,
    /// Texts: the compiler's intermediate forms and the assembly.
    pub(super) texts: Vec<(String, String)>,
}

/// An open device.
pub struct VulkanDevice<'v> {
    pub(super) device: ash::Device,
    pub(super) executables: khr::pipeline_executable_properties::Device,
    pub(super) abilities: Abilities,
    /// Lets pipelines choose among subgroup sizes, as wgpu does where it can.
    pub(super) varying_subgroups: bool,
    /// The instance, which must outlive the device.
    pub(super) instance: PhantomData<&'v ash::Instance>,
}

impl VulkanDevice<'_> {
    /// What the translation to SPIR-V must know of the device.
    pub(super) fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Compiles a shader and reads what the driver says of it.
    ///
    /// # Errors
    /// The driver refuses the shader.
    pub(super) fn compile(&self, shader: &SpirvShader) -> Result<Vec<DriverReport>, String> {
        let mut made = PipelineObjects {
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
    fn make(&self, shader: &SpirvShader, made: &mut PipelineObjects<'_>) -> Result<(), vk::Result> {
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
    fn read(&self, pipeline: vk::Pipeline) -> Result<Vec<DriverReport>, vk::Result> {
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
                Ok(DriverReport {
                    name: c_text(&executable.name),
                    subgroup_size: executable.subgroup_size,
                    statistics: statistics
                        .iter()
                        .map(|s| (c_text(&s.name), value(s)))
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
                (c_text(&form.name), body)
            })
            .collect())
    }
}

impl Drop for VulkanDevice<'_> {
    fn drop(&mut self) {
        // SAFETY: every object of the device lives in a `PipelineObjects` inside `compile`, which has returned.
        unsafe { self.device.destroy_device(None) };
    }
}

/// The Vulkan objects of one pipeline, destroyed together.
struct PipelineObjects<'d> {
    device: &'d ash::Device,
    module: vk::ShaderModule,
    sets: Vec<vk::DescriptorSetLayout>,
    layout: vk::PipelineLayout,
    pipeline: vk::Pipeline,
}

impl Drop for PipelineObjects<'_> {
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

fn descriptor(kind: BoundKind) -> vk::DescriptorType {
    match kind {
        BoundKind::StorageBuffer => vk::DescriptorType::STORAGE_BUFFER,
        BoundKind::UniformBuffer => vk::DescriptorType::UNIFORM_BUFFER,
        BoundKind::StorageTexture => vk::DescriptorType::STORAGE_IMAGE,
        BoundKind::Texture => vk::DescriptorType::SAMPLED_IMAGE,
        BoundKind::Sampler => vk::DescriptorType::SAMPLER,
    }
}

/// A fixed-size C string.
pub(super) fn c_text(raw: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = raw
        .iter()
        .map(|c| c.to_ne_bytes()[0])
        .take_while(|b| *b != 0)
        .collect();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
