//! What workloads are built from: kernels with parameters, programs, WGSL templates, input data, the ways in
//! which weights are stored, and the comparison with a reference.

pub(crate) mod checker;
pub(crate) mod dimensions;
pub(crate) mod dtype;
pub(crate) mod input;
pub(crate) mod kernel;
pub(crate) mod matrix_unit;
pub(crate) mod program;
pub(crate) mod quantized;
pub(crate) mod stored_texture;
pub(crate) mod subgroup_broadcast;
pub(crate) mod template;
pub(crate) mod texel_kind;
pub(crate) mod units;
pub(crate) mod unsupported;
