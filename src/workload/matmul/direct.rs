//! `direct`: a product with packed B whose operands come straight from memory.

use crate::record::{Adapter, Reading};
use crate::workload::computation::KernelFamily;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::program::{Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::packed::{Packed, SHARED};
use crate::workload::matmul::tiled::ByTiles;

/// The kernel's name.
const DIRECT: &str = "direct";

/// The kernel.
#[derive(Debug)]
pub(crate) struct Direct;

impl KernelFamily<Packed> for Direct {
    fn name(&self) -> &'static str {
        DIRECT
    }

    fn default_for(&self, packed: &Packed, adapter: &Adapter) -> Option<Kernel> {
        let shares = !packed.integers()
            && adapter.has("SUBGROUP")
            && matches!(adapter.subgroup_sizes, Reading::Measured((least, _)) if least >= SHARED);
        adapter.is_software().then(|| match shares {
            true => direct([8, 1], 16, 2, true),
            false => direct([8, 1], 8, 2, false),
        })
    }

    fn tuning_space(&self, packed: &Packed) -> Vec<Kernel> {
        let mut space = Vec::new();
        for tile_m in [4, 8, 16] {
            for tile_n in [1, 2, 4] {
                let mut add = |threads, shares| space.push(direct(threads, tile_m, tile_n, shares));
                for threads in [[8, 1], [64, 1]] {
                    add(threads, false);
                    if !packed.integers() {
                        add(threads, true);
                    }
                }
            }
        }
        space
    }

    fn program(&self, packed: &Packed, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let threads_n = between(kernel, "threads_n", 1, 1024)?;
        let threads_m = between(kernel, "threads_m", 1, 1024)?;
        let tile_m = between(kernel, "tile_m", 1, 32)?;
        let tile_n = between(kernel, "tile_n", 1, 16)?;
        let broadcast = between(kernel, "broadcast", 0, 1)? == 1;
        if broadcast && (packed.integers() || threads_m != 1 || !threads_n.is_multiple_of(SHARED)) {
            return Err(Unsupported::Combination(format!(
                "broadcast needs quantised weights, threads_m = 1 and threads_n a multiple of {SHARED}"
            )));
        }
        let template = packed
            .fill(shader!("matmul/direct.wgsl"))
            .constant("M", packed.m)
            .constant("N", packed.n)
            .constant("K", packed.k)
            .constant("THREADS_M", threads_m)
            .constant("THREADS_N", threads_n)
            .constant("TILE_M", tile_m)
            .constant("TILE_N", tile_n)
            .constant("BROADCAST", broadcast.into());
        let bindings: Vec<usize> = (0..=packed.inputs()).collect();
        let dispatch = Dispatch::new(&template, &bindings, 1)?
            .groups([
                packed.n.div_ceil(threads_n * tile_n),
                packed.m.div_ceil(threads_m * tile_m),
                1,
            ])
            .workgroup([threads_n, threads_m, 1], 0);
        let dispatch = if broadcast {
            dispatch.needs("SUBGROUP").subgroups_of(SHARED)
        } else {
            dispatch
        };
        Ok(Program::of(packed.buffers(seed), vec![dispatch]))
    }
}

/// The form whose operands come straight from memory; with `shares` a subgroup shares what it loads of A.
fn direct([threads_n, threads_m]: [u32; 2], tile_m: u32, tile_n: u32, shares: bool) -> Kernel {
    Kernel::new(
        DIRECT,
        &[
            ("threads_n", threads_n),
            ("threads_m", threads_m),
            ("tile_m", tile_m),
            ("tile_n", tile_n),
            ("broadcast", shares.into()),
        ],
    )
}
