//! Reads a workload file and checks it: every mistake is found here, before anything is measured, and its
//! message names the file and the entry.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use crate::error::{Error, FilePlace, Result, nearest};
use crate::record::{
    CaseName, Counts, CustomBuffer, CustomCheck, CustomContents, CustomDispatch, CustomKernel,
    MOST_SOURCE_BYTES, read_within,
};
use crate::workload::case::Case;
use crate::workload::case_kernel::CaseKernel;
use crate::workload::custom::amounts::ParameterScope;
use crate::workload::custom::binding::Bound;
use crate::workload::custom::buffers::buffers;
use crate::workload::custom::combinations::{combinations, one_of, refuse_unused};
use crate::workload::custom::declared::custom_case;
use crate::workload::custom::dispatches::dispatches;
use crate::workload::custom::entry::{FileEntry, ManifestCommands, ManifestText};
use crate::workload::custom::file::{
    DispatchTable, KernelTable, ParameterTable, ParameterValues, WorkloadFile, WorkloadTable,
    meant, slip,
};
use crate::workload::custom::steps::size_steps;
use crate::workload::custom::textures::samplers;
use crate::workload::custom::work::CustomWork;
use crate::workload::kit::kernel::Kernel;
use crate::workload::registry::{UnknownCase, find_case, registry};

/// What a workload file declares.
#[derive(Debug)]
pub struct LoadedFile {
    /// The kernels, each for its case.
    pub kernels: Vec<CaseKernel>,
    /// Those whose entry, shader or data cannot be used.
    pub unusable: Vec<UnusableKernel>,
    /// Those among the first whose shader no device will take.
    pub refused: Vec<UnusableKernel>,
}

/// A kernel that a file declares and that cannot be used.
#[derive(Debug)]
pub struct UnusableKernel {
    /// The case.
    pub case: String,
    /// The kernel's name.
    pub kernel: String,
    /// Why.
    pub why: Error,
}

impl UnusableKernel {
    /// `case@kernel`.
    pub fn id(&self) -> String {
        CaseName::with_kernel(&self.case, &self.kernel)
    }
}

/// Reads the kernels and workloads of a file; paths in it are relative to it and stay in its folder.
///
/// # Errors
/// The file, a shader or a data file cannot be read or lies elsewhere, or an entry is malformed.
pub fn load_custom(path: &Path, commands: ManifestCommands) -> Result<Vec<CaseKernel>> {
    let LoadedFile {
        kernels, unusable, ..
    } = load_each(path, commands)?;
    match unusable.into_iter().next() {
        Some(unusable) => Err(unusable.why),
        None => Ok(kernels),
    }
}

/// The same, where an entry that cannot be used costs its own cases alone.
///
/// # Errors
/// The file cannot be read, an entry does not even say for which case it is, or entries contradict each other.
pub fn load_each(path: &Path, commands: ManifestCommands) -> Result<LoadedFile> {
    let text = read_within(path, MOST_SOURCE_BYTES)?;
    let manifest = ManifestText {
        path,
        text: &text,
        commands,
        reads: Arc::default(),
    };
    refuse_other_tables(&manifest)?;
    let file = parsed(path, &text)?;
    if file.kernel.is_empty() && file.workload.is_empty() {
        return Err(Error::file(
            path,
            "holds neither a [[kernel]] nor a [[workload]]; see docs/custom-kernels.md",
        ));
    }
    let mut entries = ReadEntries::default();
    for table in &file.kernel {
        entries.read_kernel(&manifest, table)?;
    }
    for table in &file.workload {
        entries.read_workload(&manifest, table)?;
    }
    // What an entry that cannot be read would use is not known.
    if entries.unusable.is_empty() {
        refuse_unused(&manifest, &file)?;
    }
    entries.leave_out_unreferenced(path);
    let ReadEntries {
        mut found,
        lines,
        references,
        unusable,
        refused,
    } = entries;
    give_references(path, &mut found, &references, &lines)?;
    refuse_same_names(path, &found, &lines)?;
    Ok(LoadedFile {
        kernels: found,
        unusable,
        refused,
    })
}

