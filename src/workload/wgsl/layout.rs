//! Values as the bytes that a variable's type lays out: members of structs by name, lists for vectors, matrices and
//! arrays.

use std::collections::BTreeMap;

use half::f16;
use naga::{Handle, Module, ScalarKind, Type, TypeInner};

use crate::error::nearest;

/// A value as a file writes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WrittenValue {
    /// A number.
    Number(f64),
    /// Elements, columns or components.
    List(Vec<WrittenValue>),
    /// Members by name.
    Members(BTreeMap<String, WrittenValue>),
}

/// Bytes of a value of a type; an array without a length is as long as its list.
pub(crate) fn encode(
    module: &Module,
    ty: Handle<Type>,
    value: &WrittenValue,
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    write(module, ty, value, 0, "", &mut bytes)?;
    Ok(bytes)
}

/// Writes a value at an offset.
fn write(
    module: &Module,
    ty: Handle<Type>,
    value: &WrittenValue,
    offset: usize,
    path: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let inner = &module.types[ty].inner;
    match (inner, value) {
        (TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar), WrittenValue::Number(number)) => {
            put(bytes, offset, &scalar_bytes(*scalar, *number, path)?);
            Ok(())
        }
        (TypeInner::Vector { size, scalar }, WrittenValue::List(list)) => {
            exact(path, list.len(), *size as usize, "components")?;
            for (at, value) in list.iter().enumerate() {
                let WrittenValue::Number(number) = value else {
                    return Err(format!("{path}[{at}] must be a number"));
                };
                let place = offset + at * usize::from(scalar.width);
                put(bytes, place, &scalar_bytes(*scalar, *number, path)?);
            }
            // A buffer is a whole number of words.
            Ok(())
        }
        (
            TypeInner::Matrix {
                columns,
                rows,
                scalar,
            },
            WrittenValue::List(list),
        ) => {
            exact(path, list.len(), *columns as usize, "columns")?;
            let rows_in_memory = if *rows as usize == 3 {
                4
            } else {
                *rows as usize
            };
            for (column, value) in list.iter().enumerate() {
                let WrittenValue::List(numbers) = value else {
                    return Err(format!(
                        "{path}[{column}] must be a list of numbers, a column"
                    ));
                };
                exact(path, numbers.len(), *rows as usize, "rows")?;
                for (row, value) in numbers.iter().enumerate() {
                    let WrittenValue::Number(number) = value else {
                        return Err(format!("{path}[{column}][{row}] must be a number"));
                    };
                    let at = column * rows_in_memory + row;
                    let place = offset + at * usize::from(scalar.width);
                    put(bytes, place, &scalar_bytes(*scalar, *number, path)?);
                }
            }
            let whole = *columns as usize * rows_in_memory * usize::from(scalar.width);
            reach(bytes, offset + whole);
            Ok(())
        }
        (TypeInner::Array { base, size, stride }, WrittenValue::List(list)) => {
            if let naga::ArraySize::Constant(length) = size {
                exact(path, list.len(), length.get() as usize, "elements")?;
            }
            for (at, value) in list.iter().enumerate() {
                let place = offset + at * *stride as usize;
                write(module, *base, value, place, &format!("{path}[{at}]"), bytes)?;
            }
            reach(bytes, offset + list.len() * *stride as usize);
            Ok(())
        }
        (TypeInner::Struct { members, span }, WrittenValue::Members(values)) => {
            let names: Vec<&str> = members.iter().filter_map(|m| m.name.as_deref()).collect();
            if let Some(unknown) = values.keys().find(|name| !names.contains(&name.as_str())) {
                let close = nearest(unknown, names.iter().copied())
                    .map(|close| format!("; did you mean {close:?}?"));
                return Err(format!(
                    "{unknown:?} is no member; the shader has {}{}",
                    names.join(", "),
                    close.unwrap_or_default()
                ));
            }
            // Padding that people write out has names like these.
            let is_padding =
                |name: &str| name.starts_with('_') || name.to_lowercase().starts_with("pad");
            let lacking = names
                .iter()
                .filter(|name| !values.contains_key(**name) && !is_padding(name));
            let lacking: Vec<String> = lacking.map(|name| format!("{name} = 0")).collect();
            if !lacking.is_empty() {
                return Err(format!(
                    "members without a value; add {}",
                    lacking.join(", ")
                ));
            }
            reach(bytes, offset + *span as usize);
            for member in members {
                let name = member.name.as_deref().unwrap_or_default();
                let Some(value) = values.get(name) else {
                    continue;
                };
                let place = offset + member.offset as usize;
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                write(module, member.ty, value, place, &path, bytes)?;
            }
            Ok(())
        }
        (inner, _) => Err(format!(
            "{} must be {}",
            if path.is_empty() { "the value" } else { path },
            wanted(inner)
        )),
    }
}

/// How a value of a type is written.
fn wanted(inner: &TypeInner) -> &'static str {
    match inner {
        TypeInner::Scalar(_) | TypeInner::Atomic(_) => "one number",
        TypeInner::Vector { .. } => "a list of its components",
        TypeInner::Matrix { .. } => "a list of its columns, each a list",
        TypeInner::Array { .. } => "a list of its elements",
        TypeInner::Struct { .. } => "a table of its members, `{ name = value, … }`",
        _ => "of a type that a buffer can hold",
    }
}

fn exact(path: &str, got: usize, want: usize, what: &str) -> Result<(), String> {
    if got == want {
        return Ok(());
    }
    let place = if path.is_empty() { "the value" } else { path };
    Err(format!("{place} has {got} {what} and needs {want}"))
}

/// A number as bytes of a scalar type that has it.
fn scalar_bytes(scalar: naga::Scalar, number: f64, path: &str) -> Result<Vec<u8>, String> {
    let whole = number.fract() == 0.0;
    let bytes = match (scalar.kind, scalar.width) {
        (ScalarKind::Float, 4) if (number as f32).is_finite() || !number.is_finite() => {
            (number as f32).to_le_bytes().to_vec()
        }
        (ScalarKind::Float, 2) if f16::from_f64(number).is_finite() || !number.is_finite() => {
            f16::from_f64(number).to_le_bytes().to_vec()
        }
        (ScalarKind::Uint, 4) if whole && (0.0..=f64::from(u32::MAX)).contains(&number) => {
            (number as u32).to_le_bytes().to_vec()
        }
        (ScalarKind::Sint, 4)
            if whole && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number) =>
        {
            (number as i32).to_le_bytes().to_vec()
        }
        _ => {
            let place = if path.is_empty() { "the value" } else { path };
            return Err(format!(
                "{place}: {number:?} is no {} of {} bits",
                match scalar.kind {
                    ScalarKind::Float => "floating-point number",
                    ScalarKind::Uint => "whole number from 0 up",
                    ScalarKind::Sint => "whole number",
                    _ => "value",
                },
                scalar.width * 8
            ));
        }
    };
    Ok(bytes)
}

/// Writes bytes at a place, with zeros before it where nothing was.
fn put(bytes: &mut Vec<u8>, place: usize, data: &[u8]) {
    reach(bytes, place + data.len());
    bytes[place..place + data.len()].copy_from_slice(data);
}

/// Makes the bytes reach to a place.
fn reach(bytes: &mut Vec<u8>, place: usize) {
    if bytes.len() < place {
        bytes.resize(place, 0);
    }
}
