//! From what was asked to the list of cases and kernels: pure, so that it can be shown and tested
//! without opening a device.

use std::collections::{BTreeSet, HashSet};

use crate::error::{Error, Result, nearest};
use crate::record::{Adapter, CaseGlob, CaseName, MOST_CASES};
use crate::workload::{Case, CaseKernel, Kernel, Suite, find_case, registry};

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A suite; with globs, the globs choose within it.
    pub suite: Option<Suite>,
    /// Globs over `case` or `case@kernel`; a case without wildcards may be of any shape.
    pub cases: Vec<String>,
    /// Names of kernels; none means all.
    pub kernels: Vec<String>,
    /// Custom kernels and workloads.
    pub custom: Vec<CaseKernel>,
}

impl Request {
    /// Whether a kernel (`case@kernel`) is among those that are asked for by name; all are where none is.
    pub fn means(&self, id: &str) -> bool {
        let fits = |glob: &String| CaseGlob::new(glob).is_ok_and(|glob| glob.fits(id));
        let kernel = CaseName::split_kernel(id).1.unwrap_or_default();
        (self.cases.is_empty() || self.cases.iter().any(fits))
            && (self.kernels.is_empty() || self.kernels.iter().any(|name| name == kernel))
    }
}

/// The cases and kernels that a request means on an adapter, in the registry's order.
///
/// # Errors
/// A glob is malformed or fits nothing, or a kernel's name fits nothing.
pub fn plan(request: &Request, adapter: &Adapter) -> Result<Vec<CaseKernel>> {
    let candidates = candidates(request, adapter)?;
    let mut planned: Vec<CaseKernel> = Vec::new();
    for case in candidates {
        let mut kernels = case.kernels(adapter);
        if request.suite == Some(Suite::Gpu) && !names_kernels(request) {
            kernels = best(&case, kernels, adapter);
        }
        let others = asked_for(request, &case, &kernels);
        kernels.extend(others);
        planned.extend(
            kernels
                .into_iter()
                .map(|kernel| CaseKernel::built_in(case.clone(), kernel)),
        );
    }
    for custom in &request.custom {
        let id = custom.id();
        if planned.iter().any(|known| known.id() == id) {
            let file = custom.custom.as_ref().map_or("", |custom| &custom.file);
            return Err(Error::file(
                file,
                format!("{id} exists already; give the kernel another name"),
            ));
        }
        planned.push(custom.clone());
    }
    let planned = filter_by_glob(planned, request)?;
    let planned = filter_by_kernel(planned, &request.kernels)?;
    if planned.len() > MOST_CASES {
        return Err(Error::usage(
            "--case, --workloads",
            format!(
                "{} cases are asked for and {MOST_CASES} are the most; make several runs",
                planned.len()
            ),
        ));
    }
    Ok(planned)
}

/// Whether a request says which kernels it wants.
fn names_kernels(request: &Request) -> bool {
    let mut globs = request.cases.iter();
    !request.kernels.is_empty() || globs.any(|glob| CaseName::split_kernel(glob).1.is_some())
}

/// What a first look takes of a case's kernels: all that may be the roof, of others the best that the adapter can run.
fn best(case: &Case, kernels: Vec<Kernel>, adapter: &Adapter) -> Vec<Kernel> {
    let measures_roof = |kernel: &Kernel| case.resources(kernel).measures.is_some();
    if kernels.iter().any(measures_roof) {
        return kernels;
    }
    let runs = |kernel: &Kernel| {
        let program = case.program(kernel, 0);
        program.is_ok_and(|program| program.unsupported_on(adapter).is_none())
    };
    // Better ones come later. Where none runs, one says why.
    let best = kernels
        .iter()
        .rposition(runs)
        .unwrap_or(kernels.len().saturating_sub(1));
    kernels.into_iter().skip(best).take(1).collect()
}

/// Kernels that are asked for by name and that this adapter is not offered, with the first parameters of
/// their space: they say why they do not run, and run where nothing but taste left them out. Where a case is
/// asked for that no kernel can do on this adapter, one of them says why.
fn asked_for(request: &Request, case: &Case, offered: &[Kernel]) -> Vec<Kernel> {
    let fits = |glob: &str| CaseGlob::new(glob).is_ok_and(|glob| glob.fits(&case.to_string()));
    let in_globs = request
        .cases
        .iter()
        .map(|glob| CaseName::split_kernel(glob))
        .filter_map(|(glob, name)| Some((glob, name?)));
    let missing: BTreeSet<&str> = request
        .kernels
        .iter()
        .map(String::as_str)
        .chain(
            in_globs
                .filter(|(glob, _)| fits(glob))
                .map(|(_, name)| name),
        )
        .filter(|name| !offered.iter().any(|kernel| kernel.name == *name))
        .collect();
    let silent = offered.is_empty() && missing.is_empty() && !request.cases.is_empty();
    if missing.is_empty() && !silent {
        return Vec::new();
    }
    let space = case.tuning_space();
    if silent {
        return space.into_iter().take(1).collect();
    }
    missing
        .into_iter()
        .filter_map(|name| space.iter().find(|kernel| kernel.name == name).cloned())
        .collect()
}

