//! `peak-coop`: the highest rate of matrix units, in every configuration that a device offers.

use crate::record::{Adapter, Counts, Reading, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::matrix_unit::MatrixUnit;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::peak::chains;
use crate::workload::peak::chains::{ChainLoop, Chains};

/// Independent chains of dependent multiply-adds of matrices.
#[derive(Debug)]
pub(crate) struct PeakCoop;

const NAME: &str = "peak-coop";
const FORM: &str =
    "SUBGROUPSxFMA, multiply-adds of one subgroup, a power of two from 131072 to 268435456";

/// Parts of a workgroup, a subgroup's work each.
const PARTS: u32 = 4;

/// Steps of a chain that the template writes out.
const UNROLL: u32 = 4;

/// Steps after which a chain starts again: f16 counts to 2048 exactly, an element grows by 3 a step at
/// most, and starts reach 14.
const ROUND: u32 = 512;

/// Kernels with their sides and chains.
const KERNELS: [(&str, u32, u32); 8] = [
    ("16x16-1", 16, 1),
    ("16x16-2", 16, 2),
    ("16x16-4", 16, 4),
    ("16x16-8", 16, 8),
    ("8x8-1", 8, 1),
    ("8x8-2", 8, 2),
    ("8x8-4", 8, 4),
    ("8x8-8", 8, 8),
];

/// Chains that reach the peak somewhere; fewer show how much latency there is to hide.
const CONTENDERS: [u32; 2] = [4, 8];

impl Workload for PeakCoop {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Multiply-adds of whole matrices on matrix units, in independent chains, for every square\n\
         configuration that the device offers: f16 with f32 sums (f16), with f16 sums (f16acc16), f32.\n\
         FLOP: 2 · subgroups · multiply-adds of a subgroup. Bytes: none that count.\n\
         The roof of kernels on matrix units. Each element counts its own steps exactly."
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for dtype in [Dtype::F16, Dtype::F16Acc16, Dtype::F32] {
            cases.push(Case::new(NAME, dtype, "256x1048576").of(&[Suite::Quick]));
            let full = Case::new(NAME, dtype, "8192x16777216");
            cases.push(full.of(&[Suite::Standard, Suite::Llm]));
        }
        cases
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let [_, fma] = dimensions::<2>(shape, FORM)?;
        if !fma.is_power_of_two() || !(1 << 17..=1 << 28).contains(&fma) {
            return Err(format!("the shape {shape:?} is not of the form {FORM}"));
        }
        match MatrixUnit::of_dtype(dtype).next() {
            Some(_) => Ok(Case::new(NAME, dtype, shape)),
            None => Err(format!("{NAME} has f16, f16acc16 and f32, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        chains::counts(case, FORM)
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let Reading::Measured((_, threads)) = adapter.subgroup_sizes else {
            return Vec::new();
        };
        let offered: Vec<u32> = MatrixUnit::of_dtype(case.dtype)
            .filter(|unit| adapter.multiplies(&unit.configuration()))
            .map(|unit| unit.side)
            .collect();
        KERNELS
            .into_iter()
            .filter(|(_, side, chains)| offered.contains(side) && CONTENDERS.contains(chains))
            .map(|(name, _, _)| Kernel::new(name, &[("subgroup_threads", threads)]))
            .collect()
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        let mut space = Vec::new();
        for (name, _, _) in KERNELS {
            space.extend([8, 32, 64].map(|t| Kernel::new(name, &[("subgroup_threads", t)])));
        }
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        chains::pilot(case, FORM, 256, 1 << 18)
    }

    fn program(&self, case: &Case, kernel: &Kernel, _seed: u64) -> Result<Program, String> {
        let plan = MatrixUnitPlan::new(case, kernel)?;
        let threads = PARTS * between(kernel, "subgroup_threads", 1, 128)?;
        let groups = grid(u64::from(plan.subgroups.div_ceil(PARTS)));
        let unit = plan.unit;
        let template = shader!("peak-coop/16x16+8x8.wgsl")
            .alias("Element", unit.operand)
            .alias("Accumulator", unit.sum)
            .alias("Left", unit.left)
            .alias("Right", unit.right)
            .alias("Sum", unit.accumulator)
            .constant("SIDE", unit.side)
            .constant("COUNT", plan.subgroups)
            .constant("PARTS", PARTS)
            .constant("THREADS", threads)
            .constant("GROUPS_X", groups[0])
            .constant("CHAINS", plan.chains.chains)
            .constant("ROUNDS", plan.chains.rounds)
            .constant("ITERATIONS", plan.chains.steps / UNROLL)
            .constant("UNROLL", UNROLL);
        let area = unit.side * unit.side;
        let operands: Vec<i16> = plan.left().into_iter().chain(plan.right()).collect();
        let starts: Vec<i16> = (0..7 + plan.chains.chains)
            .flat_map(|start| std::iter::repeat_n(start as i16, area as usize))
            .collect();
        let totals = Buffer::output("totals", u64::from(plan.subgroups), Storage::U32);
        let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
            .groups(groups)
            .workgroup([threads, 1, 1], u64::from(PARTS * area) * bytes(unit.sum))
            .needs("SUBGROUP")
            .needs("SUBGROUP_BARRIER")
            .multiplies(unit.configuration());
        Ok(Program {
            buffers: vec![
                Buffer::bytes("operands", encode(&operands, unit.operand)),
                Buffer::bytes("starts", encode(&starts, unit.sum)),
                totals,
            ],
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
        let total = MatrixUnitPlan::new(case, kernel).map(|plan| move |part| plan.total(part));
        chains::verify(case, FORM, total, outputs)
    }
}

/// How a kernel divides a subgroup's work.
struct MatrixUnitPlan {
    unit: MatrixUnit,
    subgroups: u32,
    chains: Chains,
}

impl MatrixUnitPlan {
    fn new(case: &Case, kernel: &Kernel) -> Result<Self, String> {
        let [subgroups, fma] = dimensions::<2>(&case.shape, FORM)?;
        let (_, side, chains) = KERNELS
            .into_iter()
            .find(|(name, _, _)| *name == kernel.name)
            .ok_or_else(|| format!("{NAME} has no kernel {:?}", kernel.name))?;
        let unit = MatrixUnit::of_dtype(case.dtype)
            .find(|unit| unit.side == side)
            .ok_or_else(|| format!("WGSL has no matrices of {side}×{side} for {}", case.dtype))?;
        let body = ChainLoop {
            chains,
            step: side * side * side,
            unroll: UNROLL,
            most: ROUND,
        };
        Ok(Self {
            unit,
            subgroups,
            chains: body.divide(fma)?,
        })
    }

    /// A, row by row: ones and minus ones in no order.
    fn left(&self) -> Vec<i16> {
        (0..self.unit.side * self.unit.side).map(sign).collect()
    }

    /// B, row by row: three ones or minus ones in every column, so that an element of A·B is odd and
    /// small. A unit that is quicker with zeros than with other numbers makes the roof higher, which a roof
    /// may be.
    fn right(&self) -> Vec<i16> {
        let side = self.unit.side;
        let mut right = vec![0; (side * side) as usize];
        for column in 0..side {
            for offset in [0, 3, 5] {
                let at = (column + offset) % side * side + column;
                right[at as usize] = sign(at + 1000);
            }
        }
        right
    }

    /// What a subgroup ends with when nothing is left out: the weighted sum of its chains' elements.
    fn total(&self, part: u32) -> u32 {
        let side = self.unit.side as usize;
        let (left, right) = (self.left(), self.right());
        let mut total = 0_u32;
        for chain in 0..self.chains.chains {
            for at in 0..side * side {
                let (row, column) = (at / side, at % side);
                let product: i32 = (0..side)
                    .map(|k| i32::from(left[row * side + k]) * i32::from(right[k * side + column]))
                    .sum();
                let start = (part % 8 + chain).cast_signed();
                let counted = start + product * self.chains.steps.cast_signed();
                let weight = 2 * (chain * self.unit.side * self.unit.side + at as u32) + 1;
                total = total.wrapping_add(counted.cast_unsigned().wrapping_mul(weight));
            }
        }
        total.wrapping_mul(self.chains.rounds)
    }
}

/// 1 or −1 by a multiplicative hash (Knuth's, by the golden ratio).
fn sign(number: u32) -> i16 {
    if number.wrapping_mul(2_654_435_769) >> 31 == 0 {
        1
    } else {
        -1
    }
}

/// Bytes of a WGSL number.
fn bytes(number: &str) -> u64 {
    if number == "f16" { 2 } else { 4 }
}

/// Whole numbers as a WGSL type stores them.
fn encode(numbers: &[i16], number: &str) -> Vec<u8> {
    let values = numbers.iter().map(|n| f32::from(*n));
    match number {
        "f16" => values
            .flat_map(|v| half::f16::from_f32(v).to_le_bytes())
            .collect(),
        _ => values.flat_map(f32::to_le_bytes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_counts_every_step_exactly() {
        for (name, _, _) in KERNELS {
            let case = Case::new(NAME, Dtype::F16Acc16, "1x16777216");
            let plan = MatrixUnitPlan::new(&case, &Kernel::new(name, &[])).unwrap();
            let (left, right) = (plan.left(), plan.right());
            let side = plan.unit.side as usize;
            for at in 0..side * side {
                let product: i16 = (0..side)
                    .map(|k| left[at / side * side + k] * right[k * side + at % side])
                    .sum();
                assert_eq!(product.rem_euclid(2), 1, "{name}");
                let most = i32::from(product.abs()) * plan.chains.steps as i32
                    + 7
                    + plan.chains.chains as i32;
                assert!(most <= 2048, "{name}: {most}");
            }
        }
    }
}
