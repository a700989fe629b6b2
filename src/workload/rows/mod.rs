//! Workloads over the rows of a matrix: `softmax` and `rmsnorm`, which share their shapes and their kernel.

mod one_pass;
mod rmsnorm;
mod softmax;

pub(crate) use one_pass::{one_pass, row_kernels};
pub(crate) use rmsnorm::{Normalisation, RmsNorm, check_row};
pub(crate) use softmax::Softmax;
