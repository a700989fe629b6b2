//! What the peaks share: each worker, a thread or a subgroup, goes through chains of dependent steps that
//! count themselves, so a step left out is seen and none can be folded away.

use crate::record::{Counts, Verification};
use crate::workload::case::Case;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::dimensions;

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
    pub(crate) fn divide(self, work: u32) -> Result<Chains, String> {
        let each = self.chains * self.step * self.unroll;
        if work == 0 || !work.is_multiple_of(each) {
            return Err(format!("it takes a multiple of {each} multiply-adds"));
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

/// FLOP of a case: two a multiply-add. No bytes that count.
pub(crate) fn counts(case: &Case, form: &str) -> Counts {
    let [workers, work] = dimensions::<2>(&case.shape, form).unwrap_or_default();
    Counts {
        flop: 2 * u64::from(workers) * u64::from(work),
        bytes: 0,
        tokens: None,
    }
}

/// The case with at most so many workers and multiply-adds, where that is less.
pub(crate) fn pilot(case: &Case, form: &str, workers: u32, work: u32) -> Option<Case> {
    let [all, whole] = dimensions::<2>(&case.shape, form).ok()?;
    let shape = format!("{}x{}", workers.min(all), work.min(whole));
    (shape != case.shape).then(|| Case::new(case.workload.clone(), case.dtype, shape))
}

/// Holds what every worker counted to `total` of its number modulo eight.
pub(crate) fn verify(
    case: &Case,
    form: &str,
    total: Result<impl Fn(u32) -> u32, String>,
    outputs: &[Vec<u8>],
) -> Verification {
    let shape = dimensions::<2>(&case.shape, form);
    let (total, [workers, _]) = match (total, shape) {
        (Ok(total), Ok(shape)) => (total, shape),
        (Err(reason), _) | (_, Err(reason)) => return Checker::failed(reason),
    };
    let wants: Vec<u32> = (0..8).map(total).collect();
    Checker::exact(outputs, workers, |worker| wants[worker % 8])
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
