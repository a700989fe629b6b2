//! From what was asked to the list of cases and kernels: pure, so that it can be shown and tested
//! without opening a device.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result, nearest};
use crate::record::{Adapter, Counts, OwnKernel};
use crate::workload::{Case, Dtype, Kernel, OwnCase, Suite, Workload, registry, split_case};

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A suite; with globs, the globs choose within it.
    pub suite: Option<Suite>,
    /// Globs over `case` or `case@kernel`; a case without wildcards may be of any shape.
    pub cases: Vec<String>,
    /// Names of kernels; none means all.
    pub kernels: Vec<String>,
    /// Kernels and workloads that the user brought.
    pub own: Vec<OwnCase>,
}

/// A case with the kernel that is to do it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The case.
    pub case: Case,
    /// The kernel with its parameters.
    pub kernel: Kernel,
    /// Useful work of one execution.
    pub counts: Counts,
    /// The kernel itself, where the user brought it.
    pub own: Option<OwnKernel>,
    /// Where the parameters come from: `default`, or the tuning that chose them.
    pub parameters_from: String,
}

impl Planned {
    /// `case@kernel`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.case, self.kernel.name)
    }
}

/// The cases and kernels that a request means on an adapter, in the registry's order.
///
/// # Errors
/// A glob is malformed or fits nothing, or a kernel's name fits nothing.
pub fn plan(request: &Request, adapter: &Adapter) -> Result<Vec<Planned>> {
    let candidates = candidates(request)?;
    let mut planned: Vec<Planned> = Vec::new();
    for (workload, case) in candidates {
        let mut kernels = workload.kernels(&case, adapter);
        let others = asked_for(request, workload, &case, &kernels);
        kernels.extend(others);
        planned.extend(kernels.into_iter().map(|kernel| Planned {
            counts: workload.counts(&case),
            case: case.clone(),
            kernel,
            own: None,
            parameters_from: "default".to_owned(),
        }));
    }
    for own in &request.own {
        let planned_own = Planned {
            case: own.case.clone(),
            kernel: Kernel {
                name: own.kernel,
                parameters: BTreeMap::new(),
            },
            counts: own.counts,
            own: Some(own.own.clone()),
            parameters_from: "the user's file".to_owned(),
        };
        let id = planned_own.id();
        if planned.iter().any(|known| known.id() == id) {
            return Err(Error::file(
                &own.own.file,
                format!("{id} is there already; give the kernel another name"),
            ));
        }
        planned.push(planned_own);
    }
    let planned = filter_by_glob(planned, request)?;
    filter_by_kernel(planned, &request.kernels)
}

/// Kernels that are asked for by name and that this adapter is not offered, with the first parameters of
/// their space: they say why they do not run, and run where nothing but taste left them out. Where a case is
/// asked for that no kernel can do on this adapter, one of them says why.
fn asked_for(
    request: &Request,
    workload: &dyn Workload,
    case: &Case,
    offered: &[Kernel],
) -> Vec<Kernel> {
    let fits = |glob: &str| compile(glob).is_ok_and(|glob| glob.is_match(case.to_string()));
    let in_globs = request.cases.iter().filter_map(|glob| glob.split_once('@'));
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
    let space = workload.tuning_space(case);
    if silent {
        return space.into_iter().take(1).collect();
    }
    missing
        .into_iter()
        .filter_map(|name| space.iter().find(|kernel| kernel.name == name).cloned())
        .collect()
}

/// The workload of a name.
pub fn workload(name: &str) -> Option<&'static dyn Workload> {
    registry()
        .iter()
        .copied()
        .find(|workload| workload.name() == name)
}

