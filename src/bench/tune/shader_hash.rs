//! A hash that tells whether tuned parameters still give the shaders that they were measured with.

use crate::record::Adapter;
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
    let custom = planned.with_kernel(kernel.clone()).custom?;
    let dispatches = serde_json::to_string(&custom.dispatches).ok()?;
    let wgpu = option_env!("PERWATT_WGPU_VERSION").unwrap_or("");
    Some(format!("{:016x}", fnv1a([dispatches.as_str(), wgpu])))
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
    Some(format!("{:016x}", fnv1a(texts.chain([wgpu]))))
}

/// FNV-1a, which stays the same from one compiler to the next, as the standard library's hasher may not.
pub(super) fn fnv1a<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in texts {
        // A byte that no text holds keeps "ab", "c" apart from "a", "bc".
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
