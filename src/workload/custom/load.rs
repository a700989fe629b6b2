//! Reads a workload file and checks it: every mistake is found here, before anything is measured, and its
//! message names the file and the entry. Nothing is allocated for a buffer; data files are read for their digest alone.

use std::io::Read;
use std::path::{Path, PathBuf};

use half::f16;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::record::{
    Counts, CustomBuffer, CustomContents, CustomDispatch, CustomDtype, CustomKernel,
    MOST_SOURCE_BYTES, read_within, regular_inside,
};
use crate::workload::case_kernel::CaseKernel;
use crate::workload::custom::declared::custom_case;
use crate::workload::custom::file::{
    BufferTable, DispatchTable, KernelTable, WorkloadFile, WorkloadTable,
};
use crate::workload::custom::work::{CustomWork, storage};
use crate::workload::kit::kernel::Kernel;
use crate::workload::registry::{UnknownCase, find_case, registry};

/// Reads the kernels and workloads of a file; paths in it are relative to it and stay in its folder.
///
/// # Errors
/// The file, a shader or a data file cannot be read or lies elsewhere, or an entry is malformed.
pub fn load_custom(path: &Path) -> Result<Vec<CaseKernel>> {
    let text = read_within(path, MOST_SOURCE_BYTES)?;
    let file: WorkloadFile = toml::from_str(&text).map_err(|e| {
        Error::file(
            path,
            format!(
                "not a workload file: {}; docs/custom-kernels.md describes the format",
                e.to_string().trim_end()
            ),
        )
    })?;
    if file.kernel.is_empty() && file.workload.is_empty() {
        return Err(Error::file(
            path,
            "holds neither a [[kernel]] nor a [[workload]]; see docs/custom-kernels.md",
        ));
    }
    let kernels = file.kernel.into_iter().map(|table| kernel(path, table));
    let workloads = file.workload.into_iter().map(|table| workload(path, table));
    kernels.chain(workloads).collect()
}

/// An entry of the file, for messages and for the folder that its paths must stay in.
struct FileEntry<'a> {
    file: &'a Path,
    name: String,
}

impl FileEntry<'_> {
    fn wrong(&self, reason: impl std::fmt::Display) -> Error {
        Error::file(self.file, format!("{}: {reason}", self.name))
    }

    /// A path of the entry. What is read goes into records that people share, so a file from elsewhere on the
    /// machine is refused, reached by a link or not.
    fn inside(&self, path: &Path) -> Result<PathBuf> {
        let folder = match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let beside = folder.join(path);
        regular_inside(folder, &beside).map_err(|e| {
            let shown = path.display();
            self.wrong(format!(
                "{shown}: {e}; paths are relative to the workload file"
            ))
        })?;
        Ok(beside)
    }
}

/// A custom kernel for a built-in case.
fn kernel(path: &Path, table: KernelTable) -> Result<CaseKernel> {
    let entry = FileEntry {
        file: path,
        name: format!("kernel {:?}", table.name),
    };
    let wrong = |reason: String| entry.wrong(reason);
    check_name(&table.name).map_err(wrong)?;
    let case = find_case(&table.case).map_err(|unknown| {
        let hint = match unknown {
            UnknownCase::Workload(_) => {
                "; `perwatt list` shows the built-in cases, and a [[workload]] declares a case of your own"
            }
            _ => "; `perwatt list` shows the built-in cases",
        };
        entry.wrong(format!("{unknown}{hint}"))
    })?;
    let custom = CustomKernel {
        file: path.display().to_string(),
        buffers: buffers(&entry, table.buffer)?,
        dispatches: dispatches(&entry, table.dispatch)?,
        built_in_case: true,
    };
    if let Some(output) = custom
        .buffers
        .iter()
        .find(|b| matches!(b.contents, CustomContents::Expected { .. }))
    {
        return Err(wrong(format!(
            "buffer {:?} has expected numbers, but the built-in reference checks this case; remove them",
            output.name
        )));
    }
    CustomWork::new(&case, case.counts(), &custom)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        custom: Some(Box::new(custom)),
        parameters_from: FROM_FILE.to_owned(),
        ..CaseKernel::built_in(case, Kernel::new(table.name, &[]))
    })
}

/// What records say of a custom kernel's parameters.
const FROM_FILE: &str = "the user's file";

