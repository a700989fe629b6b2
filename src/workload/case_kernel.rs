//! A case with the kernel that does it: the one type for it, from the plan through tuning and the messages
//! between processes to the measuring loop. A record holds the same as text.

use crate::record::{Adapter, CaseName, CaseResult, Counts, CustomKernel, Reading, Status};
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
    /// A custom kernel with other parameters, where its file gives it some for `tune` to search.
    pub variants: Vec<KernelVariant>,
}

/// A custom kernel with certain parameters. Its reference is that of the default parameters, and stands there alone.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelVariant {
    /// Its name with the parameters.
    pub kernel: Kernel,
    /// What it is with them.
    pub custom: Box<CustomKernel>,
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
            variants: Vec::new(),
        }
    }

    /// The custom kernel that this one is with other parameters, where its file has it, and as it is otherwise; without
    /// its reference.
    pub fn custom_with(&self, kernel: &Kernel) -> Option<&CustomKernel> {
        let mut variants = self.variants.iter();
        match variants.find(|variant| variant.kernel == *kernel) {
            Some(variant) => Some(&variant.custom),
            None => self.custom.as_deref(),
        }
    }

    /// The same with other parameters, and none to search any more.
    pub fn with_kernel(&self, kernel: Kernel) -> Self {
        let reference = self.custom.as_ref().and_then(|c| c.reference.clone());
        let custom = self.custom_with(&kernel).map(|custom| {
            Box::new(CustomKernel {
                reference,
                ..custom.clone()
            })
        });
        Self {
            case: self.case.clone(),
            kernel,
            counts: self.counts,
            custom,
            parameters_from: self.parameters_from.clone(),
            variants: Vec::new(),
        }
    }

    /// `case@kernel`, the name by which records are matched.
    pub fn id(&self) -> String {
        CaseName::with_kernel(&self.case, &self.kernel.name)
    }

    /// Whether the kernel and its parameters are ones that this program chooses or searches itself. The tests
    /// run those with checks on; a file may name others.
    pub fn is_known(&self, adapter: &Adapter) -> bool {
        if is_known(&self.case, &self.kernel, adapter) {
            return true;
        }
        // A composed kernel has the parameters of its parts beside its own.
        let parts = self.case.parts(&self.kernel);
        let own = |kernel: &Kernel| -> Vec<(String, u32)> {
            let parameters = kernel.parameters.iter();
            parameters
                .filter(|(name, _)| !name.contains('.'))
                .map(|(name, value)| (name.clone(), *value))
                .collect()
        };
        let mut known = self.case.kernels(adapter);
        known.extend(self.case.tuning_space());
        !parts.is_empty()
            && known
                .iter()
                .any(|kernel| kernel.name == self.kernel.name && own(kernel) == own(&self.kernel))
            && parts
                .iter()
                .all(|part| is_known(&part.case, &part.kernel, adapter))
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
            setup: None,
            instead_of: self.case.instead_of.clone(),
            status: Status::Measured,
            invocations: Vec::new(),
            summary: Reading::unmeasured("not measured yet"),
            warnings: Vec::new(),
        }
    }
}

/// Whether a case would be given this kernel by this program.
pub(crate) fn is_known(case: &Case, kernel: &Kernel, adapter: &Adapter) -> bool {
    case.kernels(adapter).contains(kernel) || case.tuning_space().contains(kernel)
}
