//! `copy` and `triad`: how fast memory is read and written.

use std::fmt;

use crate::record::{Adapter, Counts, Resource, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::{Checker, output_of};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Buffer, Dispatch, Program};
use crate::workload::kit::template::{Template, shader};
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::memory::walk::{SCALAR, VEC4, WIDE, Width, elements, half, walk};

/// c = a.
#[derive(Debug)]
pub(crate) struct Copy;

/// c = a + 0.4·b.
#[derive(Debug)]
pub(crate) struct Triad;

/// 0.4 as the shader has it.
const FACTOR: f64 = 0.4_f32 as f64;

/// What is done to so many elements.
#[derive(Clone, Copy, Debug)]
struct Stream<const TRIAD: bool> {
    elements: u32,
}

// 32 MiB an array are as much as a software driver does quickly, 512 MiB are past any cache.
const SUITES: &[SuiteCases] = &[
    suite(&[Dtype::F32], &["8388608"], &[Suite::Quick]),
    suite(&[Dtype::F32], &["67108864"], &[Suite::Gpu]),
    suite(
        &[Dtype::F32],
        &["134217728"],
        &[Suite::Standard, Suite::Llm],
    ),
];

impl Workload for Copy {
    fn name(&self) -> &'static str {
        Stream::<false>::WORKLOAD
    }

    fn about(&self) -> &'static str {
        "c = a, on f32 arrays past the caches.\n\
         FLOP: none. Bytes: 8 · elements, each read once and written once.\n\
         The best verified kernel of copy and triad is the memory roof of workloads that write a sixth of\n\
         their bytes or more; for the others it is read."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        SUITES
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["f32/1", "f32/5003", "f32/20004", "f32/70008"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        Stream::<false>::case(dtype, shape)
    }

    // Which of the two is quicker depends on what a write costs the memory beside itself.
    fn measures(&self, _dtype: Dtype) -> Option<Resource> {
        Some(Resource::Memory)
    }
}

impl Workload for Triad {
    fn name(&self) -> &'static str {
        Stream::<true>::WORKLOAD
    }

    fn about(&self) -> &'static str {
        "c = a + 0.4·b, on f32 arrays past the caches.\n\
         FLOP: 2 · elements. Bytes: 12 · elements, two arrays read once and one written once."
    }

    fn suites(&self) -> &'static [SuiteCases] {
        SUITES
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["f32/3", "f32/5003", "f32/20004", "f32/70008"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        Stream::<true>::case(dtype, shape)
    }

    fn measures(&self, _dtype: Dtype) -> Option<Resource> {
        Some(Resource::Memory)
    }
}

impl<const TRIAD: bool> Stream<TRIAD> {
    /// Arrays that are read.
    const READS: u64 = if TRIAD { 2 } else { 1 };

    /// # Errors
    /// Another dtype, or no number of elements.
    fn case(dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        let elements = elements(shape)?;
        match dtype {
            Dtype::F32 => Ok(Case::new(Self::WORKLOAD, dtype, Self { elements })),
            _ => Err(Unsupported::dtype(Self::WORKLOAD, "f32", dtype)),
        }
    }

    fn template() -> Template {
        if TRIAD {
            shader!("triad/scalar+vec4+wide.wgsl")
        } else {
            shader!("copy/scalar+vec4+wide.wgsl")
        }
    }
}

impl<const TRIAD: bool> fmt::Display for Stream<TRIAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.elements.fmt(f)
    }
}

impl<const TRIAD: bool> Computation for Stream<TRIAD> {
    const WORKLOAD: &'static str = if TRIAD { "triad" } else { "copy" };

    fn families(&self) -> Families<Self> {
        vec![&SCALAR, &VEC4, &WIDE]
    }

    fn counts(&self) -> Counts {
        let elements = u64::from(self.elements);
        Counts {
            flop: if TRIAD { 2 * elements } else { 0 },
            bytes: 4 * (Self::READS + 1) * elements,
            tokens: None,
        }
    }

