//! The copies and clears between the dispatches of a manifest.
//!
//! Each is a dispatch of a shader of perwatt's, so that it runs in the same compute pass as the others, is timed with
//! them, and stands in the record with its text. What a program does by `copyBufferToBuffer` a driver may do otherwise.

use std::collections::BTreeMap;

use toml::Spanned;

use super::amounts::ParameterScope;
use super::binding::Bound;
use super::entry::FileEntry;
use super::file::{CopyTable, DispatchTable};
use super::step_shaders::{CLEAR, COPY};
use crate::error::{Error, Result, nearest};
use crate::record::{CustomDispatch, CustomKernel};
use crate::workload::kit::program::Buffer;

/// Most times in a row that one dispatch is repeated.
const MOST_REPEATS: u64 = 10_000;

/// Most workgroups of one; each thread takes several words of what is larger.
const MOST_WORKGROUPS: u64 = 4096;

/// Words that a workgroup takes at a time.
const WORDS: u64 = 256;

/// A dispatch that copies or clears; none where it is one of a shader.
pub(super) fn step(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<Option<(CustomDispatch, Option<Bound>)>> {
    let (what, source, bound) = match (&table.copy, &table.clear) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(entry.wrong("`copy` and `clear` are two steps; give each a [[….dispatch]]"));
        }
        (Some(CopyTable { from, to }), None) => (
            format!("copy of {from} to {to}"),
            COPY,
            vec![("source", from), ("copied", to)],
        ),
        (None, Some(buffer)) => (
            format!("clear of {buffer}"),
            CLEAR,
            vec![("cleared", buffer)],
        ),
    };
    if let Some(key) = other_key(table) {
        return Err(entry.wrong(format!(
            "`{key}` is for a dispatch of a shader, and this one is a `copy` or `clear`, which takes `repeat` alone; remove \
             it, or give the shader a [[….dispatch]] of its own"
        )));
    }
    let bind_by_name = bound
        .into_iter()
        .map(|(variable, buffer)| (variable.to_owned(), buffer.clone()));
    let dispatch = CustomDispatch {
        shader: what,
        wgsl: source.to_owned(),
        workgroups: [1; 3],
        bind: Vec::new(),
        entry: None,
        overrides: BTreeMap::new(),
        bind_by_name: bind_by_name.collect(),
        levels: BTreeMap::new(),
        repeat: repeat(entry, table, scope)?,
        indirect: None,
        immediates: Vec::new(),
    };
    let module = entry
        .file
        .reads
        .parsed(source)
        .map_err(|e| entry.wrong(e))?;
    let bound = Bound::new(module, &dispatch).map_err(|e| entry.wrong(e))?;
    Ok(Some((dispatch, Some(bound))))
}

/// A key of a dispatch that says something of a shader.
fn other_key(table: &DispatchTable) -> Option<&'static str> {
    let given = [
        ("shader", table.shader.is_some()),
        ("expand", table.expand.is_some()),
        ("defines", !table.defines.is_empty()),
        ("include", !table.include.is_empty()),
        ("entry", table.entry.is_some()),
        ("workgroups", table.workgroups.is_some()),
        ("threads", table.threads.is_some()),
        ("bind", table.bind.is_some()),
        ("overrides", !table.overrides.is_empty()),
        ("indirect", table.indirect.is_some()),
        ("immediates", table.immediates.is_some()),
    ];
    given
        .into_iter()
        .find(|(_, given)| *given)
        .map(|(key, _)| key)
}

/// Times in a row.
pub(super) fn repeat(
    entry: &FileEntry<'_>,
    table: &DispatchTable,
    scope: &ParameterScope,
) -> Result<Option<u32>> {
    let Some(amount) = &table.repeat else {
        return Ok(None);
    };
    match scope.whole(amount) {
        Ok(times @ 1..=MOST_REPEATS) => Ok(u32::try_from(times).ok()),
        Ok(_) => Err(entry.wrong(format!("`repeat` must be from 1 to {MOST_REPEATS}"))),
        Err(e) => Err(entry.wrong(format!("`repeat`: {e}"))),
    }
}

/// Gives copies and clears as many workgroups as their buffers need.
///
/// # Errors
/// A buffer is not there, is a texture, or is too small for what is copied to it.
pub(super) fn size_steps(
    entry: &FileEntry<'_>,
    tables: &[Spanned<DispatchTable>],
    kernel: &mut CustomKernel,
    buffers: &[Buffer],
) -> Result<()> {
    for (table, dispatch) in tables.iter().zip(&mut kernel.dispatches) {
        let entry = entry.inner(table, "dispatch");
        let bytes = |name: &String| bytes(&entry, name, buffers);
        let of = table.get_ref();
        let all = match (&of.copy, &of.clear) {
            (Some(CopyTable { from, to }), _) => {
                let (given, room) = (bytes(from)?, bytes(to)?);
                if from == to {
                    return Err(entry.wrong(format!(
                        "`copy`: {from:?} is copied to itself; name another buffer"
                    )));
                }
                if given > room {
                    return Err(entry.wrong(format!(
                        "`copy`: {from:?} has {given} bytes and {to:?} {room}; give {to:?} as many"
                    )));
                }
                given
            }
            (None, Some(buffer)) => bytes(buffer)?,
            (None, None) => continue,
        };
        let groups = all.div_ceil(4 * WORDS).clamp(1, MOST_WORKGROUPS);
        dispatch.workgroups[0] = u32::try_from(groups).unwrap_or(1);
    }
    Ok(())
}

/// The bytes of a buffer.
fn bytes(entry: &FileEntry<'_>, name: &str, buffers: &[Buffer]) -> Result<u64, Error> {
    match buffers.iter().find(|buffer| buffer.name == name) {
        Some(buffer) if buffer.texture.is_none() => Ok(buffer.bytes),
        Some(_) => Err(entry.wrong(format!(
            "`copy` and `clear` take buffers, and {name:?} is a texture; write it by a shader"
        ))),
        None => {
            let names: Vec<&str> = buffers.iter().map(|buffer| &*buffer.name).collect();
            let close = nearest(name, names.iter().copied())
                .map_or(String::new(), |close| format!("; did you mean {close:?}?"));
            Err(entry.wrong(format!(
                "no buffer is called {name:?}; there are {}{close}",
                names.join(", ")
            )))
        }
    }
}
