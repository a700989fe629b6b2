//! The buffers of a manifest, with contents and checks read and held to their types. Nothing is allocated for a
//! buffer; data files are read for their digest alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use naga::{Handle, Module, Scalar, ScalarKind, Type, TypeInner};
use sha2::{Digest, Sha256};

use super::amounts::{Amount, ParameterScope, compile};
use super::data;
use super::entry::FileEntry;
use super::file::BufferTable;
use crate::error::{Error, Result, nearest};
use crate::record::{CustomBuffer, CustomCheck, CustomContents, CustomDtype, CustomGenerator};
use crate::workload::wgsl::{WrittenValue, encode};

/// The type that a shader gives a buffer.
pub(super) struct Wanted<'a> {
    pub(super) module: &'a Module,
    pub(super) ty: Handle<Type>,
}

/// A buffer with its contents and checks; `names` are those of all buffers.
pub(super) fn buffer(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    wanted: Option<&Wanted<'_>>,
    names: &[&str],
    referenced: bool,
) -> Result<CustomBuffer> {
    let wrong = |reason: String| entry.wrong(reason);
    let layouts = table.members.is_some() || (table.dtype.is_none() && nested(table));
    let (dtype, lanes) = match (&table.dtype, layouts) {
        (_, true) => (CustomDtype::U32, 1),
        (Some(text), _) => element_type(text).map_err(wrong)?,
        (None, _) => wanted
            .and_then(|wanted| scalar_of(wanted.module, wanted.ty))
            .map(|dtype| (dtype, 1))
            .ok_or_else(|| {
                entry.wrong(format!(
                    "no shader that perwatt can read has a variable {:?}; name the buffer as the variable, bind it, or give \
                     its `type`, for example \"f32\"",
                    table.name
                ))
            })?,
    };
    let (contents, natural) = contents(entry, table, scope, dtype, wanted, layouts)?;
    let said = table
        .elements
        .as_ref()
        .map(|amount| scope.whole(amount))
        .transpose()
        .map_err(|e| entry.wrong(format!("`elements`: {e}")))?
        .map(|count| {
            count
                .checked_mul(lanes)
                .ok_or_else(|| entry.wrong("`elements` is too large"))
        })
        .transpose()?;
    let (mut checks, checked) = checks(entry, table, scope, dtype, names, referenced)?;
    let natural = natural.or(checked);
    let elements = match (said, natural) {
        (Some(said), Some(there)) if said != there => {
            return Err(entry.wrong(format!(
                "`elements` is {said}, but its contents have {there}; correct or remove it"
            )));
        }
        (Some(count), _) | (None, Some(count)) if count > 0 => count,
        _ => return Err(entry.wrong("give `elements`, a number above 0")),
    };
    if let Some(checked) = checked
        && checked != elements
    {
        return Err(entry.wrong(format!(
            "{} has {checked} numbers and the buffer {elements}",
            table.expected.as_ref().map_or("`expected`", String::as_str)
        )));
    }
    let numbers: &[f64] = match &contents {
        CustomContents::Fill { value } => std::slice::from_ref(value),
        CustomContents::Values { values } => values,
        _ => &[],
    };
    if let Some(number) = numbers.iter().find(|n| !data::holds(dtype, **n)) {
        return Err(entry.wrong(format!(
            "{number:?} is no number of its `type`, which must be finite and, for u32 and i32, whole and in range"
        )));
    }
    if let CustomContents::Generated { generator, .. } = &contents {
        check_generator(generator, dtype, elements).map_err(wrong)?;
    }
    // An output that only a file of numbers checks is written as version 1.0 wrote it.
    let contents = match (contents, checks.as_slice()) {
        (
            CustomContents::Scratch,
            [
                CustomCheck::File {
                    path,
                    absolute,
                    relative,
                    sha256,
                },
            ],
        ) if table.restore != Some(true) => {
            let contents = CustomContents::Expected {
                path: path.clone(),
                absolute: *absolute,
                relative: *relative,
                sha256: sha256.clone(),
            };
            checks = Vec::new();
            contents
        }
        (contents, _) => contents,
    };
    Ok(CustomBuffer {
        name: table.name.clone(),
        dtype,
        elements,
        contents,
        restore: table.restore,
        checks,
    })
}

/// Whether values are lists or tables themselves, which a shader's type has to lay out.
fn nested(table: &BufferTable) -> bool {
    let deep = |value: &toml::Value| value.is_array() || value.is_table();
    table.values.as_ref().is_some_and(|v| v.iter().any(deep))
}

/// Most numbers that stand in a manifest for one buffer.
const MOST_VALUES: usize = 1 << 20;

