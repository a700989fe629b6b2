//! `attention-prefill`: every position of a prompt attends to the prompt.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::record::{Adapter, Counts, Verification};
use crate::workload::attention::coop::CoopAttention;
use crate::workload::attention::flash::Flash;
use crate::workload::attention::heads::{Heads, check_dtype};
use crate::workload::attention::reference::AttentionQuery;
use crate::workload::attention::{coop, flash};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, output_of, strata};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::{Template, shader};

/// Attention over a prompt.
#[derive(Debug)]
pub(crate) struct Prefill;

const NAME: &str = "attention-prefill";
const FORM: &str = "BATCHxHEADSxKV_HEADSxLENGTHxHEAD_SIZE-causal, or -full at the end";

/// Multiply-adds that the reference may cost; bigger cases are checked by sampled queries.
const REFERENCE_WORK: u64 = 1 << 25;

/// Side of the square workgroups of `naive`.
const TILE: u32 = 16;

/// Threads that share a row of scores in `naive`.
const WEIGHT_THREADS: u32 = 64;

/// Heads, and whether a position sees only what came before it.
#[derive(Clone, Copy, Debug)]
struct PrefillShape {
    heads: Heads,
    causal: bool,
}

impl PrefillShape {
    fn parse(text: &str) -> Result<Self, String> {
        let (numbers, mask) = text
            .rsplit_once('-')
            .ok_or_else(|| format!("the shape {text:?} is not of the form {FORM}"))?;
        let causal = match mask {
            "causal" => true,
            "full" => false,
            _ => return Err(format!("{mask:?} is no mask; the shape is written {FORM}")),
        };
        Ok(Self {
            heads: Heads::new(dimensions(numbers, FORM)?)?,
            causal,
        })
    }

    /// Pairs of query and key in one head: S² or, causal, S·(S + 1)/2.
    fn pairs(self) -> u64 {
        let length = u64::from(self.heads.length);
        if self.causal {
            length * (length + 1) / 2
        } else {
            length * length
        }
    }

    /// Elements of the queries, and of the output.
    fn queries(self) -> u64 {
        let heads = self.heads;
        u64::from(heads.all_heads()) * u64::from(heads.length) * u64::from(heads.size)
    }

    /// Keys that a query sees.
    fn seen(self, query: u64) -> u64 {
        if self.causal {
            query + 1
        } else {
            self.heads.length.into()
        }
    }
}

