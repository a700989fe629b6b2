//! `peak-fma`: the highest rate of fused multiply-adds, one of the two roofs.

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

/// Kernels with their lanes and chains.
const KERNELS: [(&str, u32, u32); 8] = [
    ("scalar-1", 1, 1),
    ("scalar-2", 1, 2),
    ("scalar-4", 1, 4),
    ("scalar-8", 1, 8),
    ("vec4-1", 4, 1),
    ("vec4-2", 4, 2),
    ("vec4-4", 4, 4),
    ("vec4-8", 4, 8),
];

/// Those that reach the peak somewhere; the others show how much latency there is to hide.
const CONTENDERS: [&str; 3] = ["scalar-8", "vec4-2", "vec4-4"];

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

    fn cases(&self) -> Vec<Case> {
        let case = |dtype, shape, suite| Case::new(NAME, dtype, shape).of(&[suite]);
        let (quick, full) = ("65536x8192", "1048576x16384");
        vec![
            case(Dtype::F32, quick, Suite::Quick),
            case(Dtype::F16, quick, Suite::Quick),
            Case::new(NAME, Dtype::F32, full).of(&[Suite::Standard, Suite::Llm]),
            Case::new(NAME, Dtype::F16, full).of(&[Suite::Standard, Suite::Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        let [_, fma] = dimensions::<2>(shape, FORM)?;
        if !fma.is_power_of_two() || !(1024..=262_144).contains(&fma) {
            return Err(format!("the shape {shape:?} is not of the form {FORM}"));
        }
        match dtype {
            Dtype::F32 | Dtype::F16 => Ok(Case::new(NAME, dtype, shape)),
            _ => Err(format!("{NAME} has f32 and f16, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        chains::counts(case, FORM)
    }

    fn kernels(&self, _case: &Case, _adapter: &Adapter) -> Vec<Kernel> {
        CONTENDERS.map(|name| Kernel::new(name, &[])).to_vec()
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        KERNELS.map(|(name, _, _)| Kernel::new(name, &[])).to_vec()
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        chains::pilot(case, FORM, 1 << 16, 8192)
    }

    fn program(&self, case: &Case, kernel: &Kernel, _seed: u64) -> Result<Program, String> {
        let plan = FmaPlan::new(case, kernel)?;
        let (value, ones) = match (case.dtype, plan.lanes) {
            (Dtype::F32, 1) => ("f32", bytemuck::bytes_of(&[1f32; 2]).to_vec()),
            (Dtype::F32, _) => ("vec4<f32>", bytemuck::bytes_of(&[1f32; 2]).to_vec()),
            (_, 1) => ("f16", bytemuck::bytes_of(&[half::f16::ONE; 2]).to_vec()),
            (_, _) => (
                "vec4<f16>",
                bytemuck::bytes_of(&[half::f16::ONE; 2]).to_vec(),
            ),
        };
        let groups = grid(u64::from(plan.threads.div_ceil(WORKGROUP)));
        let template = shader!("peak-fma/scalar+vec4.wgsl")
            .alias("Number", case.dtype.element())
            .alias("Value", value)
            .constant("THREADS", plan.threads)
            .constant("WORKGROUP", WORKGROUP)
            .constant("GROUPS_X", groups[0])
            .constant("LANES", plan.lanes)
            .constant("CHAINS", plan.chains.chains)
            .constant("ROUNDS", plan.chains.rounds)
            .constant("ITERATIONS", plan.chains.steps / plan.unroll)
            .constant("UNROLL", plan.unroll);
        let operands = Buffer::bytes("operands", ones);
        let totals = Buffer::output("totals", u64::from(plan.threads), Storage::U32);
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
        let total = FmaPlan::new(case, kernel).map(|plan| move |thread| plan.total(thread) as u32);
        chains::verify(case, FORM, total, outputs)
    }
}

/// How a kernel divides a thread's work.
struct FmaPlan {
    threads: u32,
    lanes: u32,
    /// Steps of a chain that the template writes out.
    unroll: u32,
    chains: Chains,
}

impl FmaPlan {
    fn new(case: &Case, kernel: &Kernel) -> Result<Self, String> {
        let [threads, fma] = dimensions::<2>(&case.shape, FORM)?;
        let (_, lanes, chains) = KERNELS
            .into_iter()
            .find(|(name, _, _)| *name == kernel.name)
            .ok_or_else(|| format!("{NAME} has no kernel {:?}", kernel.name))?;
        let unroll = UNROLL / lanes;
        let body = ChainLoop {
            chains,
            step: lanes,
            unroll,
            most: ROUND,
        };
        Ok(Self {
            threads,
            lanes,
            unroll,
            chains: body.divide(fma)?,
        })
    }

    /// What a thread counts when nothing is left out: each of the n = lanes · chains values of a round
    /// starts at its own number, 0 to n − 1, plus thread mod 8, and grows by one a step.
    fn total(&self, thread: u32) -> u64 {
        let values = u64::from(self.lanes * self.chains.chains);
        let starts = values * (values - 1) / 2 + values * u64::from(thread % 8);
        u64::from(self.chains.rounds) * (values * u64::from(self.chains.steps) + starts)
    }
}
