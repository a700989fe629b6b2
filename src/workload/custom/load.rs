//! Reads a workload file and checks it: every mistake is found here, before anything is measured, and its
//! message names the file and the entry.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::value::Value;
use toml::Spanned;

use crate::error::{Error, Result, nearest};
use crate::record::{
    Counts, CustomBuffer, CustomCheck, CustomContents, CustomKernel, MOST_CASES, MOST_SOURCE_BYTES,
    read_within,
};
use crate::workload::case::Case;
use crate::workload::case_kernel::{CaseKernel, KernelVariant};
use crate::workload::custom::amounts::{Amount, ParameterScope};
use crate::workload::custom::binding::Bound;
use crate::workload::custom::buffers::buffers;
use crate::workload::custom::declared::custom_case;
use crate::workload::custom::dispatches::dispatches;
use crate::workload::custom::entry::{FileEntry, ManifestCommands, ManifestText};
use crate::workload::custom::file::{
    KernelTable, ParameterTable, ParameterValue, ParameterValues, WorkloadFile, WorkloadTable,
};
use crate::workload::custom::textures::samplers;
use crate::workload::custom::work::CustomWork;
use crate::workload::kit::kernel::Kernel;
use crate::workload::registry::{UnknownCase, find_case, registry};

/// Reads the kernels and workloads of a file; paths in it are relative to it and stay in its folder.
///
/// # Errors
/// The file, a shader or a data file cannot be read or lies elsewhere, or an entry is malformed.
pub fn load_custom(path: &Path, commands: ManifestCommands) -> Result<Vec<CaseKernel>> {
    let text = read_within(path, MOST_SOURCE_BYTES)?;
    let manifest = ManifestText {
        path,
        text: &text,
        commands,
    };
    let file: WorkloadFile = toml::from_str(&text).map_err(|e| {
        Error::file(
            path,
            format!(
                "not a workload file: {}{}; docs/custom-kernels.md describes the format",
                e.to_string().trim_end(),
                meant(e.message())
            ),
        )
    })?;
    if file.kernel.is_empty() && file.workload.is_empty() {
        return Err(Error::file(
            path,
            "holds neither a [[kernel]] nor a [[workload]]; see docs/custom-kernels.md",
        ));
    }
    let mut found = Vec::new();
    // The line of each.
    let mut lines = Vec::new();
    for table in &file.kernel {
        let entry = manifest.entry(table, format!("kernel {:?}", table.get_ref().name));
        for scope in scopes(&entry, &table.get_ref().params)? {
            let forms = forms(&entry, &table.get_ref().tune, &scope)?;
            let all = forms.iter().map(|(parameters, scope)| {
                let found = kernel(&entry, table.get_ref(), scope)?;
                Ok(with_parameters(found, parameters))
            });
            found.push(one_of(&entry, all.collect::<Result<_>>()?)?);
            lines.push(entry.line);
        }
    }
    let mut references = Vec::new();
    for table in &file.workload {
        let entry = manifest.entry(table, format!("workload {:?}", table.get_ref().case));
        for scope in scopes(&entry, &table.get_ref().params)? {
            references.push((found.len(), table.get_ref().reference.clone()));
            let forms = forms(&entry, &table.get_ref().tune, &scope)?;
            let all = forms.iter().map(|(parameters, scope)| {
                let found = workload(&manifest, table, scope)?;
                Ok(with_parameters(found, parameters))
            });
            found.push(one_of(&entry, all.collect::<Result<_>>()?)?);
            lines.push(entry.line);
        }
    }
    give_references(path, &mut found, &references, &lines)?;
    refuse_same_names(path, &found, &lines)?;
    Ok(found)
}

/// The key that was probably meant, of those that a message about an unknown one lists in backquotes.
fn meant(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let known = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let close = quoted
        .next()
        .filter(|_| known)
        .and_then(|unknown| nearest(unknown, quoted));
    close.map_or_else(String::new, |close| format!(" (did you mean `{close}`?)"))
}

/// Every combination of the parameters' values.
fn scopes(entry: &FileEntry<'_>, params: &ParameterTable) -> Result<Vec<ParameterScope>> {
    let mut scopes = vec![ParameterScope::default()];
    for (name, values) in params {
        let values: &[ParameterValue] = match values {
            ParameterValues::One(value) => std::slice::from_ref(value),
            ParameterValues::Each(values) => values,
        };
        let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !sound || values.is_empty() || scopes.len() * values.len() > MOST_CASES {
            return Err(entry.wrong(format!(
                "the parameter {name:?} needs a name of letters, digits and `_`, at least one value, and at most \
                 {MOST_CASES} combinations in all"
            )));
        }
        scopes = scopes
            .iter()
            .flat_map(|scope| {
                values.iter().map(|value| {
                    let mut scope = scope.clone();
                    scope.0.insert(name.clone(), evaluated(value));
                    scope
                })
            })
            .collect();
    }
    Ok(scopes)
}

