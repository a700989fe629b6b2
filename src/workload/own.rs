//! Kernels and workloads that a user brings in a TOML file, measured and verified like perwatt's own.
//!
//! A `[[kernel]]` is another implementation of a case that perwatt knows: it gets that case's buffers,
//! and perwatt's f64 reference checks it. A `[[workload]]` is a case of the user's own, checked against
//! a file of expected numbers. There is no third kind: what nothing can check has no throughput.

use std::path::{Path, PathBuf};

use half::f16;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::record::{
    Adapter, Counts, OwnBuffer, OwnContents, OwnDispatch, OwnDtype, OwnKernel, Verification,
};
use crate::workload::case::{Case, Dtype, split_case};
use crate::workload::interface::Workload;
use crate::workload::kit::checker::Checker;
use crate::workload::kit::input::Input;
use crate::workload::kit::kernel::Kernel;
use crate::workload::kit::program::{Action, Binding, Buffer, Contents, Dispatch, Program};
use crate::workload::registry::registry;

/// A case with the user's kernel for it.
#[derive(Clone, Debug)]
pub struct OwnCase {
    /// The case, built in or of the user's own.
    pub case: Case,
    /// The kernel's name.
    pub kernel: &'static str,
    /// Useful work of one execution.
    pub counts: Counts,
    /// What it consists of.
    pub own: OwnKernel,
}

