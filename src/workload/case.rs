//! Cases: workload, dtype and shape, with one written form and what they compute.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::record::{Adapter, CaseName, Counts, InsteadOf, Resources, Verification};
use crate::workload::kit::dtype::Dtype;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::Program;
use crate::workload::kit::unsupported::Unsupported;

/// A named selection of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// Every workload once, small enough for a software driver.
    Quick,
    /// Every workload with its best kernel, in sizes that fill a GPU: what a first look at one takes.
    Gpu,
    /// Every workload in the sizes that fill a GPU.
    Standard,
    /// The shapes of a language model (Llama-3-8B).
    Llm,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 4] = [Self::Quick, Self::Gpu, Self::Standard, Self::Llm];

    /// What `run` measures on an adapter when nothing is named. Cases of `quick` are over on a GPU before a launch is,
    /// and those of the others take a software driver hours.
    pub fn default_for(adapter: &Adapter) -> Self {
        if adapter.is_software() {
            Self::Quick
        } else {
            Self::Gpu
        }
    }

    /// Whether it is a first look, which is to be over soon.
    pub const fn is_brief(self) -> bool {
        matches!(self, Self::Quick | Self::Gpu)
    }

    /// Most seconds for one of its cases in one invocation. Those of `gpu` take the slowest GPUs half a second each.
    pub const fn budget_s(self) -> f64 {
        match self {
            Self::Quick => 4.0,
            Self::Gpu => 8.0,
            Self::Standard | Self::Llm => 30.0,
        }
    }

    /// The written form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Gpu => "gpu",
            Self::Standard => "standard",
            Self::Llm => "llm",
        }
    }

    /// From the written form.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a case computes, with its shape parsed: everything that follows from it without a device.
///
/// A workload makes one from a written shape, once; nothing downstream can meet a shape that is wrong.
/// `Display` writes the shape. What has kernels of its own implements
/// `Computation` instead, from which this follows.
pub trait Problem: fmt::Debug + fmt::Display + Send + Sync {
    /// Useful work of one execution.
    fn counts(&self) -> Counts;

    /// What limits the rate of a kernel here, and the roof that it measures, if any.
    fn resources(&self, kernel: &Kernel) -> Resources;

    /// The kernels with the parameters that `run` uses on this adapter when nothing was tuned.
    fn kernels(&self, adapter: &Adapter) -> Vec<Kernel>;

    /// Every parameter set that a kernel may be asked for, on any adapter.
    fn tuning_space(&self) -> Vec<Kernel>;

    /// The cases of other workloads that a kernel is composed of, with the kernels that do them: what was
    /// tuned for one is used here too, as the parameters `name.parameter`.
    fn parts(&self, _kernel: &Kernel) -> Vec<Part> {
        Vec::new()
    }

    /// The same with much less work, whose time tells how long this will take; `None` where it is little
    /// already.
    fn pilot(&self) -> Option<Arc<dyn Problem>>;

    /// The same with half the operands, for adapters that cannot bind these; `None` where the shape is the point or
    /// is small already.
    fn halved(&self) -> Option<Arc<dyn Problem>> {
        None
    }

    /// Whether executions find in the caches what the one before left there. Otherwise they take copies of the
    /// operands in turn, as if each came from memory.
    fn warm_caches(&self) -> bool {
        false
    }

    /// Why nothing checks the output, where nothing does.
    fn unverified(&self) -> Option<&str> {
        None
    }

    /// A program whose outputs are the expected ones, where there is one.
    ///
    /// # Errors
    /// It cannot be built.
    fn reference_program(&self, _seed: u64) -> Result<Option<Program>, Unsupported> {
        Ok(None)
    }

    /// Takes what that program left in its buffers, by name, before anything is verified.
    fn take_reference(&self, _outputs: BTreeMap<String, Vec<u8>>) {}

