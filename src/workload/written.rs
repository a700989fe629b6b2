//! A case with a kernel as text: how it goes from one process to the other, and how it is read from a record
//! again. Apart from the type itself, since reading looks the case up among the workloads.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::record::{CaseResult, Counts, CustomKernel};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::custom::custom_case;
use crate::workload::kit::kernel::Kernel;
use crate::workload::registry::{UnknownCase, find_case};

impl CaseKernel {
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
}

impl Serialize for CaseKernel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenCaseKernel::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CaseKernel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenCaseKernel::deserialize(deserializer)?;
        written.try_into().map_err(serde::de::Error::custom)
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
            variants: Vec::new(),
        })
    }
}
