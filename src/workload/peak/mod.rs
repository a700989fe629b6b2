//! How fast a device computes at most: multiply-adds (`peak-fma`), integer dot products (`peak-dot4`) and
//! matrix units (`peak-coop`), each in chains that count their own steps.

mod chains;
mod coop;
mod dot4;
mod fma;

pub(crate) use coop::PeakCoop;
pub(crate) use dot4::PeakDot4;
pub(crate) use fma::PeakFma;
