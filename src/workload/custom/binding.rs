//! Which buffer each variable of a shader gets.

use std::sync::Arc;

use super::element_type::Wanted;
use super::step_shaders::is_step;
use crate::error::nearest;
use crate::record::CustomDispatch;
use crate::workload::wgsl::{BoundResource, BoundVariable, EntryNeeds, WgslModule};

/// A shader of a dispatch, read, with the buffer of each variable that its entry point uses.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) module: Arc<WgslModule>,
    pub(super) needs: EntryNeeds,
    /// Variables with the names of their buffers, textures and samplers.
    pub(super) variables: Vec<(BoundVariable, String)>,
    /// The same of variables that the entry point does not use. People declare buffers for them all the same, and a
    /// second entry point or the next version of a shader may use them.
    unused: Vec<(BoundVariable, String)>,
}

impl Bound {
    /// What a dispatch binds of its shader.
    ///
    /// # Errors
    /// The entry point, an override or a binding does not fit; in words that follow the shader's name.
    pub(super) fn new(module: Arc<WgslModule>, dispatch: &CustomDispatch) -> Result<Self, String> {
        let needs = module.needs(dispatch.entry.as_deref(), &dispatch.overrides)?;
        let variables = if dispatch.bind.is_empty() {
            by_name(dispatch, &needs)?
        } else {
            in_order(dispatch, &needs)?
        };
        for (variable, _) in &variables {
            // No API has more; the executor makes a layout for every group up to the last.
            const MOST_GROUPS: u32 = 8;
            if variable.group >= MOST_GROUPS {
                return Err(format!(
                    "{} is in @group({}), and devices have 4 to {MOST_GROUPS} groups; use a lower number",
                    variable.name, variable.group
                ));
            }
            if let BoundResource::Other(what) = variable.resource {
                return Err(format!(
                    "{} (@group({}) @binding({})) is {what}, and manifests bind buffers, samplers, and textures with one sample a texel; change the shader",
                    variable.name, variable.group, variable.binding
                ));
            }
        }
        let unused = needs.variables.iter().filter(|variable| !variable.used);
        let unused = unused
            .map(|variable| (variable.clone(), of_variable(dispatch, variable)))
            .collect();
        Ok(Self {
            module,
            needs,
            variables,
            unused,
        })
    }

    /// Whether the entry point uses a buffer.
    pub(super) fn uses(&self, buffer: &str) -> bool {
        self.variables.iter().any(|(_, name)| name == buffer)
    }

    /// What the variables take that are bound to a name, or would be if the entry point used them.
    pub(super) fn resources(&self, name: &str) -> impl Iterator<Item = &BoundResource> + Clone {
        let name = name.to_owned();
        let variables = self.variables.iter().chain(&self.unused);
        variables
            .filter(move |(_, bound)| *bound == name)
            .map(|(variable, _)| &variable.resource)
    }

    /// What the variables of a buffer say of its type; those of a copy or clear say nothing.
    pub(super) fn wanted(&self, buffer: &str) -> Option<Wanted<'_>> {
        if is_step(&self.module.source) {
            return None;
        }
        let mut variables = self.variables.iter().chain(&self.unused);
        let (variable, _) = variables.find(|(_, name)| name == buffer)?;
        Some(Wanted {
            module: &self.module.module,
            ty: variable.ty,
        })
    }
}

/// Variables that the entry point uses, each with the buffer of its name or the one that the manifest says.
fn by_name(
    dispatch: &CustomDispatch,
    needs: &EntryNeeds,
) -> Result<Vec<(BoundVariable, String)>, String> {
    let names: Vec<&str> = needs.variables.iter().map(|v| v.name.as_str()).collect();
    for name in dispatch.bind_by_name.keys() {
        if !names.contains(&name.as_str()) {
            let close = nearest(name, names.iter().copied()).map_or_else(
                || format!("; it has {}", names.join(", ")),
                |close| format!("; did you mean {close:?}?"),
            );
            return Err(format!("has no variable {name:?} to bind{close}"));
        }
    }
    let used = needs.variables.iter().filter(|variable| variable.used);
    Ok(used
        .map(|variable| (variable.clone(), of_variable(dispatch, variable)))
        .collect())
}

/// The name that a variable is bound to where names decide.
fn of_variable(dispatch: &CustomDispatch, variable: &BoundVariable) -> String {
    let buffer = dispatch.bind_by_name.get(&variable.name);
    buffer.unwrap_or(&variable.name).clone()
}

/// Buffers in the order of groups and bindings: of all variables, or of those that the entry point uses.
fn in_order(
    dispatch: &CustomDispatch,
    needs: &EntryNeeds,
) -> Result<Vec<(BoundVariable, String)>, String> {
    let used: Vec<&BoundVariable> = needs.variables.iter().filter(|v| v.used).collect();
    let given = dispatch.bind.len();
    let all = &needs.variables;
    if given == all.len() {
        let pairs = all.iter().zip(&dispatch.bind);
        return Ok(pairs
            .filter(|(variable, _)| variable.used)
            .map(|(variable, buffer)| (variable.clone(), buffer.clone()))
            .collect());
    }
    if given == used.len() {
        let pairs = used.into_iter().zip(&dispatch.bind);
        return Ok(pairs
            .map(|(variable, buffer)| (variable.clone(), buffer.clone()))
            .collect());
    }
    let list: Vec<String> = all
        .iter()
        .map(|v| format!("{} (@group({}) @binding({}))", v.name, v.group, v.binding))
        .collect();
    Err(format!(
        "`bind` has {given} names, and the shader declares {}: {}; leave `bind` out to bind by these names",
        all.len(),
        list.join(", ")
    ))
}
