//! `flash`: prefill attention without materialised scores, both products in tiles of registers.

use crate::record::Adapter;
use crate::workload::attention::heads::Heads;
use crate::workload::attention::prompt::Prompt;
use crate::workload::computation::KernelFamily;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;

/// The kernel's name.
pub(crate) const FLASH: &str = "flash";

/// The kernel.
#[derive(Debug)]
pub(crate) struct FlashAttention;

impl KernelFamily<Prompt> for FlashAttention {
    fn name(&self) -> &'static str {
        FLASH
    }

    fn default_for(&self, prompt: &Prompt, adapter: &Adapter) -> Option<Kernel> {
        Some(Flash::default_for(prompt.heads, adapter).kernel())
    }

    fn tuning_space(&self, _prompt: &Prompt) -> Vec<Kernel> {
        Flash::space().into_iter().map(Flash::kernel).collect()
    }

    fn program(&self, prompt: &Prompt, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let dispatch = Flash::of(kernel)?.dispatch(*prompt, false)?;
        Ok(Program::of(prompt.buffers(seed), vec![dispatch]))
    }
}

/// Rows of workgroup memory that one read serves.
const VECTOR: u32 = 4;

/// Parameters of `flash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flash {
    /// Threads of a workgroup that have queries of their own.
    threads_q: u32,
    /// Threads side by side that share their queries and have keys, then parts of the output, of their
    /// own.
    threads_k: u32,
    /// Queries of a thread.
    tile_q: u32,
    /// Keys of a thread.
    tile_k: u32,
    /// Elements of queries and keys, and rows of values, that are in workgroup memory at once.
    step: u32,
    /// Elements or rows of a step that the shader writes out.
    unroll: u32,
}

impl Flash {
    fn new([threads_q, threads_k]: [u32; 2], [tile_q, tile_k]: [u32; 2], step: u32) -> Self {
        Self {
            threads_q,
            threads_k,
            tile_q,
            tile_k,
            step,
            unroll: step,
        }
    }

    /// With so many elements or rows of a step written out.
    fn unrolled(self, unroll: u32) -> Self {
        Self { unroll, ..self }
    }

    /// What `run` takes on this adapter when nothing was tuned. `docs/notes/2026-11-25-codegen.md` has the evidence.
    fn default_for(heads: Heads, adapter: &Adapter) -> Self {
        let few_registers = Self::new([8, 16], [4, 4], 16);
        let first = if adapter.is_software() && adapter.backend == "gl" {
            // A quarter of the code of the next: this compiler is the slowest of all.
            Self::new([8, 8], [4, 4], 16).unrolled(1)
        } else if adapter.is_software() {
            // Many sums for each load, as in matmul, and little code, which such drivers compile slowly.
            Self::new([8, 8], [8, 8], 16).unrolled(2)
        } else if adapter.has_many_registers() && heads.size > 128 {
            // 32 scores beside 128 elements of the output spill where a compiler gives no more than 128.
            Self::new([16, 16], [4, 4], 16)
        } else if adapter.has_many_registers() {
            // 32 scores and, at head size 128, 64 elements of the output a thread.
            Self::new([16, 8], [4, 8], 16)
        } else {
            few_registers
        };
        let smaller = [16, 8, 4].map(|step| Self::new([8, 8], [4, 4], step));
        let fits = |flash: &&Self| {
            flash.workgroup_bytes(heads) <= adapter.limits.max_workgroup_bytes.into()
                && flash.threads() <= adapter.limits.max_workgroup_threads
        };
        let candidates = [[first, few_registers].as_slice(), &smaller].concat();
        // Where nothing fits, the first stands for the kernel and is skipped with the reason.
        *candidates.iter().find(fits).unwrap_or(&first)
    }

    /// Every parameter set that makes sense somewhere.
    fn space() -> Vec<Self> {
        let mut space = Vec::new();
        for (step, unroll) in [(16, 2), (16, 8), (32, 8)] {
            for threads in [[4, 8], [8, 8], [16, 8], [8, 16], [16, 16]] {
                for tile in [[4, 4], [4, 8], [8, 4], [8, 8]] {
                    space.push(Self::new(threads, tile, step).unrolled(unroll));
                }
            }
        }
        space
    }

    fn kernel(self) -> Kernel {
        Kernel::new(
            FLASH,
            &[
                ("threads_q", self.threads_q),
                ("threads_k", self.threads_k),
                ("tile_q", self.tile_q),
                ("tile_k", self.tile_k),
                ("step", self.step),
                ("unroll", self.unroll),
            ],
        )
    }

