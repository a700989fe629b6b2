//! What the peaks share: each worker, a thread or a subgroup, goes through chains of dependent steps that
//! count themselves, so a step left out is seen and none can be folded away.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use crate::record::{Counts, Resource, Resources, Verification};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::{dimensions, misshapen};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::unsupported::Unsupported;

/// How the multiply-adds of a worker are divided among its chains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chains {
    pub chains: u32,
    /// Times that every chain starts.
    pub rounds: u32,
    /// Steps of a chain from one start to the next.
    pub steps: u32,
}

/// What a kernel's code says about its chains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainLoop {
    pub chains: u32,
    /// Multiply-adds of one step of one chain.
    pub step: u32,
    /// Steps that the template writes out.
    pub unroll: u32,
    /// Steps after which a chain has to start again, or its count is no longer exact.
    pub most: u32,
}

impl ChainLoop {
    /// Divides `work` multiply-adds.
    ///
    /// # Errors
    /// They cannot be divided evenly.
    pub(crate) fn divide(self, work: u32) -> Result<Chains, Unsupported> {
        let each = self.chains * self.step * self.unroll;
        if work == 0 || !work.is_multiple_of(each) {
            return Err(Unsupported::Combination(format!(
                "it takes a multiple of {each} multiply-adds"
            )));
        }
        let iterations = work / each;
        let fits = |rounds: &u32| {
            iterations.is_multiple_of(*rounds) && iterations / rounds * self.unroll <= self.most
        };
        let rounds = (1..=iterations).find(fits).unwrap_or(iterations);
        Ok(Chains {
            chains: self.chains,
            rounds,
            steps: iterations / rounds * self.unroll,
        })
    }
}

/// The shape of a peak: workers and the multiply-adds of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeakShape {
    pub workers: u32,
    pub work: u32,
}

impl PeakShape {
    /// Reads a written shape whose work is a power of two within `range`.
    ///
    /// # Errors
    /// It is not of that form.
    pub(crate) fn parse(
        text: &str,
        form: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Self, Unsupported> {
        let [workers, work] = dimensions::<2>(text, form)?;
        if !work.is_power_of_two() || !range.contains(&work) {
            return Err(misshapen(text, form, "has another number of multiply-adds"));
        }
        Ok(Self { workers, work })
    }

    /// FLOP: two a multiply-add. No bytes that count.
    fn counts(self) -> Counts {
        Counts {
            flop: 2 * u64::from(self.workers) * u64::from(self.work),
            bytes: 0,
            tokens: None,
        }
    }

    /// At most so many workers and multiply-adds, where that is less.
    fn pilot(self, workers: u32, work: u32) -> Option<Self> {
        let pilot = Self {
            workers: workers.min(self.workers),
            work: work.min(self.work),
        };
        (pilot != self).then_some(pilot)
    }

    /// Holds what every worker counted to `total` of its number modulo eight.
    fn verify(
        self,
        total: Result<impl Fn(u32) -> u32, Unsupported>,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let total = match total {
            Ok(total) => total,
            Err(reason) => return Checker::failed(reason.to_string()),
        };
        let wants: Vec<u32> = (0..8).map(total).collect();
        Checker::exact(outputs, self.workers, |worker| wants[worker % 8])
    }
}

impl fmt::Display for PeakShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.workers, self.work)
    }
}

/// A workload that measures the roof of units by chains; what differs from one to the next.
pub(crate) trait PeakWorkload: fmt::Debug + Send + Sync + Sized + 'static {
    /// Its name.
    const NAME: &'static str;

    /// Workers of the pilot and multiply-adds of each.
    const PILOT: [u32; 2];

    /// A kernel.
    type Chains: CountedChains<Self>;

    /// Its kernels, the best ones last; a new one gets an entry here.
    fn kernels() -> &'static [Self::Chains];

    /// The units whose roof a dtype measures.
    fn units(dtype: Dtype) -> Resource;
}

/// A kernel whose chains count their own steps.
pub(crate) trait CountedChains<W>: KernelFamily<Peak<W>> + 'static {
    /// What each worker ends with when nothing is left out.
    ///
    /// # Errors
    /// The multiply-adds cannot be divided among the chains, or the device has no such units.
    fn total(&self, peak: &Peak<W>) -> Result<impl Fn(u32) -> u32, Unsupported>;
}

/// The case of a peak: which numbers are multiplied, and how often.
#[derive(Debug)]
pub(crate) struct Peak<W> {
    pub dtype: Dtype,
    pub shape: PeakShape,
    workload: PhantomData<W>,
}

impl<W> Peak<W> {
    pub(crate) const fn new(dtype: Dtype, shape: PeakShape) -> Self {
        Self {
            dtype,
            shape,
            workload: PhantomData,
        }
    }
}

impl<W> fmt::Display for Peak<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shape.fmt(f)
    }
}

impl<W: PeakWorkload> Computation for Peak<W> {
    const WORKLOAD: &'static str = W::NAME;

    fn families(&self) -> Families<Self> {
        let kernels = W::kernels().iter();
        kernels
            .map(|kernel| kernel as &dyn KernelFamily<Self>)
            .collect()
    }

    fn counts(&self) -> Counts {
        self.shape.counts()
    }

    fn resources(&self) -> Resources {
        let units = W::units(self.dtype);
        Resources {
            arithmetic: units,
            memory: Some(Resource::Memory),
            measures: Some(units),
        }
    }

    fn pilot(&self) -> Option<Self> {
        let [workers, work] = W::PILOT;
        let shape = self.shape.pilot(workers, work)?;
        Some(Self::new(self.dtype, shape))
    }

    fn verify(&self, kernel: &Kernel, _program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let mut kernels = W::kernels().iter();
        let total = kernels
            .find(|family| family.name() == kernel.name)
            .ok_or_else(|| Unsupported::kernel(W::NAME, &kernel.name))
            .and_then(|family| family.total(self));
        self.shape.verify(total, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_the_work_is_done_and_no_round_is_too_long() {
        for chains in 1..=16 {
            for step in [1, 4] {
                let body = ChainLoop {
                    chains,
                    step,
                    unroll: 8,
                    most: 128,
                };
                for work in (1..5000).map(|n| n * 32) {
                    match body.divide(work) {
                        Ok(got) => {
                            assert_eq!(got.chains * step * got.rounds * got.steps, work);
                            assert!(got.steps <= 128 && got.steps.is_multiple_of(8), "{got:?}");
                        }
                        Err(_) => assert_ne!(work % (chains * step * 8), 0),
                    }
                }
            }
        }
    }
}
