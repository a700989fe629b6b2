//! A custom kernel as the measuring loop takes it: its buffers filled, its dispatches bound, its outputs checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::error::nearest;
use crate::record::{
    Adapter, Counts, CustomBuffer, CustomCheck, CustomContents, CustomDispatch, CustomKernel,
    Limits, Resources, Verification,
};
use crate::workload::case::{Case, Problem};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::custom::binding::Bound;
use crate::workload::custom::checks::{Before, CheckedBuffer, verify};
use crate::workload::custom::columns::BufferColumn;
use crate::workload::custom::data::{numbers, put, read, storage};
use crate::workload::custom::generate::generate;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::input::Input;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Binding, Buffer, Contents, Dispatch, Program};
use crate::workload::kit::unsupported::Unsupported;
use crate::workload::wgsl::{BoundResource, BoundVariable};

/// A custom kernel in the form that the measuring loop takes.
#[derive(Debug)]
pub struct CustomWork<'a> {
    case: &'a Case,
    custom: &'a CustomKernel,
    counts: Counts,
    limits: Option<&'a Limits>,
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
            reference: OnceLock::new(),
        }
    }

    /// Whether every name that a dispatch binds is a buffer, without filling one.
    pub(super) fn check_bindings(&self) -> Result<(), Unsupported> {
        let buffers = self.empty_buffers(0)?;
        self.dispatches(&buffers).map(|_| ())
    }

    /// The buffers of the built-in case, and the custom ones without their contents.
    fn empty_buffers(&self, seed: u64) -> Result<Vec<Buffer>, Unsupported> {
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
        let dispatches = self.custom.dispatches.iter();
        dispatches
            .map(|custom| dispatch(custom, buffers).map_err(Unsupported::Custom))
            .collect()
    }

    /// Names of the buffers that a shader writes.
    fn written(&self) -> BTreeSet<String> {
        let dispatches = self.custom.dispatches.iter();
        dispatches
            .filter_map(|dispatch| Bound::of(dispatch)?.ok())
            .flat_map(|bound| bound.variables)
            .filter(|(variable, _)| variable.written)
            .map(|(_, buffer)| buffer)
            .collect()
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
            });
            bytes.push(output.as_slice());
        }
        (buffers, bytes)
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
        let written = self.written();
        for custom in &self.custom.buffers {
            for buffer in buffers.iter_mut().filter(|b| b.name == custom.name) {
                let written = written.contains(&custom.name);
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
        verify(&buffers, &bytes, &self.before(program))
    }
}

/// A custom buffer as a program has it, with no contents yet.
fn empty(custom: &CustomBuffer) -> Result<Buffer, String> {
    let bytes = custom
        .elements
        .checked_mul(storage(custom.dtype).bytes())
        .and_then(|bytes| bytes.checked_next_multiple_of(4))
        .ok_or_else(|| format!("buffer {:?} is larger than any memory", custom.name))?;
    let contents = match custom.contents {
        CustomContents::Expected { .. } => Contents::Output,
        CustomContents::Scratch if !custom.checks.is_empty() => Contents::Output,
        _ => Contents::Scratch,
    };
    Ok(Buffer {
        name: custom.name.clone().into(),
        bytes,
        contents,
    })
}

