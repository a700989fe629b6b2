//! `peak-coop`: the highest rate of matrix units, in every configuration that a device offers.

use crate::record::{Adapter, Resource};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::KernelFamily;
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::matrix_unit::MatrixUnit;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::peak::chains::{
    ChainLoop, Chains, CountedChains, Peak, PeakShape, PeakWorkload,
};

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

/// A kernel: so many chains of matrices of a side.
#[derive(Debug)]
pub(crate) struct MatrixChains {
    name: &'static str,
    side: u32,
    chains: u32,
}

const fn chains(name: &'static str, side: u32, chains: u32) -> MatrixChains {
    MatrixChains { name, side, chains }
}

static KERNELS: [MatrixChains; 8] = [
    chains("16x16-1", 16, 1),
    chains("16x16-2", 16, 2),
    chains("16x16-4", 16, 4),
    chains("16x16-8", 16, 8),
    chains("8x8-1", 8, 1),
    chains("8x8-2", 8, 2),
    chains("8x8-4", 8, 4),
    chains("8x8-8", 8, 8),
];

/// Fewest chains that reach the peak somewhere; fewer show how much latency there is to hide.
const CONTENDING: u32 = 4;

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

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F16Acc16, F32};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F16], &["256x1048576"], &[Quick]),
                suite(&[F16], &["8192x16777216"], &[Gpu, Standard, Llm]),
                suite(&[F16Acc16], &["256x1048576"], &[Quick]),
                suite(&[F16Acc16], &["8192x16777216"], &[Gpu, Standard, Llm]),
                suite(&[F32], &["256x1048576"], &[Quick]),
                suite(&[F32], &["8192x16777216"], &[Gpu, Standard, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f16/1x131072",
            "f16/67x16777216",
            "f16acc16/67x16777216",
            "f32/7x131072",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let shape = PeakShape::parse(shape, FORM, 1 << 17..=1 << 28)?;
        match MatrixUnit::of_dtype(dtype).next() {
            Some(_) => Ok(Case::new(NAME, dtype, Peak::<Self>::new(dtype, shape))),
            None => Err(Unsupported::dtype(NAME, "f16, f16acc16 and f32", dtype)),
        }
    }

    fn measures(&self, dtype: Dtype) -> Option<Resource> {
        Some(Self::units(dtype))
    }
}

impl PeakWorkload for PeakCoop {
    const NAME: &'static str = NAME;
    const PILOT: [u32; 2] = [256, 1 << 18];
    type Chains = MatrixChains;

    fn kernels() -> &'static [MatrixChains] {
        &KERNELS
    }

    fn units(dtype: Dtype) -> Resource {
        units::matrix(dtype)
    }
}

impl CountedChains<PeakCoop> for MatrixChains {
    fn total(&self, peak: &Peak<PeakCoop>) -> Result<impl Fn(u32) -> u32, Unsupported> {
        let plan = self.plan(peak)?;
        Ok(move |part| plan.total(part))
    }
}

impl KernelFamily<Peak<PeakCoop>> for MatrixChains {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_for(&self, peak: &Peak<PeakCoop>, adapter: &Adapter) -> Option<Kernel> {
        let threads = adapter.matrix_subgroup_threads(PARTS)?;
        let offered = MatrixUnit::of_dtype(peak.dtype)
            .any(|unit| unit.side == self.side && adapter.multiplies(&unit.configuration()));
        (offered && self.chains >= CONTENDING)
            .then(|| Kernel::new(self.name, &[("subgroup_threads", threads)]))
    }

    fn tuning_space(&self, _peak: &Peak<PeakCoop>) -> Vec<Kernel> {
        [8, 32, 64]
            .map(|threads| Kernel::new(self.name, &[("subgroup_threads", threads)]))
            .to_vec()
    }

