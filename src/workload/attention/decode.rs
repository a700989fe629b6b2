//! `attention-decode`: one new position a sequence attends to everything before it; memory decides.

use std::fmt;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::attention::heads::{Heads, check_dtype};
use crate::workload::attention::reference::AttentionQuery;
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dimensions::{dimensions, grid};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::subgroup_broadcast::{self, LANES, Wide};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// Attention of one query a sequence.
#[derive(Debug)]
pub(crate) struct Decode;

const NAME: &str = "attention-decode";

/// The kernel's name.
pub(crate) const SPLIT_KV: &str = "split-kv";

/// Query heads that a workgroup takes at once at most: a thread holds its share of their queries and of
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

    fn suites(&self) -> &'static [SuiteCases] {
        use Dtype::{F16, F32};
        use Suite::{Gpu, Llm, Quick, Standard};
        const {
            &[
                suite(&[F32], &["1x6x2x131x20"], &[Quick]),
                suite(&[F32], &["1x32x8x1024x128"], &[Quick]),
                suite(&[F16], &["1x32x8x1024x128"], &[Quick]),
                suite(&[F32], &["16x32x8x2048x128"], &[Gpu]),
                suite(&[F32], &["8x32x8x4096x128"], &[Standard]),
                suite(&[F16], &["8x32x8x4096x128"], &[Standard]),
                suite(&[F16], &["1x32x8x8192x128"], &[Llm]),
                suite(&[F16], &["16x32x8x2048x128"], &[Gpu, Llm]),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &[
            "f32/1x1x1x1x4",
            "f32/2x6x2x131x20",
            "f16/1x8x2x300x64",
            "f16/1x16x1x77x36",
            "f16/1x1x1x1037x128",
            "f32/2x3x3x37x96",
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        check_dtype(NAME, dtype)?;
        let heads = Heads::new(dimensions(shape, "BATCHxHEADSxKV_HEADSxLENGTHxHEAD_SIZE")?)?;
        Ok(decode_case(dtype, heads))
    }
}

/// The case of a new token with such heads.
pub(crate) fn decode_case(dtype: Dtype, heads: Heads) -> Case {
    Case::new(NAME, dtype, Token { dtype, heads })
}

/// A new token of each sequence.
#[derive(Clone, Copy, Debug)]
struct Token {
    dtype: Dtype,
    heads: Heads,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heads.fmt(f)
    }
}

