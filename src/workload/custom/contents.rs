//! What is in a buffer before an execution, as a manifest says it.

use std::collections::BTreeMap;

use super::amounts::{Amount, ParameterScope};
use super::data::{data_file, holds, numbers};
use super::element_type::Wanted;
use super::entry::FileEntry;
use super::file::{AmountPair, BufferTable};
use crate::error::Result;
use crate::record::{CustomContents, CustomDtype, CustomGenerator};
use crate::workload::wgsl::{WrittenValue, encode};

/// Most numbers that stand in a manifest for one buffer.
const MOST_VALUES: usize = 1 << 20;

/// What is in a buffer, and how many elements that is, where it says so itself.
pub(super) fn contents(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    dtype: CustomDtype,
    wanted: Option<&Wanted<'_>>,
) -> Result<(CustomContents, Option<u64>)> {
    if !gives_contents(entry, table)? || table.scratch {
        return Ok((CustomContents::Scratch, None));
    }
    if is_laid_out(table) {
        return laid_out(entry, table, scope, wanted);
    }
    if let Some(amount) = &table.fill {
        let value = scope.number(amount).map_err(|e| entry.wrong(e))?;
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
            .map(|value| scope.number(&amount(value)?))
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| entry.wrong(e))?;
        entry.keep(size_of_val(values.as_slice()))?;
        let count = values.len() as u64;
        return Ok((CustomContents::Values { values }, Some(count)));
    }
    if let Some(file) = &table.file {
        let (path, count, sha256) = data_file(entry, file, scope, dtype)?;
        return Ok((CustomContents::File { path, sha256 }, Some(count)));
    }
    let generator = generator(entry, table, scope)?;
    let seed = table.seed;
    Ok((CustomContents::Generated { generator, seed }, None))
}

/// Whether a table gives contents, of which it may give one.
fn gives_contents(entry: &FileEntry<'_>, table: &BufferTable) -> Result<bool> {
    let output = table.output || is_checked(table);
    match given(table) + usize::from(table.scratch) {
        0 if output => Ok(false),
        1 if table.scratch && output => Err(entry.wrong(
            "`scratch` is working memory that nothing checks; leave it out, or `output` and the check",
        )),
        1 => Ok(true),
        _ => Err(entry.wrong(
            "give exactly one of fill, values, members, file, uniform, normal, integers, ramp, permutation and \
             scratch, or make it an output with expected, formula, check or output; the outputs of an `unverified` \
             workload are `scratch`",
        )),
    }
}

/// Whether a table says what is there before an execution.
pub(super) fn has_contents(table: &BufferTable) -> bool {
    given(table) > 0
}

/// How many contents a table gives.
fn given(table: &BufferTable) -> usize {
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
    ];
    given.iter().filter(|given| **given).count()
}

/// The generator that a table gives.
fn generator(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
) -> Result<CustomGenerator> {
    let pair = |pair: &AmountPair| {
        let numbers = pair.0.each_ref().map(|amount| scope.number(amount));
        let [first, second] = numbers;
        Ok((
            first.map_err(|e| entry.wrong(e))?,
            second.map_err(|e| entry.wrong(e))?,
        ))
    };
    if let Some(range) = &table.uniform {
        return pair(range).map(|(low, high)| CustomGenerator::Uniform { low, high });
    }
    if let Some(range) = &table.normal {
        return pair(range).map(|(mean, deviation)| CustomGenerator::Normal { mean, deviation });
    }
    if let Some(range) = &table.ramp {
        return pair(range).map(|(start, step)| CustomGenerator::Ramp { start, step });
    }
    let Some(range) = &table.integers else {
        return Ok(CustomGenerator::Permutation);
    };
    let (low, high) = pair(range)?;
    if low.fract() != 0.0 || high.fract() != 0.0 {
        return Err(entry.wrong("`integers` takes two whole numbers, the least and the greatest"));
    }
    Ok(CustomGenerator::Integers {
        low: low as i64,
        high: high as i64,
    })
}