    fn program(
        &self,
        peak: &Peak<PeakCoop>,
        kernel: &Kernel,
        _seed: u64,
    ) -> Result<Program, Unsupported> {
        let plan = self.plan(peak)?;
        let subgroups = peak.shape.workers;
        let threads = PARTS * between(kernel, "subgroup_threads", 1, 128)?;
        let groups = grid(u64::from(subgroups.div_ceil(PARTS)));
        let unit = plan.unit;
        let template = shader!("peak-coop/16x16+8x8.wgsl")
            .alias("Element", unit.operand)
            .alias("Accumulator", unit.sum)
            .alias("Left", unit.left)
            .alias("Right", unit.right)
            .alias("Sum", unit.accumulator)
            .constant("SIDE", unit.side)
            .constant("COUNT", subgroups)
            .constant("PARTS", PARTS)
            .constant("THREADS", threads)
            .constant("GROUPS_X", groups[0])
            .constant("CHAINS", plan.chains.chains)
            .constant("ROUNDS", plan.chains.rounds)
            .constant("ITERATIONS", plan.chains.steps / UNROLL)
            .constant("UNROLL", UNROLL);
        let area = unit.side * unit.side;
        let [first, second] = plan.right();
        let operands = [plan.left(), first, second].concat();
        let starts: Vec<i16> = (0..7 + plan.chains.chains)
            .flat_map(|start| std::iter::repeat_n(start as i16, area as usize))
            .collect();
        let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
            .groups(groups)
            .workgroup([threads, 1, 1], u64::from(PARTS * area) * bytes(unit.sum))
            .needs("SUBGROUP")
            .multiplies(unit.configuration());
        let buffers = vec![
            Buffer::bytes("operands", encode(&operands, unit.operand)),
            Buffer::bytes("starts", encode(&starts, unit.sum)),
            Buffer::output("totals", u64::from(subgroups), Storage::U32),
        ];
        Ok(Program::of(buffers, vec![dispatch]))
    }
}

impl MatrixChains {
    /// # Errors
    /// WGSL has no such matrices for the dtype, or the multiply-adds cannot be divided.
    fn plan(&self, peak: &Peak<PeakCoop>) -> Result<MatrixUnitPlan, Unsupported> {
        let side = self.side;
        let unit = MatrixUnit::of_dtype(peak.dtype)
            .find(|unit| unit.side == side)
            .ok_or_else(|| {
                Unsupported::Combination(format!(
                    "WGSL has no matrices of {side}×{side} for {}",
                    peak.dtype
                ))
            })?;
        let body = ChainLoop {
            chains: self.chains,
            step: side * side * side,
            unroll: UNROLL,
            most: ROUND,
        };
        Ok(MatrixUnitPlan {
            unit,
            chains: body.divide(peak.shape.work)?,
        })
    }
}

/// How a kernel divides a subgroup's work.
struct MatrixUnitPlan {
    unit: MatrixUnit,
    chains: Chains,
}

impl MatrixUnitPlan {
    /// A, row by row: ones and minus ones in no order.
    fn left(&self) -> Vec<i16> {
        (0..self.unit.side * self.unit.side).map(sign).collect()
    }

    /// The two B that steps use in turn, row by row: ones and minus ones in no order, the second the negative
    /// of the first but for three elements of every column. So the units multiply numbers as dense as any
    /// product's (with many zeros some are faster, or draw less power under a cap), and yet an element grows by
    /// no more than 3 per step.
    fn right(&self) -> [Vec<i16>; 2] {
        let side = self.unit.side;
        let first: Vec<i16> = (0..side * side).map(|at| sign(at + 1000)).collect();
        let mut second: Vec<i16> = first.iter().map(|number| -number).collect();
        for column in 0..side {
            for offset in [0, 3, 5] {
                let at = ((column + offset) % side * side + column) as usize;
                second[at] = first[at];
            }
        }
        [first, second]
    }

    /// What a subgroup ends with when nothing is left out: the weighted sum of its chains' elements.
    fn total(&self, part: u32) -> u32 {
        let side = self.unit.side as usize;
        let (left, [first, second]) = (self.left(), self.right());
        let mut total = 0_u32;
        for chain in 0..self.chains.chains {
            for at in 0..side * side {
                let (row, column) = (at / side, at % side);
                let product: i32 = (0..side)
                    .map(|k| {
                        let right = first[k * side + column] + second[k * side + column];
                        i32::from(left[row * side + k]) * i32::from(right)
                    })
                    .sum();
                let start = (part % 8 + chain).cast_signed();
                let counted = start + product * (self.chains.steps / 2).cast_signed();
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
        for family in &KERNELS {
            let name = family.name;
            let shape = PeakShape {
                workers: 1,
                work: 1 << 24,
            };
            let peak = Peak::<PeakCoop>::new(Dtype::F16Acc16, shape);
            let plan = family.plan(&peak).unwrap();
            let (left, right) = (plan.left(), plan.right());
            let side = plan.unit.side as usize;
            for at in 0..side * side {
                let product = |right: &[i16]| -> i32 {
                    (0..side)
                        .map(|k| {
                            i32::from(left[at / side * side + k] * right[k * side + at % side])
                        })
                        .sum()
                };
                let [first, second] = [product(&right[0]), product(&right[1])];
                // Two steps count something; one more of them never leaves what f16 holds exactly.
                assert_eq!((first + second).rem_euclid(4), 2, "{name}");
                let most = (first + second).abs() * plan.chains.steps as i32 / 2
                    + first.abs().max(second.abs())
                    + 7
                    + plan.chains.chains as i32;
                assert!(most <= 2048, "{name}: {most}");
            }
        }
    }
}