    fn resources(&self) -> Resources {
        Resources {
            arithmetic: Resource::FlopF32,
            memory: Some(Resource::Memory),
            measures: Some(Resource::Memory),
        }
    }

    fn pilot(&self) -> Option<Self> {
        (self.elements > 1 << 24).then_some(Self { elements: 1 << 22 })
    }

    fn halved(&self) -> Option<Self> {
        let elements = half(self.elements)?;
        Some(Self { elements })
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let elements = u64::from(self.elements);
        let mut checker = Checker::new(elements);
        let got = output_of(&mut checker, outputs, elements, Storage::F32);
        let a = decode(&program.buffers[0].input(), Storage::F32);
        if TRIAD {
            let b = decode(&program.buffers[1].input(), Storage::F32);
            check_sums(&got, &a, &b, &mut checker);
        } else {
            for (at, (got, want)) in got.into_iter().zip(a).enumerate() {
                checker.check(got.into(), want.into(), 0.0, 0.0, || format!("c[{at}]"));
            }
        }
        checker.finish()
    }
}

/// Compares with a + 0.4·b: one rounding with a fused multiply-add, two without.
fn check_sums(got: &[f32], a: &[f32], b: &[f32], checker: &mut Checker) {
    let roundoff = Storage::F32.roundoff();
    for (at, (got, (a, b))) in got.iter().zip(a.iter().zip(b)).enumerate() {
        let (a, scaled) = (f64::from(*a), FACTOR * f64::from(*b));
        let bound = roundoff * ((a + scaled).abs() + 2.0 * scaled.abs());
        checker.check((*got).into(), a + scaled, bound, bound, || {
            format!("c[{at}]")
        });
    }
}

impl<const TRIAD: bool> KernelFamily<Stream<TRIAD>> for Width {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_for(&self, stream: &Stream<TRIAD>, adapter: &Adapter) -> Option<Kernel> {
        let by_wide =
            adapter.is_software() && adapter.has("SHADER_INT64") && WIDE.divides(stream.elements);
        let kernel = match self.lanes {
            // `wide` takes the place of the narrowest.
            1 if by_wide => return None,
            8 if by_wide => walk(self.name, 32, 2, 256, 1),
            8 => return None,
            _ if adapter.is_software() => walk(self.name, 32, 4, 256, 1),
            _ => walk(self.name, 256, 4, 1, 0),
        };
        self.divides(stream.elements).then_some(kernel)
    }

    fn tuning_space(&self, stream: &Stream<TRIAD>) -> Vec<Kernel> {
        self.space(stream.elements)
    }

    fn program(
        &self,
        stream: &Stream<TRIAD>,
        kernel: &Kernel,
        seed: u64,
    ) -> Result<Program, Unsupported> {
        let walk = self.walk(kernel, stream.elements)?;
        let value = match self.lanes {
            1 => "f32",
            4 => "vec4<f32>",
            _ => "vec4<u64>",
        };
        let template = walk
            .fill(Stream::<TRIAD>::template().alias("Value", value))
            .constant("WIDE", u32::from(self.lanes == 8));
        let elements = u64::from(stream.elements);
        let mut buffers: Vec<Buffer> = ["a", "b"]
            .into_iter()
            .zip(0..Stream::<TRIAD>::READS)
            .map(|(name, number)| Buffer::random(name, elements, Storage::F32, seed, number))
            .collect();
        buffers.push(Buffer::output("c", elements, Storage::F32));
        let numbers: Vec<usize> = (0..buffers.len()).collect();
        let mut dispatch = Dispatch::new(&template, &numbers, 1)?;
        if self.lanes == 8 {
            dispatch = dispatch.needs("SHADER_INT64");
        }
        Ok(Program::of(buffers, vec![walk.place(dispatch)]))
    }
}
