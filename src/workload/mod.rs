//! What perwatt computes: workloads, their cases, their kernels and the f64 references.
//!
//! A workload owns everything that can be said of its work without a device: which shapes are worth
//! measuring, how many FLOP and bytes they are, what the right answer is, and which WGSL does it. To
//! add one: a folder here with a [`Workload`] in it, its WGSL below `shaders/`, and one line in
//! [`registry`].

mod attention;
mod case;
mod checker;
mod dispatch_latency;
mod gemv;
mod input;
mod lanes;
mod llama_layer;
mod matmul;
mod matmul_coop;
mod matmul_packed;
mod matmul_tile;
mod own;
mod peak;
mod peak_coop;
mod peak_dot4;
mod peak_fma;
mod program;
mod read;
mod rmsnorm;
mod shape;
mod softmax;
mod stream;
mod template;
mod transfer;
mod weights;

pub(crate) use case::split_case;
pub use case::{Case, Dtype, Suite};
pub use input::{Input, Storage};
pub use own::{OwnCase, OwnWorkload, load_own};
pub use program::{Action, Binding, Buffer, Contents, Dispatch, POISON, Program};

use std::collections::BTreeMap;

use crate::record::{Adapter, Counts, Verification};

/// A kind of computation.
pub trait Workload: Send + Sync {
    /// The first part of a case's name: `matmul`.
    fn name(&self) -> &'static str;

    /// What it computes, its FLOP and byte formulas and its conventions, in a few lines.
    fn about(&self) -> &'static str;

    /// Every case that the suites hold, small ones first.
    fn cases(&self) -> Vec<Case>;

    /// The case of a dtype and a written shape, for shapes that no suite holds.
    ///
    /// # Errors
    /// The shape is not of this workload's form; the message says what the form is.
    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String>;

    /// Useful work of one execution.
    fn counts(&self, case: &Case) -> Counts;

    /// Whether less than a sixth of those bytes are written, so that reading is the memory roof that fits
    /// and not copying.
    fn mostly_reads(&self, _case: &Case) -> bool {
        false
    }

    /// The kernels with the parameters that `run` uses on this adapter when nothing was tuned.
    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel>;

    /// Every parameter set that a kernel of this case may be asked for, on any adapter.
    fn tuning_space(&self, case: &Case) -> Vec<Kernel>;

    /// The cases of other workloads that a kernel of this case is composed of, with the kernels that do
    /// them: what was tuned for one is used here too, as the parameters `name.parameter`.
    fn parts(&self, _case: &Case, _kernel: &Kernel) -> Vec<Part> {
        Vec::new()
    }

    /// A case of the same kind with much less work, whose time tells how long `case` will take;
    /// `None` where `case` is small already.
    fn pilot(&self, case: &Case) -> Option<Case>;

    /// What the kernel does, as data, with inputs drawn from `seed`.
    ///
    /// # Errors
    /// The kernel cannot do this case (an unsupported dtype or shape); the message says why.
    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String>;

    /// Compares an execution's outputs with the f64 reference on the inputs of the same program.
    ///
    /// `outputs` holds the contents of each [`Contents::Output`] and
    /// [`Contents::Kept`] buffer of `program`, in order.
    fn verify(
        &self,
        case: &Case,
        kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification;
}

/// A part of a composed kernel.
#[derive(Clone, Debug)]
pub struct Part {
    /// The part's name, which its parameters begin with.
    pub name: &'static str,
    /// What it does, as a case of its own.
    pub case: Case,
    /// The kernel that does it, with its parameters.
    pub kernel: Kernel,
}

/// A kernel with its tuning parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `naive`, `tiled`, …
    pub name: &'static str,
    /// Tuning parameters by name.
    pub parameters: BTreeMap<String, u32>,
}

impl Kernel {
    /// A kernel with its parameters.
    pub(crate) fn new(name: &'static str, parameters: &[(&str, u32)]) -> Self {
        Self {
            name,
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), *value))
                .collect(),
        }
    }

    /// A parameter's value.
    ///
    /// # Errors
    /// The kernel comes without it, from a file of another version say.
    pub(crate) fn parameter(&self, name: &str) -> Result<u32, String> {
        self.parameters
            .get(name)
            .copied()
            .filter(|value| *value <= 1 << 16)
            .ok_or_else(|| format!("kernel {} has no usable parameter {name:?}", self.name))
    }
}

/// Every workload, in the order in which a session runs them: the roofs first.
pub fn registry() -> &'static [&'static dyn Workload] {
    &[
        &peak_fma::PeakFma,
        &peak_dot4::PeakDot4,
        &peak_coop::PeakCoop,
        &stream::Copy,
        &stream::Triad,
        &read::Read,
        &matmul::Matmul,
        &gemv::Gemv,
        &softmax::Softmax,
        &rmsnorm::RmsNorm,
        &attention::Prefill,
        &attention::Decode,
        &llama_layer::LlamaLayer,
        &dispatch_latency::DispatchLatency,
        &transfer::Transfer,
    ]
}
