//! What identifies a custom kernel's program and its data: whether two sides would run the very same.
//!
//! Comments, blanks, file names and the order of tables in a workload file are no part of it. A data file
//! counts by its digest; without one (records before version 1.2) nothing is known to be the same.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::environment::{Aspect, Difference};
use crate::record::{
    CaseResult, CustomBuffer, CustomCheck, CustomContents, CustomKernel, after_wgsl_comment,
};

/// Identifies a custom kernel with its parameters, shaders and data; `None` where something of it is not
/// known, or where the kernel is a built-in one, whose shaders stand in no record.
pub fn program_identity(case: &CaseResult) -> Option<String> {
    let mut custom = case.custom.as_deref()?.clone();
    for file in custom.files_mut() {
        file.clear();
    }
    for dispatch in custom.dispatches_mut() {
        dispatch.shader.clear();
        dispatch.wgsl = wgsl_tokens(&dispatch.wgsl);
    }
    if !all_digests_known(&custom) {
        return None;
    }
    for path in custom.paths_mut() {
        path.clear();
    }
    custom.buffers.sort_by(|a, b| a.name.cmp(&b.name));
    let CaseResult {
        parameters, counts, ..
    } = case;
    // A custom workload's name is only a name; a built-in case decides the buffers.
    let case = custom.built_in_case.then_some(&case.case);
    serde_json::to_string(&(case, parameters, counts, &custom)).ok()
}

/// Whether every data file's digest stands in the record.
fn all_digests_known(custom: &CustomKernel) -> bool {
    let known = |buffer: &CustomBuffer| {
        let contents = match &buffer.contents {
            CustomContents::File { sha256, .. } | CustomContents::Expected { sha256, .. } => {
                sha256.is_some()
            }
            _ => true,
        };
        contents
            && buffer
                .checks
                .iter()
                .all(|check| !matches!(check, CustomCheck::File { sha256: None, .. }))
    };
    custom.buffers.iter().all(known) && custom.reference.as_deref().is_none_or(all_digests_known)
}

/// A shader without its comments, its tokens one blank apart where there was any; WGSL has no strings, so
/// nothing else can hold `//`.
fn wgsl_tokens(wgsl: &str) -> String {
    let mut clean = String::with_capacity(wgsl.len());
    let mut rest = wgsl;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = after_wgsl_comment(rest) {
            rest = after;
            clean.push(' ');
            continue;
        }
        clean.push(if c.is_whitespace() { ' ' } else { c });
        rest = &rest[c.len_utf8()..];
    }
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a custom workload reads and is checked against, buffer by buffer, in words; `None` where a digest is
/// not known. A custom kernel of a built-in case gets that case's data, and its other buffers are its own
/// affair.
pub(super) type CustomData = BTreeMap<String, Option<String>>;

/// The data of a case.
pub(super) fn custom_data(custom: Option<&CustomKernel>) -> CustomData {
    let buffers = custom
        .filter(|custom| !custom.built_in_case)
        .map_or(&[][..], |custom| &custom.buffers);
    buffers
        .iter()
        .filter(|buffer| {
            !matches!(buffer.contents, CustomContents::Scratch) || !buffer.checks.is_empty()
        })
        .map(|buffer| (buffer.name.clone(), described(buffer)))
        .collect()
}

/// The contents of a buffer in words.
fn described(buffer: &CustomBuffer) -> Option<String> {
    let short = |sha256: &Option<String>| -> Option<String> {
        Some(sha256.as_ref()?.chars().take(12).collect())
    };
    let contents = match &buffer.contents {
        CustomContents::Fill { value } => format!("filled with {value:?}"),
        CustomContents::Values { values } => {
            let mut hasher = DefaultHasher::new();
            for value in values {
                value.to_bits().hash(&mut hasher);
            }
            format!("values {:016x}", hasher.finish())
        }
        CustomContents::File { sha256, .. } => format!("SHA-256 {}…", short(sha256)?),
        CustomContents::Expected {
            absolute,
            relative,
            sha256,
            ..
        } => format!(
            "expected SHA-256 {}… ± {absolute:?} + {relative:?}·|expected|",
            short(sha256)?
        ),
        CustomContents::Generated { generator, seed } => format!("{generator:?} of seed {seed}"),
        _ => "scratch".to_owned(),
    };
    let mut checks = String::new();
    for check in &buffer.checks {
        checks += &match check {
            CustomCheck::File {
                absolute,
                relative,
                sha256,
                ..
            } => format!(
                ", expected SHA-256 {}… ± {absolute:?} + {relative:?}·|expected|",
                short(sha256)?
            ),
            other => format!(", checked by {other:?}"),
        };
    }
    Some(format!(
        "{} × {:?} {contents}{checks}",
        buffer.elements, buffer.dtype
    ))
}

/// The first buffer whose data differ. A buffer that only one side has is a difference where numbers come
/// from it; initial zeros and the like are working memory.
pub(super) fn data_difference(baseline: &CustomData, candidate: &CustomData) -> Option<Difference> {
    let names = baseline.keys().chain(candidate.keys());
    names.into_iter().find_map(|name| {
        let (old, new) = (baseline.get(name), candidate.get(name));
        let shown = |side: Option<&Option<String>>| match side {
            Some(Some(data)) => Some(format!("{name}: {data}")),
            Some(None) => None,
            None => Some(format!("no {name}")),
        };
        let only_filled = |side: Option<&Option<String>>| match side {
            Some(Some(data)) => data.contains(" filled with "),
            _ => side.is_none(),
        };
        if old == new || old.is_none() && only_filled(new) || new.is_none() && only_filled(old) {
            return None;
        }
        Some(Difference {
            aspect: Aspect::Data,
            baseline: shown(old)?,
            candidate: shown(new)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::wgsl_tokens;

    #[test]
    fn comments_and_blanks_are_no_part_of_a_program() {
        let plain = "let a = b / c; let d = e /f;";
        for same in [
            "let a = b / c; // a quotient\nlet d = e /f;",
            "let a = b / c;\n\n\t let d /* one /* in */ another */ = e /f;",
            "// head /* no comment\nlet a = b / c; let d = e /f;/* open",
        ] {
            assert_eq!(wgsl_tokens(same), wgsl_tokens(plain), "{same}");
        }
        for other in ["let a = b; let d = e /f;", "leta = b / c; let d = e /f;"] {
            assert_ne!(wgsl_tokens(other), wgsl_tokens(plain), "{other}");
        }
    }
}
