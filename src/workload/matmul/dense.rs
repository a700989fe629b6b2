//! A product of plain matrices, in f32 or f16.

use std::fmt;

use crate::record::Adapter;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::program::Buffer;
use crate::workload::kit::template::Template;
use crate::workload::matmul::tiled::{ByTiles, TiledProduct};

/// C = A·B of M × K and K × N.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense {
    pub(crate) dtype: Dtype,
    pub(crate) m: u32,
    pub(crate) n: u32,
    pub(crate) k: u32,
}

impl fmt::Display for Dense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.m, self.n, self.k)
    }
}

impl Dense {
    /// The precision of the sums.
    pub(crate) fn sums(self) -> Storage {
        match self.dtype {
            Dtype::F16Acc16 => Storage::F16,
            _ => Storage::F32,
        }
    }

    /// Gives a template the types of elements and sums.
    pub(crate) fn fill(self, template: Template) -> Template {
        template
            .alias("Element", self.dtype.element())
            .alias("Accumulator", self.sums().element())
    }
}

impl ByTiles for Dense {
    fn product(&self) -> TiledProduct<impl Fn(Template) -> Template> {
        let dense = *self;
        TiledProduct {
            m: self.m,
            n: self.n,
            k: self.k,
            inputs: 2,
            operand: self.dtype.storage(),
            per_operand: 1,
            per_word: None,
            sums: self.sums(),
            fill: move |template: Template| dense.fill(template).constant("INTEGERS", 0),
        }
    }

    fn buffers(&self, seed: u64) -> Vec<Buffer> {
        let storage = self.dtype.storage();
        let [m, n, k] = [self.m, self.n, self.k].map(u64::from);
        vec![
            Buffer::random("A", m * k, storage, seed, 0),
            Buffer::random("B", k * n, storage, seed, 1),
            Buffer::output("C", m * n, storage),
        ]
    }

    fn has_better(&self, _adapter: &Adapter) -> bool {
        false
    }
}
