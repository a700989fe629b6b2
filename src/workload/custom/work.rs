//! A custom kernel as the measuring loop takes it: its buffers filled, its dispatches bound, its outputs checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::record::{
    Adapter, Counts, CustomCheck, CustomContents, CustomDispatch, CustomKernel, Limits, Resources,
    Verification,
};
use crate::workload::case::{Case, Problem};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::custom::binding::Bound;
use crate::workload::custom::checks::{Before, CheckedBuffer, verify};
use crate::workload::custom::columns::BufferColumn;
use crate::workload::custom::data::numbers;
use crate::workload::custom::program::{dispatch, empty, filled};
use crate::workload::kit::checker::Checker;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Buffer, Contents, Dispatch, Program};
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::wgsl::{ByteGaps, WgslModule};

/// A custom kernel in the form that the measuring loop takes.
#[derive(Debug)]
pub struct CustomWork<'a> {
    case: &'a Case,
    custom: &'a CustomKernel,
    counts: Counts,
    limits: Option<&'a Limits>,
    /// What the dispatches bind, once their shaders were read; none for what naga refuses.
    bound: OnceLock<Result<Vec<Option<Bound>>, String>>,
    /// Whether the checks were found to prove something.
    proven: OnceLock<()>,
    /// What the reference left in its buffers, once it ran.
    reference: OnceLock<BTreeMap<String, Vec<u8>>>,
}

impl<'a> CustomWork<'a> {
    /// The work of a case with a custom kernel, on a device with these limits; `None` for a built-in one.
    pub fn of(planned: &'a CaseKernel, limits: &'a Limits) -> Option<Self> {
        let custom = planned.custom.as_deref()?;
        Some(Self {
            limits: Some(limits),
            ..Self::new(&planned.case, planned.counts, custom)
        })
    }

    pub(super) fn new(case: &'a Case, counts: Counts, custom: &'a CustomKernel) -> Self {
        Self {
            case,
            custom,
            counts,
            limits: None,
            bound: OnceLock::new(),
            proven: OnceLock::new(),
            reference: OnceLock::new(),
        }
    }

    /// The same of a kernel whose shaders were read already.
    pub(super) fn read(
        case: &'a Case,
        counts: Counts,
        custom: &'a CustomKernel,
        bound: Vec<Option<Bound>>,
    ) -> Self {
        Self {
            bound: Ok(bound).into(),
            ..Self::new(case, counts, custom)
        }
    }

    /// What each dispatch binds.
    fn bound(&self) -> Result<&[Option<Bound>], Unsupported> {
        let bound = self.bound.get_or_init(|| {
            let dispatches = self.custom.dispatches.iter();
            let read = |dispatch: &CustomDispatch| {
                // What naga refuses, the driver's front end says better.
                let Ok(module) = WgslModule::parse(&dispatch.wgsl) else {
                    return Ok(None);
                };
                let bound = Bound::new(Arc::new(module), dispatch);
                bound
                    .map(Some)
                    .map_err(|e| format!("{}: {e}", dispatch.shader))
            };
            dispatches.map(read).collect()
        });
        bound
            .as_deref()
            .map_err(|reason| Unsupported::Custom(reason.clone()))
    }

    /// Whether every name that a dispatch binds is a buffer, without filling one.
    pub(super) fn check_bindings(&self) -> Result<(), Unsupported> {
        let buffers = self.empty_buffers(0)?;
        self.dispatches(&buffers).map(|_| ())
    }

    /// The buffers of the built-in case, and the custom ones without their contents.
    pub(super) fn empty_buffers(&self, seed: u64) -> Result<Vec<Buffer>, Unsupported> {
        let mut buffers = self.built_in_buffers(seed)?;
        for custom in &self.custom.buffers {
            if buffers.iter().any(|known| known.name == custom.name) {
                return Err(Unsupported::Custom(format!(
                    "two buffers are called {:?}",
                    custom.name
                )));
            }
            buffers.push(empty(custom).map_err(Unsupported::Custom)?);
        }
        Ok(buffers)
    }

    fn built_in_buffers(&self, seed: u64) -> Result<Vec<Buffer>, Unsupported> {
        let case = self.case;
        if !self.custom.built_in_case {
            return Ok(Vec::new());
        }
        let simplest = case.tuning_space().into_iter().next().ok_or_else(|| {
            Unsupported::Custom(format!("{case} has no kernel to take the buffers from"))
        })?;
        let program = case.program(&simplest, seed)?;
        match program.action {
            Action::Dispatches(_) => Ok(program.buffers),
            _ => Err(Unsupported::Custom(format!(
                "{case} measures the host, so it takes no custom shader"
            ))),
        }
    }

    fn dispatches(&self, buffers: &[Buffer]) -> Result<Vec<Dispatch>, Unsupported> {
        let dispatches = self.custom.dispatches.iter().zip(self.bound()?);
        dispatches
            .map(|(custom, bound)| {
                dispatch(self.custom, custom, bound.as_ref(), buffers).map_err(Unsupported::Custom)
            })
            .collect()
    }

    /// Names of the buffers that a shader writes.
    fn written(&self) -> Result<BTreeSet<&str>, Unsupported> {
        let variables = self.bound()?.iter().flatten().flat_map(|b| &b.variables);
        Ok(variables
            .filter(|(variable, _)| variable.written)
            .map(|(_, buffer)| buffer.as_str())
            .collect())
    }

