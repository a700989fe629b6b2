//! The dispatches of a manifest, with their shaders read and expanded.

use std::collections::BTreeMap;

use toml::Spanned;

use super::amounts::{Amount, ParameterScope};
use super::binding::Bound;
use super::contents::written;
use super::entry::FileEntry;
use super::file::{BindTable, BoundLevel, BoundTo, DispatchTable, IndirectTable};
use super::sources::source;
use super::steps::{repeat, step};
use crate::error::Result;
use crate::record::{CustomDispatch, CustomIndirect};

/// Dispatches, and what each binds: none where naga refuses the shader.
pub(super) type ReadDispatches = (Vec<CustomDispatch>, Vec<Option<Bound>>);

/// Dispatches with their shaders read.
pub(super) fn dispatches(
    entry: &FileEntry<'_>,
    tables: &[Spanned<DispatchTable>],
    scope: &ParameterScope,
) -> Result<ReadDispatches> {
    if tables.is_empty() {
        return Err(entry.wrong("has no [[….dispatch]]; add at least one"));
    }
    let read = |table: &Spanned<DispatchTable>| {
        dispatch(&entry.inner(table, "dispatch"), table.get_ref(), scope)
    };
    let both: Vec<_> = tables.iter().map(read).collect::<Result<_>>()?;
    Ok(both.into_iter().unzip())
}

/// What variables are bound to by name, and the mip level that each shows where it shows one.
fn bound_by_name(
    entry: &FileEntry<'_>,
    names: Option<&BTreeMap<String, BoundTo>>,
    scope: &ParameterScope,
) -> Result<(BTreeMap<String, String>, BTreeMap<String, u32>)> {
    let (mut bound, mut levels) = (BTreeMap::new(), BTreeMap::new());
    for (variable, to) in names.into_iter().flatten() {
        let name = match to {
            BoundTo::Name(name) => name,
            BoundTo::Level(BoundLevel { texture, level }) => {
                let level = scope.whole(level).and_then(|level| {
                    u32::try_from(level).map_err(|_| "no texture has so many levels".to_owned())
                });
                let level =
                    level.map_err(|e| entry.wrong(format!("`bind.{variable}.level`: {e}")))?;
                levels.insert(variable.clone(), level);
                texture
            }
        };
        bound.insert(variable.clone(), name.clone());
    }
    Ok((bound, levels))
}

