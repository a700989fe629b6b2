//! Every kernel on every adapter and software driver of this machine against the f64 reference, checks
//! off and on, and faults planted into the shaders that the verification must see.
//!
//! A Vulkan driver is chosen by the environment before the first call, so each driver gets a process of
//! its own: this program again, with a workload named in `PERWATT_KERNELS_CHILD`.
//!
//! AMD's driver also compiles the quick suite for cards that are not there. Nothing runs on them, so nothing may pass.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why on standard error"
)]

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

#[cfg(target_os = "linux")]
#[path = "common/altered.rs"]
mod altered;

use libtest_mimic::{Arguments, Failed, Trial};
use perwatt::bench::{Checks, Executable, Request, parse_case, plan};
use perwatt::device::{Found, Gpu, enumerate};
use perwatt::record::{Adapter, DeviceType, Resource, Verification};
use perwatt::workload::{Action, Case, Kernel, Poison, Program, Suite, registry, workload};

const CHILD: &str = "PERWATT_KERNELS_CHILD";
/// Set where a child is to say what it is at; holds the driver's name.
const TALK: &str = "PERWATT_KERNELS_TALK";
const SEED: u64 = 7;

/// Cases for which what can be combined freely with every form of `tiled` is tried: a split K, strips of
/// tiles, two buffers.
const COMBINED: &[&str] = &[
    "matmul/f32/67x43x1031",
    "matmul/f32/36x68x2052",
    "matmul/f32/260x259x38",
    "matmul/f16/33x37x1028",
    "matmul/f16acc16/33x36x1100",
    "matmul/int8/33x38x1056",
    "matmul/q4/34x37x1056",
];

/// Cases whose kernels are also run with the parameters that cards and other GPUs take by default.
const OF_GPUS: &[&str] = &["attention-prefill/f32/1x4x2x70x64-causal"];

/// AMD's GPUs that Mesa's DRM shim can stand in for: wide and narrow subgroups, with 16-bit arithmetic and matrix units and
/// without.
#[cfg(target_os = "linux")]
const AMD: [&str; 5] = ["navi31", "navi21", "vega10", "polaris12", "raven2"];

