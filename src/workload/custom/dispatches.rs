//! The dispatches of a manifest, with their shaders read and expanded.

use std::collections::BTreeMap;
use std::path::Path;

use super::amounts::{Amount, ParameterScope};
use super::binding::Bound;
use super::entry::FileEntry;
use super::file::{BindTable, DispatchTable};
use crate::error::Result;
use crate::record::{CustomDispatch, MOST_SOURCE_BYTES, read_within, regular_inside};
use crate::workload::kit::template::{expand_text, is_template};
use crate::workload::wgsl::{WgslModule, hint};

/// Most times in a row that one dispatch is repeated.
const MOST_REPEATS: u64 = 10_000;

/// Dispatches with their shaders read.
pub(super) fn dispatches(
    entry: &FileEntry<'_>,
    tables: &[DispatchTable],
    scope: &ParameterScope,
) -> Result<Vec<CustomDispatch>> {
    if tables.is_empty() {
        return Err(entry.wrong("has no [[….dispatch]]; add at least one"));
    }
    tables
        .iter()
        .map(|table| dispatch(entry, table, scope))
        .collect()
}

fn dispatch(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<CustomDispatch> {
    let shown = table.shader.display().to_string();
    let of_shader = |reason: String| entry.wrong(format!("{shown}: {reason}"));
    let mut overrides = BTreeMap::new();
    for (name, amount) in &table.overrides {
        let value = scope.number(amount);
        let value = value.map_err(|e| entry.wrong(format!("`overrides.{name}`: {e}")))?;
        overrides.insert(name.clone(), value);
    }
    let (bind, bind_by_name) = match table.bind.clone() {
        Some(BindTable::InOrder(names)) => (names, BTreeMap::new()),
        Some(BindTable::ByName(names)) => (Vec::new(), names),
        None => (Vec::new(), BTreeMap::new()),
    };
    let repeat = match &table.repeat {
        None => None,
        Some(amount) => match scope.whole(amount) {
            Ok(times @ 1..=MOST_REPEATS) => u32::try_from(times).ok(),
            Ok(_) => return Err(entry.wrong(format!("`repeat` must be from 1 to {MOST_REPEATS}"))),
            Err(e) => return Err(entry.wrong(format!("`repeat`: {e}"))),
        },
    };
    let mut dispatch = CustomDispatch {
        wgsl: source(entry, table, scope)?,
        shader: shown.clone(),
        workgroups: [1; 3],
        bind,
        entry: table.entry.clone(),
        overrides,
        bind_by_name,
        repeat,
    };
    let bound = Bound::of(&dispatch).transpose().map_err(of_shader)?;
    dispatch.workgroups = match (&table.workgroups, &table.threads) {
        (Some(groups), None) => three(entry, "workgroups", groups.list(), scope)?,
        (None, Some(threads)) => {
            let wanted = three(entry, "threads", threads.list(), scope)?;
            let Some(bound) = bound else {
                return Err(of_shader(
                    "naga cannot read it, so `threads` cannot be divided by its workgroup; give `workgroups`"
                        .to_owned(),
                ));
            };
            let [x, y, z] = bound.needs.threads;
            [
                wanted[0].div_ceil(x.max(1)),
                wanted[1].div_ceil(y.max(1)),
                wanted[2].div_ceil(z.max(1)),
            ]
        }
        _ => {
            return Err(of_shader(
                "give either `workgroups` or `threads`, which is divided by the size of a workgroup".to_owned(),
            ));
        }
    };
    Ok(dispatch)
}

/// Up to three numbers above 0.
fn three(
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

/// The source of a dispatch, expanded where it uses the syntax of templates.
fn source(entry: &FileEntry<'_>, table: &DispatchTable, scope: &ParameterScope) -> Result<String> {
    let shown = table.shader.display().to_string();
    let shader = entry.inside(&table.shader)?;
    let text = read_within(&shader, MOST_SOURCE_BYTES)?;
    if !is_template(&text) {
        // What naga reads is WGSL, whatever it looks like.
        let other = || WgslModule::parse(&text).is_err();
        return match hint(&text).filter(|_| other()) {
            Some(hint) => Err(entry.wrong(format!("{shown}: {hint}"))),
            None => Ok(text),
        };
    }
    let folder = entry.folder().to_owned();
    expand_text(&shown, &text, scope.0.clone(), move |name| {
        let path = folder.join(name);
        regular_inside(&folder, &path).map_err(|e| format!("{name}: {e}"))?;
        read_within(Path::new(&path), MOST_SOURCE_BYTES).map_err(|e| e.to_string())
    })
    .map_err(|reason| {
        let other = hint(&text).map_or_else(
            || "; give what it needs under `params`".to_owned(),
            |hint| format!("; {hint}"),
        );
        entry.wrong(format!("{reason}{other}"))
    })
}
