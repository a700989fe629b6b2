//! From WGSL to the SPIR-V that wgpu's Vulkan backend would hand to the driver, and what the driver must
//! know beside it: bindings, workgroup, immediates.

use std::collections::BTreeMap;

use naga::AddressSpace;
use naga::back::{pipeline_constants, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};

use crate::workload::WgslModule;

/// What the device lets a shader do, as far as the translation depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    /// Highest SPIR-V version that the device's Vulkan version takes.
    pub(super) spirv: (u8, u8),
    /// Integer dot products, which are else spelled out.
    pub(super) integer_dot_product: bool,
    /// The driver checks the bounds of buffers itself.
    pub(super) robust_buffers: bool,
}

/// A compute shader, ready for a driver.
#[derive(Clone, Debug)]
pub(super) struct SpirvShader {
    /// SPIR-V words.
    pub(super) spirv: Vec<u32>,
    /// The entry point's name.
    pub(super) entry: String,
    /// Threads of a workgroup.
    pub(super) workgroup: [u32; 3],
    /// Everything bound that the entry point uses.
    pub(super) bindings: Vec<ShaderBinding>,
    /// Bytes of immediates (push constants).
    pub(super) immediate_bytes: u32,
}

/// One binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShaderBinding {
    pub(super) group: u32,
    pub(super) binding: u32,
    pub(super) kind: BoundKind,
    pub(super) count: u32,
}

/// What is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoundKind {
    StorageBuffer,
    UniformBuffer,
    StorageTexture,
    Texture,
    Sampler,
}

/// A WGSL source, on its way to SPIR-V.
#[derive(Debug)]
pub(super) struct WgslSource(WgslModule);

impl WgslSource {
    /// Parses and validates.
    ///
    /// # Errors
    /// naga refuses the source; the message shows where.
    pub(super) fn parse(wgsl: &str) -> Result<Self, String> {
        WgslModule::parse(wgsl).map(Self)
    }

    /// Names of the compute entry points.
    pub(super) fn entries(&self) -> Vec<String> {
        self.0.entries()
    }

    /// The compute entry point of a name.
    ///
    /// # Errors
    /// There is none; the message names the nearest.
    pub(super) fn entry(&self, name: &str) -> Result<String, String> {
        self.0.entry(Some(name))
    }

    /// SPIR-V as wgpu writes it: without run-time checks and zeroed workgroup memory, or with `checked`.
    ///
    /// # Errors
    /// An override without a value, or something that SPIR-V cannot say.
    pub(super) fn translate(
        &self,
        entry: &str,
        overrides: &BTreeMap<String, f64>,
        checked: bool,
        abilities: Abilities,
    ) -> Result<SpirvShader, String> {
        let constants = self.0.pipeline_constants(overrides)?.into_iter().collect();
        let stage = naga::ShaderStage::Compute;
        let (module, info) = pipeline_constants::process_overrides(
            &self.0.module,
            &self.0.info,
            Some((stage, entry)),
            &constants,
        )
        .map_err(|e| match e {
            pipeline_constants::PipelineConstantError::MissingValue(name) => {
                format!(
                    "the override {name} has no value; give it one with --override {name}=VALUE"
                )
            }
            e => e.to_string(),
        })?;
        let (index, point) = module
            .entry_points
            .iter()
            .enumerate()
            .find(|(_, point)| point.stage == stage && point.name == entry)
            .ok_or_else(|| format!("there is no compute entry point called {entry:?}"))?;
        let used = info.get_entry_point(index);
        let mut bindings = Vec::new();
        let mut immediate_bytes = 0;
        for (handle, variable) in module.global_variables.iter() {
            if used[handle].is_empty() {
                continue;
            }
            if variable.space == AddressSpace::Immediate {
                let size = module.types[variable.ty].inner.try_size(module.to_ctx());
                immediate_bytes = size.unwrap_or(0).next_multiple_of(4);
            }
            if let Some(at) = &variable.binding {
                let (kind, count) = kind(&module, variable)?;
                bindings.push(ShaderBinding {
                    group: at.group,
                    binding: at.binding,
                    kind,
                    count,
                });
            }
        }
        let options = options(checked, abilities);
        let pipeline = spv::PipelineOptions {
            shader_stage: stage,
            entry_point: entry.to_owned(),
        };
        let spirv = spv::write_vec(&module, &info, &options, Some(&pipeline))
            .map_err(|e| format!("cannot be written as SPIR-V: {e}"))?;
        Ok(SpirvShader {
            spirv,
            entry: entry.to_owned(),
            workgroup: point.workgroup_size,
            bindings,
            immediate_bytes,
        })
    }
}