/// The contents of a custom buffer of this size, which a shader writes or not.
fn filled(custom: &CustomBuffer, bytes: u64, written: bool) -> Result<Contents, String> {
    let room = usize::try_from(bytes)
        .map_err(|_| format!("buffer {:?} is too large for this machine", custom.name))?;
    let mut data = Vec::new();
    match &custom.contents {
        CustomContents::Scratch if custom.restore == Some(true) => {}
        CustomContents::Scratch if custom.checks.is_empty() => return Ok(Contents::Scratch),
        CustomContents::Scratch | CustomContents::Expected { .. } => return Ok(Contents::Output),
        CustomContents::Fill { value } => {
            let mut one = Vec::new();
            put(*value, custom.dtype, &mut one);
            data.extend(one.iter().cycle().take(room));
        }
        CustomContents::Values { values } => {
            for value in values {
                put(*value, custom.dtype, &mut data);
            }
        }
        CustomContents::File { path, .. } => {
            data = read(Path::new(path), custom.dtype, bytes)?;
            if (data.len() as u64) < custom.elements * storage(custom.dtype).bytes() {
                return Err(format!(
                    "{path}: holds fewer numbers than when the manifest was read"
                ));
            }
        }
        CustomContents::Generated { generator, seed } => data = generate(custom, generator, *seed),
    }
    data.resize(room, 0);
    let input = Input::Bytes(data);
    Ok(match custom.restore {
        Some(true) => Contents::Restored(input),
        None if written => Contents::Restored(input),
        // Filled again before the verified executions alone.
        _ if !custom.checks.is_empty() => Contents::Kept(input),
        _ => Contents::Input(input),
    })
}

/// A custom dispatch as a program has it.
fn dispatch(custom: &CustomDispatch, buffers: &[Buffer]) -> Result<Dispatch, String> {
    // Without this directive, the front end knows nothing of such matrices.
    if custom.wgsl.contains("wgpu_cooperative_matrix") {
        return Err(format!(
            "{}: wgpu's cooperative matrices are unfinished and may misbehave with a kernel that nobody has \
             seen, so custom kernels do not get them; write it without",
            custom.shader
        ));
    }
    let mut dispatch = Dispatch {
        label: custom.shader.clone(),
        file: custom.shader.clone().into(),
        wgsl: custom.wgsl.clone(),
        bindings: Vec::new(),
        entry: custom.entry.clone(),
        constants: BTreeMap::new(),
        workgroups: custom.workgroups,
        repeat: custom.repeat.unwrap_or(1),
        workgroup_threads: [1; 3],
        workgroup_bytes: 0,
        features: Vec::new(),
        least_subgroup: 1,
        coop_matrix: None,
    };
    // A source that naga refuses is the driver's front end to refuse, with the place.
    let Some(bound) = Bound::of(custom) else {
        return Ok(dispatch);
    };
    let bound = bound.map_err(|e| format!("{}: {e}", custom.shader))?;
    for (variable, name) in &bound.variables {
        dispatch
            .bindings
            .push(binding(custom, variable, name, buffers)?);
    }
    dispatch.constants = bound
        .module
        .pipeline_constants(&custom.overrides)
        .map_err(|e| format!("{}: {e}", custom.shader))?;
    dispatch.wgsl = bound.module.source;
    dispatch.entry = Some(bound.needs.entry);
    dispatch.workgroup_threads = bound.needs.threads;
    dispatch.workgroup_bytes = bound.needs.workgroup_bytes;
    dispatch.features = bound.needs.features;
    Ok(dispatch)
}

/// A variable with its buffer.
fn binding(
    custom: &CustomDispatch,
    variable: &BoundVariable,
    name: &str,
    buffers: &[Buffer],
) -> Result<Binding, String> {
    let shader = &custom.shader;
    let Some(buffer) = buffers.iter().position(|buffer| buffer.name == *name) else {
        let names: Vec<&str> = buffers.iter().map(|buffer| &*buffer.name).collect();
        let close = nearest(name, names.iter().copied())
            .map_or(String::new(), |close| format!("; did you mean {close:?}?"));
        return Err(format!(
            "{shader}: no buffer is called {name:?}; there are {}{close}; a variable of another name than its buffer is \
             bound by `bind = {{ {} = \"BUFFER\" }}`",
            names.join(", "),
            variable.name
        ));
    };
    let bytes = buffers[buffer].bytes;
    if bytes < variable.least_bytes {
        return Err(format!(
            "{shader}: {} needs {} bytes and the buffer {name:?} has {bytes}; give it more `elements`",
            variable.name, variable.least_bytes
        ));
    }
    Ok(Binding {
        buffer,
        group: variable.group,
        number: variable.binding,
        uniform: variable.resource == BoundResource::Uniform,
        read_only: variable.resource == BoundResource::Storage { read_only: true },
    })
}