/// Faults: the case, the kernel, the shader, what is replaced by what, and why it is wrong.
const FAULTS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "matmul/f32/67x43x59",
        "naive",
        "k < K",
        "k < K - 1",
        "the last product is left out",
    ),
    (
        "matmul/f32/67x43x59",
        "naive",
        "a[row * K + k]",
        "a[row * K + (k ^ 1)]",
        "a wrong index",
    ),
    (
        "matmul/f32/67x43x59",
        "naive",
        "row >= M",
        "row + 1 >= M",
        "the last row is never written",
    ),
    (
        "matmul/f32/68x132x36",
        "naive",
        "row * N + column]",
        "row * N + (column ^ 1)]",
        "two columns change places",
    ),
    (
        "matmul/f32/68x132x2048",
        "naive",
        "k < K",
        "k < K - 1",
        "one product of 2048 is left out",
    ),
    (
        "matmul/f16/68x132x2048",
        "naive",
        "k < K",
        "k < K - 1",
        "one product of 2048 is left out",
    ),
    (
        "matmul/f16acc16/68x132x256",
        "naive",
        "k < K",
        "k < K - 1",
        "one product of 256 is left out",
    ),
    (
        "matmul/f32/68x132x36",
        "direct",
        "k < end / 4",
        "k < end / 4 - 1",
        "the last step is left out",
    ),
    (
        "matmul/f32/68x132x36",
        "direct",
        "row < M &&",
        "row + 1 < M &&",
        "the last row is never written",
    ),
    (
        "matmul/f32/67x43x59",
        "single",
        "k < end_whole",
        "k + UNROLL < end_whole",
        "the last whole step is left out",
    ),
    (
        "matmul/f32/67x43x59",
        "single",
        "k < end;",
        "k < end - 1;",
        "the last product of the tail is left out",
    ),
    (
        "matmul/f32/67x43x59",
        "broadcast",
        "+ lane]",
        "]",
        "every thread brings the same element",
    ),
    (
        "matmul/f32/68x132x36",
        "shared",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "matmul/f32/68x132x36",
        "shared",
        "first < end;",
        "first + STEP_K < end;",
        "the last step is left out",
    ),
    (
        "matmul/f32/67x43x59",
        "shared",
        "* STRIDE_B + local.x",
        "* STRIDE_B + (local.x ^ 1)",
        "a wrong index",
    ),
    (
        "matmul/f32/67x43x59",
        "double",
        "side = 1 - side;",
        "",
        "a tile is overwritten while it is read",
    ),
    (
        "matmul/f32/68x132x36",
        "double",
        "select(first, first + STEP_K,",
        "select(first, first,",
        "the first step again and again",
    ),
    (
        "matmul/f32/67x43x1031",
        "split",
        "piece < PIECES",
        "piece + 1 < PIECES",
        "the last piece of K is left out",
    ),
    (
        "matmul/f32/68x132x1036",
        "split",
        "piece * PIECE_K",
        "piece * (PIECE_K - 4)",
        "pieces of K overlap",
    ),
    (
        "matmul/f32/68x132x36",
        "strips",
        "within % width",
        "within % SWIZZLE",
        "the last strip is as wide as the others",
    ),
    (
        "matmul/f16/65x36x72",
        "coop",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "matmul/f16/65x36x72",
        "coop",
        "first < PITCH_A;",
        "first + STEP_K < PITCH_A;",
        "the last step is left out",
    ),
    (
        "matmul/f16/67x43x59",
        "coop",
        "coopLoad<Right>(&tile_b[",
        "coopLoadT<Right>(&tile_b[",
        "B is taken row by row",
    ),
    (
        "matmul/f16/67x43x59",
        "coop",
        "column + 2u < COLUMNS",
        "column + 3u < COLUMNS",
        "a copied row ends early",
    ),
    (
        "matmul/f16/65x36x72",
        "coop",
        "row < ROWS",
        "row + 1 < ROWS",
        "the last row is not copied",
    ),
    (
        "matmul/f16/65x35x72",
        "coop",
        "(PITCH_B / 2)",
        "(N / 2)",
        "rows of the copy are taken for those of the original",
    ),
    (
        "matmul/f16/68x132x2048",
        "coop",
        "if m < M && n < N",
        "if m + 1 < M && n < N",
        "the last row is never written",
    ),
    (
        "matmul/f16/67x43x59",
        "coop",
        "block_column + part_column + 0u * SIDE",
        "block_column + part_column + 1u * SIDE",
        "a matrix is stored in the place of its neighbour",
    ),
    (
        "matmul/q4/67x43x96",
        "coop",
        " >> 4u",
        " >> 3u",
        "high halves of another place",
    ),
    (
        "matmul/q4/67x43x96",
        "coop",
        "scale_of(source / 2)",
        "scale_of(source / 4)",
        "the scale of an earlier block",
    ),
    (
        "matmul/q8/67x43x96",
        "coop",
        "min(block_column + column, N - 1)",
        "min(block_column + (column ^ 1), N - 1)",
        "two columns change places",
    ),
    (
        "matmul/q8/67x43x96",
        "coop",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "matmul/q8/36x68x64",
        "coop",
        "if m < M && n < N",
        "if m + 1 < M && n < N",
        "the last row is never written",
    ),
    (
        "matmul/q4/67x43x2048",
        "coop",
        "let loaded0 = vec4<Operand>(a[source + 0u]);",
        "var loaded0 = vec4<Operand>(a[source + 0u]); if first + chunk == 0 { loaded0.x = 0; }",
        "one product of 2048 is left out",
    ),
    (
        "matmul/q8/67x43x2048",
        "coop",
        "let loaded0 = vec4<Operand>(a[source + 0u]);",
        "var loaded0 = vec4<Operand>(a[source + 0u]); if first + chunk == 0 { loaded0.x = 0; }",
        "one product of 2048 is left out",
    ),
    (
        "matmul/q4/67x43x96",
        "packed-broadcast",
        "eight / 2 * 4",
        "eight / 2 * 3",
        "high halves of another place, where elements are shared",
    ),
    (
        "matmul/q4/67x43x96",
        "packed-direct",
        " >> 4u",
        " >> 3u",
        "high halves of another place",
    ),
    (
        "matmul/q4/67x43x96",
        "packed-broadcast",
        "invocation % 8",
        "(invocation + 1) % 8",
        "subgroups share the elements of their neighbours",
    ),
    (
        "matmul/q8/67x43x96",
        "packed-broadcast",
        "+ eight * 8 + lane]",
        "+ lane]",
        "eight elements of A stand for all of a chunk",
    ),
    (
        "matmul/q4/67x43x2048",
        "packed-direct",
        "chunk < LENGTH",
        "chunk < LENGTH - 1",
        "the last block is left out",
    ),
    (
        "matmul/int8/67x43x96",
        "packed-direct",
        "first_row + 2u < M",
        "first_row + 2u < M - 1",
        "the last row is never written",
    ),
    (
        "matmul/int8/67x43x96",
        "packed-tiled",
        "dot4I8Packed(a, b.y)",
        "dot4I8Packed(a, b.x)",
        "a neighbour's column",
    ),
    (
        "matmul/q8/67x43x96",
        "packed-tiled",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "matmul/q4/67x43x96",
        "packed-tiled",
        "* K + k) / 32",
        "* K + k) / 64",
        "the scale of an earlier block",
    ),
    (
        "gemv/q4/67x480",
        "row-per-thread",
        " >> 4u",
        " >> 3u",
        "high halves of another place",
    ),
    (
        "gemv/q4/67x480",
        "row-per-thread",
        "(block % 2 * 16)",
        "(16 - block % 2 * 16)",
        "the neighbour's scale",
    ),
    (
        "gemv/q4/67x480",
        "row-per-thread",
        "total *= -8;",
        "total *= -7;",
        "weights that are too large by one",
    ),
    (
        "gemv/q8/67x480",
        "workgroup",
        "(32 / CHUNK)",
        "(64 / CHUNK)",
        "a scale for too many",
    ),
    (
        "gemv/q4/67x480",
        "row-per-thread",
        "k < LENGTH",
        "k < LENGTH - 1",
        "the last block is left out",
    ),
    (
        "gemv/f32/70x512",
        "row-per-thread",
        "< M {",
        "< M - 1 {",
        "the last row is never written",
    ),
    (
        "gemv/q4/35x192",
        "row-per-lane",
        "scale.y",
        "scale.x",
        "the neighbour's scale",
    ),
    (
        "gemv/q4/67x480",
        "row-per-lane",
        "total0 *= -8;",
        "total0 *= -7;",
        "weights that are too large by one",
    ),
    (
        "gemv/q8/35x192",
        "row-per-lane",
        "step < STEPS",
        "step < STEPS - 1",
        "the last blocks are left out",
    ),
    (
        "gemv/f32/70x512",
        "row-per-lane",
        ">= own_row",
        "> own_row",
        "the first row of every lane is never written",
    ),
    (
        "gemv/f16/19x96",
        "row-per-lane",
        "min(lane, LANES - 1) * OWN",
        "min(lane, LANES - 2) * OWN",
        "one lane shares its neighbour's part of x",
    ),
    (
        "gemv/f32/131x257",
        "workgroup",
        "k < LENGTH",
        "k < LENGTH - 1",
        "the last column is left out",
    ),
    (
        "gemv/f32/131x257",
        "workgroup",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "gemv/f32/131x257",
        "workgroup",
        "< M {",
        "< M - 1 {",
        "the last row is never written",
    ),
    (
        "gemv/f32/131x257",
        "subgroup",
        "part < parts",
        "part + 1 < parts",
        "one subgroup is left out",
    ),
    (
        "copy/f32/5003",
        "scalar",
        "< COUNT",
        "< COUNT - 1",
        "the last element is never written",
    ),
    (
        "read/f32/70003",
        "scalar",
        "at < COUNT",
        "at < COUNT - 1",
        "the last element is left out",
    ),
    (
        "read/f32/270004",
        "vec4",
        "step < STEPS",
        "step < STEPS - 1",
        "a step is left out",
    ),
    (
        "triad/f32/5003",
        "scalar",
        "0.4",
        "0.39999",
        "a wrong factor",
    ),
    (
        "softmax/f32/5x1021",
        "one-pass",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "softmax/f32/5x1021",
        "one-pass",
        "sums += x0;",
        "",
        "a thread's first value is left out",
    ),
    (
        "softmax/f32/5x1021",
        "one-pass",
        "row >= ROWS",
        "row + 1 >= ROWS",
        "the last row is never written",
    ),
    (
        "rmsnorm/f32/5x1021",
        "one-pass",
        "sums = fma(x0, x0, sums);",
        "",
        "a thread's first value is left out",
    ),
    (
        "rmsnorm/f32/5x1021",
        "one-pass",
        "f32(COLUMNS)",
        "f32(COLUMNS - 1)",
        "the mean of one too few",
    ),
    (
        "attention-prefill/f32/1x4x2x70x64-causal",
        "flash",
        "vec4u(last_key)",
        "vec4u(last_key - 1)",
        "a position does not see itself",
    ),
    (
        "attention-prefill/f32/1x4x2x70x64-causal",
        "flash",
        "keys1 > vec4u(last_key)",
        "keys0 > vec4u(last_key)",
        "a thread's later keys are hidden with its earlier ones",
    ),
    (
        "attention-prefill/f32/1x4x2x150x64-causal",
        "flash",
        "out0_0 *= correction[0];",
        "",
        "no correction",
    ),
    (
        "attention-prefill/f32/1x4x2x70x64-causal",
        "flash",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "attention-prefill/f16/1x4x2x70x64-causal",
        "flash",
        "head / GROUP",
        "head % GROUP",
        "keys of another head",
    ),
    (
        "attention-prefill/f16/1x4x2x70x64-causal",
        "coop-attention",
        "first_key + key > query",
        "first_key + key >= query",
        "a position does not see itself",
    ),
    (
        "attention-prefill/f16/1x4x2x70x64-causal",
        "coop-attention",
        "out0_1, correction,",
        "out0_1, 1,",
        "no correction",
    ),
    (
        "attention-prefill/f16/1x4x2x70x64-causal",
        "coop-attention",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "attention-prefill/f16/1x4x2x70x64-causal",
        "coop-attention",
        "sum += f32(weight);",
        "sum += f32(weight) * f32(part + 1 < ROW_THREADS || first_key == 0 || key != 3);",
        "one key's weight is not in the sum",
    ),
    (
        "attention-prefill/f16/2x2x1x37x64-full",
        "coop-attention",
        "first_key + key >= S",
        "first_key + key > S",
        "a key beyond the last is seen",
    ),
    (
        "attention-prefill/f16/2x2x1x37x64-full",
        "coop-attention",
        "head / GROUP * S",
        "head % GROUP * S",
        "keys of another head",
    ),
    (
        "attention-prefill/f32/2x6x2x37x20-full",
        "naive",
        "key < keys; key++",
        "key + 1 < keys; key++",
        "the last key is left out",
    ),
    (
        "attention-prefill/f32/2x6x2x37x20-full",
        "naive",
        "d < D; d++",
        "d + 1 < D; d++",
        "the last product is left out",
    ),
    (
        "attention-decode/f16/1x1x1x1037x128",
        "key-per-lane",
        "+= scores0[",
        "= scores0[",
        "the last pass over the keys is forgotten",
    ),
    (
        "attention-decode/f16/1x1x1x1037x128",
        "key-per-lane",
        "key < end",
        "key <= end",
        "the last key counts twice",
    ),
    (
        "attention-decode/f16/1x1x1x1037x128",
        "key-per-lane",
        "block + 3u, end",
        "block + 2u, end",
        "one value in eight is its neighbour's",
    ),
    (
        "attention-decode/f32/2x3x3x37x96",
        "key-per-lane",
        "subgroupMax(largest)",
        "largest",
        "lanes with maxima of their own",
    ),
    (
        "attention-decode/f32/2x6x2x131x20",
        "split-kv",
        "min(L, first + PIECE)",
        "min(L, first + PIECE) - 1",
        "the last key of a piece is left out",
    ),
    (
        "attention-decode/f32/2x6x2x131x20",
        "split-kv",
        "first_head / GROUP",
        "first_head % GROUP",
        "keys of another head",
    ),
    (
        "attention-decode/f16/1x8x2x300x64",
        "split-kv",
        "first + key < end",
        "first + key <= end",
        "the last key of the last piece twice",
    ),
    (
        "attention-decode/f16/1x8x2x300x64",
        "split-kv",
        "workgroupBarrier();",
        "",
        "no barriers",
    ),
    (
        "attention-decode/f16/1x8x2x300x64",
        "split-kv",
        "exp(extremes[row].x - maximum)",
        "1.0",
        "pieces put together with no correction",
    ),
    (
        "peak-fma/f32/131x8192",
        "scalar-4",
        "i < ITERATIONS",
        "i < ITERATIONS - 1",
        "one iteration is left out",
    ),
    (
        "peak-fma/f16/67x4096",
        "vec4-2",
        "round < ROUNDS",
        "round + 1 < ROUNDS + u32(thread == 3)",
        "one thread works, the others do not",
    ),
    (
        "peak-dot4/int8/131x16384",
        "scalar-4",
        "i < ITERATIONS",
        "i < ITERATIONS - 1",
        "one iteration is left out",
    ),
    (
        "peak-dot4/int8/131x16384",
        "scalar-4",
        "round < ROUNDS",
        "round + u32(thread == 7) < ROUNDS",
        "one thread leaves a round out",
    ),
    (
        "peak-coop/f16/67x16777216",
        "8x8-4",
        "i < ITERATIONS",
        "i < ITERATIONS - 1",
        "one iteration is left out",
    ),
    (
        "peak-coop/f16acc16/67x16777216",
        "8x8-8",
        "round < ROUNDS",
        "round + 1 < ROUNDS",
        "one round is left out",
    ),
    (
        "peak-coop/f16/67x16777216",
        "8x8-4",
        "part % 8 + 1u",
        "part % 8 + 0u",
        "a chain counts what another counts",
    ),
    (
        "peak-coop/f16/67x16777216",
        "8x8-4",
        "&& part < COUNT",
        "&& part + 1 < COUNT",
        "the last subgroup does nothing",
    ),
    (
        "llama-layer/f32/13x96x6x2x160-prefill",
        "",
        "second * turn.x + first",
        "second * turn.x - first",
        "a rotation the wrong way",
    ),
    (
        "llama-layer/f32/77x96x6x2x160-decode",
        "",
        "FIRST + token",
        "FIRST - 1 + token",
        "the new key on an old one",
    ),
    (
        "llama-layer/f32/13x96x6x2x160-prefill",
        "",
        "* HEADS + head)",
        "* HEADS + (head ^ 1))",
        "two heads change places",
    ),
    (
        "llama-layer/q4/77x128x4x2x160-decode",
        "",
        "exp(-g)",
        "exp(g)",
        "the gate the wrong way",
    ),
    (
        "llama-layer/f16/37x128x4x2x160-prefill",
        "",
        "vec4f(x[at0]) + vec4f(added[at0])",
        "vec4f(x[at0]) * 0 + vec4f(added[at0])",
        "no residual connection",
    ),
    (
        "llama-layer/f16/37x128x4x2x160-prefill",
        "layer-coop",
        "sum0_1 = coopMultiplyAdd(a0, b1, sum0_1);",
        "sum0_1 = coopMultiplyAdd(a0, b0, sum0_1);",
        "a matrix unit multiplies by its neighbour's columns",
    ),
    (
        "llama-layer/q4/13x128x4x2x160-prefill",
        "layer-coop",
        "scale_of(source / 2)",
        "scale_of(source / 4)",
        "the scale of an earlier block",
    ),
    (
        "llama-layer/f32/13x96x6x2x160-prefill",
        "",
        "at >= VECTORS",
        "at + 1 >= VECTORS",
        "the last elements are never written",
    ),
    (
        "dispatch-latency/-/1",
        "mark",
        "= MARK",
        "= MARK + 1",
        "another mark",
    ),
];