/// A file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    kernel: Vec<KernelTable>,
    #[serde(default)]
    workload: Vec<WorkloadTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KernelTable {
    name: String,
    case: String,
    dispatch: Vec<DispatchTable>,
    #[serde(default)]
    buffer: Vec<BufferTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadTable {
    case: String,
    #[serde(default = "default_kernel")]
    kernel: String,
    #[serde(default)]
    flop: u64,
    #[serde(default)]
    bytes: u64,
    tokens: Option<u64>,
    dispatch: Vec<DispatchTable>,
    buffer: Vec<BufferTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DispatchTable {
    shader: PathBuf,
    workgroups: Vec<u32>,
    bind: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BufferTable {
    name: String,
    #[serde(rename = "type")]
    dtype: OwnDtype,
    elements: Option<u64>,
    fill: Option<f64>,
    values: Option<Vec<f64>>,
    file: Option<PathBuf>,
    expected: Option<PathBuf>,
    #[serde(default)]
    absolute: f64,
    #[serde(default)]
    relative: f64,
    #[serde(default)]
    scratch: bool,
}

fn default_kernel() -> String {
    "own".to_owned()
}

/// Reads the kernels and workloads of a file; paths in it are relative to it.
///
/// # Errors
/// The file, a shader or a data file cannot be read, or something in it is malformed; the message
/// names the file and the entry.
pub fn load_own(path: &Path) -> Result<Vec<OwnCase>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let file: File = toml::from_str(&text).map_err(|e| {
        Error::file(
            path,
            format!("not a workload file: {}", e.to_string().trim_end()),
        )
    })?;
    if file.kernel.is_empty() && file.workload.is_empty() {
        return Err(Error::file(
            path,
            "holds neither a [[kernel]] nor a [[workload]]; see docs/own-kernels.md",
        ));
    }
    let kernels = file.kernel.into_iter().map(|table| kernel(path, table));
    let workloads = file.workload.into_iter().map(|table| workload(path, table));
    kernels.chain(workloads).collect()
}

/// A kernel for a built-in case.
fn kernel(path: &Path, table: KernelTable) -> Result<OwnCase> {
    let wrong = |reason: String| Error::file(path, format!("kernel {:?}: {reason}", table.name));
    check_name(&table.name).map_err(wrong)?;
    let (built_in, case) = built_in(&table.case).map_err(wrong)?;
    let buffers = table
        .buffer
        .into_iter()
        .map(|buffer| own_buffer(path, buffer))
        .collect::<Result<Vec<_>>>()?;
    if let Some(output) = buffers
        .iter()
        .find(|b| matches!(b.contents, OwnContents::Expected { .. }))
    {
        return Err(wrong(format!(
            "buffer {:?} has expected numbers, but perwatt's own reference checks this case; remove it",
            output.name
        )));
    }
    let own = OwnKernel {
        file: path.display().to_string(),
        buffers,
        dispatches: dispatches(path, table.dispatch)?,
        built_in_case: true,
    };
    // Built once here, so that a wrong name is found before anything is measured.
    OwnWorkload {
        built_in: Some(built_in),
        own: &own,
        counts: Counts::default(),
    }
    .program(&case, &Kernel::new("own", &[]), 0)
    .map_err(wrong)?;
    Ok(OwnCase {
        counts: built_in.counts(&case),
        case,
        kernel: keep(table.name),
        own,
    })
}

/// A workload of the user's own.
fn workload(path: &Path, table: WorkloadTable) -> Result<OwnCase> {
    let wrong = |reason: String| Error::file(path, format!("workload {:?}: {reason}", table.case));
    check_name(&table.kernel).map_err(wrong)?;
    let Some([name, dtype, shape]) = split_case(&table.case) else {
        return Err(wrong(
            "a case is written WORKLOAD/DTYPE/SHAPE, `saxpy/f32/1048576` say".to_owned(),
        ));
    };
    check_name(name).map_err(wrong)?;
    if registry().iter().any(|known| known.name() == name) {
        return Err(wrong(format!(
            "{name:?} is one of perwatt's own; declare a [[kernel]] for its case, or choose another name"
        )));
    }
    let dtype = Dtype::parse(dtype).ok_or_else(|| {
        let all = Dtype::ALL.map(Dtype::name).join(", ");
        wrong(format!("no dtype is called {dtype:?}; there are {all}"))
    })?;
    let case = Case::new(keep(name.to_owned()), dtype, shape);
    let own = OwnKernel {
        file: path.display().to_string(),
        buffers: table
            .buffer
            .into_iter()
            .map(|buffer| own_buffer(path, buffer))
            .collect::<Result<_>>()?,
        dispatches: dispatches(path, table.dispatch)?,
        built_in_case: false,
    };
    let counts = Counts {
        flop: table.flop,
        bytes: table.bytes,
        tokens: table.tokens,
    };
    let checked = own.buffers.iter().any(
        |b| matches!(&b.contents, OwnContents::Expected { .. } if own.dispatches.iter().any(|d| d.bind.contains(&b.name))),
    );
    if !checked {
        return Err(wrong(
            "no bound buffer has `expected = FILE`, so nothing can check the output, and an unchecked \
             kernel has no throughput"
                .to_owned(),
        ));
    }
    OwnWorkload {
        built_in: None,
        own: &own,
        counts,
    }
    .program(&case, &Kernel::new("own", &[]), 0)
    .map_err(wrong)?;
    Ok(OwnCase {
        case,
        kernel: keep(table.kernel),
        counts,
        own,
    })
}

/// A name that lives as long as the process, as every built-in one does; there are a handful.
fn keep(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

/// Names stand in cases, globs and tables.
fn check_name(name: &str) -> Result<(), String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(sound) {
        Ok(())
    } else {
        Err(format!(
            "{name:?} cannot be a name; use letters, digits, `-`, `_` and `.`"
        ))
    }
}

/// The built-in workload and case of a written case.
fn built_in(text: &str) -> Result<(&'static dyn Workload, Case), String> {
    let (name, dtype, shape) = parts(text)?;
    let workload = registry()
        .iter()
        .copied()
        .find(|known| known.name() == name)
        .ok_or_else(|| {
            format!(
                "perwatt has no workload {name:?}; `perwatt list` shows them, and a [[workload]] \
                 declares one of your own"
            )
        })?;
    Ok((workload, workload.case(dtype, shape)?))
}

/// The parts of a written case.
fn parts(text: &str) -> Result<(&str, Dtype, &str), String> {
    let [name, dtype, shape] =
        split_case(text).ok_or_else(|| format!("{text:?} is no WORKLOAD/DTYPE/SHAPE"))?;
    let dtype = Dtype::parse(dtype).ok_or_else(|| format!("no dtype is called {dtype:?}"))?;
    Ok((name, dtype, shape))
}

/// Dispatches with their shaders read.
fn dispatches(path: &Path, tables: Vec<DispatchTable>) -> Result<Vec<OwnDispatch>> {
    if tables.is_empty() {
        return Err(Error::file(
            path,
            "an entry has no [[…dispatch]]; add at least one",
        ));
    }
    tables
        .into_iter()
        .map(|table| {
            let shader = beside(path, &table.shader);
            let wgsl = std::fs::read_to_string(&shader).map_err(|e| Error::io(&shader, e))?;
            let mut workgroups = [1; 3];
            if table.workgroups.is_empty()
                || table.workgroups.len() > 3
                || table.workgroups.contains(&0)
            {
                return Err(Error::file(
                    path,
                    format!(
                        "`workgroups` of {} are one to three numbers above 0",
                        table.shader.display()
                    ),
                ));
            }
            workgroups[..table.workgroups.len()].copy_from_slice(&table.workgroups);
            Ok(OwnDispatch {
                shader: table.shader.display().to_string(),
                wgsl,
                workgroups,
                bind: table.bind,
            })
        })
        .collect()
}

/// A buffer with its contents checked.
fn own_buffer(path: &Path, table: BufferTable) -> Result<OwnBuffer> {
    let wrong = |reason: String| Error::file(path, format!("buffer {:?}: {reason}", table.name));
    let size = storage_bytes(table.dtype);
    let of_file = |file: &Path| -> Result<(String, u64)> {
        let file = beside(path, file);
        let file = std::path::absolute(&file).unwrap_or(file);
        let bytes = std::fs::metadata(&file)
            .map_err(|e| Error::io(&file, e))?
            .len();
        Ok((file.display().to_string(), bytes / size))
    };
    let given = [
        table.fill.is_some(),
        table.values.is_some(),
        table.file.is_some(),
        table.expected.is_some(),
        table.scratch,
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        return Err(wrong(
            "give exactly one of fill, values, file, expected and scratch".to_owned(),
        ));
    }
    let (contents, natural) = if let Some(value) = table.fill {
        (OwnContents::Fill { value }, None)
    } else if let Some(values) = table.values {
        let count = values.len() as u64;
        (OwnContents::Values { values }, Some(count))
    } else if let Some(file) = &table.file {
        let (path, count) = of_file(file)?;
        (OwnContents::File { path }, Some(count))
    } else if let Some(file) = &table.expected {
        let (path, count) = of_file(file)?;
        let (absolute, relative) = (table.absolute, table.relative);
        if !(absolute.is_finite() && relative.is_finite() && absolute >= 0.0 && relative >= 0.0) {
            return Err(wrong("tolerances are numbers from 0 up".to_owned()));
        }
        let contents = OwnContents::Expected {
            path,
            absolute,
            relative,
        };
        (contents, Some(count))
    } else {
        (OwnContents::Scratch, None)
    };
    let elements = match (table.elements, natural) {
        (Some(said), Some(there)) if said != there => {
            return Err(wrong(format!(
                "{said} elements are declared and its contents have {there}"
            )));
        }
        (Some(count), _) | (None, Some(count)) if count > 0 => count,
        _ => return Err(wrong("say how many `elements` it has, above 0".to_owned())),
    };
    let finite = match &contents {
        OwnContents::Fill { value } => value.is_finite(),
        OwnContents::Values { values } => values.iter().all(|value| value.is_finite()),
        _ => true,
    };
    if !finite {
        return Err(wrong("its numbers must be finite".to_owned()));
    }
    Ok(OwnBuffer {
        name: table.name,
        dtype: table.dtype,
        elements,
        contents,
    })
}

/// A path in a file, relative to that file.
fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

fn storage_bytes(dtype: OwnDtype) -> u64 {
    match dtype {
        OwnDtype::F32 | OwnDtype::U32 => 4,
        OwnDtype::F16 => 2,
    }
}

/// A number as its little-endian bytes.
fn encode(value: f64, dtype: OwnDtype, bytes: &mut Vec<u8>) {
    match dtype {
        OwnDtype::F32 => bytes.extend((value as f32).to_le_bytes()),
        OwnDtype::F16 => bytes.extend(f16::from_f64(value).to_le_bytes()),
        OwnDtype::U32 => bytes.extend((value as u32).to_le_bytes()),
    }
}

/// The numbers that little-endian bytes hold, exactly.
fn decode(bytes: &[u8], dtype: OwnDtype) -> Vec<f64> {
    let word = |b: &[u8]| [b[0], b[1], b[2], b[3]];
    match dtype {
        OwnDtype::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(word(b)).into())
            .collect(),
        OwnDtype::F16 => bytes
            .chunks_exact(2)
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f64())
            .collect(),
        OwnDtype::U32 => bytes
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes(word(b)).into())
            .collect(),
    }
}

