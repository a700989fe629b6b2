//! What every workload says of itself.

use crate::record::Resource;
use crate::workload::case::{Case, Suite};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::unsupported::Unsupported;

/// A kind of computation.
pub trait Workload: Send + Sync {
    /// The first part of a case's name: `matmul`.
    fn name(&self) -> &'static str;

    /// What it computes, its FLOP and byte formulas and its conventions, in a few lines.
    fn about(&self) -> &'static str;

    /// The cases of the suites, small ones first.
    fn suites(&self) -> &'static [SuiteCases];

    /// Small cases as `DTYPE/SHAPE`, on which tests run every kernel on every driver: one element,
    /// multiples of nothing, remainders on every side, several workgroups.
    fn small_cases(&self) -> &'static [&'static str];

    /// The case of a dtype and a written shape.
    ///
    /// # Errors
    /// The shape is not of this workload's form, or it has no such dtype; the message says what it has.
    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported>;

    /// The roof that its cases of a dtype measure, if any.
    fn measures(&self, _dtype: Dtype) -> Option<Resource> {
        None
    }

    /// Every case of the suites.
    fn cases(&self) -> Vec<Case> {
        self.suites()
            .iter()
            .flat_map(|entry| {
                let shapes = entry.shapes.iter();
                shapes.flat_map(move |shape| {
                    entry
                        .dtypes
                        .iter()
                        .map(move |dtype| (*dtype, *shape, entry.suites))
                })
            })
            // A test holds every entry to its workload's form.
            .filter_map(|(dtype, shape, suites)| Some(self.case(dtype, shape).ok()?.of(suites)))
            .collect()
    }
}

/// Cases of suites: every shape in every dtype.
#[derive(Clone, Copy, Debug)]
pub struct SuiteCases {
    /// The dtypes.
    pub dtypes: &'static [Dtype],
    /// The shapes as they are written.
    pub shapes: &'static [&'static str],
    /// The suites that hold them.
    pub suites: &'static [Suite],
}

/// An entry of [`Workload::suites`].
pub(crate) const fn suite(
    dtypes: &'static [Dtype],
    shapes: &'static [&'static str],
    suites: &'static [Suite],
) -> SuiteCases {
    SuiteCases {
        dtypes,
        shapes,
        suites,
    }
}
