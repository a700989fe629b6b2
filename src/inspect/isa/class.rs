//! What an instruction of AMD's ISAs does, by its name.

/// Kinds of instruction that decide what a kernel is limited by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Multiply-add of floating-point numbers, packed ones included.
    Fma,
    /// Matrix unit: WMMA, SWMMAC, MFMA, SMFMAC.
    Matrix,
    /// Dot product of packed small numbers.
    Dot,
    /// Any other instruction of the vector ALU.
    Vector,
    /// Workgroup memory.
    Lds,
    /// Global memory.
    Global,
    /// Memory of the thread's own: register spills and indexed private arrays.
    Scratch,
    /// Loads through the scalar cache.
    ScalarMemory,
    /// Scalar ALU.
    Scalar,
    /// Branches and the end.
    Branch,
    /// Waits, barriers and hints to the scheduler.
    Wait,
    /// Anything else.
    Other,
}

/// Whether a word is the name of an instruction.
pub(super) fn is_mnemonic(word: &str) -> bool {
    const FAMILIES: [&str; 13] = [
        "v_", "s_", "ds_", "buffer_", "global_", "flat_", "scratch_", "image_", "tbuffer_", "lds_",
        "exp", "cluster_", "tensor_",
    ];
    let name = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    name && FAMILIES.iter().any(|family| word.starts_with(family))
}

/// The class of an instruction. VOPD's halves are classified one at a time.
pub(super) fn classify(mnemonic: &str) -> Class {
    if let Some(vector) = mnemonic.strip_prefix("v_") {
        return vector_class(vector.strip_prefix("dual_").unwrap_or(vector));
    }
    if let Some(scalar) = mnemonic.strip_prefix("s_") {
        return scalar_class(scalar);
    }
    let starts = |families: &[&str]| families.iter().any(|f| mnemonic.starts_with(f));
    if starts(&["ds_", "lds_"]) {
        Class::Lds
    } else if starts(&["scratch_"]) {
        Class::Scratch
    } else if starts(&[
        "buffer_", "global_", "flat_", "image_", "tbuffer_", "tensor_",
    ]) {
        Class::Global
    } else {
        Class::Other
    }
}

/// The class of `v_NAME`.
fn vector_class(name: &str) -> Class {
    let starts = |families: &[&str]| families.iter().any(|f| name.starts_with(f));
    if starts(&["wmma_", "swmmac_", "mfma_", "smfmac_"]) {
        return Class::Matrix;
    }
    let operation = name.strip_prefix("pk_").unwrap_or(name);
    let is = |families: &[&str]| families.iter().any(|f| operation.starts_with(f));
    if is(&["dot"]) {
        Class::Dot
    } else if is(&[
        "fma",
        "mac_",
        "mad_f",
        "mad_mix",
        "mad_legacy",
        "madak_f",
        "madmk_f",
    ]) {
        Class::Fma
    } else {
        Class::Vector
    }
}

/// The class of `s_NAME`.
fn scalar_class(name: &str) -> Class {
    let starts = |families: &[&str]| families.iter().any(|f| name.starts_with(f));
    if starts(&[
        "branch",
        "cbranch",
        "endpgm",
        "setpc",
        "swappc",
        "call",
        "subvector_loop",
    ]) {
        Class::Branch
    } else if starts(&[
        "load_",
        "buffer_load",
        "store_",
        "buffer_store",
        "scratch_",
        "atomic_",
    ]) {
        Class::ScalarMemory
    } else if starts(&[
        "wait",
        "nop",
        "delay_alu",
        "barrier",
        "clause",
        "sendmsg",
        "set_inst_prefetch",
        "inst_prefetch",
        "prefetch",
        "sleep",
        "setprio",
        "dcache",
        "icache",
        "gl1_inv",
        "code_end",
        "version",
        "ttracedata",
        "sethalt",
        "setkill",
        "trap",
        "monitor_sleep",
        "round_mode",
        "denorm_mode",
    ]) {
        Class::Wait
    } else {
        Class::Scalar
    }
}