/// A user's kernel in the form that the measuring loop takes.
pub struct OwnWorkload<'a> {
    built_in: Option<&'static dyn Workload>,
    own: &'a OwnKernel,
    counts: Counts,
}

impl<'a> OwnWorkload<'a> {
    /// The workload and case that a record's case and kernel stand for.
    ///
    /// # Errors
    /// The case is malformed, or one of perwatt's own that this version does not know.
    pub fn of(case: &str, counts: Counts, own: &'a OwnKernel) -> Result<(Self, Case), String> {
        let (built_in, case) = if own.built_in_case {
            let (workload, case) = built_in(case)?;
            (Some(workload), case)
        } else {
            let (name, dtype, shape) = parts(case)?;
            (None, Case::new(keep(name.to_owned()), dtype, shape))
        };
        let workload = Self {
            built_in,
            own,
            counts,
        };
        Ok((workload, case))
    }
}

impl Workload for OwnWorkload<'_> {
    fn name(&self) -> &'static str {
        self.built_in.map_or("own", Workload::name)
    }

    fn about(&self) -> &'static str {
        "A workload that the user brought."
    }

    fn cases(&self) -> Vec<Case> {
        Vec::new()
    }

    fn case(&self, dtype: Dtype, shape: &str) -> Result<Case, String> {
        match self.built_in {
            Some(built_in) => built_in.case(dtype, shape),
            None => Err("a workload of the user's own has the cases of its file".to_owned()),
        }
    }

    fn counts(&self, case: &Case) -> Counts {
        self.built_in
            .map_or(self.counts, |built_in| built_in.counts(case))
    }

    fn kernels(&self, _case: &Case, _adapter: &Adapter) -> Vec<Kernel> {
        Vec::new()
    }

    fn tuning_space(&self, _case: &Case) -> Vec<Kernel> {
        Vec::new()
    }

    /// None: a kernel of the user's own may be made for its one shape.
    fn pilot(&self, _case: &Case) -> Option<Case> {
        None
    }

    fn program(&self, case: &Case, _kernel: &Kernel, seed: u64) -> Result<Program, String> {
        let mut buffers = match self.built_in {
            None => Vec::new(),
            Some(built_in) => {
                let simplest = built_in
                    .tuning_space(case)
                    .into_iter()
                    .next()
                    .ok_or_else(|| format!("{case} has no kernel to take the buffers from"))?;
                let program = built_in.program(case, &simplest, seed)?;
                if !matches!(program.action, Action::Dispatches(_)) {
                    return Err(format!(
                        "{case} times the host, so no shader can be brought for it"
                    ));
                }
                program.buffers
            }
        };
        for own in &self.own.buffers {
            if buffers.iter().any(|known| known.name == own.name) {
                return Err(format!("there are two buffers called {:?}", own.name));
            }
            buffers.push(allocate(own)?);
        }
        let dispatches = self
            .own
            .dispatches
            .iter()
            .map(|own| dispatch(own, &buffers))
            .collect::<Result<_, _>>()?;
        Ok(Program {
            buffers,
            action: Action::Dispatches(dispatches),
        })
    }

    fn verify(
        &self,
        case: &Case,
        kernel: &Kernel,
        program: &Program,
        outputs: &[Vec<u8>],
    ) -> Verification {
        if let Some(built_in) = self.built_in {
            return built_in.verify(case, kernel, program, outputs);
        }
        let expected = self
            .own
            .buffers
            .iter()
            .filter_map(|own| match &own.contents {
                OwnContents::Expected {
                    path,
                    absolute,
                    relative,
                } => Some((own, path, *absolute, *relative)),
                _ => None,
            });
        let elements = expected.clone().map(|(own, ..)| own.elements).sum();
        let mut checker = Checker::new(elements);
        for ((own, path, absolute, relative), output) in expected.zip(outputs) {
            let want = match std::fs::read(path) {
                Ok(bytes) => decode(&bytes, own.dtype),
                Err(e) => {
                    checker.fail(format!("{path}: {e}; the expected numbers are needed"));
                    continue;
                }
            };
            let got = decode(output, own.dtype);
            if (want.len() as u64) < own.elements || (got.len() as u64) < own.elements {
                checker.fail(format!("{path} does not hold {} numbers", own.elements));
                continue;
            }
            for (at, (got, want)) in got.iter().zip(&want).enumerate() {
                let bound = absolute + relative * want.abs();
                // A tolerance is what the user allows, so the errors may all be as large.
                checker.check(*got, *want, bound, bound, || format!("{}[{at}]", own.name));
            }
        }
        checker.finish()
    }
}