    /// The parameters of a kernel.
    ///
    /// # Errors
    /// One is missing or out of its range, or they do not go together.
    pub(crate) fn of(kernel: &Kernel) -> Result<Self, Unsupported> {
        let flash = Self {
            threads_q: between(kernel, "threads_q", 1, 1024)?,
            threads_k: between(kernel, "threads_k", 1, 64)?,
            tile_q: between(kernel, "tile_q", 4, 16)?,
            tile_k: between(kernel, "tile_k", 4, 16)?,
            step: between(kernel, "step", 4, 64)?,
            unroll: between(kernel, "unroll", 1, 64)?,
        };
        for (name, value) in [
            ("tile_q", flash.tile_q),
            ("tile_k", flash.tile_k),
            ("step", flash.step),
        ] {
            if !value.is_multiple_of(VECTOR) {
                return Err(Unsupported::Combination(format!(
                    "{name} = {value} is not a multiple of {VECTOR}"
                )));
            }
        }
        if !flash.step.is_multiple_of(flash.unroll) {
            return Err(Unsupported::Combination(format!(
                "unroll = {} does not divide step = {}",
                flash.unroll, flash.step
            )));
        }
        if !flash.keys().is_multiple_of(flash.step) {
            return Err(Unsupported::Combination(format!(
                "step = {} does not divide the {} keys of a workgroup",
                flash.step,
                flash.keys()
            )));
        }
        Ok(flash)
    }

    fn threads(self) -> u32 {
        self.threads_q * self.threads_k
    }

    /// Queries of a workgroup.
    fn queries(self) -> u32 {
        self.threads_q * self.tile_q
    }

    /// Keys of a block.
    fn keys(self) -> u32 {
        self.threads_k * self.tile_k
    }

    /// vec4 of a row of the output that a thread has at the most.
    fn own(self, heads: Heads) -> u32 {
        (heads.size / VECTOR).div_ceil(self.threads_k)
    }

    /// vec4 of workgroup memory for queries and keys, for a number from every thread and row, and for values:
    /// whichever is most.
    fn tile(self, heads: Heads) -> u32 {
        let turned = self.step * (self.queries() / VECTOR + 1 + self.keys() / VECTOR + 1);
        let exchanged = self.threads_k * self.queries() / VECTOR;
        let values = self.step * self.own(heads) * self.threads_k;
        turned.max(exchanged).max(values)
    }

    /// Workgroup memory, in bytes.
    fn workgroup_bytes(self, heads: Heads) -> u64 {
        let weights = self.keys() * (self.queries() / VECTOR + 1);
        16 * u64::from(self.tile(heads) + weights)
    }

    /// The dispatch. `tokens_first` puts the heads of a token side by side, as a projection after it wants
    /// them.
    ///
    /// # Errors
    /// The template is malformed.
    pub(crate) fn dispatch(
        self,
        prompt: Prompt,
        tokens_first: bool,
    ) -> Result<Dispatch, Unsupported> {
        let Prompt {
            dtype,
            heads,
            causal,
        } = prompt;
        let threads = self.threads();
        let items_q = self.queries() / VECTOR * self.step / VECTOR;
        let items = items_q + self.keys() / VECTOR * self.step / VECTOR;
        let vectors = heads.size / VECTOR;
        let template = shader!("attention-prefill/flash.wgsl")
            .alias("Element", dtype.element())
            .constant("S", heads.length)
            .constant("D", heads.size)
            .constant("GROUP", heads.group())
            .constant("HEADS", heads.heads)
            .constant("TOKENS_FIRST", tokens_first.into())
            .constant("CAUSAL", causal.into())
            .constant("THREADS", threads)
            .constant("THREADS_K", self.threads_k)
            .constant("QUERIES", self.queries())
            .constant("KEYS", self.keys())
            .constant("TILE_Q", self.tile_q)
            .constant("VECTORS_Q", self.tile_q / VECTOR)
            .constant("VECTORS_K", self.tile_k / VECTOR)
            .constant("OWN", self.own(heads))
            .constant("EVEN_OWN", vectors.is_multiple_of(self.threads_k).into())
            .constant("STEP", self.step)
            .constant("UNROLL", self.unroll)
            .constant("D_TAIL", u32::from(!heads.size.is_multiple_of(self.step)))
            .constant("TILE", self.tile(heads))
            .constant("ITEMS_Q", items_q)
            .constant("ITEMS_QK", items)
            .constant("LOADS_QK", items.div_ceil(threads))
            .constant("EVEN_QK", items.is_multiple_of(threads).into())
            .constant("LOADS_V", (self.step * vectors).div_ceil(threads))
            .constant(
                "EVEN_V",
                (self.step * vectors).is_multiple_of(threads).into(),
            );
        Ok(Dispatch::new(&template, &[0, 1, 2, 3], 1)?
            .groups([heads.length.div_ceil(self.queries()), heads.all_heads(), 1])
            .workgroup([threads, 1, 1], self.workgroup_bytes(heads)))
    }
}
