//! The case of a `[[workload]]`: its name and shape are the user's words, and its work stands in its kernel.

use std::fmt;
use std::sync::Arc;

use crate::record::{Adapter, CaseName, Counts, Resources, Verification};
use crate::workload::case::{Case, Problem};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::registry::{UnknownCase, parse_dtype};

/// The case that a `[[workload]]` declares.
pub(crate) fn custom_case(text: &str) -> Result<Case, UnknownCase> {
    let name = CaseName::parse_case(text).ok_or(UnknownCase::Form)?;
    let dtype = parse_dtype(name.dtype)?;
    let problem = CustomProblem {
        dtype,
        shape: name.shape.to_owned(),
    };
    Ok(Case::new(name.workload.to_owned(), dtype, problem))
}

/// The case of a `[[workload]]`: a name and a shape in words of the user's own. What it computes stands in
/// its kernel.
#[derive(Debug)]
struct CustomProblem {
    dtype: Dtype,
    shape: String,
}

impl fmt::Display for CustomProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shape)
    }
}

impl Problem for CustomProblem {
    fn counts(&self) -> Counts {
        Counts::default()
    }

    fn resources(&self, _kernel: &Kernel) -> Resources {
        units::reads_and_writes(units::ordinary(self.dtype))
    }

    fn kernels(&self, _adapter: &Adapter) -> Vec<Kernel> {
        Vec::new()
    }

    fn tuning_space(&self) -> Vec<Kernel> {
        Vec::new()
    }

    fn pilot(&self) -> Option<Arc<dyn Problem>> {
        None
    }

    fn program(&self, kernel: &Kernel, _seed: u64) -> Result<Program, Unsupported> {
        Err(Unsupported::kernel(
            "a custom case without its file",
            &kernel.name,
        ))
    }

    fn verify(&self, _kernel: &Kernel, _program: &Program, _outputs: &[Vec<u8>]) -> Verification {
        Checker::failed("the case came without its file".to_owned())
    }
}