/// A user's buffer as a program has it.
fn allocate(own: &OwnBuffer) -> Result<Buffer, String> {
    let bytes = own
        .elements
        .checked_mul(storage_bytes(own.dtype))
        .and_then(|bytes| bytes.checked_next_multiple_of(4))
        .ok_or_else(|| format!("buffer {:?} is larger than any memory", own.name))?;
    let room = usize::try_from(bytes).map_err(|_| "the buffer is too large".to_owned())?;
    let padded = |mut data: Vec<u8>| {
        data.resize(room, 0);
        Contents::Input(Input::Bytes(data))
    };
    let contents = match &own.contents {
        OwnContents::Fill { value } => {
            let mut one = Vec::new();
            encode(*value, own.dtype, &mut one);
            padded(one.iter().copied().cycle().take(room).collect())
        }
        OwnContents::Values { values } => {
            let mut data = Vec::with_capacity(room);
            for value in values {
                encode(*value, own.dtype, &mut data);
            }
            padded(data)
        }
        OwnContents::File { path } => {
            padded(std::fs::read(path).map_err(|e| format!("{path}: {e}"))?)
        }
        OwnContents::Scratch => Contents::Scratch,
        OwnContents::Expected { .. } => Contents::Output,
    };
    Ok(Buffer {
        name: keep(own.name.clone()),
        bytes,
        contents,
    })
}

/// A user's dispatch as a program has it.
fn dispatch(own: &OwnDispatch, buffers: &[Buffer]) -> Result<Dispatch, String> {
    let bindings = own
        .bind
        .iter()
        .map(|name| {
            buffers
                .iter()
                .position(|buffer| buffer.name == name)
                .map(|buffer| Binding {
                    buffer,
                    read_only: false,
                })
                .ok_or_else(|| {
                    let names: Vec<&str> = buffers.iter().map(|buffer| buffer.name).collect();
                    format!(
                        "{}: no buffer is called {name:?}; there are {}",
                        own.shader,
                        names.join(", ")
                    )
                })
        })
        .collect::<Result<_, _>>()?;
    Ok(Dispatch {
        label: own.shader.clone(),
        file: keep(own.shader.clone()),
        wgsl: own.wgsl.clone(),
        bindings,
        workgroups: own.workgroups,
        // The source says, and the driver's front end holds it to the limits.
        workgroup_threads: [1; 3],
        workgroup_bytes: 0,
        features: features(&own.wgsl),
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
