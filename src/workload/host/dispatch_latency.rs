//! `dispatch-latency`: how long the shortest piece of work takes from the host and back.

use crate::record::{Adapter, Counts, Verification};
use crate::workload::case::{Case, Dtype, Suite};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;

/// An all but empty dispatch, submitted and waited for.
#[derive(Debug)]
pub(crate) struct DispatchLatency;

const NAME: &str = "dispatch-latency";

/// What the dispatch leaves behind; f32 holds it exactly.
const MARK: u32 = 0x5eed;

impl Workload for DispatchLatency {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "One dispatch of one thread that writes one word: submitted, waited for, by the host's clock.\n\
         FLOP and bytes: none that count."
    }

    fn cases(&self) -> Vec<Case> {
        vec![Case::new(NAME, Dtype::None, "1").of(&Suite::ALL)]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        match (dtype, shape) {
            (Dtype::None, "1") => Ok(Case::new(NAME, dtype, shape)),
            _ => Err(format!("the only case is {NAME}/-/1")),
        }
    }

    fn counts(&self, _case: &Case) -> Counts {
        Counts::default()
    }

    fn kernels(&self, case: &Case, _adapter: &Adapter) -> Vec<Kernel> {
        self.tuning_space(case)
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        vec![Kernel::new("mark", &[])]
    }

    fn pilot(&self, _case: &Case) -> Option<Case> {
        None
    }

    fn program(&self, _case: &Case, kernel: &Kernel, _seed: u64) -> Result<Program, String> {
        if kernel.name != "mark" {
            return Err(format!("{NAME} has no kernel {:?}", kernel.name));
        }
        let template = shader!("dispatch-latency/mark.wgsl").constant("MARK", MARK);
        Ok(Program {
            buffers: vec![Buffer::output("mark", 1, Storage::U32)],
            action: Action::RoundTrip(vec![Dispatch::new(&template, &[0], 1)?]),
        })
    }

    fn verify(
        &self,
        _case: &Case,
        _kernel: &Kernel,
        _program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        let mut checker = Checker::new(1);
        let got = outputs
            .first()
            .and_then(|bytes| decode(bytes, Storage::U32).first().copied())
            .map_or(f64::NAN, f64::from);
        checker.check(got, MARK.into(), 0.0, 0.0, || "the mark".to_owned());
        checker.finish()
    }
}
