//! `peak-dot4`: the highest rate of integer dot products, the roof of `int8`.

use crate::record::{Adapter, Resource};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::KernelFamily;
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::peak::chains::{
    ChainLoop, Chains, CountedChains, Peak, PeakShape, PeakWorkload,
};

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

/// A kernel: so many chains.
#[derive(Debug)]
pub(crate) struct Dot4Chains {
    name: &'static str,
    chains: u32,
}

static KERNELS: [Dot4Chains; 4] = [
    Dot4Chains {
        name: "scalar-1",
        chains: 1,
    },
    Dot4Chains {
        name: "scalar-2",
        chains: 2,
    },
    Dot4Chains {
        name: "scalar-4",
        chains: 4,
    },
    Dot4Chains {
        name: "scalar-8",
        chains: 8,
    },
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

    fn suites(&self) -> &'static [SuiteCases] {
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[Dtype::Int8], &["65536x16384"], &[Quick]),
                suite(&[Dtype::Int8], &["524288x32768"], &[Gpu]),
                suite(&[Dtype::Int8], &["1048576x65536"], &[Standard, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["int8/1x1024", "int8/131x16384"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let shape = PeakShape::parse(shape, FORM, 1 << 10..=1 << 20)?;
        match dtype {
            Dtype::Int8 => Ok(Case::new(NAME, dtype, Peak::<Self>::new(dtype, shape))),
            _ => Err(Unsupported::dtype(NAME, "int8", dtype)),
        }
    }

    fn measures(&self, dtype: Dtype) -> Option<Resource> {
        Some(Self::units(dtype))
    }
}

impl PeakWorkload for PeakDot4 {
    const NAME: &'static str = NAME;
    const PILOT: [u32; 2] = [1 << 16, 8192];
    type Chains = Dot4Chains;

    fn kernels() -> &'static [Dot4Chains] {
        &KERNELS
    }

    fn units(_dtype: Dtype) -> Resource {
        Resource::OpInt8
    }
}

impl CountedChains<PeakDot4> for Dot4Chains {
    fn total(&self, peak: &Peak<PeakDot4>) -> Result<impl Fn(u32) -> u32, Unsupported> {
        let plan = self.plan(peak)?;
        Ok(move |thread| total(plan, thread))
    }
}

impl KernelFamily<Peak<PeakDot4>> for Dot4Chains {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_for(&self, _peak: &Peak<PeakDot4>, adapter: &Adapter) -> Option<Kernel> {
        // A processor's vector registers hold no more chains than this, and more only take time.
        let contends = match adapter.is_software() {
            true => self.chains == 4,
            false => self.chains >= 4,
        };
        contends.then(|| Kernel::new(self.name, &[]))
    }

    fn tuning_space(&self, _peak: &Peak<PeakDot4>) -> Vec<Kernel> {
        vec![Kernel::new(self.name, &[])]
    }

    fn program(
        &self,
        peak: &Peak<PeakDot4>,
        _kernel: &Kernel,
        _seed: u64,
    ) -> Result<Program, Unsupported> {
        let threads = peak.shape.workers;
        let plan = self.plan(peak)?;
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
        Ok(Program::of(vec![operands, totals], vec![dispatch]))
    }
}

impl Dot4Chains {
    /// How the kernel divides a thread's work.
    ///
    /// # Errors
    /// It cannot be divided.
    fn plan(&self, peak: &Peak<PeakDot4>) -> Result<Chains, Unsupported> {
        let body = ChainLoop {
            chains: self.chains,
            step: DOT,
            unroll: UNROLL,
            most: ROUND,
        };
        body.divide(peak.shape.work)
    }
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
