//! Why a case, a kernel or an adapter will not do, as a type whose text says what would.

use std::borrow::Cow;

use super::dtype::Dtype;
use crate::record::CoopMatrix;

/// Why something cannot be computed as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The shape is not of the workload's form.
    #[error("the shape {shape:?} {reason}; it is written {form}")]
    Shape {
        /// As it was written.
        shape: String,
        /// What is wrong with it.
        reason: Cow<'static, str>,
        /// How the workload's shapes are written.
        form: &'static str,
    },
    /// The workload has no such dtype.
    #[error("{workload} has {offered}, not {dtype}")]
    Dtype {
        /// The workload.
        workload: &'static str,
        /// What it has.
        offered: &'static str,
        /// What was asked for.
        dtype: Dtype,
    },
    /// The workload has no such kernel.
    #[error("{workload} has no kernel {kernel:?}")]
    Kernel {
        /// The workload.
        workload: String,
        /// What was asked for.
        kernel: String,
    },
    /// A kernel comes without a parameter that it needs, from a file of another version say.
    #[error("kernel {kernel} has no usable parameter {parameter:?}")]
    Parameter {
        /// The kernel.
        kernel: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter is out of its range.
    #[error("{parameter} = {value} is not between {least} and {most}")]
    Range {
        /// The parameter.
        parameter: String,
        /// Its value.
        value: u32,
        /// The least that makes sense.
        least: u32,
        /// The most that makes sense.
        most: u32,
    },
    /// Parameters or dimensions that each make sense do not go together.
    #[error("{0}")]
    Combination(String),
    /// What a custom kernel asks for cannot be had.
    #[error("{0}")]
    Custom(String),
    /// A shader's template cannot be expanded.
    #[error("{0}")]
    Template(String),
    /// The adapter lacks a feature, by wgpu's name.
    #[error("the adapter lacks {0}")]
    Feature(&'static str),
    /// The adapter's matrix units have other configurations.
    #[error("the adapter's matrix units do not multiply {wanted}; they offer {}", list(.offered))]
    MatrixUnit {
        /// What the shader multiplies.
        wanted: CoopMatrix,
        /// What there is.
        offered: Vec<CoopMatrix>,
    },
    /// A workgroup is not made of whole subgroups, which matrix units need.
    #[error("{shader} uses workgroups of {threads} threads, which are not whole subgroups of {} threads", known(*.subgroup))]
    PartialSubgroup {
        /// The shader's file.
        shader: String,
        /// Threads of a workgroup.
        threads: u32,
        /// Threads of the largest subgroup, where the adapter says.
        subgroup: Option<u32>,
    },
    /// Subgroups may be smaller than the shader needs.
    #[error(
        "{shader} needs subgroups of at least {least} threads and the adapter does not promise them"
    )]
    SmallSubgroup {
        /// The shader's file.
        shader: String,
        /// Threads that it needs.
        least: u32,
    },
    /// A buffer is larger than the adapter binds.
    #[error("buffer {buffer} needs {bytes} bytes and the adapter binds at most {most}")]
    BufferSize {
        /// The buffer.
        buffer: String,
        /// Its size.
        bytes: u64,
        /// The adapter's limit.
        most: u64,
    },
    /// More of something than the adapter allows one shader.
    #[error("{shader} {need}")]
    Limit {
        /// The shader's file.
        shader: String,
        /// What it needs and what the adapter allows.
        need: String,
    },
}

impl Unsupported {
    /// A dtype that a workload does not have.
    pub(crate) const fn dtype(workload: &'static str, offered: &'static str, dtype: Dtype) -> Self {
        Self::Dtype {
            workload,
            offered,
            dtype,
        }
    }

    /// A kernel that a workload does not have.
    pub(crate) fn kernel(workload: &str, kernel: &str) -> Self {
        Self::Kernel {
            workload: workload.to_owned(),
            kernel: kernel.to_owned(),
        }
    }

    /// Parameters or dimensions that do not go together.
    pub(crate) fn combination(reason: impl Into<String>) -> Self {
        Self::Combination(reason.into())
    }

    /// Whether another adapter lacks this one's units: what is missing is no fault of the kernel's.
    pub fn lacks_matrix_units(&self) -> bool {
        matches!(self, Self::Feature("EXPERIMENTAL_COOPERATIVE_MATRIX"))
    }
}

fn list(offered: &[CoopMatrix]) -> String {
    let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
    match offered.as_slice() {
        [] => "no square matrices".to_owned(),
        offered => offered.join(", "),
    }
}

fn known(threads: Option<u32>) -> String {
    threads.map_or_else(
        || "an unknown number of".to_owned(),
        |most| most.to_string(),
    )
}
