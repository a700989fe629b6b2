//! Control flow: which blocks form loops, how they nest, and how often they run.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Block, Instruction};

/// Trips of a loop whose counter cannot be read.
pub(super) const ASSUMED_TRIPS: u32 = 8;

/// Most trips that are believed of a counter.
const MOST_TRIPS: u64 = 1 << 24;

/// A natural loop.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loop {
    /// The block that every trip enters through.
    pub(super) header: usize,
    /// Every block of the loop, inner loops included.
    pub(super) body: BTreeSet<usize>,
    /// Blocks that no inner loop holds.
    pub(super) own: Vec<usize>,
    /// 1 for a loop that no other holds.
    pub(super) depth: u32,
    /// Trips by its counter, where it has one with a constant step and bound.
    pub(super) trips: Option<u32>,
}

/// The loops of a listing.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    loops: Vec<Loop>,
}

impl Flow {
    /// Finds the natural loops: the blocks that reach a back edge without passing its header, where a
    /// back edge goes to a block that dominates it.
    pub(super) fn of(blocks: &[Block]) -> Self {
        let successors = successors(blocks);
        let predecessors = predecessors(&successors);
        let dominators = dominators(&successors, &predecessors);
        let mut bodies: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (from, to) in edges(&successors) {
            if dominators[from].as_ref().is_some_and(|d| d.contains(&to)) {
                let body = bodies.entry(to).or_default();
                body.insert(to);
                grow(body, from, &predecessors);
            }
        }
        let mut loops: Vec<Loop> = bodies
            .iter()
            .map(|(header, body)| {
                let around = bodies.values().filter(|other| other.contains(header));
                let inner: BTreeSet<usize> = bodies
                    .iter()
                    .filter(|(other, _)| *other != header && body.contains(other))
                    .flat_map(|(_, blocks)| blocks.iter().copied())
                    .collect();
                Loop {
                    header: *header,
                    body: body.clone(),
                    own: body.difference(&inner).copied().collect(),
                    depth: u32::try_from(around.count()).unwrap_or(u32::MAX),
                    trips: None,
                }
            })
            .collect();
        for l in &mut loops {
            let own = l.own.iter().flat_map(|b| &blocks[*b].instructions);
            l.trips = trips(&own.collect::<Vec<_>>());
        }
        Self { loops }
    }

    /// Every loop, by the place of its header.
    pub(super) fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// How often a trip of this loop happens while the kernel runs once.
    pub(super) fn runs(&self, inner: &Loop) -> f64 {
        self.loops
            .iter()
            .filter(|l| l.body.contains(&inner.header))
            .map(|l| f64::from(l.trips.unwrap_or(ASSUMED_TRIPS)))
            .product()
    }
}

/// Where each block may go.
fn successors(blocks: &[Block]) -> Vec<Vec<usize>> {
    let place = |label: &str| blocks.iter().position(|block| block.label == label);
    blocks
        .iter()
        .enumerate()
        .map(|(at, block)| {
            let mut next: Vec<usize> = block
                .instructions
                .iter()
                .filter_map(Instruction::target)
                .filter_map(place)
                .collect();
            let falls = !block.instructions.last().is_some_and(Instruction::leaves);
            if falls && at + 1 < blocks.len() {
                next.push(at + 1);
            }
            next
        })
        .collect()
}

fn edges(successors: &[Vec<usize>]) -> impl Iterator<Item = (usize, usize)> {
    successors
        .iter()
        .enumerate()
        .flat_map(|(from, next)| next.iter().map(move |to| (from, *to)))
}

fn predecessors(successors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut predecessors = vec![Vec::new(); successors.len()];
    for (from, to) in edges(successors) {
        predecessors[to].push(from);
    }
    predecessors
}

/// The blocks that lie on every way to each block, itself included; `None` where no way leads.
fn dominators(
    successors: &[Vec<usize>],
    predecessors: &[Vec<usize>],
) -> Vec<Option<BTreeSet<usize>>> {
    let mut dominators: Vec<Option<BTreeSet<usize>>> = vec![None; successors.len()];
    if let Some(first) = dominators.first_mut() {
        *first = Some(BTreeSet::from([0]));
    }
    loop {
        let mut changed = false;
        for at in 1..successors.len() {
            let known = predecessors[at]
                .iter()
                .filter_map(|p| dominators[*p].as_ref());
            let common = known
                .cloned()
                .reduce(|a, b| a.intersection(&b).copied().collect());
            if let Some(mut common) = common {
                common.insert(at);
                if dominators[at].as_ref() != Some(&common) {
                    dominators[at] = Some(common);
                    changed = true;
                }
            }
        }
        if !changed {
            return dominators;
        }
    }
}

/// Adds everything that reaches `from` without passing a block that is in `body` already.
fn grow(body: &mut BTreeSet<usize>, from: usize, predecessors: &[Vec<usize>]) {
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        if body.insert(at) {
            waiting.extend(&predecessors[at]);
        }
    }
}

/// Trips of a loop by its counter: a register that each trip raises by a constant and compares with a
/// constant. The counter is taken to start below one step, as 0 or a thread's number does. With several,
/// the loop ends by the first that runs out.
fn trips(own: &[&Instruction]) -> Option<u32> {
    let counters: BTreeMap<&str, u64> = own.iter().filter_map(|i| step(i, own)).collect();
    own.iter()
        .filter(|i| i.mnemonic.contains("_cmp"))
        .filter_map(|compare| {
            let bound = compare.operands.iter().find_map(|o| number(o))?;
            let step = compare
                .operands
                .iter()
                .find_map(|o| counters.get(o.as_str()))?;
            let trips = bound.div_ceil(*step);
            (trips > 0 && trips <= MOST_TRIPS).then_some(trips)
        })
        .min()
        .and_then(|trips| u32::try_from(trips).ok())
}

/// The register that an instruction raises by a constant for the next trip, and the constant.
fn step<'a>(add: &'a Instruction, own: &[&'a Instruction]) -> Option<(&'a str, u64)> {
    let adds = ["v_add_", "s_add_", "s_addk_"];
    if !adds.iter().any(|family| add.mnemonic.starts_with(family)) || add.mnemonic.contains("_f") {
        return None;
    }
    let written = add.operands.first()?;
    let step = add.operands.iter().skip(1).find_map(|o| number(o))?;
    let read = match add.mnemonic.starts_with("s_addk_") {
        true => written,
        false => add
            .operands
            .iter()
            .skip(1)
            .find(|o| o.starts_with(['s', 'v']) && *o != "vcc")?,
    };
    let copied = || {
        own.iter().any(|i| {
            i.mnemonic.contains("_mov_")
                && i.operands.first() == Some(read)
                && i.operands.get(1) == Some(written)
        })
    };
    // A register that something else sets in every trip is an address or the like, and counts nothing.
    let alone = || {
        !own.iter()
            .any(|i| !std::ptr::eq(*i, add) && sets(i, written))
    };
    (step > 0 && (read == written && alone() || copied())).then_some((read, step))
}

/// Whether an instruction writes a register that it names alone.
fn sets(instruction: &Instruction, register: &str) -> bool {
    let name = instruction.mnemonic.as_str();
    let computes = name.starts_with("v_") || name.starts_with("s_");
    let writes = computes && !name.contains("_cmp") || name.contains("load");
    writes
        && instruction
            .operands
            .first()
            .is_some_and(|first| first == register)
}

/// A constant above or equal to zero.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
