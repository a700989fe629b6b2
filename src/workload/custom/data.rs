//! Data files of a manifest: raw little-endian numbers, or NumPy's `.npy`.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use npyz::{DType, NpyFile, Order};
use sha2::{Digest, Sha256};

use super::amounts::ParameterScope;
use super::entry::FileEntry;
use crate::error::{Error, Result as FileResult};
use crate::record::CustomDtype;

/// NumPy's name of an element type.
fn numpy(dtype: CustomDtype) -> (&'static str, &'static str) {
    match dtype {
        CustomDtype::F32 => ("<f4", "float32"),
        CustomDtype::F16 => ("<f2", "float16"),
        CustomDtype::U32 => ("<u4", "uint32"),
        CustomDtype::I32 => ("<i4", "int32"),
        CustomDtype::U16 | CustomDtype::Unorm16 => ("<u2", "uint16"),
        CustomDtype::I16 => ("<i2", "int16"),
        CustomDtype::U8 | CustomDtype::Unorm8 => ("|u1", "uint8"),
        CustomDtype::I8 | CustomDtype::Snorm8 => ("|i1", "int8"),
    }
}

/// An opened data file: its numbers follow.
#[derive(Debug)]
struct OpenData {
    rest: File,
    elements: u64,
    /// What the file's numbers are.
    dtype: CustomDtype,
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
    let there = bytes / dtype.bytes() * data.dtype.bytes();
    data.rest
        .take(if data.dtype == dtype { bytes } else { there })
        .read_to_end(&mut read)
        .map_err(|e| format!("{shown}: {e}"))?;
    if data.dtype == dtype {
        return Ok(read);
    }
    let mut converted = Vec::new();
    for number in numbers(&read, data.dtype) {
        if !holds(dtype, number) {
            return Err(format!(
                "{shown}: {number:?} cannot be stored by the texture's format"
            ));
        }
        put(number, dtype, &mut converted);
    }
    Ok(converted)
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
    let size = dtype.bytes();
    if !about.len().is_multiple_of(size) {
        return Err(format!(
            "has {} bytes, which are no whole number of elements of {size} bytes; give only the numbers, or a `.npy`",
            about.len()
        ));
    }
    Ok(OpenData {
        rest: file,
        elements: about.len() / size,
        dtype,
    })
}

fn open_npy(file: File, dtype: CustomDtype, length: u64) -> Result<OpenData, String> {
    let (mut descriptor, name) = numpy(dtype);
    let npy = NpyFile::new(file).map_err(|e| format!("no readable `.npy`: {e}"))?;
    let there = match npy.dtype() {
        DType::Plain(there) => there.to_string(),
        other => other.descr(),
    };
    let (mut dtype, mut name) = (dtype, name.to_owned());
    if dtype.is_normalized() {
        // What a texture stores as bytes stands for numbers up to 1, and those are taken too.
        name += ")`, or the numbers that those stand for with `.astype(np.float32";
        if there == numpy(CustomDtype::F32).0 {
            (descriptor, dtype) = (numpy(CustomDtype::F32).0, CustomDtype::F32);
        }
    }
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
    if elements.checked_mul(dtype.bytes()) != Some(there) {
        return Err(format!(
            "has {there} bytes of numbers, and its header says {elements} elements"
        ));
    }
    Ok(OpenData {
        rest,
        elements,
        dtype,
    })
}

/// A data file of numbers of a type: its path, how many there are, and its digest.
pub(super) fn data_file(
    entry: &FileEntry<'_>,
    file: &str,
    scope: &ParameterScope,
    dtype: CustomDtype,
) -> FileResult<(String, u64, Option<String>)> {
    let file = scope.text(file).map_err(|e| entry.wrong(e))?;
    let path = entry.inside(Path::new(&file))?;
    let count = elements(&path, dtype).map_err(|e| entry.wrong(format!("{file}: {e}")))?;
    let sha256 = entry.file.reads.digest(&path, || sha256(&path));
    let sha256 = sha256.map_err(|e| entry.wrong(e))?;
    Ok((path.display().to_string(), count, sha256))
}

/// Largest data file that is read for its digest, in bytes: half a minute's reading.
const MOST_DIGESTED_BYTES: u64 = 4 << 30;