/// What the entries of a file gave so far.
#[derive(Default)]
struct ReadEntries {
    found: Vec<CaseKernel>,
    /// The line of each.
    lines: Vec<usize>,
    /// The kernel that each custom case names as its reference, if it does.
    references: Vec<(usize, Option<String>)>,
    unusable: Vec<UnusableKernel>,
    refused: Vec<UnusableKernel>,
}

impl ReadEntries {
    fn read_kernel(
        &mut self,
        manifest: &ManifestText<'_>,
        spanned: &Spanned<KernelTable>,
    ) -> Result<()> {
        let table = spanned.get_ref();
        let entry = manifest.entry(spanned, format!("kernel {:?}", table.name));
        for combination in combinations(&entry, &table.params, &table.tune)? {
            let read = one_of(&entry, &combination, |scope| kernel(&entry, table, scope));
            let scope = &combination.scope;
            let named = || {
                let case = scope.text(&table.case)?;
                let case = find_case(&case).map_or(case, |case| case.to_string());
                let kernel = kernel_name(&table.name, &table.case, &table.params, scope)?;
                Ok((case, kernel))
            };
            self.keep(&entry, read, &table.dispatch, named)?;
        }
        Ok(())
    }

    fn read_workload(
        &mut self,
        manifest: &ManifestText<'_>,
        spanned: &Spanned<WorkloadTable>,
    ) -> Result<()> {
        let table = spanned.get_ref();
        let entry = manifest.entry(spanned, format!("workload {:?}", table.case));
        for combination in combinations(&entry, &table.params, &table.tune)? {
            let scope = &combination.scope;
            let reference = table.reference.as_ref().map(|name| scope.text(name));
            let reference = reference.transpose().map_err(|e| entry.wrong(e))?;
            let read = one_of(&entry, &combination, |scope| {
                workload(manifest, spanned, scope)
            });
            let named = || {
                let kernel = scope.text(&table.kernel).and_then(check_name)?;
                let case = declared_case(&entry, table, scope).map_err(|e| e.to_string())?;
                Ok((case.to_string(), kernel))
            };
            if self.keep(&entry, read, &table.dispatch, named)? {
                self.references.push((self.found.len() - 1, reference));
            }
        }
        Ok(())
    }

    /// Keeps what was read of an entry, or why nothing was; whether it can be used.
    fn keep(
        &mut self,
        entry: &FileEntry<'_>,
        read: Result<CaseKernel>,
        dispatches: &[Spanned<DispatchTable>],
        named: impl FnOnce() -> std::result::Result<(String, String), String>,
    ) -> Result<bool> {
        match read {
            Ok(found) => {
                let custom = found.custom.as_deref();
                let refused = custom.and_then(|c| unreadable(entry, dispatches, &c.dispatches));
                self.refused.extend(refused.map(|why| UnusableKernel {
                    case: found.case.to_string(),
                    kernel: found.kernel.name.to_string(),
                    why,
                }));
                self.found.push(found);
                self.lines.push(entry.line);
                Ok(true)
            }
            Err(why @ Error::File { .. }) => match named() {
                Ok((case, kernel)) => {
                    self.unusable.push(UnusableKernel { case, kernel, why });
                    Ok(false)
                }
                Err(_) => Err(why),
            },
            Err(other) => Err(other),
        }
    }

    /// Takes away the cases whose reference cannot be used: nothing could check them.
    fn leave_out_unreferenced(&mut self, path: &Path) {
        while let Some((at, reference)) = self.unreferenced() {
            let (place, _) = self.references.remove(at);
            for (later, _) in &mut self.references {
                *later -= usize::from(*later > place);
            }
            let CaseKernel { case, kernel, .. } = self.found.remove(place);
            let (case, kernel) = (case.to_string(), kernel.name.to_string());
            let reason = format!(
                "line {}, workload {case:?}: its reference {:?} cannot be used: {}",
                self.lines.remove(place),
                self.unusable[reference].kernel,
                self.unusable[reference].why
            );
            let why = match self.unusable[reference].why.place() {
                Some(place) => Error::file_at(path, place, reason),
                None => Error::file(path, reason),
            };
            self.unusable.push(UnusableKernel { case, kernel, why });
        }
    }