/// A custom case with its kernel.
fn workload(path: &Path, table: WorkloadTable) -> Result<CaseKernel> {
    let entry = FileEntry {
        file: path,
        name: format!("workload {:?}", table.case),
    };
    let wrong = |reason: String| entry.wrong(reason);
    check_name(&table.kernel).map_err(wrong)?;
    let case = custom_case(&table.case)
        .map_err(|unknown| entry.wrong(format!("{unknown}, for example `saxpy/f32/1048576`")))?;
    check_name(&case.workload).map_err(wrong)?;
    check_shape(&case.shape()).map_err(wrong)?;
    if registry().iter().any(|known| known.name() == case.workload) {
        return Err(wrong(format!(
            "{:?} is a built-in workload; declare a [[kernel]] for its case, or choose another name",
            case.workload
        )));
    }
    let custom = CustomKernel {
        file: path.display().to_string(),
        buffers: buffers(&entry, table.buffer)?,
        dispatches: dispatches(&entry, table.dispatch)?,
        built_in_case: false,
    };
    let counts = Counts {
        flop: table.flop,
        bytes: table.bytes,
        tokens: table.tokens,
    };
    if !has_checked_output(&custom) {
        return Err(wrong(
            "no bound buffer has `expected = FILE`, so nothing can check the output, and an unchecked \
             kernel gets no throughput; add one"
                .to_owned(),
        ));
    }
    CustomWork::new(&case, counts, &custom)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        case,
        kernel: Kernel::new(table.kernel, &[]),
        counts,
        custom: Some(Box::new(custom)),
        parameters_from: FROM_FILE.to_owned(),
    })
}

