//! What a workload with kernels of its own writes: a [`Computation`] for its parsed shape, and a
//! [`KernelFamily`] for each kernel, listed in one slice.

use std::fmt;
use std::sync::Arc;

use crate::record::{Adapter, Counts, Resource, Resources, Verification};
use crate::workload::case::Problem;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::unsupported::Unsupported;

/// What a case computes, as the kernels of its workload see it.
pub(crate) trait Computation:
    fmt::Debug + fmt::Display + Send + Sync + Sized + 'static
{
    /// The workload's name, for messages.
    const WORKLOAD: &'static str;

    /// Its kernels, the best ones last; a new one gets an entry here.
    fn families(&self) -> Families<Self>;

    /// Useful work of one execution.
    fn counts(&self) -> Counts;

    /// The roofs of its arithmetic and of the memory that it goes through.
    fn resources(&self) -> Resources;

    /// The same with much less work; `None` where it is little already.
    fn pilot(&self) -> Option<Self>;

    /// The same with half the operands, for adapters that cannot bind these; `None` where the shape is the point,
    /// as a language model's is, or is small already.
    fn halved(&self) -> Option<Self> {
        None
    }

    /// Compares an execution's outputs with the f64 reference on the inputs of the same program.
    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification;
}

/// The kernels of a computation.
pub(crate) type Families<C> = Vec<&'static dyn KernelFamily<C>>;

/// A kernel with all its parameter sets: everything that it takes to add one to a workload.
pub(crate) trait KernelFamily<C>: Sync {
    /// `naive`, `tiled`, … Its shader is called the same.
    fn name(&self) -> &'static str;

    /// The parameters that `run` uses on this adapter when nothing was tuned; `None` where it is not worth
    /// running there, or cannot be.
    fn default_for(&self, computation: &C, adapter: &Adapter) -> Option<Kernel>;

    /// Every parameter set that makes sense on any adapter.
    fn tuning_space(&self, computation: &C) -> Vec<Kernel>;

    /// What it does, as data, with inputs drawn from `seed`.
    ///
    /// # Errors
    /// The parameters are unusable, or cannot do this shape.
    fn program(&self, computation: &C, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported>;

    /// The roof of the units that it computes with, where those are not the ones of the workload's other
    /// kernels.
    fn arithmetic(&self, _computation: &C) -> Option<Resource> {
        None
    }
}

/// The family of a kernel.
fn family_of<C: Computation>(computation: &C, name: &str) -> Option<&'static dyn KernelFamily<C>> {
    let families = computation.families().into_iter();
    families.into_iter().find(|family| family.name() == name)
}

impl<C: Computation> Problem for C {
    fn counts(&self) -> Counts {
        Computation::counts(self)
    }

    fn resources(&self, kernel: &Kernel) -> Resources {
        let common = Computation::resources(self);
        let own = family_of(self, &kernel.name).and_then(|family| family.arithmetic(self));
        Resources {
            arithmetic: own.unwrap_or(common.arithmetic),
            ..common
        }
    }

    fn kernels(&self, adapter: &Adapter) -> Vec<Kernel> {
        let families = self.families().into_iter();
        families
            .filter_map(|family| family.default_for(self, adapter))
            .collect()
    }

    fn tuning_space(&self) -> Vec<Kernel> {
        let families = self.families().into_iter();
        families
            .flat_map(|family| family.tuning_space(self))
            .collect()
    }

    fn pilot(&self) -> Option<Arc<dyn Problem>> {
        Computation::pilot(self).map(|pilot| Arc::new(pilot) as Arc<dyn Problem>)
    }

    fn halved(&self) -> Option<Arc<dyn Problem>> {
        Computation::halved(self).map(|half| Arc::new(half) as Arc<dyn Problem>)
    }

    fn program(&self, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        family_of(self, &kernel.name)
            .ok_or_else(|| Unsupported::kernel(C::WORKLOAD, &kernel.name))?
            .program(self, kernel, seed)
    }

    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        Computation::verify(self, kernel, program, outputs)
    }
}
