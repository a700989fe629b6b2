//! `attention-prefill` with both of its products on matrix units.

use crate::record::{Adapter, DeviceType, Resource};
use crate::workload::attention::heads::Heads;
use crate::workload::attention::prompt::Prompt;
use crate::workload::computation::KernelFamily;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::{Kernel, between};
use crate::workload::kit::matrix_unit::{COOP, MatrixUnit};
use crate::workload::kit::program::{Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

/// The kernel.
#[derive(Debug)]
pub(crate) struct CoopAttention;

impl KernelFamily<Prompt> for CoopAttention {
    fn name(&self) -> &'static str {
        COOP
    }

    fn default_for(&self, prompt: &Prompt, adapter: &Adapter) -> Option<Kernel> {
        CoopFlash::of_adapter(prompt.dtype, prompt.heads, adapter).map(CoopFlash::kernel)
    }

    fn tuning_space(&self, prompt: &Prompt) -> Vec<Kernel> {
        let space = CoopFlash::space(prompt.dtype, prompt.heads).into_iter();
        space.map(CoopFlash::kernel).collect()
    }

    fn program(&self, prompt: &Prompt, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let coop = CoopFlash::of(prompt.dtype, prompt.heads, kernel)?;
        let dispatch = coop.dispatch(prompt.heads, prompt.causal)?;
        Ok(Program::of(prompt.buffers(seed), vec![dispatch]))
    }

    fn arithmetic(&self, prompt: &Prompt) -> Option<Resource> {
        Some(units::matrix(prompt.dtype))
    }
}

/// The dtype that it does; for others no template is written.
const DTYPE: Dtype = Dtype::F16;

/// Elements of the widest load, and after each row in workgroup memory.
const CHUNK: u32 = 8;

/// Parameters of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CoopFlash {
    unit: MatrixUnit,
    /// Subgroups of a workgroup, each of which multiplies for as many queries as a matrix has rows.
    subgroups: u32,
    /// Threads that a subgroup is taken to have.
    subgroup_threads: u32,
    /// Keys of a step.
    keys: u32,
}

impl CoopFlash {
    /// What `run` uses on this adapter when nothing was tuned; nothing where the adapter has no such
    /// matrix unit or workgroup memory, or the heads are of another size than the kernel does.
    fn of_adapter(dtype: Dtype, heads: Heads, adapter: &Adapter) -> Option<Self> {
        let unit = MatrixUnit::offered(dtype, adapter).filter(|_| dtype == DTYPE)?;
        let most: u32 = match adapter.device_type {
            DeviceType::Software => 1,
            _ => 4,
        };
        (0..3)
            .map(|halvings| most >> halvings)
            .filter(|subgroups| *subgroups > 0)
            .filter_map(|subgroups| {
                Some(Self {
                    unit,
                    subgroups,
                    subgroup_threads: adapter.matrix_subgroup_threads(subgroups)?,
                    keys: 32,
                })
            })
            .filter(|coop| coop.check(heads).is_ok())
            .find(|coop| coop.workgroup_bytes(heads) <= adapter.limits.max_workgroup_bytes.into())
    }

    /// Every parameter set that makes sense somewhere.
    fn space(dtype: Dtype, heads: Heads) -> Vec<Self> {
        let mut space = Vec::new();
        if dtype != DTYPE {
            return space;
        }
        for unit in MatrixUnit::of_dtype(dtype) {
            for subgroup_threads in [8, 32, 64] {
                for subgroups in [1, 2, 4] {
                    for keys in [32, 64] {
                        space.push(Self {
                            unit,
                            subgroups,
                            subgroup_threads,
                            keys,
                        });
                    }
                }
            }
        }
        space.retain(|coop| coop.check(heads).is_ok());
        space
    }

    fn kernel(self) -> Kernel {
        Kernel::new(
            COOP,
            &[
                ("matrix", self.unit.side),
                ("subgroups", self.subgroups),
                ("subgroup_threads", self.subgroup_threads),
                ("keys", self.keys),
            ],
        )
    }

    /// # Errors
    /// WGSL has no such matrix for the dtype, or the parameters do not divide the work.
    pub(crate) fn of(dtype: Dtype, heads: Heads, kernel: &Kernel) -> Result<Self, Unsupported> {
        let side = kernel.parameter("matrix")?;
        let unit = MatrixUnit::of_dtype(dtype)
            .find(|unit| unit.side == side && dtype == DTYPE)
            .ok_or_else(|| {
                Unsupported::Combination(format!(
                    "there is no kernel with matrices of {side}×{side} for {dtype}"
                ))
            })?;
        let coop = Self {
            unit,
            subgroups: between(kernel, "subgroups", 1, 16)?,
            subgroup_threads: between(kernel, "subgroup_threads", 1, 128)?,
            keys: between(kernel, "keys", 8, 128)?,
        };
        coop.check(heads)?;
        Ok(coop)
    }

    /// # Errors
    /// The parameters do not divide the work.
    fn check(self, heads: Heads) -> Result<(), Unsupported> {
        let side = self.unit.side;
        if !heads.size.is_multiple_of(self.keys) {
            return Err(Unsupported::Combination(format!(
                "a head size of {} is not a multiple of keys = {}",
                heads.size, self.keys
            )));
        }
        if !self.subgroup_threads.is_multiple_of(side)
            || !(self.keys * side).is_multiple_of(self.subgroup_threads * 4)
            || !self.keys.is_multiple_of(side.max(CHUNK))
        {
            return Err(Unsupported::Combination(format!(
                "keys = {} by matrices of {side}×{side} are not a multiple of what {} threads share",
                self.keys, self.subgroup_threads
            )));
        }
        Ok(())
    }

    /// Queries of a workgroup.
    fn queries(self) -> u32 {
        self.subgroups * self.unit.side
    }

    /// Elements that hold the keys of a step, and then its values.
    fn block(self, heads: Heads) -> u32 {
        let keys = self.keys * (heads.size + CHUNK);
        keys.max(heads.size * (self.keys + CHUNK))
    }

    /// Workgroup memory, in bytes.
    fn workgroup_bytes(self, heads: Heads) -> u64 {
        let halves = self.queries() * (heads.size + CHUNK + self.keys + CHUNK) + self.block(heads);
        u64::from(2 * halves + 4 * self.queries() * (self.keys + 4))
    }

    /// # Errors
    /// The template is malformed.
    fn dispatch(self, heads: Heads, causal: bool) -> Result<Dispatch, Unsupported> {
        let threads = self.subgroups * self.subgroup_threads;
        let row_threads = self.subgroup_threads / self.unit.side;
        let template = shader!("attention-prefill/coop.wgsl")
            .alias("Element", self.unit.operand)
            .alias("Left", self.unit.left)
            .alias("Right", self.unit.right)
            .alias("Sum", self.unit.accumulator)
            .constant("S", heads.length)
            .constant("D", heads.size)
            .constant("GROUP", heads.group())
            .constant("CAUSAL", causal.into())
            .constant("SUBGROUPS", self.subgroups)
            .constant("SIDE", self.unit.side)
            .constant("KEYS", self.keys)
            .constant("THREADS", threads)
            .constant("ROW_THREADS", row_threads)
            .constant("OWN", self.keys / row_threads)
            .constant("BLOCK", self.block(heads));
        Ok(Dispatch::new(&template, &[0, 1, 2, 3], 1)?
            .groups([heads.length.div_ceil(self.queries()), heads.all_heads(), 1])
            .workgroup([threads, 1, 1], self.workgroup_bytes(heads))
            .needs("SUBGROUP")
            .multiplies(self.unit.configuration()))
    }
}