impl Workload for Prefill {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "softmax(Q·Kᵀ/√D)·V for every position; query heads share keys and values in groups;\n\
         f32 arithmetic (coop rounds weights to f16). FLOP: 4 · batch · heads · D · pairs, where a causal head has S·(S+1)/2\n\
         useful pairs and a full one S². Bytes: element size · (Q + K + V + output), each once."
    }

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, F32};
        use Suite::{Llm, Quick, Standard};
        let case = Case::new;
        vec![
            case(NAME, F32, "1x6x2x37x20-full").of(&[Quick]),
            case(NAME, F32, "1x8x2x128x64-causal").of(&[Quick]),
            case(NAME, F16, "1x8x2x128x64-causal").of(&[Quick]),
            case(NAME, F32, "1x16x16x1024x64-full").of(&[Standard]),
            case(NAME, F16, "1x16x16x1024x64-full").of(&[Standard]),
            case(NAME, F16, "1x16x4x1021x64-causal").of(&[Standard]),
            case(NAME, F32, "1x32x8x512x128-causal").of(&[Llm]),
            case(NAME, F16, "1x32x8x512x128-causal").of(&[Llm]),
            case(NAME, F16, "1x32x8x2048x128-causal").of(&[Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        check_dtype(NAME, dtype)?;
        let parsed = PrefillShape::parse(shape)?;
        // Scores are squares of the length, which the shape's own product does not bound.
        if parsed.pairs().checked_mul(4 * parsed.queries()).is_none() {
            return Err(format!(
                "the shape {shape:?} is more than any device can do"
            ));
        }
        Ok(Case::new(NAME, dtype, shape))
    }

    fn counts(&self, case: &Case) -> Counts {
        let Ok(shape) = PrefillShape::parse(&case.shape) else {
            return Counts::default();
        };
        let heads = shape.heads;
        Counts {
            flop: 4 * u64::from(heads.all_heads()) * u64::from(heads.size) * shape.pairs(),
            bytes: case.dtype.storage().bytes() * 2 * (shape.queries() + heads.cache()),
            tokens: Some(u64::from(heads.batch) * u64::from(heads.length)),
        }
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let mut kernels = vec![naive()];
        if let Ok(PrefillShape { heads, .. }) = PrefillShape::parse(&case.shape) {
            kernels.push(Flash::default_for(heads, adapter).kernel());
            let coop = CoopAttention::of_adapter(case.dtype, heads, adapter);
            kernels.extend(coop.map(CoopAttention::kernel));
        }
        kernels
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        let mut space = vec![naive()];
        space.extend(Flash::space().into_iter().map(Flash::kernel));
        if let Ok(shape) = PrefillShape::parse(&case.shape) {
            let coop = CoopAttention::space(case.dtype, shape.heads);
            space.extend(coop.into_iter().map(CoopAttention::kernel));
        }
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let PrefillShape { heads, causal } = PrefillShape::parse(&case.shape).ok()?;
        if self.counts(case).flop <= 1 << 28 {
            return None;
        }
        let mask = if causal { "causal" } else { "full" };
        let (group, length, size) = (heads.group(), heads.length.min(128), heads.size);
        Some(Case::new(
            NAME,
            case.dtype,
            format!("1x{group}x1x{length}x{size}-{mask}"),
        ))
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let shape = PrefillShape::parse(&case.shape)?;
        let storage = case.dtype.storage();
        let cache = shape.heads.cache();
        let mut buffers = vec![
            Buffer::random("Q", shape.queries(), storage, seed, 0),
            Buffer::random("K", cache, storage, seed, 1),
            Buffer::random("V", cache, storage, seed, 2),
            Buffer::output("output", shape.queries(), storage),
        ];
        let dispatches = match &*kernel.name {
            "naive" => {
                let length = u64::from(shape.heads.length);
                let scores = u64::from(shape.heads.all_heads()) * length * length;
                buffers.push(Buffer::scratch("scores", scores, Storage::F32));
                naive_dispatches(case.dtype, shape)?
            }
            flash::NAME => {
                let flash = Flash::of(kernel)?;
                vec![flash.dispatch(case.dtype, shape.heads, shape.causal, false)?]
            }
            coop::NAME => {
                let coop = CoopAttention::of(case.dtype, shape.heads, kernel)?;
                vec![coop.dispatch(shape.heads, shape.causal)?]
            }
            other => return Err(format!("{NAME} has no kernel {other:?}")),
        };
        Ok(Program {
            buffers,
            action: Action::Dispatches(dispatches),
        })
    }

    fn verify(
        &self,
        case: &Case,
        kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let Ok(shape) = PrefillShape::parse(&case.shape) else {
            return Checker::failed("the case has no shape".to_owned());
        };
        let storage = case.dtype.storage();
        let mut checker = Checker::new(shape.queries());
        let got = output_of(&mut checker, outputs, shape.queries(), storage);
        if !got.is_empty() {
            let weights = match &*kernel.name {
                coop::NAME => Storage::F16,
                _ => Storage::F32,
            };
            check_queries(shape, [storage, weights], program, &got, &mut checker);
        }
        checker.finish()
    }
}

impl Prefill {
    /// `flash` for one sequence with its output as S × HEADS × D, which an output projection reads.
    ///
    /// # Errors
    /// The kernel is not `flash` or cannot do the shape.
    pub(crate) fn for_projection(
        &self,
        case: &Case,
        kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, String> {
        let mut program = self.program(case, kernel, seed)?;
        let PrefillShape { heads, causal } = PrefillShape::parse(&case.shape)?;
        let dispatch = Flash::of(kernel)?.dispatch(case.dtype, heads, causal, true)?;
        program.action = Action::Dispatches(vec![dispatch]);
        Ok(program)
    }
}

/// Compares every query, or where that is dear one of each stratum, the first and the last among them. The
/// output is stored as `storage`, weights are kept as `weights`.
fn check_queries(
    shape: PrefillShape,
    [storage, weights]: [Storage; 2],
    program: &Program,
    got: &[f32],
    checker: &mut Checker,
) {
    let [q, k, v] = [0, 1, 2].map(|at| decode(&program.buffers[at].input(), storage));
    let heads = shape.heads;
    let (length, size) = (heads.length as usize, heads.size as usize);
    let rows = u64::from(heads.all_heads()) * u64::from(heads.length);
    let affordable = REFERENCE_WORK / (2 * u64::from(heads.length) * u64::from(heads.size));
    let mut random = Pcg64Mcg::seed_from_u64(rows);
    for row in strata(rows, affordable.max(64), &mut random) {
        let row = row as usize;
        let (head, position) = (row / length, row % length);
        let from_cache = head / heads.group() as usize * length * size;
        let seen = shape.seen(position as u64) as usize * size;
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

fn naive() -> Kernel {
    Kernel::new("naive", &[])
}

/// Scores, softmax, values; the scores lie in the last buffer.
fn naive_dispatches(dtype: Dtype, shape: PrefillShape) -> Result<Vec<Dispatch>, String> {
    let heads = shape.heads;
    let (length, size) = (heads.length, heads.size);
    let queries = u64::from(heads.all_heads()) * u64::from(length);
    let groups = grid(queries);
    let narrow = u32::try_from(queries).map_err(|_| "too many queries".to_owned())?;
    let squares = |template: Template| {
        template
            .alias("Element", dtype.element())
            .constant("S", length)
            .constant("D", size)
            .constant("GROUP", heads.group())
            .constant("CAUSAL", shape.causal.into())
            .constant("TILE", TILE)
    };
    let scores = squares(shader!("attention-prefill/naive/scores.wgsl"));
    let weights = shader!("attention-prefill/naive/weights.wgsl")
        .constant("S", length)
        .constant("QUERIES", narrow)
        .constant("CAUSAL", shape.causal.into())
        .constant("WORKGROUP", WEIGHT_THREADS)
        .constant("GROUPS_X", groups[0]);
    let values = squares(shader!("attention-prefill/naive/values.wgsl"));
    let (across, down) = (length.div_ceil(TILE), size.div_ceil(TILE));
    Ok(vec![
        Dispatch::new(&scores, &[0, 1, 4], 1)?
            .groups([across, across, heads.all_heads()])
            .workgroup([TILE, TILE, 1], 0),
        Dispatch::new(&weights, &[4], 1)?
            .groups(groups)
            .workgroup([WEIGHT_THREADS, 1, 1], 4 * u64::from(WEIGHT_THREADS)),
        Dispatch::new(&values, &[4, 2, 3], 1)?
            .groups([down, across, heads.all_heads()])
            .workgroup([TILE, TILE, 1], 0),
    ])
}
