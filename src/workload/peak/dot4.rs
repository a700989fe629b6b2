//! `peak-dot4`: the highest rate of integer dot products, the roof of `int8`.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::peak::chains;
use crate::workload::peak::chains::{ChainLoop, Chains};

/// Independent chains of dependent dot products of four signed bytes.
#[derive(Debug)]
pub(crate) struct PeakDot4;

/// The workload's name.
const NAME: &str = "peak-dot4";
const FORM: &str = "THREADSxMAC, multiply-adds of one thread, a power of two from 1024 to 1048576";

/// Threads of a workgroup.
const WORKGROUP: u32 = 64;

/// Steps of a chain that the template writes out.
const UNROLL: u32 = 8;

/// Steps after which a chain starts again: fewer than the 256 values of the byte that counts.
const ROUND: u32 = 128;

/// Multiply-adds of a dot product.
const DOT: u32 = 4;

/// What every step multiplies with, as packed bytes, and adds.
const FACTOR: u32 = 5;
const STEP: u32 = 3;

/// Kernels with their chains.
const KERNELS: [(&str, u32); 4] = [
    ("scalar-1", 1),
    ("scalar-2", 2),
    ("scalar-4", 4),
    ("scalar-8", 8),
];

impl Workload for PeakDot4 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Dot products of four signed bytes with 32-bit sums (dot4I8Packed), in independent chains.\n\
         Operations: 2 · threads · multiply-adds of a thread, four in a dot product. Bytes: none that\n\
         count. The roof of int8. Each chain counts its own steps exactly, so one left out is seen."
    }

    fn cases(&self) -> Vec<Case> {
        vec![
            Case::new(NAME, Dtype::Int8, "65536x16384").of(&[Suite::Quick]),
            Case::new(NAME, Dtype::Int8, "1048576x65536").of(&[Suite::Standard, Suite::Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let [_, mac] = dimensions::<2>(shape, FORM)?;
        if !mac.is_power_of_two() || !(1 << 10..=1 << 20).contains(&mac) {
            return Err(format!("the shape {shape:?} is not of the form {FORM}"));
        }
        match dtype {
            Dtype::Int8 => Ok(Case::new(NAME, dtype, shape)),
            _ => Err(format!("{NAME} has int8, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        chains::counts(case, FORM)
    }

    fn kernels(&self, _case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        // A processor's vector registers hold no more chains than this, and more only take time.
        let contenders: &[&'static str] = match adapter.is_software() {
            true => &["scalar-4"],
            false => &["scalar-4", "scalar-8"],
        };
        contenders
            .iter()
            .map(|name| Kernel::new(*name, &[]))
            .collect()
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        KERNELS.map(|(name, _)| Kernel::new(name, &[])).to_vec()
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        chains::pilot(case, FORM, 1 << 16, 8192)
    }

    fn program(&self, case: &Case, kernel: &Kernel, _seed: u64) -> Result<Program, String> {
        let [threads, _] = dimensions::<2>(&case.shape, FORM)?;
        let plan = plan(case, kernel)?;
        let groups = grid(u64::from(threads.div_ceil(WORKGROUP)));
        let template = shader!("peak-dot4/scalar.wgsl")
            .constant("THREADS", threads)
            .constant("WORKGROUP", WORKGROUP)
            .constant("GROUPS_X", groups[0])
            .constant("CHAINS", plan.chains)
            .constant("ROUNDS", plan.rounds)
            .constant("ITERATIONS", plan.steps / UNROLL)
            .constant("UNROLL", UNROLL);
        let operands = Buffer::bytes("operands", bytemuck::bytes_of(&[FACTOR, STEP]).to_vec());
        let totals = Buffer::output("totals", u64::from(threads), Storage::U32);
        let dispatch = Dispatch::new(&template, &[0, 1], 1)?
            .groups(groups)
            .workgroup([WORKGROUP, 1, 1], 0);
        Ok(Program {
            buffers: vec![operands, totals],
            action: Action::Dispatches(vec![dispatch]),
        })
    }

    fn verify(
        &self,
        case: &Case,
        kernel: &Kernel,
        _program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let total = plan(case, kernel).map(|plan| move |thread| total(plan, thread));
        chains::verify(case, FORM, total, outputs)
    }
}

/// How a kernel divides a thread's work.
fn plan(case: &Case, kernel: &Kernel) -> Result<Chains, String> {
    let [_, mac] = dimensions::<2>(&case.shape, FORM)?;
    let (_, chains) = KERNELS
        .into_iter()
        .find(|(name, _)| *name == kernel.name)
        .ok_or_else(|| format!("{NAME} has no kernel {:?}", kernel.name))?;
    let body = ChainLoop {
        chains,
        step: DOT,
        unroll: UNROLL,
        most: ROUND,
    };
    body.divide(mac)
}

/// What a thread ends with when nothing is left out, step by step as the shader does it.
fn total(plan: Chains, thread: u32) -> u32 {
    let mut total = 0_u32;
    for round in 0..plan.rounds {
        for chain in 0..plan.chains {
            let mut x = thread % 8 + chain * 8 + round;
            for _ in 0..plan.steps {
                x = dot(x, FACTOR).wrapping_add(STEP);
            }
            total = total.wrapping_add(x);
        }
    }
    total
}

/// The dot product of four signed bytes.
fn dot(a: u32, b: u32) -> u32 {
    let bytes = |word: u32| word.to_le_bytes().map(|byte| i32::from(byte.cast_signed()));
    let products = bytes(a).into_iter().zip(bytes(b));
    let sum: i32 = products.map(|(a, b)| a * b).sum();
    sum.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_that_counts_meets_no_value_twice_within_a_round() {
        for start in 0..256 {
            let mut seen = std::collections::HashSet::new();
            let mut x = start;
            for _ in 0..=ROUND {
                assert!(seen.insert(x & 0xff));
                x = dot(x, FACTOR).wrapping_add(STEP);
            }
        }
    }
}
