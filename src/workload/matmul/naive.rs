//! `naive`: an element of C a thread, the kernel that others are compared with.

use crate::record::Adapter;
use crate::workload::computation::KernelFamily;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::matmul::dense::Dense;
use crate::workload::matmul::tiled::ByTiles;

/// The kernel.
#[derive(Debug)]
pub(crate) struct Naive;

/// Side of the square workgroups.
const SIDE: u32 = 16;

impl KernelFamily<Dense> for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn default_for(&self, _product: &Dense, _adapter: &Adapter) -> Option<Kernel> {
        Some(Kernel::new("naive", &[]))
    }

    fn tuning_space(&self, _product: &Dense) -> Vec<Kernel> {
        vec![Kernel::new("naive", &[])]
    }

    fn program(
        &self,
        product: &Dense,
        _kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, Unsupported> {
        let template = product
            .fill(shader!("matmul/naive.wgsl"))
            .constant("M", product.m)
            .constant("N", product.n)
            .constant("K", product.k)
            .constant("THREADS_M", SIDE)
            .constant("THREADS_N", SIDE);
        let dispatch = Dispatch::new(&template, &[0, 1, 2], 1)?
            .groups([product.n.div_ceil(SIDE), product.m.div_ceil(SIDE), 1])
            .workgroup([SIDE, SIDE, 1], 0);
        Ok(Program::of(product.buffers(seed), vec![dispatch]))
    }
}