/// Parses `workload/dtype/shape`.
///
/// # Errors
/// It is not of that form, or the workload does not know the dtype or shape.
pub fn parse_case(text: &str) -> Result<(&'static dyn Workload, Case)> {
    let wrong = |reason: String| Error::usage(format!("case {text:?}"), reason);
    let Some([name, dtype, shape]) = split_case(text) else {
        return Err(wrong(
            "a case is written WORKLOAD/DTYPE/SHAPE; `perwatt list` shows them".to_owned(),
        ));
    };
    let found = workload(name).ok_or_else(|| {
        let names = registry().iter().map(|w| w.name());
        let hint =
            nearest(name, names).map_or_else(String::new, |n| format!("; did you mean {n:?}?"));
        wrong(format!(
            "no workload is called {name:?}{hint}; `perwatt list` shows them"
        ))
    })?;
    let dtype = Dtype::parse(dtype).ok_or_else(|| {
        let all: Vec<&str> = Dtype::ALL.iter().map(|d| d.name()).collect();
        wrong(format!(
            "no dtype is called {dtype:?}; there are {}",
            all.join(", ")
        ))
    })?;
    let case = found.case(dtype, shape).map_err(wrong)?;
    Ok((found, case))
}

/// Every case that the request could mean, before its globs.
fn candidates(request: &Request) -> Result<Vec<(&'static dyn Workload, Case)>> {
    let mut all: Vec<(&'static dyn Workload, Case)> = registry()
        .iter()
        .flat_map(|workload| workload.cases().into_iter().map(|case| (*workload, case)))
        .filter(|(_, case)| match request.suite {
            Some(suite) => case.suites.contains(&suite),
            // With nothing else asked for, a user's kernels run beside perwatt's own for their cases.
            None => !request.cases.is_empty() || request.own.is_empty(),
        })
        .collect();
    let mut known: HashSet<String> = all.iter().map(|(_, case)| case.to_string()).collect();
    for own in request.own.iter().filter(|own| own.own.built_in_case) {
        let text = own.case.to_string();
        if !known.contains(&text) {
            all.push(parse_case(&text)?);
            known.insert(text);
        }
    }
    for glob in &request.cases {
        let text = glob.split('@').next().unwrap_or(glob);
        let of_own = request.own.iter().any(|own| own.case.to_string() == text);
        if !is_literal(text) || known.contains(text) || of_own {
            continue;
        }
        // Written out in full and in no suite: a shape of the user's own.
        let own = parse_case(text)?;
        if known.insert(own.1.to_string()) {
            all.push(own);
        }
    }
    Ok(all)
}

/// Whether a pattern is a case written out.
fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '{'])
}

/// Keeps what a glob fits; every glob must fit something.
fn filter_by_glob(planned: Vec<Planned>, request: &Request) -> Result<Vec<Planned>> {
    if request.cases.is_empty() {
        return Ok(planned);
    }
    let globs = request
        .cases
        .iter()
        .map(|text| compile(text))
        .collect::<Result<Vec<_>>>()?;
    let fits = |glob: &GlobMatcher, planned: &Planned| {
        glob.is_match(planned.case.to_string()) || glob.is_match(planned.id())
    };
    for (glob, text) in globs.iter().zip(&request.cases) {
        if !planned.iter().any(|p| fits(glob, p)) {
            let within = request
                .suite
                .map_or_else(String::new, |suite| format!(" in suite {suite}"));
            return Err(Error::usage(
                format!("--case {text}"),
                format!("fits no case{within}; `perwatt list` shows them"),
            ));
        }
    }
    Ok(planned
        .into_iter()
        .filter(|p| globs.iter().any(|glob| fits(glob, p)))
        .collect())
}

/// Compiles one glob; `*` crosses the slashes, since a case's parts are no folders.
fn compile(text: &str) -> Result<GlobMatcher> {
    GlobBuilder::new(text)
        .literal_separator(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|e| Error::usage(format!("--case {text}"), format!("no valid glob: {e}")))
}

/// Keeps the kernels of the given names; every name must fit something.
fn filter_by_kernel(planned: Vec<Planned>, names: &[String]) -> Result<Vec<Planned>> {
    if names.is_empty() {
        return Ok(planned);
    }
    for name in names {
        if !planned.iter().any(|p| p.kernel.name == name) {
            let mut there: Vec<&str> = planned.iter().map(|p| p.kernel.name).collect();
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
        .filter(|p| names.iter().any(|name| p.kernel.name == name))
        .collect())
}