fn evaluated(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Whole(number) => Value::from(*number),
        ParameterValue::Fraction(number) => Value::from(*number),
        ParameterValue::Word(word) => Value::from(word.clone()),
    }
}

/// Most combinations of the values that one kernel gives to `tune`.
const MOST_FORMS: usize = 4096;

/// Every combination of the values that `tune` searches, with the scope in which the kernel has them; the first is the
/// default.
fn forms(
    entry: &FileEntry<'_>,
    tune: &BTreeMap<String, Vec<Amount>>,
    scope: &ParameterScope,
) -> Result<Vec<(BTreeMap<String, u32>, ParameterScope)>> {
    let mut forms = vec![(BTreeMap::new(), scope.clone())];
    for (name, amounts) in tune {
        if scope.0.contains_key(name)
            || amounts.is_empty()
            || forms.len() * amounts.len() > MOST_FORMS
        {
            return Err(entry.wrong(format!(
                "`tune.{name}` needs a name that is none of `params`, at least one value, and at most {MOST_FORMS} \
                 combinations in all"
            )));
        }
        let values = amounts.iter().map(|amount| {
            let whole = scope
                .whole(amount)
                .map_err(|e| entry.wrong(format!("`tune.{name}`: {e}")))?;
            u32::try_from(whole)
                .map_err(|_| entry.wrong(format!("`tune.{name}`: {whole} is too large")))
        });
        let values: Vec<u32> = values.collect::<Result<_>>()?;
        let with = |(parameters, scope): &(BTreeMap<String, u32>, ParameterScope), value: u32| {
            let (mut parameters, mut scope) = (parameters.clone(), scope.clone());
            parameters.insert(name.clone(), value);
            scope.0.insert(name.clone(), Value::from(value));
            (parameters, scope)
        };
        forms = forms
            .iter()
            .flat_map(|form| values.iter().map(move |value| with(form, *value)))
            .collect();
    }
    Ok(forms)
}

/// A kernel under the values that `tune` gave it.
fn with_parameters(mut found: CaseKernel, parameters: &BTreeMap<String, u32>) -> CaseKernel {
    found.kernel.parameters.clone_from(parameters);
    found
}

/// The first of several forms of a kernel, with the others as its variants.
fn one_of(entry: &FileEntry<'_>, all: Vec<CaseKernel>) -> Result<CaseKernel> {
    let mut forms = all.into_iter();
    let mut first = forms
        .next()
        .ok_or_else(|| entry.wrong("has no form; give each key of `tune` a value"))?;
    for form in forms {
        if form.case != first.case || form.counts != first.counts {
            return Err(entry.wrong(
                "values of `tune` are choices of one case, so they cannot stand in `case`, `flop`, `bytes` or `tokens`; \
                 what makes another case belongs to `params`",
            ));
        }
        first
            .variants
            .extend(form.custom.map(|custom| KernelVariant {
                kernel: form.kernel,
                custom,
            }));
    }
    if let Some(custom) = first.custom.clone().filter(|_| !first.variants.is_empty()) {
        first.variants.insert(
            0,
            KernelVariant {
                kernel: first.kernel.clone(),
                custom,
            },
        );
    }
    Ok(first)
}

/// A custom kernel for a built-in case.
fn kernel(
    entry: &FileEntry<'_>,
    table: &KernelTable,
    scope: &ParameterScope,
) -> Result<CaseKernel> {
    let wrong = |reason: String| entry.wrong(reason);
    check_name(&table.name).map_err(wrong)?;
    let name = scope.text(&table.case).map_err(wrong)?;
    let case = find_case(&name).map_err(|unknown| {
        let hint = match unknown {
            UnknownCase::Workload(_) => {
                "; `perwatt list` shows the built-in cases, and a [[workload]] declares a case of your own"
            }
            _ => "; `perwatt list` shows the built-in cases",
        };
        entry.wrong(format!("{unknown}{hint}"))
    })?;
    let (dispatches, bound) = dispatches(entry, &table.dispatch, scope)?;
    let custom = CustomKernel {
        dispatches,
        cold: table.cold,
        buffers: buffers(entry, &table.buffer, &table.texture, scope, &bound, false)?,
        samplers: samplers(entry, &table.sampler, &bound)?,
        ..empty(entry.file.path, true)
    };
    if let Some(output) = custom.buffers.iter().find(|b| is_checked(b)) {
        return Err(entry.wrong(format!(
            "buffer {:?} has expected numbers, but the built-in reference checks this case; remove them",
            output.name
        )));
    }
    CustomWork::read(&case, case.counts(), &custom, bound)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        custom: Some(Box::new(custom)),
        parameters_from: FROM_FILE.to_owned(),
        ..CaseKernel::built_in(case, Kernel::new(table.name.clone(), &[]))
    })
}

