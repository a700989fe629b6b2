//! `attention-decode`: one new position a sequence attends to everything before it; memory decides.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::attention::heads::{Heads, check_dtype};
use crate::workload::attention::reference::AttentionQuery;
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::subgroup_broadcast;
use crate::workload::kit::subgroup_broadcast::{LANES, Wide};
use crate::workload::kit::template::shader;

/// Attention of one query a sequence.
#[derive(Debug)]
pub(crate) struct Decode;

const NAME: &str = "attention-decode";
const FORM: &str = "BATCHxHEADSxKV_HEADSxLENGTHxHEAD_SIZE";

/// AttentionQuery heads that a workgroup takes at once at most: a thread holds its share of their queries and of
/// their outputs in registers.
const MOST_HEADS: u32 = 8;

/// Scores that a workgroup holds by default, 4 KiB.
const SCORES: u32 = 1024;

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

    fn mostly_reads(&self, _case: &Case) -> bool {
        true
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let Ok(heads) = heads(&case.shape) else {
            return Vec::new();
        };
        let most = (SCORES / heads_at_once(heads)).min(512);
        vec![
            if subgroup_broadcast::suits(adapter) && by_lanes(case.dtype, heads).is_some() {
                split_kv(LANES, 1, 1, 512)
            } else if adapter.is_software() {
                split_kv(8, 8, 4, most)
            } else {
                // Enough workgroups to fill the device, and pieces that are worth one.
                let keys = heads.length * (heads.batch * heads.kv_heads) / 512;
                split_kv(128, 16, 4, keys.next_multiple_of(32).clamp(64, most))
            },
        ]
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        let mut space = Vec::new();
        if heads(&case.shape).is_ok_and(|heads| by_lanes(case.dtype, heads).is_some()) {
            space.extend([128, 256, 512, 1024].map(|piece| split_kv(LANES, 1, 1, piece)));
        }
        for (threads, lanes) in [(8, 8), (64, 8), (64, 16), (128, 16), (256, 16), (32, 4)] {
            for keys in [2, 4] {
                space.extend([64, 128, 256].map(|piece| split_kv(threads, lanes, keys, piece)));
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
        let splits = heads.length.div_ceil(between(kernel, "piece", 1, 4096)?);
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
                split(case.dtype, heads, kernel)?,
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
        let Ok(heads) = heads(&case.shape) else {
            return Checker::failed("the case has no shape".to_owned());
        };
        let storage = case.dtype.storage();
        let mut checker = Checker::new(queries(heads));
        let got = output_of(&mut checker, outputs, queries(heads), storage);
        let [q, k, v] = [0, 1, 2].map(|at| decode(&program.buffers[at].input(), storage));
        let (size, cache) = (heads.size as usize, (heads.length * heads.size) as usize);
        for (head, got) in got.chunks_exact(size).enumerate() {
            let from_cache = head / heads.group() as usize * cache;
            let query = AttentionQuery {
                query: &q[head * size..][..size],
                keys: &k[from_cache..][..cache],
                values: &v[from_cache..][..cache],
                storage,
                weights: Storage::F32,
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

/// AttentionQuery heads that a workgroup takes at once: all that share keys, up to as many as registers hold.
fn heads_at_once(heads: Heads) -> u32 {
    let fits = |n: &u32| heads.group().is_multiple_of(*n);
    (1..=MOST_HEADS).rev().find(fits).unwrap_or(1)
}

fn split_kv(threads: u32, lanes: u32, keys: u32, piece: u32) -> Kernel {
    Kernel::new(
        "split-kv",
        &[
            ("threads", threads),
            ("lanes", lanes),
            ("keys", keys),
            ("piece", piece),
        ],
    )
}

/// The dispatch that leaves unfinished outputs.
fn split(dtype: Dtype, heads: Heads, kernel: &Kernel) -> Result<Dispatch, String> {
    let threads = between(kernel, "threads", 4, 1024)?;
    let lanes = between(kernel, "lanes", 1, 64)?;
    let keys = between(kernel, "keys", 1, 16)?;
    let piece = between(kernel, "piece", 1, 4096)?;
    if lanes == 1 {
        return match (by_lanes(dtype, heads), threads, keys) {
            (Some(wide), LANES, 1) => split_by_lanes(dtype, heads, piece, wide),
            (Some(_), _, _) => Err(format!("a key a lane goes with {LANES} threads and 1 key")),
            (None, _, _) => Err(format!(
                "a key a lane needs a head size that is a multiple of {LANES} vectors and 128 bytes"
            )),
        };
    }
    if lanes < 4 || !lanes.is_power_of_two() || !threads.is_multiple_of(lanes) {
        return Err(format!(
            "{threads} threads in rows of {lanes}; a power of two that divides them is needed"
        ));
    }
    let (chunk, parts) = match dtype {
        Dtype::F16 if heads.size.is_multiple_of(8) => ("vec4<u32>", 2),
        Dtype::F16 => ("vec2<u32>", 1),
        _ => ("vec4<f32>", 1),
    };
    let chunks = heads.size / (4 * parts);
    let own = chunks.div_ceil(lanes);
    let together = heads_at_once(heads);
    let partial = (keys * together * threads / 4).max(own * parts * threads);
    let splits = heads.length.div_ceil(piece);
    let block = keys * (threads / lanes);
    let template = shader!("attention-decode/split-kv/lanes-per-key.wgsl")
        .alias("Chunk", chunk)
        .constant("L", heads.length)
        .constant("D", heads.size)
        .constant("GROUP", heads.group())
        .constant("HEADS", together)
        .constant("SPLITS", splits)
        .constant("PIECE", piece)
        .constant("KEYS", keys)
        .constant("WORKGROUP", threads)
        .constant("LANES", lanes)
        .constant("ALONE", (threads == lanes).into())
        .constant("HALVES", (dtype == Dtype::F16).into())
        .constant("PARTS", parts)
        .constant("CHUNKS", chunks)
        .constant("OWN", own)
        .constant("PARTIAL", partial);
    let [partial, scores] = [4 * partial, piece.next_multiple_of(block) * together].map(u64::from);
    Ok(Dispatch::new(&template, &[0, 1, 2, 3, 4], 2)?
        .groups([splits, heads.all_heads() / together, 1])
        .workgroup([threads, 1, 1], 4 * (partial + scores + u64::from(threads))))
}

/// How lanes with a key each read it, where they can: a row is as many loads for each of them.
fn by_lanes(dtype: Dtype, heads: Heads) -> Option<Wide> {
    let vectors = heads.size.is_multiple_of(4 * LANES);
    let bits = 8 * dtype.storage().bytes() as u32;
    Wide::of(heads.size / LANES, bits).filter(|_| vectors)
}

/// The dispatch that leaves unfinished outputs, a key a lane.
fn split_by_lanes(dtype: Dtype, heads: Heads, piece: u32, wide: Wide) -> Result<Dispatch, String> {
    let together = heads_at_once(heads);
    let splits = heads.length.div_ceil(piece);
    let round = piece.next_multiple_of(LANES);
    // Queries of one pass, a vector of each head a lane: two where they divide.
    let vectors = heads.size / 4 / LANES;
    let query = if vectors.is_multiple_of(2) { 2 } else { 1 };
    let template = wide
        .fill(shader!("attention-decode/split-kv/key-per-lane.wgsl"))
        .alias("Element", dtype.element())
        .constant("BITS", 8 * dtype.storage().bytes() as u32)
        .constant("L", heads.length)
        .constant("D", heads.size)
        .constant("GROUP", heads.group())
        .constant("HEADS", together)
        .constant("SPLITS", splits)
        .constant("PIECE", piece)
        .constant("ROUND", round)
        .constant("PASSES", vectors / query)
        .constant("QUERY", query)
        .constant("ROW", heads.size / wide.elements())
        .constant("OWN", heads.size / wide.elements() / LANES);
    let dispatch = Dispatch::new(&template, &[0, 1, 2, 3, 4], 2)?
        .groups([splits, heads.all_heads() / together, 1])
        .workgroup([LANES, 1, 1], 4 * u64::from(round * together));
    Ok(subgroup_broadcast::needs(dispatch))
}

/// The dispatch that puts them together.
fn reduce(dtype: Dtype, heads: Heads, splits: u32) -> Result<Dispatch, String> {
    let groups = grid(heads.all_heads().into());
    let template = shader!("attention-decode/split-kv/reduce.wgsl")
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
