//! `peak-fma`: the highest rate of fused multiply-adds, the roof of ordinary arithmetic.

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

/// Independent chains of dependent multiply-adds.
#[derive(Debug)]
pub(crate) struct PeakFma;

const NAME: &str = "peak-fma";
const FORM: &str = "THREADSxFMA, multiply-adds of one thread, a power of two from 1024 to 262144";

/// Threads of a workgroup.
const WORKGROUP: u32 = 64;

/// Multiply-adds of a chain that the template writes out. With more of them between two branches llvmpipe's
/// compiler puts one chain after another, and nothing hides their latency.
const UNROLL: u32 = 32;

/// Steps after which a chain starts again: f16 counts to 2048 exactly, and starts reach 39.
const ROUND: u32 = 1024;

/// A kernel: so many chains of so wide values.
#[derive(Debug)]
pub(crate) struct FmaChains {
    name: &'static str,
    lanes: u32,
    chains: u32,
    /// Whether it reaches the peak somewhere; the others show how much latency there is to hide.
    contends: bool,
}

const fn chains(name: &'static str, lanes: u32, chains: u32, contends: bool) -> FmaChains {
    FmaChains {
        name,
        lanes,
        chains,
        contends,
    }
}

static KERNELS: [FmaChains; 8] = [
    chains("scalar-1", 1, 1, false),
    chains("scalar-2", 1, 2, false),
    chains("scalar-4", 1, 4, false),
    chains("scalar-8", 1, 8, true),
    chains("vec4-1", 4, 1, false),
    chains("vec4-2", 4, 2, true),
    chains("vec4-4", 4, 4, true),
    chains("vec4-8", 4, 8, false),
];

impl Workload for PeakFma {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Fused multiply-adds on registers, in independent chains of scalars or vec4.\n\
         FLOP: 2 · threads · multiply-adds of a thread. Bytes: none that count.\n\
         The roof is the best verified kernel. Each chain counts its own steps exactly, so an\n\
         iteration left out is seen."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F32};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F32, F16], &["65536x8192"], &[Quick]),
                suite(&[F32, F16], &["524288x16384"], &[Gpu]),
                suite(&[F32, F16], &["1048576x16384"], &[Standard, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["f32/1x1024", "f32/131x8192", "f16/67x4096"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let shape = PeakShape::parse(shape, FORM, 1024..=262_144)?;
        match dtype {
            Dtype::F32 | Dtype::F16 => Ok(Case::new(NAME, dtype, Peak::<Self>::new(dtype, shape))),
            _ => Err(Unsupported::dtype(NAME, "f32 and f16", dtype)),
        }
    }

    fn measures(&self, dtype: Dtype) -> Option<Resource> {
        Some(Self::units(dtype))
    }
}

impl PeakWorkload for PeakFma {
    const NAME: &'static str = NAME;
    const PILOT: [u32; 2] = [1 << 16, 8192];
    type Chains = FmaChains;

    fn kernels() -> &'static [FmaChains] {
        &KERNELS
    }

    /// f16 is computed in f16 here, and nowhere else but in `f16acc16`.
    fn units(dtype: Dtype) -> Resource {
        match dtype {
            Dtype::F16 => Resource::FlopF16,
            _ => Resource::FlopF32,
        }
    }
}

impl CountedChains<PeakFma> for FmaChains {
    fn total(&self, peak: &Peak<PeakFma>) -> Result<impl Fn(u32) -> u32, Unsupported> {
        let plan = self.plan(peak)?;
        Ok(move |thread| plan.total(thread) as u32)
    }
}

impl KernelFamily<Peak<PeakFma>> for FmaChains {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_for(&self, _peak: &Peak<PeakFma>, _adapter: &Adapter) -> Option<Kernel> {
        self.contends.then(|| Kernel::new(self.name, &[]))
    }

    fn tuning_space(&self, _peak: &Peak<PeakFma>) -> Vec<Kernel> {
        vec![Kernel::new(self.name, &[])]
    }

    fn program(
        &self,
        peak: &Peak<PeakFma>,
        _kernel: &Kernel,
        _seed: u64,
    ) -> Result<Program, Unsupported> {
        let plan = self.plan(peak)?;
        let threads = peak.shape.workers;
        let (value, ones) = match (peak.dtype, self.lanes) {
            (Dtype::F32, 1) => ("f32", bytemuck::bytes_of(&[1f32; 2]).to_vec()),
            (Dtype::F32, _) => ("vec4<f32>", bytemuck::bytes_of(&[1f32; 2]).to_vec()),
            (_, 1) => ("f16", bytemuck::bytes_of(&[half::f16::ONE; 2]).to_vec()),
            (_, _) => (
                "vec4<f16>",
                bytemuck::bytes_of(&[half::f16::ONE; 2]).to_vec(),
            ),
        };
        let groups = grid(u64::from(threads.div_ceil(WORKGROUP)));
        let template = shader!("peak-fma/scalar+vec4.wgsl")
            .alias("Number", peak.dtype.element())
            .alias("Value", value)
            .constant("THREADS", threads)
            .constant("WORKGROUP", WORKGROUP)
            .constant("GROUPS_X", groups[0])
            .constant("LANES", plan.lanes)
            .constant("CHAINS", plan.chains.chains)
            .constant("ROUNDS", plan.chains.rounds)
            .constant("ITERATIONS", plan.chains.steps / plan.unroll)
            .constant("UNROLL", plan.unroll);
        let operands = Buffer::bytes("operands", ones);
        let totals = Buffer::output("totals", u64::from(threads), Storage::U32);
        let dispatch = Dispatch::new(&template, &[0, 1], 1)?
            .groups(groups)
            .workgroup([WORKGROUP, 1, 1], 0);
        Ok(Program::of(vec![operands, totals], vec![dispatch]))
    }
}

impl FmaChains {
    /// # Errors
    /// The multiply-adds cannot be divided among the chains.
    fn plan(&self, peak: &Peak<PeakFma>) -> Result<FmaPlan, Unsupported> {
        let unroll = UNROLL / self.lanes;
        let body = ChainLoop {
            chains: self.chains,
            step: self.lanes,
            unroll,
            most: ROUND,
        };
        Ok(FmaPlan {
            lanes: self.lanes,
            unroll,
            chains: body.divide(peak.shape.work)?,
        })
    }
}

/// How a kernel divides a thread's work.
struct FmaPlan {
    lanes: u32,
    /// Steps of a chain that the template writes out.
    unroll: u32,
    chains: Chains,
}

impl FmaPlan {
    /// What a thread counts when nothing is left out: each of the n = lanes · chains values of a round
    /// starts at its own number, 0 to n − 1, plus thread mod 8, and grows by one a step.
    fn total(&self, thread: u32) -> u64 {
        let values = u64::from(self.lanes * self.chains.chains);
        let starts = values * (values - 1) / 2 + values * u64::from(thread % 8);
        u64::from(self.chains.rounds) * (values * u64::from(self.chains.steps) + starts)
    }
}
