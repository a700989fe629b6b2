//! `attention-decode`: one new position a sequence attends to everything before it; memory decides.

use super::reference::Query;
use super::{Heads, check_dtype};
use crate::record::{Adapter, Counts, Verification};
use crate::workload::checker::Checker;
use crate::workload::input::{Storage, decode};
use crate::workload::program::{Action, Buffer, Dispatch, Program};
use crate::workload::shape::{dimensions, grid};
use crate::workload::stream::output_of;
use crate::workload::template::shader;
use crate::workload::{Case, Dtype, Kernel, Suite, Workload};

/// Attention of one query a sequence.
#[derive(Debug)]
pub(in crate::workload) struct Decode;

const NAME: &str = "attention-decode";
const FORM: &str = "BATCHxHEADSxKV_HEADSxLENGTHxHEAD_SIZE";

/// Threads of a workgroup that puts the pieces of a head together.
const REDUCE_THREADS: u32 = 32;

impl Workload for Decode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "softmax(q·Kᵀ/√D)·V for one query a sequence; query heads share keys and values in groups;\n\
         f32 arithmetic. FLOP: 4 · batch · heads · L · D. Bytes: element size · (K + V + q + output),\n\
         each once. One token a sequence."
    }

    fn cases(&self) -> Vec<Case> {
        use Dtype::{F16, F32};
        use Suite::{Llm, Quick, Standard};
        let case = Case::new;
        vec![
            case(NAME, F32, "1x6x2x131x20").of(&[Quick]),
            case(NAME, F32, "1x32x8x1024x128").of(&[Quick]),
            case(NAME, F16, "1x32x8x1024x128").of(&[Quick]),
            case(NAME, F32, "8x32x8x4096x128").of(&[Standard]),
            case(NAME, F16, "8x32x8x4096x128").of(&[Standard]),
            case(NAME, F16, "1x32x8x8192x128").of(&[Llm]),
            case(NAME, F16, "16x32x8x2048x128").of(&[Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        check_dtype(NAME, dtype)?;
        heads(shape)?;
        Ok(Case::new(NAME, dtype, shape))
    }

    fn counts(&self, case: &Case) -> Counts {
        let Ok(heads) = heads(&case.shape) else {
            return Counts::default();
        };
        let queries = queries(heads);
        Counts {
            flop: 4 * queries * u64::from(heads.length),
            bytes: case.dtype.storage().bytes() * 2 * (heads.cache() + queries),
            tokens: Some(heads.batch.into()),
        }
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let Ok(heads) = heads(&case.shape) else {
            return Vec::new();
        };
        // Enough workgroups to fill the device, and pieces of at least 128 keys.
        let wanted = if adapter.is_software() { 16 } else { 512 };
        let splits = (wanted / (heads.batch * heads.kv_heads).max(1))
            .clamp(1, heads.length.div_ceil(128))
            .min(64);
        vec![split_kv(128, 16, splits)]
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        let mut space = Vec::new();
        for threads in [64, 128] {
            for keys in [8, 16] {
                space.extend([1, 2, 4, 8, 16, 32, 64].map(|n| split_kv(threads, keys, n)));
            }
        }
        space
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        let h = heads(&case.shape).ok()?;
        (h.cache() > 1 << 23).then(|| {
            let shape = format!(
                "1x{}x{}x{}x{}",
                h.heads,
                h.kv_heads,
                h.length.min(1024),
                h.size
            );
            Case::new(NAME, case.dtype, shape)
        })
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let heads = heads(&case.shape)?;
        if kernel.name != "split-kv" {
            return Err(format!("{NAME} has no kernel {:?}", kernel.name));
        }
        let splits = kernel.parameter("splits")?.clamp(1, heads.length);
        let storage = case.dtype.storage();
        let pieces = u64::from(heads.all_heads()) * u64::from(splits);
        Ok(Program {
            buffers: vec![
                Buffer::random("q", queries(heads), storage, seed, 0),
                Buffer::random("K", heads.cache(), storage, seed, 1),
                Buffer::random("V", heads.cache(), storage, seed, 2),
                Buffer::scratch("outputs", pieces * u64::from(heads.size), Storage::F32),
                Buffer::scratch("extremes", pieces * 2, Storage::F32),
                Buffer::output("output", queries(heads), storage),
            ],
            action: Action::Dispatches(vec![
                split(case.dtype, heads, kernel, splits)?,
                reduce(case.dtype, heads, splits)?,
            ]),
        })
    }

    fn verify(
        &self,
        case: &Case,
        _kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let mut checker = Checker::new(0);
        let Ok(heads) = heads(&case.shape) else {
            checker.fail("the case has no shape".to_owned());
            return checker.finish();
        };
        let storage = case.dtype.storage();
        checker = Checker::new(queries(heads));
        let got = output_of(&mut checker, outputs, queries(heads), storage);
        let [q, k, v] = [0, 1, 2].map(|at| decode(&program.buffers[at].input(), storage));
        let (size, cache) = (heads.size as usize, (heads.length * heads.size) as usize);
        for (head, got) in got.chunks_exact(size).enumerate() {
            let from_cache = head / heads.group() as usize * cache;
            let query = Query {
                query: &q[head * size..][..size],
                keys: &k[from_cache..][..cache],
                values: &v[from_cache..][..cache],
                storage,
            };
            query.check(got, |at| format!("output[head {head}, {at}]"), &mut checker);
        }
        checker.finish()
    }
}

/// The heads of a written shape.
fn heads(shape: &str) -> Result<Heads, String> {
    Heads::new(dimensions(shape, FORM)?)
}

/// Elements of the queries, and of the output.
fn queries(heads: Heads) -> u64 {
    u64::from(heads.all_heads()) * u64::from(heads.size)
}

fn split_kv(threads: u32, keys: u32, splits: u32) -> Kernel {
    Kernel::new(
        "split-kv",
        &[("threads", threads), ("keys", keys), ("splits", splits)],
    )
}

/// The dispatch that leaves unfinished outputs.
fn split(dtype: Dtype, heads: Heads, kernel: &Kernel, splits: u32) -> Result<Dispatch, String> {
    let threads = kernel.parameter("threads")?;
    let keys = kernel.parameter("keys")?;
    if !(1..=1024).contains(&threads) || !(1..=256).contains(&keys) {
        return Err(format!(
            "{threads} threads with {keys} keys are too few or too many"
        ));
    }
    let outputs = (heads.group() * heads.size / 4).div_ceil(threads);
    if outputs > 16 {
        return Err(format!(
            "{} query heads share one head of keys and values, too many for {threads} threads",
            heads.group()
        ));
    }
    let template = shader!("attention-decode/split.wgsl")
        .alias("Element", dtype.element())
        .constant("L", heads.length)
        .constant("D", heads.size)
        .constant("GROUP", heads.group())
        .constant("SPLITS", splits)
        .constant("PIECE", heads.length.div_ceil(splits))
        .constant("KEYS", keys)
        .constant("WORKGROUP", threads)
        .constant("OUTPUTS", outputs);
    let rows = u64::from(heads.group() + keys) * u64::from(heads.size);
    let weights = 4 * u64::from(heads.group()) * u64::from(keys);
    Ok(Dispatch::new(&template, &[0, 1, 2, 3, 4], 2)?
        .groups([splits, heads.batch * heads.kv_heads, 1])
        .workgroup([threads, 1, 1], rows * dtype.storage().bytes() + weights))
}

/// The dispatch that puts them together.
fn reduce(dtype: Dtype, heads: Heads, splits: u32) -> Result<Dispatch, String> {
    let groups = grid(heads.all_heads().into());
    let template = shader!("attention-decode/reduce.wgsl")
        .alias("Element", dtype.element())
        .constant("HEADS", heads.all_heads())
        .constant("D", heads.size)
        .constant("SPLITS", splits)
        .constant("WORKGROUP", REDUCE_THREADS)
        .constant("GROUPS_X", groups[0]);
    Ok(Dispatch::new(&template, &[3, 4, 5], 1)?
        .groups(groups)
        .workgroup([REDUCE_THREADS, 1, 1], 0))
}