    /// The first case whose reference cannot be used: its place among the references, and that of what it names.
    fn unreferenced(&self) -> Option<(usize, usize)> {
        let unusable = |(at, (place, wanted)): (usize, &(usize, Option<String>))| {
            let (case, wanted) = (self.found[*place].case.to_string(), wanted.as_ref()?);
            let mut unusable = self.unusable.iter();
            let reference = unusable.position(|u| u.case == case && u.kernel == *wanted)?;
            Some((at, reference))
        };
        self.references.iter().enumerate().find_map(unusable)
    }
}

/// The tables of a file.
fn parsed(path: &Path, text: &str) -> Result<WorkloadFile> {
    toml::from_str(text).map_err(|e| {
        let before = e.span().and_then(|span| text.get(..span.start));
        let at = before.map(|before| before.matches('\n').count());
        let place = FilePlace {
            file: path.to_owned(),
            line: at.map(|at| at + 1),
        };
        let line = text.lines().nth(at.unwrap_or_default());
        let line = line.unwrap_or_default();
        Error::file_at(
            path,
            place,
            format!(
                "not a workload file: {}{}{}; docs/custom-kernels.md describes the format",
                e.to_string().trim_end(),
                meant(e.message()),
                slip(line, e.message())
            ),
        )
    })
}

/// Stops tables of another name than the two that a file has: of what stands below a misspelt one, a message would name the
/// first line that does not fit.
fn refuse_other_tables(manifest: &ManifestText<'_>) -> Result<()> {
    const KNOWN: [&str; 2] = ["kernel", "workload"];
    for (before, line) in manifest.text.lines().enumerate() {
        let Some(header) = line.trim().strip_prefix('[') else {
            continue;
        };
        let header = header.trim_start_matches('[');
        let name: String = header
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
            .collect();
        // Other things begin with a bracket too, a line of a list say; a table is closed by one.
        let is_table = header.split('#').next().unwrap_or_default().trim_end();
        if !is_table.ends_with(']') || name.is_empty() || KNOWN.contains(&name.as_str()) {
            continue;
        }
        if let Some(close) = nearest(&name, KNOWN) {
            let line = before + 1;
            let place = FilePlace {
                file: manifest.path.to_owned(),
                line: Some(line),
            };
            return Err(Error::file_at(
                manifest.path,
                place,
                format!(
                    "line {line}: `{name}` is no table of a workload file; did you mean `{close}`?"
                ),
            ));
        }
    }
    Ok(())
}

/// A custom kernel for a built-in case.
fn kernel(
    entry: &FileEntry<'_>,
    table: &KernelTable,
    scope: &ParameterScope,
) -> Result<CaseKernel> {
    let wrong = |reason: String| entry.wrong(reason);
    let name = kernel_name(&table.name, &table.case, &table.params, scope).map_err(wrong)?;
    let case = scope.text(&table.case).map_err(wrong)?;
    let case = find_case(&case).map_err(|unknown| {
        let hint = match unknown {
            UnknownCase::Workload(_) => {
                "; `perwatt list` shows the built-in cases, and a [[workload]] declares a case of your own"
            }
            _ => "; `perwatt list` shows the built-in cases",
        };
        entry.wrong(format!("{unknown}{hint}"))
    })?;
    let (dispatches, bound) = dispatches(entry, &table.dispatch, scope)?;
    let mut custom = CustomKernel {
        cold: table.cold,
        buffers: buffers(entry, &table.buffer, &table.texture, scope, &bound, false)
            .map_err(|wrong| unreadable(entry, &table.dispatch, &dispatches).unwrap_or(wrong))?,
        samplers: samplers(entry, &table.sampler, &bound)?,
        dispatches,
        ..empty(entry.file.path, true)
    };
    if let Some(output) = custom.buffers.iter().find(|b| is_checked(b)) {
        return Err(entry.wrong(format!(
            "buffer {:?} has expected numbers, but the built-in reference checks this case; remove them",
            output.name
        )));
    }
    let counts = case.counts();
    let there = CustomWork::new(&case, counts, &custom).empty_buffers(0);
    let there = there.map_err(|reason| entry.wrong(reason))?;
    size_steps(entry, &table.dispatch, &mut custom, &there)?;
    CustomWork::read(&case, counts, &custom, bound)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        custom: Some(Box::new(custom)),
        parameters_from: FROM_FILE.to_owned(),
        ..CaseKernel::built_in(case, Kernel::new(name, &[]))
    })
}

