//! From a compiler's assembly text to the loop that a kernel spends its time in, and what it does there.
//!
//! Pure: text in, counts out. The text is that of Mesa's AMD compiler (ACO), GFX6 to GFX12, in the two
//! forms in which it comes: disassembled by LLVM, or, where LLVM does not know the GPU, ACO's own print
//! of the instructions that it emits.

mod class;
mod flow;
mod text;

use crate::record::{LoopSummary, Mix};

use class::{Class, classify};
use flow::Flow;
use text::{Block, Instruction};

/// The loops of a kernel, heaviest first.
///
/// A block belongs to the innermost loop around it, so that no instruction counts twice. A loop's weight
/// is its own instructions times the trips of it and of every loop around it. Trips are read from the
/// loop's counter where it has one with a constant step and bound, and assumed to be
/// [`ASSUMED_TRIPS`](flow::ASSUMED_TRIPS) where not, as ACO does in its own estimates.
///
/// # Errors
/// The text is of another form.
pub(super) fn loops(assembly: &str) -> Result<Vec<LoopSummary>, String> {
    let blocks = text::parse(assembly)?;
    let flow = Flow::of(&blocks);
    let mut found: Vec<LoopSummary> = flow
        .loops()
        .iter()
        .map(|l| {
            let own: Vec<&Block> = l.own.iter().map(|b| &blocks[*b]).collect();
            let mix = mix(own.iter().flat_map(|block| &block.instructions));
            LoopSummary {
                label: blocks[l.header].label.clone(),
                depth: l.depth,
                trips: l.trips,
                weight: 0.0,
                mix,
                matrix_per_vector: mix.matrix_per_vector(),
            }
        })
        .collect();
    for (summary, l) in found.iter_mut().zip(flow.loops()) {
        summary.weight = f64::from(summary.mix.instructions) * flow.runs(l);
    }
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Ok(found)
}

/// Counts instructions by class.
fn mix<'a>(instructions: impl Iterator<Item = &'a Instruction>) -> Mix {
    let mut mix = Mix::default();
    for instruction in instructions {
        mix.instructions += 1;
        let halves = [Some(&instruction.mnemonic), instruction.second.as_ref()];
        for half in halves.into_iter().flatten() {
            mix.operations += 1;
            let class = classify(half);
            *slot(&mut mix, class) += 1;
            if class == Class::Fma && instruction.second.is_some() {
                mix.fma_dual += 1;
            }
            if class == Class::Fma && half.starts_with("v_pk_") {
                mix.fma_packed += 1;
            }
        }
    }
    mix
}

/// Where a class is counted.
fn slot(mix: &mut Mix, class: Class) -> &mut u32 {
    match class {
        Class::Fma => &mut mix.fma,
        Class::Matrix => &mut mix.matrix,
        Class::Dot => &mut mix.dot,
        Class::Vector => &mut mix.vector,
        Class::Lds => &mut mix.lds,
        Class::Global => &mut mix.global,
        Class::Scratch => &mut mix.scratch,
        Class::ScalarMemory => &mut mix.scalar_memory,
        Class::Scalar => &mut mix.scalar,
        Class::Branch => &mut mix.branch,
        Class::Wait => &mut mix.wait,
        Class::Other => &mut mix.other,
    }
}

#[cfg(test)]
mod tests;