fn main() -> ExitCode {
    if let Ok(job) = env::var(CHILD) {
        return child(&job);
    }
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for mut driver in drivers() {
        driver.talks = arguments.nocapture;
        for workload in registry() {
            trials.push(driver.trial(workload.name()));
        }
        // The faults test the verification; OpenGL would add minutes of compiling and no other check.
        if !driver.name.starts_with("gl") {
            trials.push(driver.trial("faults"));
        }
    }
    #[cfg(target_os = "linux")]
    trials.extend(AMD.map(on_a_card_that_is_not_there));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The quick suite through AMD's compiler, in a process of its own.
#[cfg(target_os = "linux")]
fn on_a_card_that_is_not_there(gpu: &'static str) -> Trial {
    let cards = altered::CardsThatAreNotThere::look();
    let ignored = cards.is_err() && env::var_os("PERWATT_TEST_ALL").is_none();
    let kind = cards.as_ref().err().cloned().unwrap_or_default();
    Trial::test(format!("amd-{gpu}::compiles_and_never_passes"), move || {
        let mut command = Command::new(env::current_exe()?);
        command.env(CHILD, "0 nothing-runs");
        cards?.show(&mut command, gpu);
        succeeds(&mut command)
    })
    .with_kind(kind)
    .with_ignored_flag(ignored)
}

/// Runs a child; what it says is why it failed.
fn succeeds(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{said}", output.status).into())
}

/// A driver and one of its backends.
#[derive(Clone)]
struct Driver {
    name: String,
    /// The file that makes the Vulkan loader see this driver and no other.
    icd: Option<PathBuf>,
    /// Index of the adapter in that environment.
    adapter: u32,
    /// Why it cannot be used here.
    missing: Option<String>,
    /// Whether its processes may say what they are at, since nobody captures it.
    talks: bool,
}

impl Driver {
    /// A test of one workload, or of the faults, in a process of its own.
    fn trial(&self, what: &str) -> Trial {
        let driver = self.clone();
        let job = format!("{} {what}", self.adapter);
        let name = format!("{}::{}", self.name, what.replace('-', "_"));
        // Where everything was installed for the tests, a missing driver is a failure.
        let ignored = self.missing.is_some() && env::var_os("PERWATT_TEST_ALL").is_none();
        let kind = driver.missing.clone().unwrap_or_default();
        Trial::test(name, move || driver.run(&job))
            .with_kind(kind)
            .with_ignored_flag(ignored)
    }

    fn run(&self, job: &str) -> Result<(), Failed> {
        if let Some(missing) = &self.missing {
            return Err(missing.as_str().into());
        }
        let mut command = Command::new(env::current_exe()?);
        command.env(CHILD, job);
        if let Some(icd) = &self.icd {
            command.env("VK_DRIVER_FILES", icd);
        }
        if self.talks {
            command.env(TALK, &self.name).stderr(Stdio::inherit());
        }
        succeeds(&mut command)
    }
}

/// The adapters that are simply there, and the software drivers that `scripts/setup --all` installs.
fn drivers() -> Vec<Driver> {
    let mut drivers: Vec<Driver> = enumerate()
        .iter()
        .map(|found| Driver {
            name: format!("{}-{}", found.adapter.backend, short(&found.adapter.name)),
            icd: None,
            adapter: found.adapter.index,
            missing: None,
            talks: false,
        })
        .collect();
    for backend in ["vulkan", "gl"] {
        if !drivers
            .iter()
            .any(|driver| driver.name.starts_with(backend))
        {
            drivers.push(missing(backend, "no adapter of this backend"));
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/drivers");
    for (name, icd) in [
        (
            "swiftshader",
            PathBuf::from("/usr/lib/chromium/vk_swiftshader_icd.json"),
        ),
        ("mesa-22.3", own.join("mesa-22.3/icd.json")),
    ] {
        if !icd.exists() {
            drivers.push(missing(
                name,
                "not installed; `scripts/setup --all` installs it on Debian 12",
            ));
            continue;
        }
        drivers.push(Driver {
            name: name.to_owned(),
            icd: Some(icd),
            adapter: 0,
            missing: None,
            talks: false,
        });
    }
    drivers
}

fn missing(name: &str, reason: &str) -> Driver {
    Driver {
        name: name.to_owned(),
        icd: None,
        adapter: 0,
        missing: Some(reason.to_owned()),
        talks: false,
    }
}

/// An adapter's name without its details.
fn short(name: &str) -> String {
    let end = name.find(['(', ',', '/']).unwrap_or(name.len());
    name[..end].trim().replace(' ', "-").to_lowercase()
}

/// What one process does: `ADAPTER WORKLOAD`, `ADAPTER faults` or `ADAPTER nothing-runs`.
fn child(job: &str) -> ExitCode {
    let (adapter, what) = job.split_once(' ').unwrap();
    let adapter: u32 = adapter.parse().unwrap();
    let found = enumerate();
    let found = found.iter().find(|found| found.adapter.index == adapter);
    let Some(found) = found else {
        eprintln!("the driver shows no adapter {adapter}");
        return ExitCode::FAILURE;
    };
    let wrong = match what {
        "faults" => plant_faults(found),
        "nothing-runs" => see_that_nothing_passes(found),
        workload => check_kernels(found, workload),
    };
    for wrong in &wrong {
        eprintln!("{wrong}");
    }
    if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs every kernel of a workload on its small cases.
fn check_kernels(found: &Found, name: &str) -> Vec<String> {
    let gpu = Gpu::open(found).unwrap();
    let talk = Talk::new();
    let mut wrong = Vec::new();
    let mut ran = 0;
    let mut unsupported = Vec::new();
    let mut without_matrix_units = true;
    let of_workload = |text: &&str| text.split('/').next() == Some(name);
    let small = workload(name).unwrap().small_cases().iter();
    let small: Vec<String> = small.map(|case| format!("{name}/{case}")).collect();
    let all = small.iter().map(String::as_str);
    for text in all.chain(COMBINED.iter().copied().filter(of_workload)) {
        let case = parse_case(text).unwrap();
        let kernels = if COMBINED.contains(&text) {
            combined(&case, &gpu)
        } else {
            kernels(&case, &gpu)
        };
        talk.say(&format!("{text}: {} kernels", kernels.len()));
        for (number, kernel) in kernels.into_iter().enumerate() {
            let Ok(program) = case.program(&kernel, SEED) else {
                continue;
            };
            if let Some(reason) = program.unsupported_on(&gpu.adapter) {
                without_matrix_units &= reason.lacks_matrix_units();
                unsupported.push(format!("{text}@{}: {reason}", kernel.name));
                continue;
            }
            // Both ways for the kernels that a run uses, alternately for the rest of the space.
            let both = [Checks::Off, Checks::On];
            let checks = if number < 2 && !COMBINED.contains(&text) {
                &both[..]
            } else {
                &both[number % 2..][..1]
            };
            for checks in checks {
                if *checks == Checks::On && never_compiles_checked(&gpu, &program) {
                    continue;
                }
                ran += 1;
                let verification = execute(&gpu, &case, &kernel, program.clone(), *checks);
                if !verification.passed {
                    wrong.push(format!(
                        "{text}@{} {:?} checks {checks:?}: {:?}",
                        kernel.name, kernel.parameters, verification.worst
                    ));
                }
            }
        }
    }
    // Only matrix units that the driver lacks excuse a workload from running at all.
    if ran == 0 && !without_matrix_units {
        wrong.extend(unsupported);
        wrong.push(format!("no case of {name} ran"));
    }
    wrong
}

/// The kernels that a run uses first; where they compile soon, those that it uses on GPUs and a few of the
/// tuning space.
fn kernels(case: &Case, gpu: &Gpu) -> Vec<Kernel> {
    let mut kernels = case.kernels(&gpu.adapter);
    if OF_GPUS.contains(&case.to_string().as_str()) && !slow_compiler(gpu) {
        for device_type in [DeviceType::DiscreteGpu, DeviceType::Other] {
            let adapter = Adapter {
                device_type,
                ..gpu.adapter.clone()
            };
            let defaults = case.kernels(&adapter).into_iter();
            kernels.extend(defaults.filter(|kernel| kernel.name == "flash"));
        }
    }
    if !slow_compiler(gpu) {
        let space = case.tuning_space();
        // Every form of a kernel that has several lies somewhere along its space.
        let step = (space.len() / 4).max(1);
        let matrix = space.iter().filter(|kernel| on_matrix_units(case, kernel));
        let matrix: Vec<Kernel> = matrix.cloned().collect();
        kernels.extend(space.into_iter().step_by(step));
        // Few drivers have matrix units, and those that do have few of the configurations.
        let offered = matrix.into_iter().filter(|kernel| {
            let program = case.program(kernel, SEED);
            program.is_ok_and(|program| program.unsupported_on(&gpu.adapter).is_none())
        });
        kernels.extend(offered.step_by(47));
    }
    kernels
}

/// Whether a kernel multiplies by matrix units.
fn on_matrix_units(case: &Case, kernel: &Kernel) -> bool {
    matches!(
        case.resources(kernel).arithmetic,
        Resource::MatrixF32 | Resource::MatrixF16 | Resource::MatrixF16Acc16
    )
}

/// Every combination once for each form, on the smallest tile, which compiles soonest.
fn combined(case: &Case, gpu: &Gpu) -> Vec<Kernel> {
    if slow_compiler(gpu) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut space = case.tuning_space();
    space.retain(|kernel| {
        let value = |name| kernel.parameters.get(name).copied().unwrap_or(0);
        let combined = [
            value("buffers") > 1,
            value("split_k") > 1,
            value("swizzle") > 0,
        ];
        let form = [value("width"), value("step_k").min(1), value("broadcast")];
        combined.contains(&true) && seen.insert((combined, form))
    });
    space
}

/// OpenGL in software and SwiftShader take minutes to compile a large register tile.
fn slow_compiler(gpu: &Gpu) -> bool {
    gpu.adapter.backend == "gl" || gpu.adapter.name.to_lowercase().contains("swiftshader")
}

/// Mesa's OpenGL takes from minutes to an hour to compile `flash` with checks, since LLVM's time grows with the
/// square of the branches in a shader with barriers. The Vulkan drivers run it with checks.
fn never_compiles_checked(gpu: &Gpu, program: &Program) -> bool {
    let has_flash = || {
        let mut dispatches = program.dispatches().iter();
        dispatches.any(|dispatch| dispatch.file.ends_with("flash.wgsl"))
    };
    gpu.adapter.backend == "gl" && has_flash()
}

/// Says what a child is at, where somebody listens.
struct Talk {
    /// The driver's name; nothing where nobody listens.
    driver: Option<String>,
    begun: Instant,
}

impl Talk {
    fn new() -> Self {
        Self {
            driver: env::var(TALK).ok(),
            begun: Instant::now(),
        }
    }

    fn say(&self, at: &str) {
        if let Some(driver) = &self.driver {
            eprintln!(
                "{driver} {:4.0} s  {at}",
                self.begun.elapsed().as_secs_f64()
            );
        }
    }
}

/// Copies of the buffers; the last one is verified, whose inputs were copied on the device.
const COPIES: u32 = 2;

/// Executes once on each copy of poisoned outputs and verifies the last.
fn execute(
    gpu: &Gpu,
    case: &Case,
    kernel: &Kernel,
    program: Program,
    checks: Checks,
) -> Verification {
    let apart = |dispatch: &perwatt::workload::Dispatch| match dispatch.workgroups {
        [1, 1, 1] => 1,
        _ => 3,
    };
    let pieces = program.dispatches().iter().map(apart).collect();
    let mut executable = Executable::allocate(gpu, program, COPIES).unwrap();
    match checks {
        Checks::Off => executable.compile(checks).unwrap(),
        // As where a watchdog is near; the two ways have nothing to do with each other, and are tried together.
        Checks::On => executable.compile_in_pieces(pieces, checks).unwrap(),
    }
    executable.poison(Poison::First).unwrap();
    if let Action::Dispatches(_) = executable.program().action {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        executable.encode(&mut pass, COPIES);
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
    } else {
        executable.act_on_host().unwrap();
    }
    gpu.wait().unwrap();
    let outputs = executable.outputs().unwrap();
    case.verify(kernel, executable.program(), &outputs)
}

/// Compiles and submits the quick suite on a device that runs nothing: each kernel must compile, and none may pass.
fn see_that_nothing_passes(found: &Found) -> Vec<String> {
    const FEWEST: usize = 30;
    let gpu = Gpu::open(found).unwrap();
    let quick = Request {
        suite: Some(Suite::Quick),
        cases: Vec::new(),
        kernels: Vec::new(),
        custom: Vec::new(),
    };
    let mut wrong = Vec::new();
    let mut ran = 0;
    for case_kernel in plan(&quick, &gpu.adapter).unwrap() {
        let (case, kernel) = (&case_kernel.case, &case_kernel.kernel);
        let program = case.program(kernel, SEED).unwrap();
        match program.unsupported_on(&gpu.adapter) {
            None => {}
            Some(reason) if reason.to_string().contains("SHADER_F16") => continue,
            Some(reason) => {
                wrong.push(format!("{}: {reason}", case_kernel.id()));
                continue;
            }
        }
        // What the host does with a device's memory works here, too.
        if !matches!(program.action, Action::Dispatches(_)) {
            continue;
        }
        ran += 1;
        if execute(&gpu, case, kernel, program, Checks::Off).passed {
            wrong.push(format!("{} passes, and nothing ran", case_kernel.id()));
        }
    }
    if ran < FEWEST {
        wrong.push(format!("only {ran} kernels were compiled"));
    }
    wrong
}

/// Plants every fault, and says which were not seen.
fn plant_faults(found: &Found) -> Vec<String> {
    let gpu = Gpu::open(found).unwrap();
    let talk = Talk::new();
    let mut unseen = Vec::new();
    for (text, kernel, from, to, why) in FAULTS {
        let case = parse_case(text).unwrap();
        let kernel = faulty_kernel(&case, kernel, &gpu);
        let sound = match case.program(&kernel, SEED) {
            Ok(sound) => sound,
            // Parameters of matrix units follow the device's, and here there are none.
            Err(_) if kernel.name == "coop" && gpu.adapter.coop_matrix.is_empty() => continue,
            Err(why) => panic!("{text}@{}: {why}", kernel.name),
        };
        if sound.unsupported_on(&gpu.adapter).is_some() {
            continue;
        }
        // Without barriers a driver that runs a workgroup in one go may still be right.
        let may_pass = *why == "no barriers" && !gpu.adapter.is_software();
        let faulty = plant(&sound, from, to);
        talk.say(&format!("{text}@{}: {why}", kernel.name));
        let passes = |program| execute(&gpu, &case, &kernel, program, Checks::On).passed;
        assert!(passes(sound), "{text}");
        if passes(faulty) && !may_pass {
            unseen.push(format!("{text}@{}: not seen: {why}", kernel.name));
        }
    }
    unseen
}

/// The kernel of a fault; `direct`, `single`, `broadcast` and `shared` are the forms of `tiled`, and
/// `double`, `split` and `strips` what they can be combined with.
fn faulty_kernel(case: &Case, name: &str, gpu: &Gpu) -> Kernel {
    let is = |kernel: &Kernel, name: &str, value: u32| {
        kernel.parameters.get(name).copied() == Some(value)
    };
    let mut known = case.kernels(&gpu.adapter);
    known.extend(case.tuning_space());
    let fits = |kernel: &Kernel| {
        let program = case.program(kernel, SEED);
        program.is_ok_and(|program| program.unsupported_on(&gpu.adapter).is_none())
    };
    let mut of_name: Vec<Kernel> = known
        .into_iter()
        .filter(|kernel| match name {
            "direct" => is(kernel, "step_k", 0) && is(kernel, "width", 4),
            "broadcast" => is(kernel, "broadcast", 1) && is(kernel, "width", 1),
            "single" => is(kernel, "width", 1) && is(kernel, "broadcast", 0),
            // More than one subgroup, so that a missing barrier matters.
            "shared" => is(kernel, "step_k", 8) && is(kernel, "threads_n", 16),
            "double" => is(kernel, "buffers", 2) && is(kernel, "threads_n", 16),
            "split" => is(kernel, "split_k", 2) && is(kernel, "width", 4),
            "strips" => is(kernel, "swizzle", 2) && is(kernel, "width", 4),
            "packed-direct" => kernel.name == "direct" && !is(kernel, "broadcast", 1),
            "packed-broadcast" => kernel.name == "direct" && is(kernel, "broadcast", 1),
            "packed-tiled" => kernel.name == "tiled" && kernel.parameters["threads_n"] == 16,
            "workgroup" | "subgroup" => kernel.name == name && kernel.parameters["threads"] == 128,
            // Several pieces, and more than one subgroup.
            "split-kv" => is(kernel, "piece", 64) && is(kernel, "threads", 64),
            "key-per-lane" => is(kernel, "lanes", 1),
            // Several subgroups, so that a missing barrier matters.
            "coop" => kernel.name == name && is(kernel, "subgroups_m", 2),
            "layer-coop" => kernel.name == "coop",
            "coop-attention" => kernel.name == "coop" && is(kernel, "subgroups", 2),
            "" => true,
            _ => kernel.name == name,
        })
        .collect();
    // Where none fits, the fault is left out as unsupported.
    let fitting = of_name.iter().position(fits).unwrap_or(0);
    of_name.swap_remove(fitting)
}

/// The program with a fault in its shaders.
fn plant(program: &Program, from: &str, to: &str) -> Program {
    let mut faulty = program.clone();
    let (Action::Dispatches(dispatches) | Action::RoundTrip(dispatches)) = &mut faulty.action
    else {
        panic!("a transfer has no shader");
    };
    let mut planted = false;
    for dispatch in dispatches {
        planted |= dispatch.wgsl.contains(from);
        dispatch.wgsl = dispatch.wgsl.replace(from, to);
    }
    assert!(planted, "{from:?} is in no shader of this program");
    faulty
}
