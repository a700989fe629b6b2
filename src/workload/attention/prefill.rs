//! `attention-prefill`: every position of a prompt attends to the prompt.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::{Counts, Resources, Verification};
use crate::workload::attention::coop::{CoopAttention, CoopFlash};
use crate::workload::attention::flash::{Flash, FlashAttention};
use crate::workload::attention::heads::{Heads, check_dtype};
use crate::workload::attention::naive::NaiveAttention;
use crate::workload::attention::prompt::Prompt;
use crate::workload::attention::reference::AttentionQuery;
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::{Checker, output_of, strata};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// Attention over a prompt.
#[derive(Debug)]
pub(crate) struct Prefill;

const NAME: &str = "attention-prefill";

/// Multiply-adds that the reference may cost; bigger cases are checked by sampled queries.
const REFERENCE_WORK: u64 = 1 << 25;

impl Workload for Prefill {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "softmax(Q·Kᵀ/√D)·V for every position; query heads share keys and values in groups;\n\
         f32 arithmetic (coop rounds weights to f16). FLOP: 4 · batch · heads · D · pairs, where a causal head has S·(S+1)/2\n\
         useful pairs and a full one S². Bytes: element size · (Q + K + V + output), each once."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F32};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F32], &["1x6x2x37x20-full"], &[Quick]),
                suite(&[F32], &["1x8x2x128x64-causal"], &[Quick]),
                suite(&[F16], &["1x8x2x128x64-causal"], &[Quick]),
                suite(&[F32], &["1x32x8x1024x128-causal"], &[Gpu]),
                suite(&[F32], &["1x16x16x1024x64-full"], &[Standard]),
                suite(&[F16], &["1x16x16x1024x64-full"], &[Standard]),
                suite(&[F16], &["1x16x4x1021x64-causal"], &[Standard]),
                suite(&[F32], &["1x32x8x512x128-causal"], &[Llm]),
                suite(&[F16], &["1x32x8x512x128-causal"], &[Llm]),
                suite(&[F16], &["1x32x8x2048x128-causal"], &[Gpu, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f32/1x1x1x1x4-causal",
            "f32/2x6x2x37x20-full",
            "f32/1x4x2x70x64-causal",
            "f16/1x4x1x33x32-causal",
            "f16/1x4x2x70x64-causal",
            "f16/2x2x1x37x64-full",
            "f16/1x2x1x19x128-causal",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        check_dtype(NAME, dtype)?;
        Ok(prefill_case(Prompt::parse(dtype, shape)?))
    }
}

/// The case of a prompt.
pub(crate) fn prefill_case(prompt: Prompt) -> Case {
    Case::new(NAME, prompt.dtype, prompt)
}

impl Computation for Prompt {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&NaiveAttention, &FlashAttention, &CoopAttention]
    }

    fn counts(&self) -> Counts {
        let heads = self.heads;
        Counts {
            flop: 4 * u64::from(heads.all_heads()) * u64::from(heads.size) * self.pairs(),
            bytes: self.dtype.storage().bytes() * 2 * (self.queries() + heads.cache()),
            tokens: Some(u64::from(heads.batch) * u64::from(heads.length)),
        }
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(units::ordinary(self.dtype))
    }

    fn pilot(&self) -> Option<Self> {
        let heads = Heads {
            batch: 1,
            heads: self.heads.group(),
            kv_heads: 1,
            length: self.heads.length.min(128),
            ..self.heads
        };
        (self.counts().flop > 1 << 28).then_some(Self { heads, ..*self })
    }

    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let storage = self.dtype.storage();
        let mut checker = Checker::new(self.queries());
        let got = output_of(&mut checker, outputs, self.queries(), storage);
        if !got.is_empty() {
            // Matrix units take the weights as they take the values.
            let weights = match CoopFlash::of(self.dtype, self.heads, kernel) {
                Ok(_) => Storage::F16,
                Err(_) => Storage::F32,
            };
            check_queries(*self, [storage, weights], program, &got, &mut checker);
        }
        checker.finish()
    }
}

/// `flash` for one sequence with its output as S × HEADS × D, which an output projection reads.
///
/// # Errors
/// The kernel is not `flash` or cannot do the shape.
pub(crate) fn for_projection(
    prompt: Prompt,
    kernel: &Kernel,
    seed: u64,
) -> Result<Program, Unsupported> {
    let dispatch = Flash::of(kernel)?.dispatch(prompt, true)?;
    Ok(Program::of(prompt.buffers(seed), vec![dispatch]))
}

/// Compares every query, or where that is dear one of each stratum, the first and the last among them. The
/// output is stored as `storage`, weights are kept as `weights`.
fn check_queries(
    prompt: Prompt,
    [storage, weights]: [Storage; 2],
    program: &Program,
    got: &[f32],
    checker: &mut Checker,
) {
    let [q, k, v] = [0, 1, 2].map(|at| decode(&program.buffers[at].input(), storage));
    let heads = prompt.heads;
    let (length, size) = (heads.length as usize, heads.size as usize);
    let rows = u64::from(heads.all_heads()) * u64::from(heads.length);
    let affordable = REFERENCE_WORK / (2 * u64::from(heads.length) * u64::from(heads.size));
    let mut random = Pcg64Mcg::seed_from_u64(rows);
    for row in strata(rows, affordable.max(64), &mut random) {
        let row = row as usize;
        let (head, position) = (row / length, row % length);
        let from_cache = head / heads.group() as usize * length * size;
        let seen = prompt.seen(position as u64) as usize * size;
        let query = AttentionQuery {
            query: &q[row * size..][..size],
            keys: &k[from_cache..][..seen],
            values: &v[from_cache..][..seen],
            storage,
            weights,
        };
        query.check(
            &got[row * size..][..size],
            |at| format!("output[head {head}, position {position}, {at}]"),
            checker,
        );
    }
}
