//! What perwatt computes: workloads, their cases, their kernels and the f64 references.
//!
//! A workload owns everything that can be said of its work without a device: which shapes are worth
//! measuring, how many FLOP and bytes they are, what the right answer is, and which WGSL does it. Each
//! family of workloads has a folder here; `registry` lists them. `kit` holds what they share.
//!
//! A shader is found by its kernel's name: `shaders/WORKLOAD/KERNEL.wgsl`, or, where a kernel has several
//! forms or passes, a file for each below `shaders/WORKLOAD/KERNEL/`. One file that several kernels share is
//! named after them all, joined by `+`; the number of chains in a kernel's name is left out. `llama-layer`
//! has a file for each stage between the kernels of other workloads, and `shaders/common` what shaders
//! include.

mod attention;
mod case;
mod case_kernel;
mod computation;
mod custom;
mod gemv;
mod host;
mod interface;
mod kit;
mod lint;
mod llama_layer;
mod matmul;
mod memory;
mod peak;
mod registry;
mod rows;
mod wgsl;
mod written;

pub use case::{Case, Part, Problem, Suite};
pub(crate) use case_kernel::is_known;
pub use case_kernel::{CaseKernel, KernelVariant};
pub use custom::{
    CustomWork, LoadedFile, ManifestCommands, UnusableKernel, load_custom, load_each,
};
pub use interface::{SuiteCases, Workload};
pub use kit::dtype::Dtype;
pub use kit::input::{Input, Storage};
pub use kit::kernel::Kernel;
pub use kit::program::{Action, Binding, BindingKind, Buffer, Contents, Dispatch, Poison, Program};
pub use kit::stored_texture::StoredTexture;
pub use kit::texel_kind::TexelKind;
pub use kit::unsupported::Unsupported;
pub use lint::{Hazard, lint};
pub use registry::{UnknownCase, find_case, registry, workload};
pub use wgsl::{BoundResource, BoundVariable, EntryNeeds, WgslModule};
