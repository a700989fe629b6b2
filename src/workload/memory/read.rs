//! `read`: how fast memory is read, the roof of everything that writes next to nothing.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::dimensions;
use crate::workload::kit::input::Storage;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::memory::walk::{Walk, elements, names, value_of, walk};

/// An array read and added up.
#[derive(Debug)]
pub(crate) struct Read;

const NAME: &str = "read";
const FORM: &str = "ELEMENTS";

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

    fn cases(&self) -> Vec<Case> {
        let case = |elements: u32| Case::new(NAME, Dtype::F32, elements);
        vec![
            case(1 << 23).of(&[Suite::Quick]),
            case(1 << 27).of(&[Suite::Standard, Suite::Llm]),
        ]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        dimensions::<1>(shape, FORM)?;
        match dtype {
            Dtype::F32 => Ok(Case::new(NAME, dtype, shape)),
            _ => Err(format!("{NAME} has f32, not {dtype}")),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        Counts {
            flop: 0,
            bytes: 4 * u64::from(elements(case)),
            tokens: None,
        }
    }

    fn mostly_reads(&self, _case: &Case) -> bool {
        true
    }

    fn kernels(&self, case: &Case, adapter: &Adapter) -> Vec<Kernel> {
        let widest = names(case).last().copied().unwrap_or("scalar");
        vec![if adapter.is_software() {
            walk(widest, 32, 4, 256, 1)
        } else {
            walk(widest, 256, 8, 8, 0)
        }]
    }

    fn tuning_space(&self, case: &Case) -> Vec<Kernel> {
        names(case)
            .iter()
            .flat_map(|name| Walk::space(name))
            .collect()
    }

    fn pilot(&self, case: &Case) -> Option<Case> {
        (elements(case) > 1 << 24).then(|| Case::new(NAME, case.dtype, 1 << 22))
    }

    fn program(&self, case: &Case, kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let plan = ReadPlan::new(case, kernel)?;
        let template = shader!("read/scalar+vec4.wgsl")
            .alias("Value", if plan.lanes == 4 { "vec4u" } else { "u32" })
            .constant("LANES", plan.lanes);
        let dispatch = Dispatch::new(&plan.walk.fill(template), &[0, 1], 1)?;
        Ok(Program {
            buffers: vec![
                Buffer::random("a", elements(case).into(), Storage::F32, seed, 0),
                Buffer::output("sums", plan.walk.all_threads(), Storage::U32),
            ],
            action: Action::Dispatches(vec![plan.walk.place(dispatch)]),
        })
    }

    fn verify(
        &self,
        case: &Case,
        kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let plan = match ReadPlan::new(case, kernel) {
            Ok(plan) => plan,
            Err(reason) => return Checker::failed(reason),
        };
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&program.buffers[0].input());
        let want = plan.sums(&words);
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

/// How a kernel divides the array.
struct ReadPlan {
    /// Elements that a thread reads at once.
    lanes: u32,
    walk: Walk,
}

impl ReadPlan {
    fn new(case: &Case, kernel: &Kernel) -> Result<Self, String> {
        let [elements] = dimensions::<1>(&case.shape, FORM)?;
        let lanes = value_of(kernel, elements)?;
        Ok(Self {
            lanes,
            walk: Walk::new(kernel, elements / lanes)?,
        })
    }

    /// What each thread adds up, modulo 2³².
    fn sums(&self, words: &[u32]) -> Vec<u32> {
        let mut sums = vec![0_u32; usize::try_from(self.walk.all_threads()).unwrap_or(0)];
        for (at, value) in words.chunks(self.lanes as usize).enumerate() {
            let sum = &mut sums[self.walk.thread_of(at)];
            *sum = value.iter().fold(*sum, |sum, word| sum.wrapping_add(*word));
        }
        sums
    }
}
