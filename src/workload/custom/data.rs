//! Data files of a manifest: raw little-endian numbers, or NumPy's `.npy`.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use npyz::{DType, NpyFile, Order};

use crate::record::CustomDtype;
use crate::workload::kit::input::Storage;

/// How a custom buffer stores its elements.
pub(super) fn storage(dtype: CustomDtype) -> Storage {
    match dtype {
        CustomDtype::F32 => Storage::F32,
        CustomDtype::F16 => Storage::F16,
        CustomDtype::U32 | CustomDtype::I32 => Storage::U32,
    }
}

/// NumPy's name of an element type.
fn numpy(dtype: CustomDtype) -> (&'static str, &'static str) {
    match dtype {
        CustomDtype::F32 => ("<f4", "float32"),
        CustomDtype::F16 => ("<f2", "float16"),
        CustomDtype::U32 => ("<u4", "uint32"),
        CustomDtype::I32 => ("<i4", "int32"),
    }
}

/// An opened data file: its numbers follow.
#[derive(Debug)]
struct OpenData {
    rest: File,
    elements: u64,
}

/// How many elements of a type a file holds.
///
/// # Errors
/// It is no regular file, of another type, or holds no whole number of them; in words that follow its name.
pub(super) fn elements(path: &Path, dtype: CustomDtype) -> Result<u64, String> {
    open(path, dtype).map(|data| data.elements)
}

/// Reads so many bytes of elements.
///
/// # Errors
/// The same. Of a file that shrank since, it gives what there is.
pub(super) fn read(path: &Path, dtype: CustomDtype, bytes: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let data = open(path, dtype).map_err(|e| format!("{shown}: {e}"))?;
    let mut read = Vec::new();
    data.rest
        .take(bytes)
        .read_to_end(&mut read)
        .map_err(|e| format!("{shown}: {e}"))?;
    Ok(read)
}

fn open(path: &Path, dtype: CustomDtype) -> Result<OpenData, String> {
    let about = std::fs::metadata(path).map_err(|e| e.to_string())?;
    // A pipe would hold up `open` for ever.
    if !about.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut magic = Vec::new();
    file.by_ref()
        .take(6)
        .read_to_end(&mut magic)
        .map_err(|e| e.to_string())?;
    file.rewind().map_err(|e| e.to_string())?;
    if magic == *b"\x93NUMPY" {
        return open_npy(file, dtype, about.len());
    }
    let size = storage(dtype).bytes();
    if !about.len().is_multiple_of(size) {
        return Err(format!(
            "has {} bytes, which are no whole number of elements of {size} bytes; give only the numbers, or a `.npy`",
            about.len()
        ));
    }
    Ok(OpenData {
        rest: file,
        elements: about.len() / size,
    })
}

fn open_npy(file: File, dtype: CustomDtype, length: u64) -> Result<OpenData, String> {
    let (descriptor, name) = numpy(dtype);
    let npy = NpyFile::new(file).map_err(|e| format!("no readable `.npy`: {e}"))?;
    let there = match npy.dtype() {
        DType::Plain(there) => there.to_string(),
        other => other.descr(),
    };
    if there != descriptor {
        return Err(format!(
            "holds {there}, and the buffer needs {descriptor}; write it with `.astype(np.{name})`"
        ));
    }
    if npy.order() == Order::Fortran && npy.shape().len() > 1 {
        return Err("is in Fortran's order; write it with `np.ascontiguousarray`".to_owned());
    }
    let mut shape = npy.shape().iter();
    let elements = shape
        .try_fold(1_u64, |all, length| all.checked_mul(*length))
        .ok_or("is larger than any memory")?;
    let mut rest = npy.into_inner();
    let at = rest.stream_position().map_err(|e| e.to_string())?;
    let there = length.saturating_sub(at);
    if elements.checked_mul(storage(dtype).bytes()) != Some(there) {
        return Err(format!(
            "has {there} bytes of numbers, and its header says {elements} elements"
        ));
    }
    Ok(OpenData { rest, elements })
}

/// A number as its little-endian bytes.
pub(super) fn put(value: f64, dtype: CustomDtype, bytes: &mut Vec<u8>) {
    match dtype {
        CustomDtype::F32 => bytes.extend((value as f32).to_le_bytes()),
        CustomDtype::F16 => bytes.extend(half::f16::from_f64(value).to_le_bytes()),
        CustomDtype::U32 => bytes.extend((value as u32).to_le_bytes()),
        CustomDtype::I32 => bytes.extend((value as i32).to_le_bytes()),
    }
}

/// The numbers that little-endian bytes hold, exactly.
pub(super) fn numbers(bytes: &[u8], dtype: CustomDtype) -> Vec<f64> {
    let word = |b: &[u8]| [b[0], b[1], b[2], b[3]];
    let words = bytes.chunks_exact(4).map(word);
    match dtype {
        CustomDtype::F32 => words.map(|w| f32::from_le_bytes(w).into()).collect(),
        CustomDtype::U32 => words.map(|w| u32::from_le_bytes(w).into()).collect(),
        CustomDtype::I32 => words.map(|w| i32::from_le_bytes(w).into()).collect(),
        CustomDtype::F16 => bytes
            .chunks_exact(2)
            .map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f64())
            .collect(),
    }
}

/// A number as a type stores it.
pub(super) fn stored(value: f64, dtype: CustomDtype) -> f64 {
    match dtype {
        CustomDtype::F32 => f64::from(value as f32),
        CustomDtype::F16 => half::f16::from_f64(value).to_f64(),
        CustomDtype::U32 | CustomDtype::I32 => value,
    }
}

/// Whether a type has a number, rounded where it is a floating-point type.
pub(super) fn holds(dtype: CustomDtype, number: f64) -> bool {
    match dtype {
        CustomDtype::F32 => (number as f32).is_finite(),
        CustomDtype::F16 => half::f16::from_f64(number).is_finite(),
        CustomDtype::U32 => (0.0..=f64::from(u32::MAX)).contains(&number) && number.fract() == 0.0,
        CustomDtype::I32 => {
            (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) && number.fract() == 0.0
        }
    }
}