/// Stops numbers that a type does not have.
pub(super) fn hold(entry: &FileEntry<'_>, dtype: CustomDtype, numbers: &[f64]) -> Result<()> {
    match numbers.iter().find(|number| !holds(dtype, **number)) {
        None => Ok(()),
        Some(number) => Err(entry.wrong(format!(
            "{number:?} is no number of its `type`, which must be {}",
            range(dtype)
        ))),
    }
}

/// Up to which whole number a type has every one.
fn exact_to(dtype: CustomDtype) -> f64 {
    match dtype {
        CustomDtype::F32 => 16_777_216.0,
        CustomDtype::F16 => 2048.0,
        _ => f64::INFINITY,
    }
}

/// What the numbers of a type are.
fn range(dtype: CustomDtype) -> &'static str {
    match dtype {
        CustomDtype::F32 | CustomDtype::F16 => "finite and in range",
        CustomDtype::Unorm8 | CustomDtype::Unorm16 => "from 0 to 1",
        CustomDtype::Snorm8 => "from -1 to 1",
        _ => "finite and, for u32, i32 and other whole ones, whole and in range",
    }
}

/// Whether a table's values are laid out by the shader's type.
pub(super) fn is_laid_out(table: &BufferTable) -> bool {
    table.members.is_some() || (table.dtype.is_none() && nested(table))
}

/// Whether values are lists or tables themselves, which a shader's type has to lay out.
fn nested(table: &BufferTable) -> bool {
    let deep = |value: &toml::Value| value.is_array() || value.is_table();
    table.values.as_ref().is_some_and(|v| v.iter().any(deep))
}

/// Whether something says what a buffer must hold.
pub(super) fn is_checked(table: &BufferTable) -> bool {
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
    let values: Vec<f64> = numbers(&bytes, CustomDtype::U32);
    entry.keep(size_of_val(values.as_slice()))?;
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
pub(super) fn written(value: &toml::Value, scope: &ParameterScope) -> Result<WrittenValue, String> {
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

/// Whether every number of a generator is one of the type.
pub(super) fn check_generator(
    generator: &CustomGenerator,
    dtype: CustomDtype,
    elements: u64,
) -> Result<(), String> {
    let whole = dtype.is_whole();
    let (least, most) = match *generator {
        CustomGenerator::Uniform { .. } | CustomGenerator::Normal { .. } if whole => {
            return Err(
                "`uniform` and `normal` are for floating-point types; use `integers`".to_owned(),
            );
        }
        CustomGenerator::Uniform { low, high } => (low, high),
        CustomGenerator::Normal { mean, deviation } if deviation >= 0.0 => {
            (mean - 10.0 * deviation, mean + 10.0 * deviation)
        }
        CustomGenerator::Normal { .. } => {
            return Err("`normal` takes a mean and a standard deviation from 0 up".to_owned());
        }
        CustomGenerator::Integers { low, high } => {
            let (least, most) = (low as f64, high as f64);
            if least.abs().max(most.abs()) > exact_to(dtype) {
                return Err(format!(
                    "`integers` from {low} to {high} needs a `type` that has each of them exactly; use i32 or u32"
                ));
            }
            (least, most)
        }
        CustomGenerator::Ramp { start, step } => {
            let last = start + step * (elements.saturating_sub(1)) as f64;
            if whole && step.fract() != 0.0 {
                return Err("`ramp` of whole numbers needs a whole step".to_owned());
            }
            (start.min(last), start.max(last))
        }
        CustomGenerator::Permutation => {
            let last = elements.saturating_sub(1) as f64;
            if last > exact_to(dtype) {
                return Err(format!(
                    "`permutation` of {elements} numbers needs a `type` that has each of them exactly; use u32, or fewer \
                     elements"
                ));
            }
            (0.0, last)
        }
    };
    if least > most {
        return Err(format!(
            "{least} is more than {most}; give the lesser one first"
        ));
    }
    match [least, most].iter().find(|n| !holds(dtype, **n)) {
        Some(number) => Err(format!(
            "{number:?} is no number of its `type`, which must be {}",
            range(dtype)
        )),
        None => Ok(()),
    }
}