/// Whether a buffer with expected numbers is bound anywhere.
fn has_checked_output(custom: &CustomKernel) -> bool {
    let bound = |buffer: &CustomBuffer| {
        let mut dispatches = custom.dispatches.iter();
        dispatches.any(|dispatch| dispatch.bind.contains(&buffer.name))
    };
    custom
        .buffers
        .iter()
        .any(|b| matches!(b.contents, CustomContents::Expected { .. }) && bound(b))
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

/// A shape stands in cases and globs too; `@` begins the kernel's name there.
fn check_shape(shape: &str) -> Result<(), String> {
    let sound = |c: char| !c.is_control() && !c.is_whitespace() && !"@*?[]{}".contains(c);
    if !shape.is_empty() && shape.chars().all(sound) {
        Ok(())
    } else {
        Err(format!(
            "{shape:?} cannot be a shape; give at least one character, without spaces, control characters \
             and any of `@*?[]{{}}`"
        ))
    }
}

/// Dispatches with their shaders read.
fn dispatches(entry: &FileEntry<'_>, tables: Vec<DispatchTable>) -> Result<Vec<CustomDispatch>> {
    if tables.is_empty() {
        return Err(entry.wrong("has no [[….dispatch]]; add at least one"));
    }
    let read = |table: DispatchTable| {
        let shader = entry.inside(&table.shader)?;
        let wgsl = read_within(&shader, MOST_SOURCE_BYTES)?;
        let given = &table.workgroups;
        if given.is_empty() || given.len() > 3 || given.contains(&0) {
            return Err(entry.wrong(format!(
                "`workgroups` of {} must be one to three numbers above 0",
                table.shader.display()
            )));
        }
        let mut workgroups = [1; 3];
        workgroups[..given.len()].copy_from_slice(given);
        Ok(CustomDispatch {
            shader: table.shader.display().to_string(),
            wgsl,
            workgroups,
            bind: table.bind,
        })
    };
    tables.into_iter().map(read).collect()
}

/// Buffers with their contents checked.
fn buffers(entry: &FileEntry<'_>, tables: Vec<BufferTable>) -> Result<Vec<CustomBuffer>> {
    let read = |table: BufferTable| {
        let name = format!("{}, buffer {:?}", entry.name, table.name);
        let entry = FileEntry {
            file: entry.file,
            name,
        };
        buffer(&entry, table)
    };
    tables.into_iter().map(read).collect()
}

/// A buffer with its contents checked.
fn buffer(entry: &FileEntry<'_>, table: BufferTable) -> Result<CustomBuffer> {
    let (contents, natural) = contents(entry, &table)?;
    let elements = match (table.elements, natural) {
        (Some(said), Some(there)) if said != there => {
            return Err(entry.wrong(format!(
                "`elements` is {said}, but its contents have {there}; correct or remove it"
            )));
        }
        (Some(count), _) | (None, Some(count)) if count > 0 => count,
        _ => return Err(entry.wrong("give `elements`, a number above 0")),
    };
    let numbers: &[f64] = match &contents {
        CustomContents::Fill { value } => std::slice::from_ref(value),
        CustomContents::Values { values } => values,
        _ => &[],
    };
    if let Some(number) = numbers.iter().find(|number| !holds(table.dtype, **number)) {
        return Err(entry.wrong(format!(
            "{number:?} is no number of its `type`, which must be finite and, for u32, whole and from 0 up"
        )));
    }
    Ok(CustomBuffer {
        name: table.name,
        dtype: table.dtype,
        elements,
        contents,
    })
}

/// Whether a type has a number, rounded where it is a floating-point type.
fn holds(dtype: CustomDtype, number: f64) -> bool {
    match dtype {
        CustomDtype::F32 => (number as f32).is_finite(),
        CustomDtype::F16 => f16::from_f64(number).is_finite(),
        CustomDtype::U32 => (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0,
    }
}

/// What is in a buffer, and how many elements that is, where it says so itself.
fn contents(entry: &FileEntry<'_>, table: &BufferTable) -> Result<(CustomContents, Option<u64>)> {
    let given = [
        table.fill.is_some(),
        table.values.is_some(),
        table.file.is_some(),
        table.expected.is_some(),
        table.scratch,
    ];
    if given.iter().filter(|given| **given).count() != 1 {
        return Err(entry.wrong("give exactly one of fill, values, file, expected and scratch"));
    }
    if let Some(value) = table.fill {
        return Ok((CustomContents::Fill { value }, None));
    }
    if let Some(values) = table.values.clone() {
        let count = values.len() as u64;
        return Ok((CustomContents::Values { values }, Some(count)));
    }
    if let Some(file) = &table.file {
        let (path, count) = data_file(entry, file, table.dtype)?;
        let sha256 = sha256(Path::new(&path))?;
        return Ok((CustomContents::File { path, sha256 }, Some(count)));
    }
    let Some(file) = &table.expected else {
        return Ok((CustomContents::Scratch, None));
    };
    let (path, count) = data_file(entry, file, table.dtype)?;
    let (absolute, relative) = (table.absolute, table.relative);
    if !(absolute.is_finite() && relative.is_finite() && absolute >= 0.0 && relative >= 0.0) {
        return Err(entry.wrong("tolerances must be numbers from 0 up"));
    }
    let contents = CustomContents::Expected {
        sha256: sha256(Path::new(&path))?,
        path,
        absolute,
        relative,
    };
    Ok((contents, Some(count)))
}

/// The absolute path of a data file, and how many elements it holds.
fn data_file(entry: &FileEntry<'_>, file: &Path, dtype: CustomDtype) -> Result<(String, u64)> {
    let beside = entry.inside(file)?;
    let path = std::path::absolute(&beside).unwrap_or(beside);
    let bytes = std::fs::metadata(&path)
        .map_err(|e| Error::io(&path, e))?
        .len();
    let size = storage(dtype).bytes();
    if !bytes.is_multiple_of(size) {
        return Err(entry.wrong(format!(
            "{} has {bytes} bytes, which are no whole number of elements of {size} bytes",
            file.display()
        )));
    }
    Ok((path.display().to_string(), bytes / size))
}

/// Largest data file that is read for its digest, in bytes: half a minute's reading.
const MOST_DIGESTED_BYTES: u64 = 4 << 30;

/// What identifies the bytes of a file, so that a comparison notices other data under the same name; none for a
/// file beyond what most devices take.
fn sha256(path: &Path) -> Result<Option<String>> {
    let io = |e| Error::io(path, e);
    let mut file = std::fs::File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() > MOST_DIGESTED_BYTES {
        return Ok(None);
    }
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(io)? {
            0 => break,
            bytes => digest.update(&chunk[..bytes]),
        }
    }
    let hexadecimal = digest
        .finalize()
        .into_iter()
        .map(|byte| format!("{byte:02x}"));
    Ok(Some(hexadecimal.collect()))
}