/// A custom kernel of a file, with nothing in it yet.
fn empty(path: &Path, built_in_case: bool) -> CustomKernel {
    CustomKernel {
        file: path.display().to_string(),
        buffers: Vec::new(),
        dispatches: Vec::new(),
        built_in_case,
        cold: false,
        unverified: None,
        reference: None,
        samplers: Vec::new(),
    }
}

/// What records say of a custom kernel's parameters.
const FROM_FILE: &str = "the user's file";

/// A custom case with its kernel.
fn workload(
    manifest: &ManifestText<'_>,
    table: &Spanned<WorkloadTable>,
    scope: &ParameterScope,
) -> Result<CaseKernel> {
    let entry = manifest.entry(table, format!("workload {:?}", table.get_ref().case));
    let table = table.get_ref();
    check_name(&table.kernel).map_err(|reason| entry.wrong(reason))?;
    let case = declared_case(&entry, table, scope)?;
    let entry = entry.named(format!("workload {:?}", case.to_string()));
    let (dispatches, bound) = dispatches(&entry, &table.dispatch, scope)?;
    let referenced = table.reference.is_some();
    let (tables, textures) = (&table.buffer, &table.texture);
    let custom = CustomKernel {
        dispatches,
        unverified: table.unverified.clone(),
        cold: table.cold,
        buffers: buffers(&entry, tables, textures, scope, &bound, referenced)?,
        samplers: samplers(&entry, &table.sampler, &bound)?,
        ..empty(manifest.path, false)
    };
    let counts = counts(&entry, table, scope)?;
    refuse_unchecked(&entry, &custom, &bound)?;
    if custom.cold && counts.bytes == 0 {
        return Err(entry.wrong("`cold = true` needs `bytes`, by which the copies are counted"));
    }
    CustomWork::read(&case, counts, &custom, bound)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        case,
        kernel: Kernel::new(table.kernel.clone(), &[]),
        counts,
        custom: Some(Box::new(custom)),
        parameters_from: FROM_FILE.to_owned(),
        variants: Vec::new(),
    })
}

/// The useful work of one execution.
fn counts(entry: &FileEntry<'_>, table: &WorkloadTable, scope: &ParameterScope) -> Result<Counts> {
    let whole = |key: &str, amount| {
        let number = scope.whole(amount);
        number.map_err(|e| entry.wrong(format!("`{key}`: {e}")))
    };
    let tokens = table.tokens.as_ref();
    Ok(Counts {
        flop: whole("flop", &table.flop)?,
        bytes: whole("bytes", &table.bytes)?,
        tokens: tokens.map(|tokens| whole("tokens", tokens)).transpose()?,
    })
}

/// The case that a table declares, with the parameters in its shape.
fn declared_case(
    entry: &FileEntry<'_>,
    table: &WorkloadTable,
    scope: &ParameterScope,
) -> Result<Case> {
    let wrong = |reason: String| entry.wrong(reason);
    let mut name = scope.text(&table.case).map_err(wrong)?;
    // A sweep whose shape does not name what it sweeps over would have cases of one name.
    let swept =
        |values: &ParameterValues| matches!(values, ParameterValues::Each(v) if v.len() > 1);
    if !table.case.contains("${") {
        for (parameter, _) in table.params.iter().filter(|(_, values)| swept(values)) {
            if let Some(value) = scope.0.get(parameter) {
                name += &format!("-{parameter}{value}");
            }
        }
    }
    let case = custom_case(&name)
        .map_err(|unknown| entry.wrong(format!("{unknown}, for example `saxpy/f32/1048576`")))?;
    check_name(&case.workload).map_err(wrong)?;
    check_shape(&case.shape()).map_err(wrong)?;
    if registry().iter().any(|known| known.name() == case.workload) {
        return Err(wrong(format!(
            "{:?} is a built-in workload; declare a [[kernel]] for its case, or choose another name",
            case.workload
        )));
    }
    Ok(case)
}

/// Whether something says what a buffer must hold.
fn is_checked(buffer: &CustomBuffer) -> bool {
    matches!(buffer.contents, CustomContents::Expected { .. }) || !buffer.checks.is_empty()
}