/// What is in a buffer, and how many elements that is, where it says so itself.
fn contents(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    dtype: CustomDtype,
    wanted: Option<&Wanted<'_>>,
    layouts: bool,
) -> Result<(CustomContents, Option<u64>)> {
    let given = [
        table.fill.is_some(),
        table.values.is_some(),
        table.members.is_some(),
        table.file.is_some(),
        table.uniform.is_some(),
        table.normal.is_some(),
        table.integers.is_some(),
        table.ramp.is_some(),
        table.permutation,
        table.scratch,
    ];
    let output = table.output || is_checked(table);
    match given.iter().filter(|given| **given).count() {
        0 if output => return Ok((CustomContents::Scratch, None)),
        1 if table.scratch && output => {
            return Err(entry.wrong(
                "`scratch` is working memory that nothing checks; leave it out, or `output` and the check",
            ));
        }
        1 => {}
        _ => {
            return Err(entry.wrong(
                "give exactly one of fill, values, members, file, uniform, normal, integers, ramp, permutation \
                 and scratch, or make it an output with expected, formula, check or output",
            ));
        }
    }
    let number = |amount: &Amount| scope.number(amount).map_err(|e| entry.wrong(e));
    if layouts {
        return laid_out(entry, table, scope, wanted);
    }
    if let Some(amount) = &table.fill {
        let value = number(amount)?;
        return Ok((CustomContents::Fill { value }, None));
    }
    if let Some(values) = &table.values {
        if values.len() > MOST_VALUES {
            return Err(
                entry.wrong("has more `values` than a manifest should hold; write them to a file")
            );
        }
        let values: Vec<f64> = values
            .iter()
            .map(|value| number(&amount(value).map_err(|e| entry.wrong(e))?))
            .collect::<Result<_>>()?;
        let count = values.len() as u64;
        return Ok((CustomContents::Values { values }, Some(count)));
    }
    if let Some(file) = &table.file {
        let (path, count, sha256) = data_file(entry, file, scope, dtype)?;
        return Ok((CustomContents::File { path, sha256 }, Some(count)));
    }
    if table.scratch {
        return Ok((CustomContents::Scratch, None));
    }
    let pair = |pair: &[Amount; 2]| Ok::<_, Error>((number(&pair[0])?, number(&pair[1])?));
    let generator = if let Some(range) = &table.uniform {
        let (low, high) = pair(range)?;
        CustomGenerator::Uniform { low, high }
    } else if let Some(range) = &table.normal {
        let (mean, deviation) = pair(range)?;
        CustomGenerator::Normal { mean, deviation }
    } else if let Some(range) = &table.ramp {
        let (start, step) = pair(range)?;
        CustomGenerator::Ramp { start, step }
    } else if let Some(range) = &table.integers {
        let (low, high) = pair(range)?;
        if low.fract() != 0.0 || high.fract() != 0.0 {
            return Err(
                entry.wrong("`integers` takes two whole numbers, the least and the greatest")
            );
        }
        CustomGenerator::Integers {
            low: low as i64,
            high: high as i64,
        }
    } else {
        CustomGenerator::Permutation
    };
    let seed = table.seed;
    Ok((CustomContents::Generated { generator, seed }, None))
}

/// Whether something says what a buffer must hold.
fn is_checked(table: &BufferTable) -> bool {
    table.expected.is_some() || table.formula.is_some() || !table.check.is_empty()
}

/// Values by the layout of the shader's type, as words.
fn laid_out(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    wanted: Option<&Wanted<'_>>,
) -> Result<(CustomContents, Option<u64>)> {
    let wanted = wanted.ok_or_else(|| {
        entry.wrong(
            "no shader of a dispatch that perwatt can read binds it, so its layout is unknown",
        )
    })?;
    let value = match (&table.members, &table.values) {
        (Some(members), _) => toml::Value::Table(members.clone()),
        (_, Some(values)) => toml::Value::Array(values.clone()),
        _ => toml::Value::Array(Vec::new()),
    };
    let value = written(&value, scope).map_err(|e| entry.wrong(e))?;
    let mut bytes = encode(wanted.module, wanted.ty, &value).map_err(|e| entry.wrong(e))?;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let values: Vec<f64> = data::numbers(&bytes, CustomDtype::U32);
    let count = values.len() as u64;
    Ok((CustomContents::Values { values }, Some(count)))
}

/// An amount of a manifest.
fn amount(value: &toml::Value) -> Result<Amount, String> {
    match value {
        toml::Value::Integer(number) => Ok(Amount::Whole(*number)),
        toml::Value::Float(number) => Ok(Amount::Fraction(*number)),
        toml::Value::Boolean(truth) => Ok(Amount::Whole((*truth).into())),
        toml::Value::String(text) => Ok(Amount::Expression(text.clone())),
        other => Err(format!("{other} is no number and no expression")),
    }
}

/// A value with its expressions evaluated.
fn written(value: &toml::Value, scope: &ParameterScope) -> Result<WrittenValue, String> {
    match value {
        toml::Value::Array(list) => {
            let list = list.iter().map(|value| written(value, scope));
            Ok(WrittenValue::List(list.collect::<Result<_, _>>()?))
        }
        toml::Value::Table(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((name.clone(), written(value, scope)?)));
            let members = members.collect::<Result<BTreeMap<_, _>, String>>()?;
            Ok(WrittenValue::Members(members))
        }
        other => Ok(WrittenValue::Number(scope.number(&amount(other)?)?)),
    }
}

