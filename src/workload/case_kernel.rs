//! A case with the kernel that does it: the one type for it, from the plan through tuning and the messages
//! between processes to the measuring loop. A record holds the same as text.

use crate::record::{CaseName, CaseResult, Counts, CustomKernel, Reading, Status};
use crate::workload::case::Case;
use crate::workload::kit::kernel::Kernel;

/// A case with the kernel that is to do it.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseKernel {
    /// The case.
    pub case: Case,
    /// The kernel with its parameters.
    pub kernel: Kernel,
    /// Useful work of one execution.
    pub counts: Counts,
    /// The kernel itself, where it is a custom one.
    pub custom: Option<Box<CustomKernel>>,
    /// Where the parameters come from: `default`, or the tuning that chose them.
    pub parameters_from: String,
}

impl CaseKernel {
    /// A kernel of a built-in workload with its default parameters.
    pub fn built_in(case: Case, kernel: Kernel) -> Self {
        Self {
            counts: case.counts(),
            case,
            kernel,
            custom: None,
            parameters_from: "default".to_owned(),
        }
    }

    /// `case@kernel`, the name by which records are matched.
    pub fn id(&self) -> String {
        CaseName::with_kernel(&self.case, &self.kernel.name)
    }

    /// A record's entry that waits for its invocations.
    pub fn pending_result(&self) -> CaseResult {
        // A custom kernel may bear the name of a built-in one, and is another all the same.
        let kernel = match self.custom {
            Some(_) => &Kernel::new("", &[]),
            None => &self.kernel,
        };
        let resources = self.case.resources(kernel);
        CaseResult {
            case: self.case.to_string(),
            kernel: self.kernel.name.to_string(),
            parameters: self.kernel.parameters.clone(),
            parameters_from: self.parameters_from.clone(),
            custom: self.custom.clone(),
            counts: self.counts,
            resources: Some(resources),
            measure: None,
            status: Status::Measured,
            invocations: Vec::new(),
            summary: Reading::unmeasured("not measured yet"),
            warnings: Vec::new(),
        }
    }
}