/// The name of a kernel for a built-in case.
fn kernel_name(
    name: &str,
    case: &str,
    params: &ParameterTable,
    scope: &ParameterScope,
) -> Result<String, String> {
    let text = scope.text(name)?;
    check_name(text + &unnamed(name, case, params, scope))
}

/// What tells the cases of a sweep apart where the texts of neither kernel nor case name what is swept over: they would
/// have one name.
fn unnamed(kernel: &str, case: &str, params: &ParameterTable, scope: &ParameterScope) -> String {
    let swept =
        |values: &ParameterValues| matches!(values, ParameterValues::Each(v) if v.len() > 1);
    let mut told = String::new();
    if !kernel.contains("${") && !case.contains("${") {
        for (parameter, _) in params.iter().filter(|(_, values)| swept(values)) {
            if let Some(value) = scope.0.get(parameter) {
                told += &format!("-{parameter}{value}");
            }
        }
    }
    told
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

/// The first shader that naga refuses, and why. What a buffer lacks then may only be what could not be read there.
fn unreadable(
    entry: &FileEntry<'_>,
    tables: &[Spanned<DispatchTable>],
    dispatches: &[CustomDispatch],
) -> Option<Error> {
    tables.iter().zip(dispatches).find_map(|(table, dispatch)| {
        let refused = entry.file.reads.parsed(&dispatch.wgsl).err()?;
        let so = "it is no WGSL, so what it binds is unknown";
        let shader = table.get_ref().shader.as_ref();
        Some(entry.wrong_wgsl(shader, &dispatch.wgsl, &refused, so))
    })
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
    let kernel = scope.text(&table.kernel).and_then(check_name);
    let kernel = kernel.map_err(|reason| entry.wrong(reason))?;
    let case = declared_case(&entry, table, scope)?;
    let entry = entry.named(format!("workload {:?}", case.to_string()));
    let (dispatches, bound) = dispatches(&entry, &table.dispatch, scope)?;
    let referenced = table.reference.is_some();
    let (tables, textures) = (&table.buffer, &table.texture);
    let mut custom = CustomKernel {
        unverified: table.unverified.clone(),
        cold: table.cold,
        buffers: buffers(&entry, tables, textures, scope, &bound, referenced)
            .map_err(|wrong| unreadable(&entry, &table.dispatch, &dispatches).unwrap_or(wrong))?,
        samplers: samplers(&entry, &table.sampler, &bound)?,
        dispatches,
        ..empty(manifest.path, false)
    };
    let counts = counts(&entry, table, scope)?;
    refuse_unchecked(&entry, &custom, &bound)?;
    if custom.cold && counts.bytes == 0 {
        return Err(entry.wrong("`cold = true` needs `bytes`, by which the copies are counted"));
    }
    let there = CustomWork::new(&case, counts, &custom).empty_buffers(0);
    let there = there.map_err(|reason| entry.wrong(reason))?;
    size_steps(&entry, &table.dispatch, &mut custom, &there)?;
    CustomWork::read(&case, counts, &custom, bound)
        .check_bindings()
        .map_err(|reason| entry.wrong(reason))?;
    Ok(CaseKernel {
        case,
        kernel: Kernel::new(kernel, &[]),
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
    name += &unnamed(&table.kernel, &table.case, &table.params, scope);
    let case = custom_case(&name)
        .map_err(|unknown| entry.wrong(format!("{unknown}, for example `saxpy/f32/1048576`")))?;
    check_name(case.workload.to_string()).map_err(wrong)?;
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

/// Whether a buffer has a check that zeros need not pass.
fn proves_values(buffer: &CustomBuffer) -> bool {
    let holds_of_zeros =
        |check: &CustomCheck| matches!(check, CustomCheck::Finite | CustomCheck::Sorted);
    matches!(buffer.contents, CustomContents::Expected { .. })
        || buffer.checks.iter().any(|check| !holds_of_zeros(check))
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
    let checked = || {
        custom
            .buffers
            .iter()
            .filter(|b| is_checked(b) && is_bound(b))
    };
    if checked().any(proves_values) {
        return Ok(());
    }
    if checked().next().is_some() {
        return Err(entry.wrong(
            "only \"finite\" and \"sorted\" check the output, and zeros everywhere would pass them; add `formula = …`, \
             `expected = FILE`, \"permutation of BUFFER\", \"sum of BUFFER\" or a `reference`, or remove the check and say \
             `unverified = \"reason\"`",
        ));
    }
    Err(entry.wrong(
        "no bound buffer has a check (`expected = FILE`, `formula = …`, `check = […]`, or `output = true` with a \
         `reference`), so nothing can check the output, and an unchecked kernel gets no throughput; add one, or say \
         why not with `unverified = \"reason\"`",
    ))
}

/// Which kernels a case has besides the one that names another.
fn others(names: &[&str], wanted: &str) -> String {
    match names {
        [] => format!(
            "this case has no other; declare a [[workload]] with the same `case` and `kernel = {wanted:?}`"
        ),
        names => format!("there are: {}", names.join(", ")),
    }
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
        let other = same.iter().find(|(_, _, kernel)| kernel == wanted);
        if let Some((other, ..)) = other {
            refuse_mutual(found, references, *at, *other).map_err(wrong)?;
        }
        let reference = other
            .and_then(|(other, ..)| found[*other].custom.clone())
            .ok_or_else(|| {
                let names: Vec<&str> = same.iter().map(|(_, _, kernel)| kernel.as_str()).collect();
                let there = others(&names, wanted);
                wrong(format!(
                    "no other kernel of this case is called {wanted:?}; {there}"
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
    }
    Ok(())
}

/// Stops two kernels that are each other's reference.
fn refuse_mutual(
    found: &[CaseKernel],
    references: &[(usize, Option<String>)],
    one: usize,
    other: usize,
) -> Result<(), String> {
    let mut named = references.iter();
    let back = named
        .find(|(at, _)| *at == other)
        .and_then(|(_, name)| name.as_ref());
    match back {
        Some(name) if *name == *found[one].kernel.name => Err(format!(
            "{:?} and this kernel are each other's `reference`, so nothing checks either; check one of them by `formula`, \
             `expected` or `check`",
            found[other].kernel.name
        )),
        _ => Ok(()),
    }
}

/// Stops a file with two kernels of one name for one case, which nothing could tell apart.
fn refuse_same_names(path: &Path, found: &[CaseKernel], lines: &[usize]) -> Result<()> {
    let mut names = BTreeMap::new();
    for (case, line) in found.iter().zip(lines) {
        if names.insert(case.id(), ()).is_some() {
            return Err(Error::file(
                path,
                format!(
                    "line {line}, {} is already declared; give one another name, or name the parameters in `case` or the \
                     kernel's name, as in \"saxpy/f32/${{n}}\" or \"tiled-${{n}}\"",
                    case.id()
                ),
            ));
        }
    }
    Ok(())
}

/// Names stand in cases, globs and tables.
fn check_name(name: String) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(sound) {
        Ok(name)
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
