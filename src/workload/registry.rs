//! The list of all workloads; a new one gets a line here. What is written of a workload or a case is
//! looked up here too.

use std::fmt;

use crate::error::nearest;
use crate::record::CaseName;
use crate::workload::attention::{Decode, Prefill};
use crate::workload::case::Case;
use crate::workload::gemv::Gemv;
use crate::workload::host::{DispatchLatency, Transfer};
use crate::workload::interface::Workload;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::unsupported::Unsupported;
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

/// The workload of a name.
pub fn workload(name: &str) -> Option<&'static dyn Workload> {
    registry()
        .iter()
        .copied()
        .find(|workload| workload.name() == name)
}

/// The built-in case of a written one, `WORKLOAD/DTYPE/SHAPE`.
///
/// # Errors
/// It is not of that form, or no workload knows it.
pub fn find_case(text: &str) -> Result<Case, UnknownCase> {
    let name = CaseName::parse_case(text).ok_or(UnknownCase::Form)?;
    let workload =
        workload(name.workload).ok_or_else(|| UnknownCase::Workload(name.workload.to_owned()))?;
    workload
        .case(parse_dtype(name.dtype)?, name.shape)
        .map_err(UnknownCase::Shape)
}

/// A written dtype.
pub(crate) fn parse_dtype(name: &str) -> Result<Dtype, UnknownCase> {
    Dtype::parse(name).ok_or_else(|| UnknownCase::Dtype(name.to_owned()))
}

/// Why a written case is none. Where to look for the right one is for the caller to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownCase {
    /// It does not have three parts.
    Form,
    /// No workload has this name.
    Workload(String),
    /// No dtype has this name.
    Dtype(String),
    /// The workload has no such dtype or shape, and says why.
    Shape(Unsupported),
}

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected WORKLOAD/DTYPE/SHAPE"),
            Self::Workload(name) => {
                write!(f, "unknown workload {name:?}")?;
                match nearest(name, registry().iter().map(|known| known.name())) {
                    Some(near) => write!(f, "; did you mean {near:?}?"),
                    None => Ok(()),
                }
            }
            Self::Dtype(name) => {
                let all = Dtype::ALL.map(Dtype::name).join(", ");
                write!(f, "unknown dtype {name:?}; expected one of {all}")
            }
            Self::Shape(reason) => reason.fmt(f),
        }
    }
}
