//! A case with the kernel that does it: the one type for it, from the plan through tuning and the messages
//! between processes to the measuring loop. A record holds the same as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{CaseName, CaseResult, Counts, CustomKernel, Reading, Status};
use crate::workload::case::Case;
use crate::workload::custom::custom_case;
use crate::workload::kit::kernel::Kernel;
use crate::workload::registry::{UnknownCase, find_case};

/// A case with the kernel that is to do it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCaseKernel", into = "WrittenCaseKernel")]
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

    /// What a record's entry stands for.
    ///
    /// # Errors
    /// The case is none that this version knows.
    pub fn of_result(result: &CaseResult) -> Result<Self, UnknownCase> {
        WrittenCaseKernel {
            case: result.case.clone(),
            kernel: result.kernel.clone(),
            parameters: result.parameters.clone(),
            counts: result.counts,
            custom: result.custom.clone(),
            parameters_from: result.parameters_from.clone(),
        }
        .try_into()
    }

    /// A record's entry that waits for its invocations.
    pub fn pending_result(&self) -> CaseResult {
        // A custom kernel may bear the name of a built-in one, and is another all the same.
        let kernel = match self.custom {
            Some(_) => &Kernel::new("", &[]),
            None => &self.kernel,
        };
        let resources = self.case.resources(kernel);
        let written = WrittenCaseKernel::from(self.clone());
        CaseResult {
            case: written.case,
            kernel: written.kernel,
            parameters: written.parameters,
            parameters_from: written.parameters_from,
            custom: written.custom,
            counts: written.counts,
            resources: Some(resources),
            status: Status::Measured,
            invocations: Vec::new(),
            summary: Reading::unmeasured("not measured yet"),
            warnings: Vec::new(),
        }
    }
}

/// The same with the case as text, as it goes from one process to the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCaseKernel {
    case: String,
    kernel: String,
    parameters: BTreeMap<String, u32>,
    counts: Counts,
    custom: Option<Box<CustomKernel>>,
    parameters_from: String,
}

impl From<CaseKernel> for WrittenCaseKernel {
    fn from(planned: CaseKernel) -> Self {
        Self {
            case: planned.case.to_string(),
            kernel: planned.kernel.name.into_owned(),
            parameters: planned.kernel.parameters,
            counts: planned.counts,
            custom: planned.custom,
            parameters_from: planned.parameters_from,
        }
    }
}

impl TryFrom<WrittenCaseKernel> for CaseKernel {
    type Error = UnknownCase;

    fn try_from(written: WrittenCaseKernel) -> Result<Self, UnknownCase> {
        let case = match &written.custom {
            Some(custom) if !custom.built_in_case => custom_case(&written.case)?,
            _ => find_case(&written.case)?,
        };
        Ok(Self {
            case,
            kernel: Kernel {
                name: written.kernel.into(),
                parameters: written.parameters,
            },
            counts: written.counts,
            custom: written.custom,
            parameters_from: written.parameters_from,
        })
    }
}