    /// The buffers of a program as its checks see them, with the bytes of its outputs.
    fn checked<'o>(
        &'o self,
        program: &Program,
        outputs: &'o [Vec<u8>],
    ) -> (Vec<CheckedBuffer<'o>>, Vec<&'o [u8]>) {
        let reference = self.reference.get();
        let (mut buffers, mut bytes) = (Vec::new(), Vec::new());
        for (there, output) in program.read_back().zip(outputs) {
            let custom = self
                .custom
                .buffers
                .iter()
                .find(|custom| custom.name == there.name);
            let Some(buffer) = custom else { continue };
            let expected = matches!(buffer.contents, CustomContents::Expected { .. });
            if buffer.checks.is_empty() && !expected {
                continue;
            }
            let before = match there.contents {
                Contents::Output => None,
                _ => Some(there.input()),
            };
            buffers.push(CheckedBuffer {
                buffer,
                before,
                reference: reference
                    .and_then(|all| all.get(&*there.name))
                    .map(Vec::as_slice),
                gaps: self.gaps(&buffer.name),
            });
            bytes.push(output.as_slice());
        }
        (buffers, bytes)
    }

    /// The bytes of a buffer on which no value of its variable lies.
    fn gaps(&self, buffer: &str) -> Option<ByteGaps> {
        let mut bound = self.bound().ok()?.iter().flatten();
        let wanted = bound.find_map(|bound| bound.wanted(buffer))?;
        ByteGaps::of(wanted.module, wanted.ty)
    }

    /// The numbers that the checks refer to, as they are before an execution.
    fn before(&self, program: &Program) -> Before {
        let checks = || self.custom.buffers.iter().flat_map(|buffer| &buffer.checks);
        let needs = |name: &str| {
            checks().any(|check| match check {
                CustomCheck::Formula { formula, .. } => formula.contains(name),
                CustomCheck::Permutation { of } | CustomCheck::Sum { of, .. } => of == name,
                _ => false,
            })
        };
        let buffers = self
            .custom
            .buffers
            .iter()
            .filter(|buffer| needs(&buffer.name));
        buffers
            .filter_map(|custom| {
                let there = program
                    .buffers
                    .iter()
                    .find(|there| there.name == custom.name)?;
                let mut numbers = numbers(&there.input(), custom.dtype);
                numbers.truncate(usize::try_from(custom.elements).unwrap_or(usize::MAX));
                Some((custom.name.clone(), Arc::new(BufferColumn::new(numbers))))
            })
            .collect()
    }
}

impl fmt::Display for CustomWork<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.case.fmt(f)
    }
}

impl Problem for CustomWork<'_> {
    fn counts(&self) -> Counts {
        self.counts
    }

    fn resources(&self, kernel: &Kernel) -> Resources {
        self.case.resources(kernel)
    }

    fn warm_caches(&self) -> bool {
        !self.custom.cold
    }

    fn kernels(&self, _adapter: &Adapter) -> Vec<Kernel> {
        Vec::new()
    }

    fn tuning_space(&self) -> Vec<Kernel> {
        Vec::new()
    }

    fn unverified(&self) -> Option<&str> {
        self.custom.unverified.as_deref()
    }

    fn reference_program(&self, seed: u64) -> Result<Option<Program>, Unsupported> {
        let Some(reference) = &self.custom.reference else {
            return Ok(None);
        };
        let work = CustomWork {
            limits: self.limits,
            ..CustomWork::new(self.case, self.counts, reference)
        };
        let mut program = work.program(&Kernel::new("", &[]), seed)?;
        let compared = |name: &str| {
            let mut buffers = self.custom.buffers.iter();
            let by_reference = |check: &CustomCheck| matches!(check, CustomCheck::Reference { .. });
            buffers.any(|own| own.name == name && own.checks.iter().any(by_reference))
        };
        for buffer in program.buffers.iter_mut().filter(|b| compared(&b.name)) {
            // Whatever checks the reference itself, this is wanted of it.
            buffer.contents = match std::mem::replace(&mut buffer.contents, Contents::Output) {
                Contents::Scratch => Contents::Output,
                Contents::Input(input) => Contents::Kept(input),
                other => other,
            };
        }
        Ok(Some(program))
    }

    fn take_reference(&self, outputs: BTreeMap<String, Vec<u8>>) {
        // It runs once for a case, so nothing is there yet.
        let _ = self.reference.set(outputs);
    }

    /// None: a custom kernel may be made for its one shape.
    fn pilot(&self) -> Option<Arc<dyn Problem>> {
        None
    }

    fn program(&self, _kernel: &Kernel, seed: u64) -> Result<Program, Unsupported> {
        let mut buffers = self.empty_buffers(seed)?;
        // Before anything is read or filled: a file may ask for more than this machine has.
        if let Some(limits) = self.limits
            && let Some(beyond) = buffers
                .iter()
                .find_map(|buffer| buffer.beyond_limits(limits))
        {
            return Err(beyond);
        }
        let written = self.written()?;
        for custom in &self.custom.buffers {
            for buffer in buffers.iter_mut().filter(|b| b.name == custom.name) {
                let written = written.contains(custom.name.as_str());
                buffer.contents =
                    filled(custom, buffer.bytes, written).map_err(Unsupported::Custom)?;
            }
        }
        let dispatches = self.dispatches(&buffers)?;
        Ok(Program::of(buffers, dispatches))
    }

    fn verify(&self, _kernel: &Kernel, program: &Program, outputs: &[Vec<u8>]) -> Verification {
        if self.custom.built_in_case {
            // The kernel's name is the user's, and must not get the bounds of a built-in one of that name.
            return self.case.verify(&Kernel::new("", &[]), program, outputs);
        }
        if self.custom.unverified.is_some() {
            return Checker::new(0).finish();
        }
        let (buffers, bytes) = self.checked(program, outputs);
        if buffers.is_empty() {
            return Checker::failed("no output was read back".to_owned());
        }
        let proven = self.proven.get().is_some();
        let verification = verify(&buffers, &bytes, &self.before(program), proven);
        if verification.passed {
            let _ = self.proven.set(());
        }
        verification
    }
}
