//! What every workload can say of itself.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;

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
    /// `outputs` holds the contents of each [`Output`] and
    /// [`Kept`] buffer of `program`, in order.
    ///
    /// [`Output`]: crate::workload::Contents::Output
    /// [`Kept`]: crate::workload::Contents::Kept
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
    /// What it does, as a case by itself, and the kernel that does it.
    pub work: CaseKernel,
}
