//! Matrix units, which WGSL calls cooperative matrices: the configurations that it can write, and which of
//! them a device offers.

use crate::record::{Adapter, CoopMatrix};
use crate::workload::kit::dtype::Dtype;

/// The name of every kernel on matrix units.
pub(crate) const COOP: &str = "coop";

/// A matrix-unit configuration with WGSL's names for its three types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MatrixUnit {
    /// M = N = K.
    pub(crate) side: u32,
    /// Type of A and B.
    pub(crate) operand: &'static str,
    /// Type of C and the sums.
    pub(crate) sum: &'static str,
    /// A's type.
    pub(crate) left: &'static str,
    /// B's type.
    pub(crate) right: &'static str,
    /// C's type.
    pub(crate) accumulator: &'static str,
}

macro_rules! unit {
    ($side:literal, $operand:literal, $sum:literal) => {
        MatrixUnit {
            side: $side,
            operand: $operand,
            sum: $sum,
            left: concat!("coop_mat", $side, "x", $side, "<", $operand, ", A>"),
            right: concat!("coop_mat", $side, "x", $side, "<", $operand, ", B>"),
            accumulator: concat!("coop_mat", $side, "x", $side, "<", $sum, ", C>"),
        }
    };
}

/// Every configuration that WGSL can write; large ones first.
const UNITS: [MatrixUnit; 6] = [
    unit!(16, "f16", "f32"),
    unit!(16, "f16", "f16"),
    unit!(16, "f32", "f32"),
    unit!(8, "f16", "f32"),
    unit!(8, "f16", "f16"),
    unit!(8, "f32", "f32"),
];

impl MatrixUnit {
    /// Those that compute a dtype, on any device.
    pub(crate) fn of_dtype(dtype: Dtype) -> impl Iterator<Item = Self> {
        let types = match dtype {
            Dtype::F32 => Some(("f32", "f32")),
            Dtype::F16 => Some(("f16", "f32")),
            Dtype::F16Acc16 => Some(("f16", "f16")),
            _ => None,
        };
        UNITS
            .into_iter()
            .filter(move |unit| types == Some((unit.operand, unit.sum)))
    }

    /// As adapters report it.
    pub(crate) fn configuration(self) -> CoopMatrix {
        CoopMatrix {
            size: self.side,
            ab_dtype: self.operand.to_owned(),
            c_dtype: self.sum.to_owned(),
        }
    }

    /// The largest that computes a dtype on this adapter.
    pub(crate) fn offered(dtype: Dtype, adapter: &Adapter) -> Option<Self> {
        Self::of_dtype(dtype).find(|unit| adapter.multiplies(&unit.configuration()))
    }
}