/// What a buffer must hold, and how many elements that is, where a file says.
fn checks(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    dtype: CustomDtype,
    names: &[&str],
    referenced: bool,
) -> Result<(Vec<CustomCheck>, Option<u64>)> {
    let tolerance = |amount: &Option<Amount>| {
        let number = amount.as_ref().map_or(Ok(0.0), |a| scope.number(a));
        match number {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
            Ok(_) => Err(entry.wrong("tolerances must be numbers from 0 up")),
            Err(e) => Err(entry.wrong(e)),
        }
    };
    let (absolute, relative) = (tolerance(&table.absolute)?, tolerance(&table.relative)?);
    let (mut checks, mut elements) = (Vec::new(), None);
    if let Some(file) = &table.expected {
        let (path, count, sha256) = data_file(entry, file, scope, dtype)?;
        elements = Some(count);
        checks.push(CustomCheck::File {
            path,
            absolute,
            relative,
            sha256,
        });
    }
    if let Some(formula) = &table.formula {
        let values = scope.numbers();
        let known = values
            .keys()
            .map(String::as_str)
            .chain(names.iter().copied());
        compile(formula, known.chain(["i"])).map_err(|e| entry.wrong(format!("`formula`: {e}")))?;
        checks.push(CustomCheck::Formula {
            formula: formula.clone(),
            values,
            absolute,
            relative,
        });
    }
    for text in &table.check {
        let check = invariant(text, names, absolute, relative).map_err(|e| entry.wrong(e))?;
        checks.push(check);
    }
    if table.output && referenced {
        checks.push(CustomCheck::Reference { absolute, relative });
    }
    Ok((checks, elements))
}

/// An invariant as a manifest writes it.
fn invariant(
    text: &str,
    names: &[&str],
    absolute: f64,
    relative: f64,
) -> Result<CustomCheck, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let buffer = |name: &str| {
        if names.contains(&name) {
            return Ok(name.to_owned());
        }
        Err(format!(
            "`check = [{text:?}]`: no buffer is called {name:?}; there are {}",
            names.join(", ")
        ))
    };
    match words.as_slice() {
        ["finite"] => Ok(CustomCheck::Finite),
        ["sorted"] => Ok(CustomCheck::Sorted),
        ["permutation", "of", name] => Ok(CustomCheck::Permutation { of: buffer(name)? }),
        ["sum", "of", name] => Ok(CustomCheck::Sum {
            of: buffer(name)?,
            absolute,
            relative,
        }),
        _ => Err(format!(
            "`check = [{text:?}]` is unknown; there are \"finite\", \"sorted\", \"permutation of BUFFER\" and \
             \"sum of BUFFER\""
        )),
    }
}

/// Whether every number of a generator is one of the type.
fn check_generator(
    generator: &CustomGenerator,
    dtype: CustomDtype,
    elements: u64,
) -> Result<(), String> {
    let whole = matches!(dtype, CustomDtype::U32 | CustomDtype::I32);
    let (least, most) = match *generator {
        CustomGenerator::Uniform { .. } | CustomGenerator::Normal { .. } if whole => {
            return Err("`uniform` and `normal` are for f32 and f16; use `integers`".to_owned());
        }
        CustomGenerator::Uniform { low, high } => (low, high),
        CustomGenerator::Normal { mean, deviation } if deviation >= 0.0 => {
            (mean - 10.0 * deviation, mean + 10.0 * deviation)
        }
        CustomGenerator::Normal { .. } => {
            return Err("`normal` takes a mean and a standard deviation from 0 up".to_owned());
        }
        CustomGenerator::Integers { low, high } => (low as f64, high as f64),
        CustomGenerator::Ramp { start, step } => {
            let last = start + step * (elements.saturating_sub(1)) as f64;
            if whole && step.fract() != 0.0 {
                return Err("`ramp` of whole numbers needs a whole step".to_owned());
            }
            (start.min(last), start.max(last))
        }
        CustomGenerator::Permutation => (0.0, elements.saturating_sub(1) as f64),
    };
    if least > most {
        return Err(format!(
            "{least} is more than {most}; give the lesser one first"
        ));
    }
    match [least, most].iter().find(|n| !data::holds(dtype, **n)) {
        Some(number) => Err(format!("{number:?} is no number of its `type`")),
        None => Ok(()),
    }
}

/// The element type of a written one, and how many elements one of them takes.
fn element_type(text: &str) -> Result<(CustomDtype, u64), String> {
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
fn scalar_of(module: &Module, ty: Handle<Type>) -> Option<CustomDtype> {
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

/// A data file of numbers of a type: its path, how many there are, and its digest.
fn data_file(
    entry: &FileEntry<'_>,
    file: &str,
    scope: &ParameterScope,
    dtype: CustomDtype,
) -> Result<(String, u64, Option<String>)> {
    let file = scope.text(file).map_err(|e| entry.wrong(e))?;
    let path = entry.inside(Path::new(&file))?;
    let elements = data::elements(&path, dtype).map_err(|e| entry.wrong(format!("{file}: {e}")))?;
    let sha256 = sha256(&path)?;
    Ok((path.display().to_string(), elements, sha256))
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