/// The options that wgpu's Vulkan backend uses.
fn options(checked: bool, abilities: Abilities) -> spv::Options<'static> {
    let policy = if checked {
        BoundsCheckPolicy::Restrict
    } else {
        BoundsCheckPolicy::Unchecked
    };
    let mut capabilities: naga::FastHashSet<spv::Capability> = [
        spv::Capability::Shader,
        spv::Capability::Matrix,
        spv::Capability::Sampled1D,
        spv::Capability::Image1D,
        spv::Capability::ImageQuery,
        spv::Capability::DerivativeControl,
        spv::Capability::StorageImageExtendedFormats,
        spv::Capability::StorageImageWriteWithoutFormat,
        spv::Capability::GroupNonUniform,
        spv::Capability::GroupNonUniformVote,
        spv::Capability::GroupNonUniformArithmetic,
        spv::Capability::GroupNonUniformBallot,
        spv::Capability::GroupNonUniformShuffle,
        spv::Capability::GroupNonUniformShuffleRelative,
        spv::Capability::GroupNonUniformQuad,
        spv::Capability::ShaderNonUniform,
        spv::Capability::Int64,
        spv::Capability::Float64,
        spv::Capability::Float16,
        spv::Capability::Int16,
        spv::Capability::Int8,
        spv::Capability::Int64Atomics,
        spv::Capability::AtomicFloat32AddEXT,
        spv::Capability::CooperativeMatrixKHR,
        spv::Capability::VulkanMemoryModel,
    ]
    .into_iter()
    .collect();
    if abilities.integer_dot_product {
        capabilities.extend([
            spv::Capability::DotProductInputAllKHR,
            spv::Capability::DotProductInput4x8BitKHR,
            spv::Capability::DotProductInput4x8BitPackedKHR,
            spv::Capability::DotProductKHR,
        ]);
    }
    spv::Options {
        lang_version: abilities.spirv,
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        capabilities: Some(capabilities),
        bounds_check_policies: BoundsCheckPolicies {
            index: policy,
            buffer: if abilities.robust_buffers {
                BoundsCheckPolicy::Unchecked
            } else {
                policy
            },
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: if checked {
            spv::ZeroInitializeWorkgroupMemoryMode::Native
        } else {
            spv::ZeroInitializeWorkgroupMemoryMode::None
        },
        force_loop_bounding: checked,
        emit_int_div_checks: checked,
        ..Default::default()
    }
}

/// What a bound variable is.
fn kind(
    module: &naga::Module,
    variable: &naga::GlobalVariable,
) -> Result<(BoundKind, u32), String> {
    let (ty, count) = match module.types[variable.ty].inner {
        naga::TypeInner::BindingArray { base, size } => match size {
            naga::ArraySize::Constant(count) => (base, count.get()),
            _ => return Err("binds an array of unknown length".to_owned()),
        },
        _ => (variable.ty, 1),
    };
    let kind = match (variable.space, &module.types[ty].inner) {
        (AddressSpace::Storage { .. }, _) => BoundKind::StorageBuffer,
        (AddressSpace::Uniform, _) => BoundKind::UniformBuffer,
        (_, naga::TypeInner::Sampler { .. }) => BoundKind::Sampler,
        (_, naga::TypeInner::Image { class, .. }) => match class {
            naga::ImageClass::Storage { .. } => BoundKind::StorageTexture,
            _ => BoundKind::Texture,
        },
        (space, _) => {
            return Err(format!(
                "binds something in {space:?}, which is not supported"
            ));
        }
    };
    Ok((kind, count))
}
