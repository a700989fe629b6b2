//! The Vulkan features that wgpu would enable and that reach into the compiler's output.

use std::ffi::CStr;

use ash::{ext, khr, vk};

/// The features that wgpu enables for perwatt and that can change compiled code.
#[derive(Default)]
pub(super) struct WantedFeatures {
    pub(super) core: vk::PhysicalDeviceFeatures,
    pub(super) storage16: vk::PhysicalDevice16BitStorageFeatures<'static>,
    pub(super) float16: vk::PhysicalDeviceShaderFloat16Int8Features<'static>,
    pub(super) memory_model: vk::PhysicalDeviceVulkanMemoryModelFeatures<'static>,
    pub(super) subgroup_sizes: vk::PhysicalDeviceSubgroupSizeControlFeatures<'static>,
    pub(super) zeroed: vk::PhysicalDeviceZeroInitializeWorkgroupMemoryFeatures<'static>,
    pub(super) dot_product: vk::PhysicalDeviceShaderIntegerDotProductFeatures<'static>,
    pub(super) robustness2: vk::PhysicalDeviceRobustness2FeaturesEXT<'static>,
    pub(super) cooperative_matrix: vk::PhysicalDeviceCooperativeMatrixFeaturesKHR<'static>,
    /// Extensions to enable, where the device has them and its version does not include them.
    names: Vec<&'static CStr>,
    /// Whether Vulkan 1.3's structures are known, by version or by extension.
    has_subgroup_sizes: bool,
    has_zeroed: bool,
    has_dot_product: bool,
}

impl WantedFeatures {
    pub(super) fn new(api_version: u32, has: &dyn Fn(&CStr) -> bool) -> Self {
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
    pub(super) fn extensions(&self) -> Vec<&'static CStr> {
        self.names.clone()
    }

    /// Links the structures that the device knows, anew: an earlier chain's links point to where the
    /// structures lay then.
    pub(super) fn chain<'a>(
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
    pub(super) fn keep_what_wgpu_enables(&mut self) {
        self.robustness2.null_descriptor = vk::FALSE;
        self.subgroup_sizes.compute_full_subgroups = vk::FALSE;
        self.storage16.storage_push_constant16 = vk::FALSE;
        self.cooperative_matrix
            .cooperative_matrix_robust_buffer_access = vk::FALSE;
        self.memory_model
            .vulkan_memory_model_availability_visibility_chains = vk::FALSE;
    }

    /// What there is, by wgpu's names.
    pub(super) fn names(&self, subgroup_operations: vk::SubgroupFeatureFlags) -> Vec<String> {
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