/// Stops a case whose output nothing checks, unless the manifest says why.
fn refuse_unchecked(
    entry: &FileEntry<'_>,
    custom: &CustomKernel,
    bound: &[Option<Bound>],
) -> Result<()> {
    if let Some(reason) = &custom.unverified {
        if reason.trim().is_empty() {
            return Err(entry.wrong("`unverified` must say why nothing checks the output"));
        }
        if custom.buffers.iter().any(is_checked) {
            return Err(entry.wrong("is `unverified` and has a check; remove one of them"));
        }
        return Ok(());
    }
    // What a shader that cannot be read binds shows when it is built.
    let readable = bound.iter().all(Option::is_some);
    let read = bound.iter().flatten();
    let is_bound =
        |buffer: &CustomBuffer| !readable || read.clone().any(|bound| bound.uses(&buffer.name));
    if custom.buffers.iter().any(|b| is_checked(b) && is_bound(b)) {
        return Ok(());
    }
    Err(entry.wrong(
        "no bound buffer has a check (`expected = FILE`, `formula = …`, `check = […]`, or `output = true` with a \
         `reference`), so nothing can check the output, and an unchecked kernel gets no throughput; add one, or say \
         why not with `unverified = \"reason\"`",
    ))
}

/// Gives each case that names a reference the kernel that it names.
fn give_references(
    path: &Path,
    found: &mut [CaseKernel],
    references: &[(usize, Option<String>)],
    lines: &[usize],
) -> Result<()> {
    let known: Vec<(usize, String, String)> = references
        .iter()
        .map(|(at, _)| {
            let CaseKernel { case, kernel, .. } = &found[*at];
            (*at, case.to_string(), kernel.name.to_string())
        })
        .collect();
    for (at, wanted) in references {
        let Some(wanted) = wanted else { continue };
        let case = found[*at].case.to_string();
        let same: Vec<&(usize, String, String)> = known
            .iter()
            .filter(|(other, c, _)| *c == case && other != at)
            .collect();
        let line = lines[*at];
        let wrong =
            |reason: String| Error::file(path, format!("line {line}, workload {case:?}: {reason}"));
        let reference = same
            .iter()
            .find(|(_, _, kernel)| kernel == wanted)
            .and_then(|(other, ..)| found[*other].custom.clone())
            .ok_or_else(|| {
                let names: Vec<&str> = same.iter().map(|(_, _, kernel)| kernel.as_str()).collect();
                wrong(format!(
                    "no other kernel of this case is called {wanted:?}; there are: {}",
                    names.join(", ")
                ))
            })?;
        if let Some(missing) = found[*at]
            .custom
            .iter()
            .flat_map(|c| &c.buffers)
            .find(|buffer| {
                let compared = buffer
                    .checks
                    .iter()
                    .any(|check| matches!(check, CustomCheck::Reference { .. }));
                compared
                    && !reference.buffers.iter().any(|other| {
                        other.name == buffer.name
                            && other.elements == buffer.elements
                            && other.dtype == buffer.dtype
                    })
            })
        {
            return Err(wrong(format!(
                "the reference {wanted:?} has no buffer {:?} of the same type and size",
                missing.name
            )));
        }
        if let Some(custom) = &mut found[*at].custom {
            let reference = CustomKernel {
                reference: None,
                ..*reference
            };
            custom.reference = Some(Box::new(reference));
        }
        let given = found[*at]
            .custom
            .as_ref()
            .and_then(|custom| custom.reference.clone());
        for variant in &mut found[*at].variants {
            variant.custom.reference.clone_from(&given);
        }
    }
    Ok(())
}

/// Stops a file with two kernels of one name for one case, which nothing could tell apart.
fn refuse_same_names(path: &Path, found: &[CaseKernel], lines: &[usize]) -> Result<()> {
    let mut names = BTreeMap::new();
    for (case, line) in found.iter().zip(lines) {
        if names.insert(case.id(), ()).is_some() {
            return Err(Error::file(
                path,
                format!(
                    "line {line}, {} is already declared; give one another `kernel` name, or name the parameters in `case`, as in \
                     \"saxpy/f32/${{n}}\"",
                    case.id()
                ),
            ));
        }
    }
    Ok(())
}

/// Names stand in cases, globs and tables.
fn check_name(name: &str) -> Result<(), String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(sound) {
        Ok(())
    } else {
        Err(format!(
            "{name:?} cannot be a name; use letters, digits, `-`, `_` and `.`"
        ))
    }
}

/// A shape stands in cases and globs too; `@` begins the kernel's name there.
fn check_shape(shape: &str) -> Result<(), String> {
    let sound = |c: char| !c.is_control() && !c.is_whitespace() && !"@*?[]{}".contains(c);
    if !shape.is_empty() && shape.chars().all(sound) {
        Ok(())
    } else {
        Err(format!(
            "{shape:?} cannot be a shape; give at least one character, without spaces, control characters \
             and any of `@*?[]{{}}`"
        ))
    }
}
