//! The list of all workloads; a new one gets a line here.

use crate::workload::attention::{Decode, Prefill};
use crate::workload::gemv::Gemv;
use crate::workload::host::{DispatchLatency, Transfer};
use crate::workload::interface::Workload;
use crate::workload::llama_layer::LlamaLayer;
use crate::workload::matmul::Matmul;
use crate::workload::memory::{Copy, Read, Triad};
use crate::workload::peak::{PeakCoop, PeakDot4, PeakFma};
use crate::workload::rows::{RmsNorm, Softmax};

/// Every workload, in the order in which a session runs them: the roofs first.
pub fn registry() -> &'static [&'static dyn Workload] {
    &[
        &PeakFma,
        &PeakDot4,
        &PeakCoop,
        &Copy,
        &Triad,
        &Read,
        &Matmul,
        &Gemv,
        &Softmax,
        &RmsNorm,
        &Prefill,
        &Decode,
        &LlamaLayer,
        &DispatchLatency,
        &Transfer,
    ]
}
