//! What a buffer must hold after an execution, as a manifest says it.

use super::amounts::{Amount, ParameterScope, compile};
use super::data::data_file;
use super::entry::FileEntry;
use super::file::BufferTable;
use crate::error::{Result, nearest};
use crate::record::{CustomCheck, CustomDtype};

/// The buffers of a kernel that checks can name.
pub(super) struct CheckNames<'a> {
    /// All of them.
    pub(super) all: &'a [&'a str],
    /// Those with contents: of others nothing is known before an execution.
    pub(super) filled: &'a [&'a str],
}

/// What a buffer must hold, and how many elements that is, where a file says.
pub(super) fn checks(
    entry: &FileEntry<'_>,
    table: &BufferTable,
    scope: &ParameterScope,
    dtype: CustomDtype,
    names: &CheckNames<'_>,
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
            .chain(names.filled.iter().copied());
        compile(formula, known.chain(["i"])).map_err(|e| {
            let named = |name: &&str| e.contains(&format!("unknown name {name:?}"));
            let empty = match names.all.iter().any(named) {
                true => "; it is a buffer without contents, and of buffers those with contents can be named",
                false if e.contains("unknown name") => "; a formula may name buffers with contents, too",
                false => "",
            };
            entry.wrong(format!("`formula`: {e}{empty}"))
        })?;
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
    names: &CheckNames<'_>,
    absolute: f64,
    relative: f64,
) -> Result<CustomCheck, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let buffer = |name: &str| {
        if names.filled.contains(&name) {
            return Ok(name.to_owned());
        }
        if names.all.contains(&name) {
            return Err(format!(
                "`check = [{text:?}]`: the buffer {name:?} has no contents before an execution; name one that has"
            ));
        }
        let close = nearest(name, names.filled.iter().copied())
            .map_or(String::new(), |close| format!("; did you mean {close:?}?"));
        Err(format!(
            "`check = [{text:?}]`: no buffer is called {name:?}; with contents there are {}{close}",
            names.filled.join(", ")
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
