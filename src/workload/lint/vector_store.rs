//! Writes to single components of vectors that threads share.

use naga::{AddressSpace, Expression, Function, Module, Statement, TypeInner};

use super::expression::{each_statement, name_of, shared_root};
use super::hazard::Hazard;

/// Component writes into shared vectors. In storage memory only those at an index that is computed: a thread that
/// writes `.x` and then `.y` of a vector of its own is within the rules, and nothing here can tell whose it is.
pub(super) fn hazards(module: &Module, function: &Function) -> Vec<Hazard> {
    let mut hazards = Vec::new();
    each_statement(&function.body, &mut |statement| {
        let Statement::Store { pointer, .. } = statement else {
            return;
        };
        let (base, computed) = match function.expressions[*pointer] {
            Expression::Access { base, .. } => (base, true),
            Expression::AccessIndex { base, .. } => (base, false),
            _ => return,
        };
        let Some(variable) = shared_root(module, function, *pointer) else {
            return;
        };
        let workgroup = module.global_variables[variable].space == AddressSpace::WorkGroup;
        if (workgroup || computed) && leads_to_vector(module, function, base) {
            hazards.push(Hazard::VectorComponent {
                variable: name_of(module, variable),
            });
        }
    });
    hazards
}

/// Whether a pointer expression leads to a vector.
fn leads_to_vector(
    module: &Module,
    function: &Function,
    pointer: naga::Handle<Expression>,
) -> bool {
    let Some(inner) = pointee(module, function, pointer) else {
        return false;
    };
    matches!(inner, TypeInner::Vector { .. })
}

/// The type that a pointer expression leads to, where the module has a name for it.
pub(super) fn pointee<'m>(
    module: &'m Module,
    function: &Function,
    pointer: naga::Handle<Expression>,
) -> Option<&'m TypeInner> {
    let member = |base: naga::Handle<Expression>, index: Option<u32>| {
        let inner = pointee(module, function, base)?;
        let ty = match inner {
            TypeInner::Array { base, .. } | TypeInner::BindingArray { base, .. } => *base,
            TypeInner::Struct { members, .. } => members.get(index? as usize)?.ty,
            _ => return None,
        };
        Some(&module.types[ty].inner)
    };
    match function.expressions[pointer] {
        Expression::GlobalVariable(variable) => {
            Some(&module.types[module.global_variables[variable].ty].inner)
        }
        Expression::Access { base, .. } => member(base, None),
        Expression::AccessIndex { base, index } => member(base, Some(index)),
        _ => None,
    }
}
