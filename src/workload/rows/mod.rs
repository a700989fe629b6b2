//! Workloads over the rows of a matrix: `softmax` and `rmsnorm`, which share their shapes and their kernel.

mod one_pass;
mod rmsnorm;
mod softmax;

pub(crate) use one_pass::{ONE_PASS, RowsShape, default_one_pass, one_pass};
pub(crate) use rmsnorm::{Normalisation, RmsNorm, check_row};
pub(crate) use softmax::Softmax;
