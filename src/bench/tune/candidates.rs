//! Which parameter sets a search tries, and in which order: the host-testable half of a search.

use crate::workload::{CaseKernel, Kernel};

/// Code that is this many times as long as the default's is what kept a compiler busy beyond its deadline;
/// shorter code was slow to run.
pub(super) const LONG: usize = 2;

/// The planned kernels that have more than one parameter set.
pub fn subjects(planned: &[CaseKernel]) -> Vec<CaseKernel> {
    planned
        .iter()
        .filter(|planned| space(planned).len() > 1)
        .cloned()
        .collect()
}

/// The default and every parameter set of the same kernel.
pub(super) fn space(subject: &CaseKernel) -> Vec<Kernel> {
    let mut space = vec![subject.kernel.clone()];
    if subject.custom.is_some() {
        let others = subject
            .variants
            .iter()
            .map(|variant| variant.kernel.clone());
        space.extend(others.filter(|kernel| *kernel != subject.kernel));
        return space;
    }
    for kernel in subject.case.tuning_space() {
        if kernel.name == subject.kernel.name && !space.contains(&kernel) {
            space.push(kernel);
        }
    }
    space
}

/// Length of the shaders of a kernel with certain parameters, which compilers' time grows with.
pub(super) fn code_bytes(subject: &CaseKernel, kernel: &Kernel) -> usize {
    if let Some(custom) = subject.custom_with(kernel) {
        return custom
            .dispatches
            .iter()
            .map(|dispatch| dispatch.wgsl.len())
            .sum();
    }
    let case = &subject.case;
    case.program(kernel, 0).map_or(0, |program| {
        let dispatches = program.dispatches().iter();
        dispatches.map(|dispatch| dispatch.wgsl.len()).sum()
    })
}

/// Takes out the candidates whose code is as long as some that a compiler did not finish; how many.
pub(super) fn leave_out(
    candidates: &mut Vec<Kernel>,
    longest: usize,
    length: impl Fn(&Kernel) -> usize,
) -> usize {
    if longest == usize::MAX {
        return 0;
    }
    let before = candidates.len();
    candidates.retain(|kernel| length(kernel) < longest);
    before - candidates.len()
}

/// The candidates to screen next: neighbours of the best so far, since good parameters lie together,
/// and some from anywhere, since the best may lie elsewhere.
pub(super) fn next_batch(candidates: &mut Vec<Kernel>, best: Option<&Kernel>) -> Vec<Kernel> {
    const NEAR: usize = 4;
    const ANYWHERE: usize = 2;
    if let Some(best) = best {
        // Stable, so candidates that are equally near stay in their random order.
        candidates.sort_by_key(|candidate| distance(candidate, best));
    }
    let mut batch: Vec<Kernel> = candidates.drain(..NEAR.min(candidates.len())).collect();
    // What is left is ordered by distance; even strides reach all of it.
    for part in 1..=ANYWHERE.min(candidates.len()) {
        batch.push(candidates.remove(candidates.len() * part / (ANYWHERE + 1)));
    }
    batch
}

/// How far apart two parameter sets are: one for each parameter that differs, and one for each further
/// doubling between its two values.
fn distance(a: &Kernel, b: &Kernel) -> u32 {
    let steps = |x: u32, y: u32| {
        x.max(1)
            .ilog2()
            .abs_diff(y.max(1).ilog2())
            .max(u32::from(x != y))
    };
    a.parameters
        .iter()
        .map(|(name, value)| {
            b.parameters
                .get(name)
                .map_or(1, |other| steps(*value, *other))
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(tile_m: u32, unroll: u32) -> Kernel {
        Kernel::new("tiled", &[("tile_m", tile_m), ("unroll", unroll)])
    }

    #[test]
    fn what_is_as_long_as_code_that_was_not_compiled_in_time_is_left_out_and_counted() {
        let all: Vec<Kernel> = [1, 2, 4, 8].map(|m| kernel(m, 1)).to_vec();
        let length = |kernel: &Kernel| 100 * kernel.parameters["tile_m"] as usize;
        let mut candidates = all.clone();
        assert_eq!(leave_out(&mut candidates, usize::MAX, length), 0);
        assert_eq!(leave_out(&mut candidates, 400, length), 2);
        assert_eq!(candidates, all[..2]);
        assert_eq!(leave_out(&mut candidates, 400, length), 0);
    }

    #[test]
    fn longer_bodies_are_longer_code() {
        let case = crate::workload::find_case("matmul/f32/64x64x64").unwrap();
        let mut tiled = case.tuning_space();
        tiled.retain(|kernel| kernel.name == "tiled" && kernel.parameters["step_k"] == 0);
        let lengths: Vec<_> = tiled
            .iter()
            .map(|k| code_bytes(&CaseKernel::built_in(case.clone(), (*k).clone()), k))
            .collect();
        assert!(lengths.iter().max() >= lengths.iter().min().map(|least| LONG * least).as_ref());
    }

    #[test]
    fn neighbours_of_the_best_come_first_and_everything_comes_once() {
        let mut candidates: Vec<Kernel> = [1, 2, 4, 8, 16, 32, 64]
            .iter()
            .flat_map(|m| [1, 2, 4, 8].map(|u| kernel(*m, u)))
            .collect();
        let all = candidates.len();
        let best = kernel(16, 4);
        candidates.retain(|k| *k != best);
        let batch = next_batch(&mut candidates, Some(&best));
        assert!(
            batch[..4].iter().all(|k| distance(k, &best) == 1),
            "{batch:?}"
        );
        assert!(
            batch[4..].iter().all(|k| distance(k, &best) > 1),
            "{batch:?}"
        );
        let mut seen = batch;
        while !candidates.is_empty() {
            seen.extend(next_batch(&mut candidates, None));
        }
        for (at, kernel) in seen.iter().enumerate() {
            assert!(!seen[..at].contains(kernel));
        }
        assert_eq!(seen.len(), all - 1);
    }
}
