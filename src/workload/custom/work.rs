//! A custom kernel as the measuring loop takes it: its buffers filled, its dispatches bound, its outputs checked.

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use half::f16;

use crate::record::{
    Adapter, Counts, CustomBuffer, CustomContents, CustomDispatch, CustomDtype, CustomKernel,
    Limits, Resources, Verification,
};
use crate::workload::case::{Case, Problem};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::input::{Input, Storage};
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Binding, Buffer, Contents, Dispatch, Program};
use crate::workload::kit::unsupported::Unsupported;

/// A custom kernel in the form that the measuring loop takes.
#[derive(Debug)]
pub struct CustomWork<'a> {
    case: &'a Case,
    custom: &'a CustomKernel,
    counts: Counts,
    limits: Option<&'a Limits>,
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

    /// The buffers with expected numbers, in the order in which outputs are read back.
    fn expected(&self) -> impl Iterator<Item = Expected<'a>> + Clone + use<'a> {
        self.custom
            .buffers
            .iter()
            .filter_map(|buffer| match &buffer.contents {
                CustomContents::Expected {
                    path,
                    absolute,
                    relative,
                    ..
                } => Some(Expected {
                    buffer,
                    path,
                    absolute: *absolute,
                    relative: *relative,
                }),
                _ => None,
            })
    }
}

/// An output and what it is compared with.
struct Expected<'a> {
    buffer: &'a CustomBuffer,
    path: &'a str,
    absolute: f64,
    relative: f64,
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
        true
    }

    fn kernels(&self, _adapter: &Adapter) -> Vec<Kernel> {
        Vec::new()
    }

    fn tuning_space(&self) -> Vec<Kernel> {
        Vec::new()
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
        for custom in &self.custom.buffers {
            for buffer in buffers.iter_mut().filter(|b| b.name == custom.name) {
                buffer.contents = filled(custom, buffer.bytes).map_err(Unsupported::Custom)?;
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
        let elements = self.expected().map(|e| e.buffer.elements).sum();
        let mut checker = Checker::new(elements);
        for (expected, output) in self.expected().zip(outputs) {
            expected.check(output, &mut checker);
        }
        checker.finish()
    }
}

impl Expected<'_> {
    fn check(&self, output: &[u8], checker: &mut Checker) {
        let CustomBuffer {
            name,
            dtype,
            elements,
            ..
        } = self.buffer;
        let want = match read(self.path, elements * storage(*dtype).bytes()) {
            Ok(bytes) => decode(&bytes, *dtype),
            Err(e) => {
                checker.fail(format!("{e}; the expected numbers are needed"));
                return;
            }
        };
        let got = decode(output, *dtype);
        if (want.len() as u64) < *elements || (got.len() as u64) < *elements {
            checker.fail(format!("{} does not hold {elements} numbers", self.path));
            return;
        }
        for (at, (got, want)) in got.iter().zip(&want).enumerate() {
            let bound = self.absolute + self.relative * want.abs();
            // A tolerance is what the user allows, so the errors may all be as large.
            checker.check(*got, *want, bound, bound, || format!("{name}[{at}]"));
        }
    }
}

/// The first bytes of a file, which may have grown since it was declared.
fn read(path: &str, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // A pipe that came since would hold up `open` for ever.
    let regular = std::fs::metadata(path).is_ok_and(|there| there.is_file());
    if !regular {
        return Err(format!("{path}: not a regular file"));
    }
    std::fs::File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|e| format!("{path}: {e}"))?;
    Ok(bytes)
}

/// How a custom buffer stores its elements.
pub(super) fn storage(dtype: CustomDtype) -> Storage {
    match dtype {
        CustomDtype::F32 => Storage::F32,
        CustomDtype::F16 => Storage::F16,
        CustomDtype::U32 => Storage::U32,
    }
}

/// A number as its little-endian bytes.
fn encode(value: f64, dtype: CustomDtype, bytes: &mut Vec<u8>) {
    match dtype {
        CustomDtype::F32 => bytes.extend((value as f32).to_le_bytes()),
        CustomDtype::F16 => bytes.extend(f16::from_f64(value).to_le_bytes()),
        CustomDtype::U32 => bytes.extend((value as u32).to_le_bytes()),
    }
}

/// The numbers that little-endian bytes hold, exactly.
fn decode(bytes: &[u8], dtype: CustomDtype) -> Vec<f64> {
    let word = |b: &[u8]| [b[0], b[1], b[2], b[3]];
    match dtype {
        CustomDtype::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(word(b)).into())
            .collect(),
        CustomDtype::F16 => bytes
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f64())
            .collect(),
        CustomDtype::U32 => bytes
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes(word(b)).into())
            .collect(),
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
        _ => Contents::Scratch,
    };
    Ok(Buffer {
        name: custom.name.clone().into(),
        bytes,
        contents,
    })
}

/// The contents of a custom buffer of this size.
fn filled(custom: &CustomBuffer, bytes: u64) -> Result<Contents, String> {
    let room = usize::try_from(bytes)
        .map_err(|_| format!("buffer {:?} is too large for this machine", custom.name))?;
    let mut data = Vec::new();
    match &custom.contents {
        CustomContents::Scratch => return Ok(Contents::Scratch),
        CustomContents::Expected { .. } => return Ok(Contents::Output),
        CustomContents::Fill { value } => {
            let mut one = Vec::new();
            encode(*value, custom.dtype, &mut one);
            data.extend(one.iter().cycle().take(room));
        }
        CustomContents::Values { values } => {
            for value in values {
                encode(*value, custom.dtype, &mut data);
            }
        }
        CustomContents::File { path, .. } => data = read(path, bytes)?,
    }
    data.resize(room, 0);
    Ok(Contents::Input(Input::Bytes(data)))
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
    let bindings = custom
        .bind
        .iter()
        .map(|name| {
            buffers
                .iter()
                .position(|buffer| buffer.name == *name)
                .map(|buffer| Binding {
                    buffer,
                    read_only: false,
                })
                .ok_or_else(|| {
                    let names: Vec<&str> = buffers.iter().map(|buffer| &*buffer.name).collect();
                    format!(
                        "{}: no buffer is called {name:?}; there are {}",
                        custom.shader,
                        names.join(", ")
                    )
                })
        })
        .collect::<Result<_, _>>()?;
    Ok(Dispatch {
        label: custom.shader.clone(),
        file: custom.shader.clone().into(),
        wgsl: custom.wgsl.clone(),
        bindings,
        workgroups: custom.workgroups,
        // The source says, and the driver's front end holds it to the limits.
        workgroup_threads: [1; 3],
        workgroup_bytes: 0,
        features: features(&custom.wgsl),
        least_subgroup: 1,
        coop_matrix: None,
    })
}

/// Features that a source asks for by `enable`, by wgpu's names.
fn features(wgsl: &str) -> Vec<&'static str> {
    let enabled = |extension: &str| {
        wgsl.lines()
            .filter_map(|line| line.trim().strip_prefix("enable "))
            .flat_map(|list| list.trim_end_matches(';').split(','))
            .any(|name| name.trim() == extension)
    };
    let mut features = Vec::new();
    if enabled("f16") {
        features.push("SHADER_F16");
    }
    if enabled("subgroups") || wgsl.contains("subgroupAdd") || wgsl.contains("@builtin(subgroup_") {
        features.push("SUBGROUP");
    }
    features
}