impl Computation for Token {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&SplitKv]
    }

    fn counts(&self) -> Counts {
        let queries = queries(self.heads);
        Counts {
            flop: 4 * queries * u64::from(self.heads.length),
            bytes: self.dtype.storage().bytes() * 2 * (self.heads.cache() + queries),
            tokens: Some(self.heads.batch.into()),
        }
    }

    fn resources(&self) -> Resources {
        units::mostly_reads(units::ordinary(self.dtype))
    }

    fn pilot(&self) -> Option<Self> {
        let heads = Heads {
            batch: 1,
            length: self.heads.length.min(1024),
            ..self.heads
        };
        (self.heads.cache() > 1 << 23).then_some(Self { heads, ..*self })
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let heads = self.heads;
        let storage = self.dtype.storage();
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

/// The kernel: keys and values in pieces, and a second pass that puts the pieces together.
#[derive(Debug)]
struct SplitKv;

impl KernelFamily<Token> for SplitKv {
    fn name(&self) -> &'static str {
        SPLIT_KV
    }

    fn default_for(&self, token: &Token, adapter: &Adapter) -> Option<Kernel> {
        let heads = token.heads;
        let most = (SCORES / heads_at_once(heads)).min(512);
        let by_lanes = subgroup_broadcast::suits(adapter) && by_lanes(token.dtype, heads).is_some();
        Some(if by_lanes {
            split_kv(LANES, 1, 1, 512)
        } else if adapter.is_software() {
            split_kv(8, 8, 4, most)
        } else {
            // Enough workgroups to fill the device, and pieces that are worth one.
            let keys = heads.length * (heads.batch * heads.kv_heads) / 512;
            split_kv(128, 16, 4, keys.next_multiple_of(32).clamp(64, most))
        })
    }

    fn tuning_space(&self, token: &Token) -> Vec<Kernel> {
        let mut space = Vec::new();
        if by_lanes(token.dtype, token.heads).is_some() {
            space.extend([128, 256, 512, 1024].map(|piece| split_kv(LANES, 1, 1, piece)));
        }
        for (threads, lanes) in [(8, 8), (64, 8), (64, 16), (128, 16), (256, 16), (32, 4)] {
            for keys in [2, 4] {
                space.extend([64, 128, 256].map(|piece| split_kv(threads, lanes, keys, piece)));
            }
        }
        space
    }

    fn program(&self, token: &Token, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let Token { dtype, heads } = *token;
        let splits = heads.length.div_ceil(between(kernel, "piece", 1, 4096)?);
        let storage = dtype.storage();
        let pieces = u64::from(heads.all_heads()) * u64::from(splits);
        let buffers = vec![
            Buffer::random("q", queries(heads), storage, seed, 0),
            Buffer::random("K", heads.cache(), storage, seed, 1),
            Buffer::random("V", heads.cache(), storage, seed, 2),
            Buffer::scratch("outputs", pieces * u64::from(heads.size), Storage::F32),
            Buffer::scratch("extremes", pieces * 2, Storage::F32),
            Buffer::output("output", queries(heads), storage),
        ];
        let dispatches = vec![split(dtype, heads, kernel)?, reduce(dtype, heads, splits)?];
        Ok(Program::of(buffers, dispatches))
    }
}

/// Elements of the queries, and of the output.
fn queries(heads: Heads) -> u64 {
    u64::from(heads.all_heads()) * u64::from(heads.size)
}

/// Query heads that a workgroup takes at once: all that share keys, up to as many as registers hold.
fn heads_at_once(heads: Heads) -> u32 {
    let fits = |n: &u32| heads.group().is_multiple_of(*n);
    (1..=MOST_HEADS).rev().find(fits).unwrap_or(1)
}

fn split_kv(threads: u32, lanes: u32, keys: u32, piece: u32) -> Kernel {
    Kernel::new(
        SPLIT_KV,
        &[
            ("threads", threads),
            ("lanes", lanes),
            ("keys", keys),
            ("piece", piece),
        ],
    )
}

/// The dispatch that leaves unfinished outputs.
fn split(dtype: Dtype, heads: Heads, kernel: &Kernel) -> Result<Dispatch, Unsupported> {
    let threads = between(kernel, "threads", 4, 1024)?;
    let lanes = between(kernel, "lanes", 1, 64)?;
    let keys = between(kernel, "keys", 1, 16)?;
    let piece = between(kernel, "piece", 1, 4096)?;
    if lanes == 1 {
        return match (by_lanes(dtype, heads), threads, keys) {
            (Some(wide), LANES, 1) => split_by_lanes(dtype, heads, piece, wide),
            (Some(_), _, _) => Err(Unsupported::Combination(format!(
                "a key a lane goes with {LANES} threads and 1 key"
            ))),
            (None, _, _) => Err(Unsupported::Combination(format!(
                "a key a lane needs a head size that is a multiple of {LANES} vectors and 128 bytes"
            ))),
        };
    }
    if lanes < 4 || !lanes.is_power_of_two() || !threads.is_multiple_of(lanes) {
        return Err(Unsupported::Combination(format!(
            "{threads} threads in rows of {lanes}; a power of two that divides them is needed"
        )));
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
fn split_by_lanes(
    dtype: Dtype,
    heads: Heads,
    piece: u32,
    wide: Wide,
) -> Result<Dispatch, Unsupported> {
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
fn reduce(dtype: Dtype, heads: Heads, splits: u32) -> Result<Dispatch, Unsupported> {
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
