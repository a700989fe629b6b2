//! The bytes of a buffer that a shader's type leaves alone: the room behind a vec3, between the members of a struct. A
//! shader writes whole values and never these, so nothing can be expected there.

use naga::{ArraySize, Handle, Module, StructMember, Type, TypeInner};

/// Longest type that is looked into, in bytes; arrays at the top are periods and may have any length.
const MOST_BYTES: usize = 1 << 16;

/// Where no value of a type lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByteGaps {
    /// Whether a value lies on each of the first bytes.
    head: Vec<bool>,
    /// The same of the bytes after them, again and again.
    period: Vec<bool>,
}

impl ByteGaps {
    /// Those of a buffer of a type; none where values lie everywhere, or the type is too large to look into.
    pub(crate) fn of(module: &Module, ty: Handle<Type>) -> Option<Self> {
        let mut head = Vec::new();
        let period = match &module.types[ty].inner {
            TypeInner::Array { base, stride, .. } => element(module, *base, *stride)?,
            TypeInner::Struct { members, .. } => period_of_struct(module, ty, members, &mut head)?,
            _ => {
                mark(module, ty, 0, &mut head)?;
                Vec::new()
            }
        };
        let all = head.iter().chain(&period).all(|value| *value);
        (!all).then_some(Self { head, period })
    }

    /// Whether no value lies on a byte.
    pub(crate) fn has(&self, byte: usize) -> bool {
        let value = match byte.checked_sub(self.head.len()) {
            None => self.head[byte],
            Some(after) if !self.period.is_empty() => self.period[after % self.period.len()],
            // Beyond the type, where a buffer is larger than its variable.
            Some(_) => true,
        };
        !value
    }
}

/// The bytes that repeat at the end of a struct, none where its size is fixed; those before them go into `head`.
fn period_of_struct(
    module: &Module,
    ty: Handle<Type>,
    members: &[StructMember],
    head: &mut Vec<bool>,
) -> Option<Vec<bool>> {
    let last = members.split_last();
    let repeated = last.and_then(|(last, others)| Some((last, others, endless(module, last.ty)?)));
    let Some((last, others, (base, stride))) = repeated else {
        mark(module, ty, 0, head)?;
        return Some(Vec::new());
    };
    for member in others {
        mark(module, member.ty, member.offset as usize, head)?;
    }
    head.resize(last.offset as usize, false);
    element(module, base, stride)
}

/// Element and stride of an array without a length.
fn endless(module: &Module, ty: Handle<Type>) -> Option<(Handle<Type>, u32)> {
    match module.types[ty].inner {
        TypeInner::Array {
            base,
            size: ArraySize::Dynamic,
            stride,
        } => Some((base, stride)),
        _ => None,
    }
}

/// One element of an array.
fn element(module: &Module, base: Handle<Type>, stride: u32) -> Option<Vec<bool>> {
    let mut bytes = Vec::new();
    mark(module, base, 0, &mut bytes)?;
    bytes.resize(stride as usize, false);
    Some(bytes)
}

/// Marks the bytes of a type's values from an offset on.
fn mark(module: &Module, ty: Handle<Type>, offset: usize, bytes: &mut Vec<bool>) -> Option<()> {
    let mut value = |offset: usize, length: usize| {
        let end = offset
            .checked_add(length)
            .filter(|end| *end <= MOST_BYTES)?;
        bytes.resize(bytes.len().max(end), false);
        bytes[offset..end].fill(true);
        Some(())
    };
    match &module.types[ty].inner {
        TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => value(offset, scalar.width.into()),
        TypeInner::Vector { size, scalar } => {
            value(offset, *size as usize * usize::from(scalar.width))
        }
        TypeInner::Matrix {
            columns,
            rows,
            scalar,
        } => {
            let width = usize::from(scalar.width);
            // Three rows take the room of four.
            let stride = (*rows as usize).next_power_of_two() * width;
            (0..*columns as usize)
                .try_for_each(|column| value(offset + column * stride, *rows as usize * width))
        }
        TypeInner::Array {
            base,
            size: ArraySize::Constant(length),
            stride,
        } => (0..length.get() as usize)
            .try_for_each(|at| mark(module, *base, offset + at * *stride as usize, bytes)),
        TypeInner::Struct { members, span } => {
            members.iter().try_for_each(|member| {
                mark(module, member.ty, offset + member.offset as usize, bytes)
            })?;
            bytes.resize(bytes.len().max(offset + *span as usize), false);
            Some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::ByteGaps;

    /// The words of so many that are gaps of the only buffer of a source.
    fn gaps(declared: &str, words: usize) -> Vec<usize> {
        let module = naga::front::wgsl::parse_str(declared).unwrap();
        let (_, variable) = module.global_variables.iter().next().unwrap();
        let gaps = ByteGaps::of(&module, variable.ty);
        (0..words)
            .filter(|word| gaps.as_ref().is_some_and(|gaps| gaps.has(word * 4)))
            .collect()
    }

    const NONE: [usize; 0] = [];

    #[test]
    fn values_lie_everywhere_but_behind_a_vec3_and_between_members() {
        let of = |ty: &str, structs: &str, words| {
            let bound = "@group(0) @binding(0) var<storage, read_write> x:";
            gaps(&format!("{structs} {bound} {ty};"), words)
        };
        assert_eq!(of("array<f32>", "", 8), NONE);
        assert_eq!(of("array<vec4f>", "", 8), NONE);
        assert_eq!(of("array<vec3f>", "", 9), [3, 7]);
        assert_eq!(of("array<vec3u, 2>", "", 9), [3, 7]);
        assert_eq!(of("array<mat2x3f>", "", 10), [3, 7]);
        assert_eq!(of("mat3x3f", "", 12), [3, 7]);
        let body = "struct B { position: vec3f, mass: f32, velocity: vec3f }";
        assert_eq!(of("array<B>", body, 17), [7, 15]);
        let world = "struct B { p: vec3f } struct W { count: u32, all: array<B> }";
        assert_eq!(of("W", world, 13), [1, 2, 3, 7, 11]);
        let odd = "struct O { a: u32, @align(16) b: vec2f }";
        assert_eq!(of("O", odd, 8), [1, 2, 3, 6, 7]);
        let large = "struct L { a: vec3f, b: array<vec3f, 100000> }";
        assert_eq!(of("L", large, 8), NONE);
    }
}