fn dispatch(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<(CustomDispatch, Option<Bound>)> {
    if let Some(step) = step(entry, table, scope)? {
        return Ok(step);
    }
    let Some(files) = &table.shader else {
        return Err(entry.wrong(
            "give `shader`, the name of a WGSL file, or `copy = { from = \"BUFFER\", to = \"BUFFER\" }` or `clear = \"BUFFER\"`",
        ));
    };
    let shown = files.shown();
    let of_shader = |reason: String| entry.wrong(format!("{shown}: {reason}"));
    let (bind, by_name) = match &table.bind {
        Some(BindTable::InOrder(names)) => (names.clone(), None),
        Some(BindTable::ByName(names)) => (Vec::new(), Some(names)),
        None => (Vec::new(), None),
    };
    let (bind_by_name, levels) = bound_by_name(entry, by_name, scope)?;
    let mut dispatch = CustomDispatch {
        wgsl: source(entry, table, files, scope)?,
        shader: shown.clone(),
        workgroups: [1; 3],
        bind,
        entry: table.entry.clone(),
        overrides: overrides(entry, table, scope)?,
        bind_by_name,
        levels,
        repeat: repeat(entry, table, scope)?,
        indirect: table.indirect.clone().map(|indirect| match indirect {
            IndirectTable::Buffer(buffer) => CustomIndirect { buffer, first: 0 },
            IndirectTable::At(indirect) => indirect,
        }),
        immediates: Vec::new(),
    };
    entry.keep(dispatch.wgsl.len())?;
    let bound = match entry.file.reads.parsed(&dispatch.wgsl) {
        Ok(module) => Ok(Bound::new(module, &dispatch).map_err(of_shader)?),
        Err(refused) => Err(refused),
    };
    let groups = workgroups(entry, table, &shown, scope, bound.as_ref(), &dispatch.wgsl)?;
    let bound = bound.ok();
    dispatch.immediates = immediates(table, scope, bound.as_ref()).map_err(of_shader)?;
    dispatch.workgroups = groups.unwrap_or(dispatch.workgroups);
    Ok((dispatch, bound))
}

/// Values of overrides.
fn overrides(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<BTreeMap<String, f64>> {
    let value = |(name, amount): (&String, &Amount)| {
        let value = scope.number(amount);
        let value = value.map_err(|e| entry.wrong(format!("`overrides.{name}`: {e}")))?;
        Ok((name.clone(), value))
    };
    table.overrides.iter().map(value).collect()
}

/// Immediate data as words; none where the shader has none.
fn immediates(
    table: &DispatchTable,
    scope: &ParameterScope,
    bound: Option<&Bound>,
) -> std::result::Result<Vec<u32>, String> {
    let declared = bound.and_then(|bound| Some((bound, bound.needs.immediate.as_ref()?)));
    match (&table.immediates, declared) {
        (None, None) => Ok(Vec::new()),
        (Some(_), None) => Err(
            "`immediates` is given, and the entry point uses no `var<immediate>`; remove it"
                .to_owned(),
        ),
        (None, Some((_, (name, _)))) => Err(format!(
            "uses {name}, which is immediate data (push constants); give `immediates`, a number, a list, or a table of \
             its members, as in `immediates = {{ n = 256 }}`"
        )),
        (Some(value), Some((bound, (name, ty)))) => {
            let bytes = written(value, scope)
                .and_then(|value| bound.module.encode(*ty, &value))
                .map_err(|e| format!("`immediates` for {name}: {e}"))?;
            let mut words = Vec::new();
            for word in bytes.chunks(4) {
                let mut whole = [0; 4];
                whole[..word.len()].copy_from_slice(word);
                words.push(u32::from_le_bytes(whole));
            }
            Ok(words)
        }
    }
}

/// Workgroups; none where they are read from a buffer. `bound` is why naga refuses the shader, `wgsl`, where it does.
fn workgroups(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    shown: &str,
    scope: &ParameterScope,
    bound: std::result::Result<&Bound, &String>,
    wgsl: &str,
) -> Result<Option<[u32; 3]>> {
    let of_shader = |reason: &str| entry.wrong(format!("{shown}: {reason}"));
    match (&table.workgroups, &table.threads, &table.indirect) {
        (None, None, Some(_)) => Ok(None),
        (Some(groups), None, None) => three(entry, "workgroups", groups.list(), scope).map(Some),
        (None, Some(threads), None) => {
            let wanted = three(entry, "threads", threads.list(), scope)?;
            let bound = bound.map_err(|refused| {
                let so = "it is no WGSL, so `threads` cannot be divided by its workgroup";
                entry.wrong_wgsl(table.shader.as_ref(), wgsl, refused, so)
            })?;
            let [x, y, z] = bound.needs.threads;
            Ok(Some([
                wanted[0].div_ceil(x.max(1)),
                wanted[1].div_ceil(y.max(1)),
                wanted[2].div_ceil(z.max(1)),
            ]))
        }
        _ => Err(of_shader(
            "give one of `workgroups`, `threads`, which is divided by the size of a workgroup, and `indirect`, a buffer \
             that holds the workgroups",
        )),
    }
}

/// Up to three numbers above 0.
pub(super) fn three(
    entry: &FileEntry<'_>,
    key: &str,
    amounts: &[Amount],
    scope: &ParameterScope,
) -> Result<[u32; 3]> {
    let mut numbers = [1; 3];
    if amounts.is_empty() || amounts.len() > 3 {
        return Err(entry.wrong(format!("`{key}` must be one to three numbers above 0")));
    }
    for (number, amount) in numbers.iter_mut().zip(amounts) {
        let whole = scope.whole(amount);
        let whole = whole.map_err(|e| entry.wrong(format!("`{key}`: {e}")))?;
        *number = match u32::try_from(whole) {
            Ok(whole) if whole > 0 => whole,
            _ => {
                return Err(entry.wrong(format!(
                    "`{key}` must be one to three numbers above 0 that fit 32 bits, and {amount} is {whole}"
                )));
            }
        };
    }
    Ok(numbers)
}