/// The built-in case of a written one that a user gave.
///
/// # Errors
/// It is not of that form, or no workload knows it.
pub fn parse_case(text: &str) -> Result<Case> {
    find_case(text).map_err(|unknown| {
        Error::usage(
            format!("case {text:?}"),
            format!("{unknown}; `perwatt list` shows all cases"),
        )
    })
}

/// Every case that the request could mean, before its globs, in sizes that the adapter's limits allow.
fn candidates(request: &Request, adapter: &Adapter) -> Result<Vec<Case>> {
    let written = |case: &Case| {
        let case = case.to_string();
        let mut globs = request.cases.iter();
        globs.any(|glob| CaseName::split_kernel(glob).0 == case)
    };
    let mut once = HashSet::new();
    let mut all: Vec<Case> = registry()
        .iter()
        .flat_map(|workload| workload.cases())
        .filter(|case| match request.suite {
            Some(suite) => case.suites.contains(&suite),
            // With nothing else asked for, custom kernels run beside the built-in ones for their cases.
            None => !request.cases.is_empty() || request.custom.is_empty(),
        })
        // A case that was written out in full is kept, and where it does not fit the reason is shown.
        .map(|case| {
            if written(&case) {
                case
            } else {
                case.fitted(adapter)
            }
        })
        .filter(|case| once.insert(case.to_string()))
        .collect();
    let mut known: HashSet<String> = all.iter().map(Case::to_string).collect();
    let built_in = |c: &&CaseKernel| c.custom.as_ref().is_some_and(|c| c.built_in_case);
    for custom in request.custom.iter().filter(built_in) {
        let text = custom.case.to_string();
        if !known.contains(&text) {
            all.push(parse_case(&text)?);
            known.insert(text);
        }
    }
    for glob in &request.cases {
        let (text, _) = CaseName::split_kernel(glob);
        let is_custom = request.custom.iter().any(|c| c.case.to_string() == text);
        if !is_literal(text) || known.contains(text) || is_custom {
            continue;
        }
        // Written out in full and in no suite: a shape that the user chose.
        let chosen = parse_case(text)?;
        if known.insert(chosen.to_string()) {
            all.push(chosen);
        }
    }
    Ok(all)
}

/// Whether a pattern is a case written out. A bare word is all cases of a workload.
fn is_literal(pattern: &str) -> bool {
    pattern.contains('/') && !pattern.contains(['*', '?', '[', '{'])
}

/// Keeps what a glob fits; every glob must fit something.
fn filter_by_glob(planned: Vec<CaseKernel>, request: &Request) -> Result<Vec<CaseKernel>> {
    if request.cases.is_empty() {
        return Ok(planned);
    }
    let globs = request
        .cases
        .iter()
        .map(|text| CaseGlob::of_option("--case", text))
        .collect::<Result<Vec<_>>>()?;
    let fits = |glob: &CaseGlob, planned: &CaseKernel| glob.fits(&planned.id());
    for (glob, text) in globs.iter().zip(&request.cases) {
        if !planned.iter().any(|p| fits(glob, p)) {
            let within = request
                .suite
                .map_or_else(String::new, |suite| format!(" in suite {suite}"));
            return Err(Error::usage(
                format!("--case {text}"),
                format!(
                    "matches no case{within}{}; `perwatt list` shows them",
                    meant(text, &planned)
                ),
            ));
        }
    }
    Ok(planned
        .into_iter()
        .filter(|p| globs.iter().any(|glob| fits(glob, p)))
        .collect())
}

/// The pattern that a misspelt workload was meant to be.
fn meant(text: &str, planned: &[CaseKernel]) -> String {
    let word = text.split(['/', '@', '*']).next().unwrap_or_default();
    let ids: Vec<String> = planned.iter().map(CaseKernel::id).collect();
    let workloads = ids.iter().map(|id| CaseName::split_workload(id).0);
    match nearest(word, workloads).filter(|meant| *meant != word) {
        Some(meant) => format!("; did you mean {:?}?", text.replacen(word, meant, 1)),
        None => String::new(),
    }
}

/// Keeps the kernels of the given names; every name must fit something.
fn filter_by_kernel(planned: Vec<CaseKernel>, names: &[String]) -> Result<Vec<CaseKernel>> {
    if names.is_empty() {
        return Ok(planned);
    }
    for name in names {
        if !planned.iter().any(|p| p.kernel.name == *name) {
            let mut there: Vec<&str> = planned.iter().map(|p| &*p.kernel.name).collect();
            there.sort_unstable();
            there.dedup();
            return Err(Error::usage(
                format!("--kernel {name}"),
                format!(
                    "none of the chosen cases has it; they have {}",
                    there.join(", ")
                ),
            ));
        }
    }
    Ok(planned
        .into_iter()
        .filter(|p| names.iter().any(|name| p.kernel.name == *name))
        .collect())
}
