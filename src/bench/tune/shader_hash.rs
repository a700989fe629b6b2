//! A hash that tells whether tuned parameters still give the shaders that they were measured with.

use crate::record::{Adapter, stable_hash};
use crate::workload::{Case, CaseKernel, Kernel};

/// The hash of a planned kernel with other parameters. That of a custom one is of all that its dispatches say, which an
/// adapter's limits have no part in.
pub(super) fn hash_with(
    planned: &CaseKernel,
    kernel: &Kernel,
    adapter: &Adapter,
) -> Option<String> {
    if planned.custom.is_none() {
        return shader_hash(&planned.case, kernel, adapter);
    }
    let custom = planned.custom_with(kernel)?;
    let dispatches = serde_json::to_string(&custom.dispatches).ok()?;
    let wgpu = option_env!("PERWATT_WGPU_VERSION").unwrap_or("");
    Some(format!(
        "{:016x}",
        hash_of_texts([dispatches.as_str(), wgpu])
    ))
}

/// A hash of the shaders that a kernel's parameters give for a case, and of wgpu's version; `None`
/// where the kernel cannot do the case on this adapter.
pub(super) fn shader_hash(case: &Case, kernel: &Kernel, adapter: &Adapter) -> Option<String> {
    let program = case.program(kernel, 0).ok()?;
    if program.unsupported_on(adapter).is_some() {
        return None;
    }
    let wgpu = option_env!("PERWATT_WGPU_VERSION").unwrap_or("");
    let texts = program.dispatches().iter().map(|d| d.wgsl.as_str());
    Some(format!("{:016x}", hash_of_texts(texts.chain([wgpu]))))
}

/// A hash of texts in order.
pub(super) fn hash_of_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    // A byte that no text holds keeps "ab", "c" apart from "a", "bc".
    let bytes = |text: &'t str| text.bytes().chain([0xff]);
    stable_hash(texts.into_iter().flat_map(bytes))
}
