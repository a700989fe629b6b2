//! `read`: how fast memory is read, the roof of everything that writes next to nothing.

use std::fmt;

use crate::record::{Adapter, Counts, Resource, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::memory::walk::{SCALAR, VEC4, Walk, Width, elements, half, walk};

/// An array read and added up.
#[derive(Debug)]
pub(crate) struct Read;

const NAME: &str = "read";

/// Elements that are read.
#[derive(Clone, Copy, Debug)]
struct Reads(u32);

impl Workload for Read {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "The bit patterns of an f32 array past the caches added up as integers, one sum a thread.\n\
         FLOP: none. Bytes: 4 · elements, each read once; the sums, at most 3 %, are not counted.\n\
         The sums are compared exactly, so an element left out is seen. The best verified kernel is\n\
         the memory roof of workloads that write less than a sixth of their bytes."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        const {
            &[
                suite(&[Dtype::F32], &["8388608"], &[Suite::Quick]),
                suite(&[Dtype::F32], &["67108864"], &[Suite::Gpu]),
                suite(
                    &[Dtype::F32],
                    &["134217728"],
                    &[Suite::Standard, Suite::Llm],
                ),
            ]
        }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["f32/1", "f32/70003", "f32/270004"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let elements = elements(shape)?;
        match dtype {
            Dtype::F32 => Ok(Case::new(NAME, dtype, Reads(elements))),
            _ => Err(Unsupported::dtype(NAME, "f32", dtype)),
        }
    }

    fn measures(&self, _dtype: Dtype) -> Option<Resource> {
        Some(Resource::MemoryRead)
    }
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Computation for Reads {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&SCALAR, &VEC4]
    }

    fn counts(&self) -> Counts {
        Counts {
            flop: 0,
            bytes: 4 * u64::from(self.0),
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        Resources {
            measures: Some(Resource::MemoryRead),
            ..units::mostly_reads(Resource::FlopF32)
        }
    }

    fn pilot(&self) -> Option<Self> {
        (self.0 > 1 << 24).then_some(Self(1 << 22))
    }

    fn halved(&self) -> Option<Self> {
        half(self.0).map(Self)
    }

    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let family = [&SCALAR, &VEC4]
            .into_iter()
            .find(|width| width.name == kernel.name);
        let walked = family.ok_or_else(|| Unsupported::kernel(NAME, &kernel.name));
        let walked = walked.and_then(|width| Ok((width, width.walk(kernel, self.0)?)));
        let (width, walk) = match walked {
            Ok(walked) => walked,
            Err(reason) => return Checker::failed(reason.to_string()),
        };
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&program.buffers[0].input());
        let want = sums(width, &walk, &words);
        let mut checker = Checker::new(want.len() as u64);
        let got: Vec<u32> = outputs
            .first()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .unwrap_or_default();
        if got.len() != want.len() {
            checker.fail("the output has another size".to_owned());
        }
        for (thread, (got, want)) in got.into_iter().zip(want).enumerate() {
            checker.check(got.into(), want.into(), 0.0, 0.0, || {
                format!("the sum of thread {thread}")
            });
        }
        checker.finish()
    }
}

/// What each thread adds up, modulo 2³².
fn sums(width: &Width, walk: &Walk, words: &[u32]) -> Vec<u32> {
    let mut sums = vec![0_u32; usize::try_from(walk.all_threads()).unwrap_or(0)];
    for (at, value) in words.chunks(width.lanes as usize).enumerate() {
        let sum = &mut sums[walk.thread_of(at)];
        *sum = value.iter().fold(*sum, |sum, word| sum.wrapping_add(*word));
    }
    sums
}

impl KernelFamily<Reads> for Width {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_for(&self, reads: &Reads, adapter: &Adapter) -> Option<Kernel> {
        // The widest that can.
        let chosen = if VEC4.divides(reads.0) {
            &VEC4
        } else {
            &SCALAR
        };
        (self.lanes == chosen.lanes).then(|| {
            if adapter.is_software() {
                walk(self.name, 32, 4, 256, 1)
            } else {
                walk(self.name, 256, 8, 8, 0)
            }
        })
    }

    fn tuning_space(&self, reads: &Reads) -> Vec<Kernel> {
        self.space(reads.0)
    }

    fn program(&self, reads: &Reads, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let walk = self.walk(kernel, reads.0)?;
        let template = shader!("read/scalar+vec4.wgsl")
            .alias("Value", if self.lanes == 4 { "vec4u" } else { "u32" })
            .constant("LANES", self.lanes);
        let dispatch = Dispatch::new(&walk.fill(template), &[0, 1], 1)?;
        let buffers = vec![
            Buffer::random("a", reads.0.into(), Storage::F32, seed, 0),
            Buffer::output("sums", walk.all_threads(), Storage::U32),
        ];
        Ok(Program::of(buffers, vec![walk.place(dispatch)]))
    }
}
