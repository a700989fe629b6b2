//! Compiler statistics and generated code of kernels: registers, spills, occupancy, and what the hottest loop
//! consists of.
//!
//! A kernel can be right, and fast on one GPU, and still be poor code on another; this shows it without
//! running anything. Drivers say it through `VK_KHR_pipeline_executable_properties`, and Mesa's RADV says
//! it for [GPUs that are not in the machine](examine_family) too. Compilers are deterministic, so two
//! inspections can be compared without statistics.

mod child;
mod examine;
mod isa;
mod radv;
mod spirv;
mod statistics;
mod subject;
mod vulkan;
mod vulkan_device;
mod vulkan_features;

pub use child::{ChildMessage, examine_family};
pub use examine::{InspectedShader, examine};
pub use radv::{DriverSearch, device_type, find_driver, manifest};
pub use subject::ShaderSubject;
pub use vulkan::{ListedDevice, Vulkan};
pub use vulkan_device::VulkanDevice;
