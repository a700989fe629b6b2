//! `naive`: prefill attention in three passes, with all scores in memory; what others are compared with.

use crate::record::Adapter;
use crate::workload::attention::prompt::Prompt;
use crate::workload::computation::KernelFamily;
use crate::workload::kit::dimensions::grid;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::unsupported::Unsupported;

/// The kernel.
#[derive(Debug)]
pub(crate) struct NaiveAttention;

/// Side of the square workgroups.
const TILE: u32 = 16;

/// Threads that share a row of scores.
const WEIGHT_THREADS: u32 = 64;

impl KernelFamily<Prompt> for NaiveAttention {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn default_for(&self, _prompt: &Prompt, _adapter: &Adapter) -> Option<Kernel> {
        Some(Kernel::new("naive", &[]))
    }

    fn tuning_space(&self, _prompt: &Prompt) -> Vec<Kernel> {
        vec![Kernel::new("naive", &[])]
    }

    fn program(
        &self,
        prompt: &Prompt,
        _kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, Unsupported> {
        let length = u64::from(prompt.heads.length);
        let scores = u64::from(prompt.heads.all_heads()) * length * length;
        let mut buffers = prompt.buffers(seed);
        buffers.push(Buffer::scratch("scores", scores, Storage::F32));
        Ok(Program::of(buffers, dispatches(prompt)?))
    }
}

/// Scores, softmax, values; the scores lie in the last buffer.
fn dispatches(prompt: &Prompt) -> Result<Vec<Dispatch>, Unsupported> {
    let heads = prompt.heads;
    let (length, size) = (heads.length, heads.size);
    let queries = u64::from(heads.all_heads()) * u64::from(length);
    let groups = grid(queries);
    let narrow =
        u32::try_from(queries).map_err(|_| Unsupported::combination("too many queries"))?;
    let squares = |template: Template| {
        template
            .alias("Element", prompt.dtype.element())
            .constant("S", length)
            .constant("D", size)
            .constant("GROUP", heads.group())
            .constant("CAUSAL", prompt.causal.into())
            .constant("TILE", TILE)
    };
    let scores = squares(shader!("attention-prefill/naive/scores.wgsl"));
    let weights = shader!("attention-prefill/naive/weights.wgsl")
        .constant("S", length)
        .constant("QUERIES", narrow)
        .constant("CAUSAL", prompt.causal.into())
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