/// What identifies the bytes of a file, so that a comparison notices other data under the same name; none for a
/// file beyond what most devices take.
fn sha256(path: &Path) -> FileResult<Option<String>> {
    let io = |e| Error::io(path, e);
    let mut file = File::open(path).map_err(io)?;
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

/// A number as its little-endian bytes.
pub(super) fn put(value: f64, dtype: CustomDtype, bytes: &mut Vec<u8>) {
    match dtype {
        CustomDtype::F32 => bytes.extend((value as f32).to_le_bytes()),
        CustomDtype::F16 => bytes.extend(half::f16::from_f64(value).to_le_bytes()),
        CustomDtype::U32 => bytes.extend((value as u32).to_le_bytes()),
        CustomDtype::I32 => bytes.extend((value as i32).to_le_bytes()),
        CustomDtype::U16 => bytes.extend((value as u16).to_le_bytes()),
        CustomDtype::I16 => bytes.extend((value as i16).to_le_bytes()),
        CustomDtype::U8 => bytes.push(value as u8),
        CustomDtype::I8 => bytes.extend((value as i8).to_le_bytes()),
        CustomDtype::Unorm8 => bytes.push((value.clamp(0.0, 1.0) * 255.0).round() as u8),
        CustomDtype::Unorm16 => {
            bytes.extend(((value.clamp(0.0, 1.0) * 65_535.0).round() as u16).to_le_bytes());
        }
        CustomDtype::Snorm8 => {
            bytes.extend(((value.clamp(-1.0, 1.0) * 127.0).round() as i8).to_le_bytes());
        }
    }
}

/// The numbers that little-endian bytes hold, exactly.
pub(super) fn numbers(bytes: &[u8], dtype: CustomDtype) -> Vec<f64> {
    let words = || bytes.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
    let halves = || bytes.chunks_exact(2).map(|b| [b[0], b[1]]);
    let signed = || bytes.iter().map(|byte| f64::from(byte.cast_signed()));
    match dtype {
        CustomDtype::F32 => words().map(|w| f32::from_le_bytes(w).into()).collect(),
        CustomDtype::U32 => words().map(|w| u32::from_le_bytes(w).into()).collect(),
        CustomDtype::I32 => words().map(|w| i32::from_le_bytes(w).into()).collect(),
        CustomDtype::F16 => halves()
            .map(|b| half::f16::from_le_bytes(b).to_f64())
            .collect(),
        CustomDtype::U16 => halves().map(|b| u16::from_le_bytes(b).into()).collect(),
        CustomDtype::I16 => halves().map(|b| i16::from_le_bytes(b).into()).collect(),
        CustomDtype::U8 => bytes.iter().map(|byte| f64::from(*byte)).collect(),
        CustomDtype::I8 => signed().collect(),
        CustomDtype::Unorm8 => bytes.iter().map(|byte| f64::from(*byte) / 255.0).collect(),
        CustomDtype::Unorm16 => halves()
            .map(|b| f64::from(u16::from_le_bytes(b)) / 65_535.0)
            .collect(),
        // −128 and −127 both mean −1.
        CustomDtype::Snorm8 => signed().map(|number| (number / 127.0).max(-1.0)).collect(),
    }
}

/// A number as a type stores it.
pub(super) fn stored(value: f64, dtype: CustomDtype) -> f64 {
    match dtype {
        CustomDtype::F32 => f64::from(value as f32),
        CustomDtype::F16 => half::f16::from_f64(value).to_f64(),
        CustomDtype::Unorm8 => (value.clamp(0.0, 1.0) * 255.0).round() / 255.0,
        CustomDtype::Unorm16 => (value.clamp(0.0, 1.0) * 65_535.0).round() / 65_535.0,
        CustomDtype::Snorm8 => (value.clamp(-1.0, 1.0) * 127.0).round() / 127.0,
        _ => value,
    }
}

/// Whether a type has a number, rounded where it is no whole one.
pub(super) fn holds(dtype: CustomDtype, number: f64) -> bool {
    let whole = |least: f64, most: f64| (least..=most).contains(&number) && number.fract() == 0.0;
    match dtype {
        CustomDtype::F32 => (number as f32).is_finite(),
        CustomDtype::F16 => half::f16::from_f64(number).is_finite(),
        CustomDtype::U32 => whole(0.0, u32::MAX.into()),
        CustomDtype::I32 => whole(i32::MIN.into(), i32::MAX.into()),
        CustomDtype::U16 => whole(0.0, u16::MAX.into()),
        CustomDtype::I16 => whole(i16::MIN.into(), i16::MAX.into()),
        CustomDtype::U8 => whole(0.0, u8::MAX.into()),
        CustomDtype::I8 => whole(i8::MIN.into(), i8::MAX.into()),
        CustomDtype::Unorm8 | CustomDtype::Unorm16 => (0.0..=1.0).contains(&number),
        CustomDtype::Snorm8 => (-1.0..=1.0).contains(&number),
    }
}
