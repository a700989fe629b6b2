//! `dispatch-latency`: how long the shortest piece of work takes from the host and back.

use std::fmt;

use crate::record::{Adapter, Counts, Resources, Verification};
use crate::workload::case::{Case, Suite};
use crate::workload::computation::{Computation, Families, KernelFamily};
use crate::workload::interface::{SuiteCases, Workload, suite};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::dimensions::misshapen;
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::input::{Storage, decode};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Dispatch, Program};
use crate::workload::kit::template::shader;
use crate::workload::kit::units;
use crate::workload::kit::unsupported::Unsupported;

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

    fn suites(&self) -> &'static [SuiteCases] {
        const { &[suite(&[Dtype::None], &["1"], &Suite::ALL)] }
    }

    fn small_cases(&self) -> &'static [&'static str] {
        &["-/1"]
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, Unsupported> {
        match (dtype, shape) {
            (Dtype::None, "1") => Ok(Case::new(NAME, dtype, RoundTrip)),
            (Dtype::None, _) => Err(misshapen(shape, "1", "is another number of dispatches")),
            _ => Err(Unsupported::dtype(NAME, "only the dtype -", dtype)),
        }
    }
}

/// One thread writes one word.
#[derive(Clone, Copy, Debug)]
struct RoundTrip;

impl fmt::Display for RoundTrip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1")
    }
}

impl Computation for RoundTrip {
    const WORKLOAD: &'static str = NAME;

    fn families(&self) -> Families<Self> {
        vec![&Mark]
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }

    fn resources(&self) -> Resources {
        units::reads_and_writes(units::ordinary(Dtype::None))
    }

    fn pilot(&self) -> Option<Self> {
        None
    }

    fn verify(&self, _kernel: &Kernel, _program: &Program, outputs: &[Vec<u8>]) -> Verification {
        let mut checker = Checker::new(1);
        let got = outputs
            .first()
            .and_then(|bytes| decode(bytes, Storage::U32).first().copied())
            .map_or(f64::NAN, f64::from);
        checker.check(got, MARK.into(), 0.0, 0.0, || "the mark".to_owned());
        checker.finish()
    }
}

/// The kernel that leaves a mark.
#[derive(Debug)]
struct Mark;

impl KernelFamily<RoundTrip> for Mark {
    fn name(&self) -> &'static str {
        "mark"
    }

    fn default_for(&self, _trip: &RoundTrip, _adapter: &Adapter) -> Option<Kernel> {
        Some(Kernel::new("mark", &[]))
    }

    fn tuning_space(&self, _trip: &RoundTrip) -> Vec<Kernel> {
        vec![Kernel::new("mark", &[])]
    }

    fn program(
        &self,
        _trip: &RoundTrip,
        _kernel: &Kernel,
        _seed: u64,
    ) -> Result<Program, Unsupported> {
        let template = shader!("dispatch-latency/mark.wgsl").constant("MARK", MARK);
        Ok(Program {
            buffers: vec![Buffer::output("mark", 1, Storage::U32)],
            action: Action::RoundTrip(vec![Dispatch::new(&template, &[0], 1)?]),
        })
    }
}