    /// What the kernel does, as data, with inputs drawn from `seed`.
    ///
    /// # Errors
    /// There is no such kernel, or it cannot do this.
    fn program(&self, kernel: &Kernel, seed: u64) -> Result<Program, Unsupported>;

    /// Compares an execution's outputs with the f64 reference on the inputs of the same program.
    ///
    /// `outputs` holds the contents of each [`Output`] and [`Kept`] buffer of `program`, in order.
    ///
    /// [`Output`]: crate::workload::Contents::Output
    /// [`Kept`]: crate::workload::Contents::Kept
    fn verify(&self, kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification;
}

/// A workload with dtype and shape.
#[derive(Clone, Debug)]
pub struct Case {
    /// The workload's name.
    pub workload: Cow<'static, str>,
    /// Type of the data.
    pub dtype: Dtype,
    /// Suites that hold it.
    pub suites: Vec<Suite>,
    /// The case that it stands for on an adapter on which that one does not fit.
    pub instead_of: Option<InsteadOf>,
    problem: Arc<dyn Problem>,
}

impl Case {
    /// A case of no suite.
    pub(crate) fn new(
        workload: impl Into<Cow<'static, str>>,
        dtype: Dtype,
        problem: impl Problem + 'static,
    ) -> Self {
        Self {
            workload: workload.into(),
            dtype,
            suites: Vec::new(),
            instead_of: None,
            problem: Arc::new(problem),
        }
    }

    /// The written shape.
    pub fn shape(&self) -> String {
        self.problem.to_string()
    }

    /// The same case as part of suites.
    pub(crate) fn of(mut self, suites: &[Suite]) -> Self {
        self.suites = suites.to_vec();
        self
    }

    /// The case in the largest size of which this adapter can bind the buffers, where halving brings it there; it
    /// then says what it stands for. As it is in all other cases.
    pub fn fitted(self, adapter: &Adapter) -> Self {
        if self.problem.halved().is_none() {
            return self;
        }
        let mut fitting = self.clone();
        let mut why = None;
        while let Some(reason) = fitting.too_large_for(adapter) {
            let Some(problem) = fitting.problem.halved() else {
                return self;
            };
            fitting.problem = problem;
            why.get_or_insert(reason);
        }
        if let Some(reason) = why {
            fitting.instead_of = Some(InsteadOf {
                case: self.to_string(),
                reason: reason.to_string(),
            });
        }
        fitting
    }

    /// Why the buffers of every kernel that the adapter is offered are beyond its limits, if they are.
    fn too_large_for(&self, adapter: &Adapter) -> Option<Unsupported> {
        let mut reasons = Vec::new();
        for kernel in self.problem.kernels(adapter) {
            let program = self.problem.program(&kernel, 0).ok()?;
            let mut buffers = program.buffers.iter();
            reasons.push(buffers.find_map(|buffer| buffer.beyond_limits(&adapter.limits))?);
        }
        reasons.into_iter().next()
    }

    /// A case of the same kind with much less work, whose time tells how long this one will take; `None`
    /// where it is small already.
    pub fn pilot(&self) -> Option<Self> {
        Some(Self {
            problem: self.problem.pilot()?,
            suites: Vec::new(),
            ..self.clone()
        })
    }
}

/// Cases of one name compute the same.
impl PartialEq for Case {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// What a case computes can be asked of the case.
impl std::ops::Deref for Case {
    type Target = dyn Problem;

    fn deref(&self) -> &Self::Target {
        &*self.problem
    }
}

/// A part of a composed kernel.
#[derive(Clone, Debug)]
pub struct Part {
    /// The part's name, which its parameters begin with.
    pub name: &'static str,
    /// What it does, as a case of its own.
    pub case: Case,
    /// The kernel that does it, with its parameters.
    pub kernel: Kernel,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CaseName {
            workload: &self.workload,
            dtype: self.dtype.name(),
            shape: &self.problem.to_string(),
            kernel: None,
        };
        name.fmt(f)
    }
}
