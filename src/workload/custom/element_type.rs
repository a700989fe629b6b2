//! Types of a buffer's elements: written in a manifest, or the shader's.

use naga::{ArraySize, Handle, Module, Scalar, ScalarKind, Type, TypeInner};

use crate::error::nearest;
use crate::record::CustomDtype;

/// The type that a shader gives a buffer.
pub(super) struct Wanted<'a> {
    pub(super) module: &'a Module,
    pub(super) ty: Handle<Type>,
}

/// The element type of a written one, and how many elements one of them takes.
pub(super) fn element_type(text: &str) -> Result<(CustomDtype, u64), String> {
    let inner = unwrapped(text.trim());
    let scalar = |name: &str| match name.trim().trim_end_matches('>') {
        "f32" | "f" => Some(CustomDtype::F32),
        "f16" | "h" => Some(CustomDtype::F16),
        "u32" | "u" => Some(CustomDtype::U32),
        "i32" | "i" => Some(CustomDtype::I32),
        _ => None,
    };
    let digit = |at: usize| {
        inner
            .as_bytes()
            .get(at)
            .map(|b| u64::from(b.wrapping_sub(b'0')))
    };
    // Three components take the room of four.
    let room = |n: u64| if n == 3 { 4 } else { n };
    let found = if inner.starts_with("vec") {
        let name = inner.get(4..).unwrap_or_default();
        scalar(name.trim_start_matches('<')).zip(digit(3).map(room))
    } else if inner.starts_with("mat") {
        let name = inner.get(6..).unwrap_or_default();
        let count = digit(3)
            .zip(digit(5))
            .map(|(columns, rows)| columns * room(rows));
        scalar(name.trim_start_matches('<')).zip(count)
    } else if inner.len() == 3 {
        scalar(inner).map(|dtype| (dtype, 1))
    } else {
        None
    };
    found.ok_or_else(|| {
        let known = ["f32", "f16", "u32", "i32", "vec4f", "vec2<f32>", "mat4x4f"];
        let close = nearest(text, known).map_or(String::new(), |close| format!("; did you mean {close:?}?"));
        format!(
            "`type` {text:?} is unknown{close}; there are f32, f16, u32, i32, vectors and matrices of them, and \
             `members` for structs"
        )
    })
}

/// What WGSL calls numbers of a buffer.
pub(super) const fn type_name(dtype: CustomDtype) -> &'static str {
    match dtype {
        CustomDtype::F32 => "f32",
        CustomDtype::F16 => "f16",
        CustomDtype::U32 => "u32",
        CustomDtype::I32 => "i32",
        _ => "texels",
    }
}

/// What an array or an atomic type is made of.
fn unwrapped(text: &str) -> &str {
    let of = |wrapper: &str| {
        let rest = text.strip_prefix(wrapper)?.trim_start();
        Some(rest.strip_prefix('<')?.trim_end().strip_suffix('>')?.trim())
    };
    if let Some(inner) = of("atomic") {
        return unwrapped(inner);
    }
    let Some(inner) = of("array") else {
        return text;
    };
    match inner.rsplit_once(',') {
        Some((element, length)) if length.trim().parse::<u64>().is_ok() => {
            unwrapped(element.trim())
        }
        _ => unwrapped(inner),
    }
}

/// The numbers that a type is made of, where they are all of one type.
pub(super) fn scalar_of(module: &Module, ty: Handle<Type>) -> Option<CustomDtype> {
    let of_scalar = |scalar: &Scalar| match (scalar.kind, scalar.width) {
        (ScalarKind::Float, 4) => Some(CustomDtype::F32),
        (ScalarKind::Float, 2) => Some(CustomDtype::F16),
        (ScalarKind::Uint, 4) => Some(CustomDtype::U32),
        (ScalarKind::Sint, 4) => Some(CustomDtype::I32),
        _ => None,
    };
    match &module.types[ty].inner {
        TypeInner::Scalar(scalar)
        | TypeInner::Atomic(scalar)
        | TypeInner::Vector { scalar, .. }
        | TypeInner::Matrix { scalar, .. } => of_scalar(scalar),
        TypeInner::Array { base, .. } => scalar_of(module, *base),
        TypeInner::Struct { members, .. } => {
            let mut types = members.iter().map(|member| scalar_of(module, member.ty));
            let first = types.next()??;
            types.all(|other| other == Some(first)).then_some(first)
        }
        _ => None,
    }
}

/// Bytes of a type of which every value is as large.
pub(super) fn fixed_bytes(module: &Module, ty: Handle<Type>) -> Option<u64> {
    let inner = &module.types[ty].inner;
    match inner {
        TypeInner::Array { size, .. } if !matches!(size, ArraySize::Constant(_)) => None,
        TypeInner::Array { base, .. } => {
            fixed_bytes(module, *base)?;
            Some(inner.size(module.to_ctx()).into())
        }
        TypeInner::Struct { members, span } => {
            fixed_bytes(module, members.last()?.ty)?;
            Some((*span).into())
        }
        _ => Some(inner.size(module.to_ctx()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::element_type;
    use crate::record::CustomDtype::{F16, F32, I32, U32};

    #[test]
    fn types_are_written_as_in_wgsl() {
        for (text, found) in [
            ("f32", (F32, 1)),
            ("i32", (I32, 1)),
            ("array<u32>", (U32, 1)),
            ("array<atomic<u32>, 64>", (U32, 1)),
            ("atomic<i32>", (I32, 1)),
            ("vec4f", (F32, 4)),
            ("vec3<f32>", (F32, 4)),
            ("vec2h", (F16, 2)),
            ("array<vec2<u32>>", (U32, 2)),
            ("mat4x4f", (F32, 16)),
            ("mat2x3<f32>", (F32, 8)),
        ] {
            assert_eq!(element_type(text), Ok(found), "{text}");
        }
        for text in ["float", "f64", "vec5", "u8", ""] {
            assert!(element_type(text).is_err(), "{text}");
        }
    }
}
