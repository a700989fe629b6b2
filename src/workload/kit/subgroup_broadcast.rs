//! Kernels for software drivers whose lanes read 64 bits at a time and share values by broadcast.
//!
//! llvmpipe tests every lane of every component of every load: a component should be as wide as it can,
//! and what all lanes need be loaded by one of them. A GPU reads 16 bytes at once anyway.

use crate::record::{Adapter, Reading};
use crate::workload::kit::program::Dispatch;
use crate::workload::kit::template::Template;

/// Lanes that share what they read; a subgroup has them at least.
pub(crate) const LANES: u32 = 8;

/// Loads of up to four components of 64 bits, as `common/wide.wgsl` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide {
    /// Components of a load.
    components: u32,
    /// Bits of an element.
    bits: u32,
}

impl Wide {
    /// The widest loads that divide so many elements of so many bits; `None` where 16 bytes do not.
    pub(crate) fn of(elements: u32, bits: u32) -> Option<Self> {
        [4, 2]
            .into_iter()
            .map(|components| Self { components, bits })
            .find(|wide| elements.is_multiple_of(wide.elements()))
    }

    /// Elements of a load.
    pub(crate) const fn elements(self) -> u32 {
        self.components * 64 / self.bits
    }

    /// Gives a template what `common/wide.wgsl` needs but for `BITS`.
    pub(crate) fn fill(self, template: Template) -> Template {
        template
            .alias(
                "Load",
                if self.components == 4 {
                    "vec4<u64>"
                } else {
                    "vec2<u64>"
                },
            )
            .constant("LANES", LANES)
            .constant("FOURS", self.elements() / 4)
    }
}

/// Whether such kernels are the best that an adapter can do.
pub(crate) fn suits(adapter: &Adapter) -> bool {
    let least = match adapter.subgroup_sizes {
        Reading::Measured((least, _)) => least,
        Reading::Unmeasured(_) => 0,
    };
    adapter.is_software()
        && least >= LANES
        && adapter.has("SUBGROUP")
        && adapter.has("SHADER_INT64")
}

/// Says what such a dispatch needs of a device.
pub(crate) fn needs(dispatch: Dispatch) -> Dispatch {
    dispatch
        .needs("SUBGROUP")
        .needs("SHADER_INT64")
        .subgroups_of(LANES)
}
