//! Where one execution is divided into several submissions.
//!
//! A watchdog may count what a driver was given at once and not each dispatch: amdgpu and xe time a job, Metal a command
//! buffer. So a program whose dispatches are short and many is handed over in parts. The device has the next part before
//! it is done with the one before, so the parts follow each other at once.

use std::ops::Range;

use crate::units::Seconds;

/// How often a dispatch is done in one execution, in pieces and repetitions, and how long each is estimated to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StepTime {
    pub(super) dispatches: usize,
    pub(super) each: Seconds,
}

/// Consecutive dispatches of one of a program's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepRange {
    pub(super) step: usize,
    pub(super) dispatches: Range<usize>,
}

/// The steps in as few submissions as keep within `most`; a dispatch that is longer than that has one of its own.
pub(super) fn submissions(steps: &[StepTime], most: Seconds) -> Vec<Vec<StepRange>> {
    let mut all = Vec::new();
    let mut submission: Vec<StepRange> = Vec::new();
    let mut left_s = most.get();
    for (step, time) in steps.iter().enumerate() {
        let each_s = time.each.get().max(0.0);
        let mut next = 0;
        while next < time.dispatches {
            // As many as there is room for; whatever is no number is all of them.
            let room = if each_s > 0.0 {
                (left_s / each_s).floor() as usize
            } else {
                usize::MAX
            };
            let fitting = room.min(time.dispatches - next);
            if fitting == 0 && !submission.is_empty() {
                all.push(std::mem::take(&mut submission));
                left_s = most.get();
                continue;
            }
            let end = next + fitting.max(1);
            submission.push(StepRange {
                step,
                dispatches: next..end,
            });
            left_s -= each_s * (end - next) as f64;
            next = end;
        }
    }
    if !submission.is_empty() {
        all.push(submission);
    }
    all
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn every_dispatch_is_submitted_once_in_order_and_in_time() {
        let mut random = Pcg64Mcg::seed_from_u64(3);
        for _ in 0..2000 {
            let most = Seconds(0.25);
            let steps: Vec<StepTime> = (0..random.random_range(1..9))
                .map(|_| StepTime {
                    dispatches: random.random_range(0..40),
                    each: Seconds(0.5 * random.random::<f64>().powi(6)),
                })
                .collect();
            let parts = submissions(&steps, most);
            let flat: Vec<(usize, usize)> = parts
                .iter()
                .flatten()
                .flat_map(|range| range.dispatches.clone().map(|number| (range.step, number)))
                .collect();
            let expected: Vec<(usize, usize)> = (steps.iter().enumerate())
                .flat_map(|(step, time)| (0..time.dispatches).map(move |number| (step, number)))
                .collect();
            assert_eq!(flat, expected);
            let took_s = |part: &[StepRange]| -> f64 {
                let time = |range: &StepRange| {
                    steps[range.step].each.get() * range.dispatches.len() as f64
                };
                part.iter().map(time).sum()
            };
            for part in &parts {
                let alone = part
                    .iter()
                    .map(|range| range.dispatches.len())
                    .sum::<usize>()
                    == 1;
                assert!(took_s(part) <= most.get() + 1e-9 || alone, "{part:?}");
            }
            // No two that fit into one are two.
            for pair in parts.windows(2) {
                let next = steps[pair[1][0].step].each.get();
                assert!(took_s(&pair[0]) + next > most.get() - 1e-9, "{pair:?}");
            }
        }
    }

    #[test]
    fn what_takes_no_time_is_one_submission() {
        let step = StepTime {
            dispatches: 100_000,
            each: Seconds(0.0),
        };
        assert_eq!(submissions(&[step; 3], Seconds(0.25)).len(), 1);
        assert!(submissions(&[], Seconds(0.25)).is_empty());
    }
}
